/* explain_text - clauses and values as words.
 *
 * Everything goes into a buffer of the caller; a sentence that is too long is cut, at any byte.
 * Long texts and lists are shortened first, so that the words around them stay. Nothing can fail.
 */
#include "rules/explain_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BYTES_SHOWN = 60, ITEMS_SHOWN = 5 };

void say_begin(struct sentence *sentence, char *text, size_t room)
{
    *sentence = (struct sentence){text, room, 0};
    if (room > 0)
        text[0] = '\0';
}

static void put(struct sentence *sentence, const char *data, size_t size)
{
    const size_t left = sentence->room > 0 ? sentence->room - 1 - sentence->size : 0;
    const size_t taken = size < left ? size : left;

    if (taken == 0)
        return;
    memcpy(sentence->text + sentence->size, data, taken);
    sentence->size += taken;
    sentence->text[sentence->size] = '\0';
}

void say(struct sentence *sentence, const char *words)
{
    put(sentence, words, strlen(words));
}

void say_bytes(struct sentence *sentence, atamo_bytes bytes)
{
    size_t size = bytes.size;

    if (size <= BYTES_SHOWN) {
        put(sentence, bytes.data, size);
        return;
    }
    size = BYTES_SHOWN;
    while (size > 0 && ((unsigned char)bytes.data[size] & 0xc0) == 0x80)
        size--; /* not in the middle of a character */
    put(sentence, bytes.data, size);
    say(sentence, "...");
}

static void say_text(struct sentence *sentence, atamo_bytes text, bool quotes)
{
    say(sentence, quotes ? "\"" : "");
    say_bytes(sentence, text);
    say(sentence, quotes ? "\"" : "");
}

static void say_number(struct sentence *sentence, double number)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        double back;

        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (sscanf(text, "%lf", &back) == 1 && back == number) // NOLINT(cert-err34-c)
            break;
    }
    say(sentence, text);
}

static void say_more(struct sentence *sentence, size_t more)
{
    char text[40];

    (void)snprintf(text, sizeof text, ", ... %zu more", more);
    say(sentence, text);
}

void say_values(struct sentence *sentence, const struct leaf_table *table, uint32_t field,
                bool quotes)
{
    const uint32_t first = table->fields[field].first;
    const bool several = first != LEAF_NONE && table->leaves[first].next != LEAF_NONE;
    size_t count = 0;

    if (first == LEAF_NONE) {
        say(sentence, "missing");
        return;
    }
    say(sentence, several ? "[" : "");
    for (uint32_t at = first; at != LEAF_NONE; at = table->leaves[at].next) {
        if (++count > ITEMS_SHOWN)
            continue;
        say(sentence, count > 1 ? ", " : "");
        say_text(sentence, table->leaves[at].text, quotes && table->leaves[at].kind == FIELD_TEXT);
    }
    if (count > ITEMS_SHOWN)
        say_more(sentence, count - ITEMS_SHOWN);
    say(sentence, several ? "]" : "");
}

static void say_range(struct sentence *sentence, const struct test *test)
{
    const bool low = test->of.range.low > -DBL_MAX;

    say(sentence, "numeric ");
    if (low) {
        say(sentence, test->low_open ? "> " : ">= ");
        say_number(sentence, test->of.range.low);
    }
    if (test->of.range.high < DBL_MAX) {
        say(sentence, low ? " and " : "");
        say(sentence, test->high_open ? "< " : "<= ");
        say_number(sentence, test->of.range.high);
    }
}

static void say_address(struct sentence *sentence, const struct address *address)
{
    char text[8];

    for (size_t i = 0; i < address->size; i += address->size == 4 ? 1 : 2) {
        if (address->size == 4)
            (void)snprintf(text, sizeof text, "%s%u", i > 0 ? "." : "", address->bytes[i]);
        else
            (void)snprintf(text, sizeof text, "%s%x", i > 0 ? ":" : "",
                           (unsigned)address->bytes[i] << 8 | address->bytes[i + 1]);
        say(sentence, text);
    }
}

static void say_addresses(struct sentence *sentence, const struct address_range *range)
{
    say(sentence, "an address ");
    say_address(sentence, &range->low);
    if (memcmp(range->low.bytes, range->high.bytes, range->low.size) != 0) {
        say(sentence, " to ");
        say_address(sentence, &range->high);
    }
}

/* Any test but TEST_NOT. */
static void say_plain(struct sentence *sentence, const struct test *test, bool quotes)
{
    static const char *const words[] = {
        [TEST_PREFIX] = "prefix ",
        [TEST_SUFFIX] = "suffix ",
        [TEST_WILDCARD] = "wildcard ",
        [TEST_ANYCASE] = "equals-ignore-case ",
        [TEST_PREFIX_ANYCASE] = "prefix equals-ignore-case ",
        [TEST_SUFFIX_ANYCASE] = "suffix equals-ignore-case ",
    };

    switch ((enum test_kind)test->kind) {
    case TEST_TEXT:
        say_text(sentence, test->of.text, quotes);
        break;
    case TEST_LITERAL:
        say_bytes(sentence, test->of.text);
        break;
    case TEST_NUMBER:
        say_number(sentence, test->of.range.low);
        break;
    case TEST_EXISTS:
        say(sentence, "any value");
        break;
    case TEST_ABSENT:
        say(sentence, "none");
        break;
    case TEST_RANGE:
        say_range(sentence, test);
        break;
    case TEST_PREFIX:
    case TEST_SUFFIX:
    case TEST_WILDCARD:
        say(sentence, words[test->kind]);
        say_text(sentence, test->of.text, quotes);
        break;
    case TEST_ANYCASE:
    case TEST_PREFIX_ANYCASE:
    case TEST_SUFFIX_ANYCASE:
        say(sentence, words[test->kind]);
        say_text(sentence, test->of.casing->original, quotes);
        break;
    case TEST_ADDRESS:
        say_addresses(sentence, test->of.addresses);
        break;
    case TEST_NOT:
        break;
    }
}

static void say_list(struct sentence *sentence, const struct test *tests, size_t count,
                     const char *between, bool quotes)
{
    for (size_t i = 0; i < count && i < ITEMS_SHOWN; i++) {
        say(sentence, i > 0 ? between : "");
        say_plain(sentence, &tests[i], quotes);
    }
    if (count > ITEMS_SHOWN)
        say_more(sentence, count - ITEMS_SHOWN);
}

void say_tests(struct sentence *sentence, const struct clause *clause, bool quotes)
{
    for (size_t i = 0; i < clause->count && i < ITEMS_SHOWN; i++) {
        const struct test *test = &clause->tests[i];

        say(sentence, i > 0 ? " or " : "");
        if (test->kind == TEST_NOT) {
            say(sentence, "anything but ");
            say_list(sentence, test->of.list.tests, test->of.list.count, " or ", quotes);
        } else {
            say_plain(sentence, test, quotes);
        }
    }
    if (clause->count > ITEMS_SHOWN)
        say_more(sentence, clause->count - ITEMS_SHOWN);
}

void say_names(struct sentence *sentence, const struct clause *clause)
{
    say(sentence, "[");
    say_list(sentence, clause->tests, clause->count, ", ", false);
    say(sentence, "]");
}
