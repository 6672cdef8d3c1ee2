/* pattern_test - one path's list of values and match expressions.
 *
 * Happy path: a plain value becomes one test (a text that is an IP address becomes a range of one
 * address, as in event-ruler); a map with one key is an expression, found by its name in a table.
 * Fails on the first mistake of a list, naming what was expected; the caller goes on with the next
 * list, so that all are said.
 */
#include "rules/number.h"
#include "rules/pattern_inside.h"
#include "rules/text_match.h"

#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool pattern_wrong(struct pattern_maker *maker, const struct yaml_node *node, const char *format,
                   ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)problems_add(maker->problems, yaml_place(node), "%s", text);
    return false;
}

static void *take(struct pattern_maker *maker, size_t count, size_t size)
{
    void *memory = arena_array(maker->arena, count, size);

    if (memory == NULL)
        maker->status = ATAMO_NO_MEMORY;
    return memory;
}

/* The tree may go before the pattern does, so texts are copied. */
static bool take_text(struct pattern_maker *maker, atamo_bytes from, atamo_bytes *to)
{
    *to = arena_copy(maker->arena, from);
    if (to->data == NULL)
        maker->status = ATAMO_NO_MEMORY;
    return to->data != NULL;
}

static bool want_text(struct pattern_maker *maker, const char *name, const struct yaml_node *node)
{
    if (node->kind == YAML_TEXT)
        return true;
    return pattern_wrong(maker, node, "%s expects a text, found %s", name,
                         yaml_kind_name(node->kind));
}

static bool make_casing(struct pattern_maker *maker, atamo_bytes text, enum test_kind kind,
                        struct test *test)
{
    atamo_bytes copy;

    if (!take_text(maker, text, &copy))
        return false;
    test->kind = (uint8_t)kind;
    test->of.casing = casing_compile(maker->arena, copy, kind == TEST_SUFFIX_ANYCASE);
    if (test->of.casing == NULL)
        maker->status = ATAMO_NO_MEMORY;
    return test->of.casing != NULL;
}

static bool make_text(struct pattern_maker *maker, const struct yaml_node *node,
                      enum test_kind kind, struct test *test)
{
    test->kind = (uint8_t)kind;
    return take_text(maker, node->text, &test->of.text);
}

/* The one pair of a map, or a mistake. */
static bool one_pair(struct pattern_maker *maker, const struct yaml_node *map)
{
    if (map->kind == YAML_MAP && map->count == 1)
        return true;
    return pattern_wrong(maker, map, "expected one match expression such as {prefix: text}");
}

/* {prefix: text} or {prefix: {equals-ignore-case: text}}, and the same of suffix. */
static bool make_end(struct pattern_maker *maker, const struct yaml_node *node, bool suffix,
                     struct test *test)
{
    const char *name = suffix ? "suffix" : "prefix";

    if (node->kind != YAML_MAP)
        return want_text(maker, name, node) &&
               make_text(maker, node, suffix ? TEST_SUFFIX : TEST_PREFIX, test);
    if (!one_pair(maker, node))
        return false;
    if (strcmp(node->keys[0]->text.data, "equals-ignore-case") != 0)
        return pattern_wrong(maker, node->keys[0],
                             "%s expects a text or {equals-ignore-case: text}", name);
    return want_text(maker, "equals-ignore-case", node->items[0]) &&
           make_casing(maker, node->items[0]->text,
                       suffix ? TEST_SUFFIX_ANYCASE : TEST_PREFIX_ANYCASE, test);
}

static bool make_wildcard(struct pattern_maker *maker, const struct yaml_node *node,
                          struct test *test)
{
    const char *wrong;

    if (!want_text(maker, "wildcard", node))
        return false;
    wrong = text_check_wildcard(node->text);
    if (wrong != NULL)
        return pattern_wrong(maker, node, "wildcard expects %s", wrong);
    return make_text(maker, node, TEST_WILDCARD, test);
}

static bool make_range(struct pattern_maker *maker, const struct address_range *range,
                       struct test *test)
{
    struct address_range *copy = take(maker, 1, sizeof *copy);

    if (copy == NULL)
        return false;
    *copy = *range;
    test->kind = TEST_ADDRESS;
    test->of.addresses = copy;
    return true;
}

static bool make_cidr(struct pattern_maker *maker, const struct yaml_node *node, struct test *test)
{
    struct address_range range;
    const char *wrong;

    if (!want_text(maker, "cidr", node))
        return false;
    wrong = address_read_range(node->text, &range);
    if (wrong != NULL)
        return pattern_wrong(maker, node, "cidr expects %s", wrong);
    return make_range(maker, &range, test);
}

/* One member of {anything-but: {NAME: ...}}. */
static bool make_but_named(struct pattern_maker *maker, const char *name,
                           const struct yaml_node *node, struct test *test)
{
    if (!want_text(maker, name, node))
        return false;
    if (strcmp(name, "wildcard") == 0)
        return make_wildcard(maker, node, test);
    if (strcmp(name, "equals-ignore-case") == 0)
        return make_casing(maker, node->text, TEST_ANYCASE, test);
    if (node->text.size == 0)
        return pattern_wrong(maker, node, "anything-but %s expects a text that is not empty", name);
    return make_text(maker, node, name[0] == 's' ? TEST_SUFFIX : TEST_PREFIX, test);
}

/* One member of {anything-but: ...}: a text or a number. */
static bool make_but_plain(struct pattern_maker *maker, const struct yaml_node *node,
                           enum yaml_kind kind, struct test *test)
{
    if (node->kind != YAML_TEXT && node->kind != YAML_NUMBER)
        return pattern_wrong(maker, node, "anything-but expects texts or numbers, found %s",
                             yaml_kind_name(node->kind));
    if (node->kind != kind)
        return pattern_wrong(maker, node, "anything-but expects only texts or only numbers");
    if (kind == YAML_TEXT)
        return make_text(maker, node, TEST_TEXT, test);
    test->kind = TEST_NUMBER;
    if (!pattern_number(maker, node, &test->of.range.low))
        return false;
    test->of.range.high = test->of.range.low;
    return true;
}

/* Which of the texts anything-but may be applied to; NULL after a mistake. */
static const char *but_name(struct pattern_maker *maker, const struct yaml_node *map)
{
    static const char *const names[] = {"prefix", "suffix", "equals-ignore-case", "wildcard"};
    const char *name;

    if (!one_pair(maker, map))
        return NULL;
    name = map->keys[0]->text.data;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0 && !(maker->or_is_a_name && i == 3))
            return names[i];
    }
    (void)pattern_wrong(maker, map->keys[0],
                        "anything-but expects texts, numbers, or one of prefix, suffix, "
                        "equals-ignore-case, wildcard");
    return NULL;
}

static bool make_but(struct pattern_maker *maker, const struct yaml_node *node, struct test *test)
{
    const char *name = NULL;
    const struct yaml_node *const *items;
    struct test *tests;
    size_t count = 1;

    if (node->kind == YAML_MAP) {
        name = but_name(maker, node);
        if (name == NULL)
            return false;
        node = node->items[0];
    }
    items = &node;
    if (node->kind == YAML_LIST) {
        items = (const struct yaml_node *const *)node->items;
        count = node->count;
        if (count == 0 || (maker->or_is_a_name && name != NULL && name[0] != 'e'))
            return pattern_wrong(maker, node, "anything-but expects at least one value");
    }
    tests = take(maker, count, sizeof *tests);
    if (tests == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const bool good = name == NULL ? make_but_plain(maker, items[i], items[0]->kind, &tests[i])
                                       : make_but_named(maker, name, items[i], &tests[i]);

        if (!good)
            return false;
    }
    test->kind = TEST_NOT;
    test->of.list = (struct test_list){count, tests};
    return true;
}

static bool make_exists(struct pattern_maker *maker, const struct yaml_node *node,
                        struct test *test)
{
    if (node->kind != YAML_BOOL)
        return pattern_wrong(maker, node, "exists expects true or false, found %s",
                             yaml_kind_name(node->kind));
    test->kind = node->truth ? TEST_EXISTS : TEST_ABSENT;
    return true;
}

static bool make_expression(struct pattern_maker *maker, const struct yaml_node *map,
                            struct test *test)
{
    static const char *const names[] = {"exactly",  "prefix",       "suffix",  "equals-ignore-case",
                                        "wildcard", "anything-but", "numeric", "exists",
                                        "cidr"};
    const size_t count = sizeof names / sizeof names[0];
    const struct yaml_node *value;
    const char *nearest;
    size_t which = 0;

    if (!one_pair(maker, map))
        return false;
    value = map->items[0];
    while (which < count && strcmp(names[which], map->keys[0]->text.data) != 0)
        which++;
    switch (which) {
    case 0:
        return want_text(maker, "exactly", value) && make_text(maker, value, TEST_TEXT, test);
    case 1:
    case 2:
        return make_end(maker, value, which == 2, test);
    case 3:
        return want_text(maker, names[which], value) &&
               make_casing(maker, value->text, TEST_ANYCASE, test);
    case 4:
        return make_wildcard(maker, value, test);
    case 5:
        return make_but(maker, value, test);
    case 6:
        return pattern_numeric(maker, value, test);
    case 7:
        return make_exists(maker, value, test);
    case 8:
        return make_cidr(maker, value, test);
    default:
        break;
    }
    nearest = problems_nearest(map->keys[0]->text, names, count);
    if (nearest != NULL)
        return pattern_wrong(maker, map->keys[0], "no match expression %s; did you mean %s?",
                             map->keys[0]->text.data, nearest);
    return pattern_wrong(maker, map->keys[0],
                         "no match expression %s; expected prefix, suffix, equals-ignore-case, "
                         "wildcard, anything-but, numeric, exists or cidr",
                         map->keys[0]->text.data);
}

static bool make_number(struct pattern_maker *maker, const struct yaml_node *node,
                        struct test *test)
{
    const atamo_bytes text = pattern_number_text(maker, node);

    if (text.size == 0 || json_number_size(text.data, text.size) != text.size)
        return pattern_wrong(maker, node, "%.*s is not a number of JSON", (int)node->text.size,
                             node->text.data);
    test->kind = TEST_NUMBER;
    if (number_comparable(text, &test->of.range.low)) {
        test->of.range.high = test->of.range.low;
        return true;
    }
    test->kind = TEST_LITERAL;
    return take_text(maker, text, &test->of.text);
}

static bool make_test(struct pattern_maker *maker, const struct yaml_node *node, struct test *test)
{
    struct address_range range;

    switch (node->kind) {
    case YAML_TEXT:
        if (!address_read(node->text, &range.low))
            return make_text(maker, node, TEST_TEXT, test);
        range.high = range.low;
        return make_range(maker, &range, test);
    case YAML_NUMBER:
        return make_number(maker, node, test);
    case YAML_NULL:
    case YAML_BOOL:
        test->kind = TEST_LITERAL;
        test->of.text = atamo_text(node->kind == YAML_NULL ? "null"
                                   : node->truth           ? "true"
                                                           : "false");
        return true;
    case YAML_MAP:
        return make_expression(maker, node, test);
    case YAML_LIST:
        break;
    }
    return pattern_wrong(maker, node, "expected a value or a match expression, found a list");
}

bool pattern_tests(struct pattern_maker *maker, const struct yaml_node *list, struct test **tests,
                   size_t *count)
{
    struct test *made;

    if (list->count == 0)
        return pattern_wrong(maker, list, "expected at least one value or match expression");
    if (list->count > UINT16_MAX)
        return pattern_wrong(maker, list, "more than 65535 values");
    made = take(maker, list->count, sizeof *made);
    if (made == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!make_test(maker, list->items[i], &made[i]))
            return false;
    }
    *tests = made;
    *count = list->count;
    return true;
}
