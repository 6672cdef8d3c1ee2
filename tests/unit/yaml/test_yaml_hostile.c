/* No input of 256 KiB keeps the parser busy, however it is made. ATAMO_SHOW_TIMES=1 prints figures.
 */
#include "yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUT_SIZE = 256 << 10, PATTERN_MAX = 64 };

/* `begin`, then `again` as often as it fits. */
struct hostile {
    const char *begin, *again;
};

static const struct hostile inputs[] = {
    {"", "["},
    {"", "{"},
    {"", "{a: "},
    {"", "[{a: "},
    {"", "{? "},
    {"", "[? "},
    {"", "[,"},
    {"", "[a, "},
    {"[", "[],"},
    {"[", "{},"},
    {"[", "[[[[[[]]]]]],"},
    {"[", "a: b,"},
    {"[", "'',"},
    {"{", "a: [],"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "[],"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "a,"},
    {"", "- "},
    {"", "- - - - - - -\n"},
    {"", "-\n"},
    {"", "? "},
    {"", "?\n"},
    {"", ": "},
    {"", ":\n"},
    {"", "a: "},
    {"", "a:\n"},
    {"", "a"},
    {"", "a "},
    {"", "a\n"},
    {"", "\"a"},
    {"\"", "\\x41"},
    {"\"", "\\U0010ffff"},
    {"\"", "\\\n"},
    {"\"", "\n"},
    {"'", "''"},
    {"'", "\n "},
    {"|\n", " \n"},
    {"|\n", " a\n"},
    {">\n", " a\n\n"},
    {">\n", "  a\n b\n"},
    {"", "&a "},
    {"", "&a [*a,"},
    {"- &a a\n", "- *a\n"},
    {"a: &a [1]\n", "b: *a\n"},
    {"&", "a"},
    {"*", "a"},
    {"", "!"},
    {"", "!!str "},
    {"!<", "a"},
    {"!", "%41"},
    {"", "- !a b\n"},
    {"", "%TAG !a! tag:x\n"},
    {"", "%YAML 1.1\n"},
    {"", "%\n"},
    {"# a\r", "%TAG !a! tag:x\r"},
    {"", "%TAG !a! tag:x\xe2\x80\xa8"},
    {"--- a\n...\n", "%TAG !a! tag:x\n"},
    {"", "---\n"},
    {"", "...\n"},
    {"", "--- a\n...\n"},
    {"a\n", "...\n"},
    {"", "#"},
    {"", "#\n"},
    {"", " "},
    {"", "\t"},
    {"", "\n"},
    {"", "\r"},
    {"", "\xc2\x85"},
    {"", "\xef\xbb\xbf"},
    {"", "\xff"},
    {"a: ", "\xc3"},
    {"a: ", "\xf0\x9f\x98\x80"},
    {"a: \"", "\xed\xa0\x80"},
    {"a: ", "\x01"},
    {"", "1"},
    {"0x", "f"},
    {"0.", "0"},
    {"", "1."},
    {"- 1e", "9"},
    {"[", "1e9999,"},
    {"[", ".inf,"},
    {"", "<<: {}\n"},
    {"[\"", "${env:A}"},
    {"[\"", "${env:A:-"},
    {"[\"", "${env:"},
    {"[\"", "$${env:"},
    {"[\"", "${env:LONG}"},
    {"\"", "${env:NOPE}"},
};

static const char *environment(void *context, const char *name)
{
    static const char value[] = "0123456789012345678901234567890123456789012345678901234567890123";

    (void)context;
    if (strcmp(name, "NOPE") == 0)
        return NULL;
    return strcmp(name, "LONG") == 0 ? value : "x";
}

static double now_ms(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* CPU milliseconds that one parse of the text takes. */
static double parse_ms(const char *text, size_t size, int *status, size_t *nodes)
{
    const struct yaml_options options = {.file = "hostile.yaml", .environment = environment};
    const struct yaml_node *root = NULL;
    struct problems problems;
    struct arena arena;
    double start;

    arena_init(&arena);
    problems_init(&problems);
    start = now_ms();
    *status = yaml_parse(&arena, (atamo_bytes){text, size}, &options, &problems, &root);
    start = now_ms() - start;
    assert_int_equal(*status == ATAMO_OK, problems.errors == 0);
    *nodes = root != NULL ? root->count : 0;
    arena_close(&arena);
    problems_close(&problems);
    return start;
}

/* Sanitizers and debug builds on a busy machine are several times slower than what is promised. */
static double limit_ms(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 2000;
#elif defined(__OPTIMIZE__)
    return 50;
#else
    return 100;
#endif
}

static void check(const char *name, const char *text, size_t size)
{
    double best = 1e9;
    size_t nodes;
    int status;

    for (int i = 0; i < 10 && best > limit_ms() / 2; i++) {
        const double took = parse_ms(text, size, &status, &nodes);

        best = took < best ? took : best;
    }
    if (getenv("ATAMO_SHOW_TIMES") != NULL)
        print_message("%8.2f ms  %s\n", best, name);
    if (best > limit_ms())
        fail_msg("%s took %.1f ms", name, best);
}

/* Where the text ends with one more piece of it. */
static size_t append(char *text, size_t size, const char *piece)
{
    while (*piece != '\0')
        text[size++] = *piece++;
    return size;
}

static void repeat(char *text, const struct hostile *hostile)
{
    size_t size;

    memset(text, '\n', INPUT_SIZE);
    size = append(text, 0, hostile->begin);
    while (size + strlen(hostile->again) <= INPUT_SIZE)
        size = append(text, size, hostile->again);
}

static void test_repeated_patterns_end_quickly(void **state)
{
    char *text = *state;

    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        char name[PATTERN_MAX];

        repeat(text, &inputs[i]);
        (void)snprintf(name, sizeof name, "\"%s\" and then \"%s\"", inputs[i].begin,
                       inputs[i].again);
        check(name, text, INPUT_SIZE);
    }
}

static void test_growing_indentation_ends_quickly(void **state)
{
    char *text = *state;
    size_t size = 0;

    for (int depth = 0; size + (size_t)depth + 3 < INPUT_SIZE; depth++) {
        memset(text + size, ' ', (size_t)depth);
        size = append(text, size + (size_t)depth, "a:\n");
    }
    check("growing indentation", text, size);
}

static void test_many_keys_end_quickly(void **state)
{
    char *text = *state;
    size_t size = 0;
    size_t nodes;
    int status;

    for (unsigned key = 0; size + 10 < INPUT_SIZE; key++)
        size += (size_t)snprintf(text + size, 16, "%x:\n", key);
    check("many keys", text, size);
    (void)parse_ms(text, size, &status, &nodes);
    assert_int_equal(status, ATAMO_OK);
    assert_true(nodes > 40000);
}

static void test_many_duplicates_end_quickly(void **state)
{
    char *text = *state;
    size_t size = 0;

    for (unsigned key = 0; size + 10 < INPUT_SIZE; key++)
        size += (size_t)snprintf(text + size, 16, "%x:\n", key / 3);
    check("many duplicates", text, size);
}

static void test_long_keys_end_quickly(void **state)
{
    char *text = *state;
    size_t size = 0;

    for (int key = 0; size + 1100 < INPUT_SIZE; key++) {
        memset(text + size, 'k', 1000);
        size += 1000 + (size_t)snprintf(text + size + 1000, 32, "%d: x\n", key);
    }
    check("keys of 1000 bytes", text, size);
}

static void test_nul_bytes_end_quickly(void **state)
{
    char *text = *state;

    memset(text, 0, INPUT_SIZE);
    check("NUL bytes", text, INPUT_SIZE);
}

static void test_random_pieces_end_quickly(void **state)
{
    static const char pieces[][4] = {"[",  "]", "{",  "}", ", ",  ": ",  "- ",  "? ", "a", "\n",
                                     "  ", "'", "\"", "#", "&a ", "*a ", "!b ", "|",  ">", "\t"};
    char *text = *state;
    uint32_t seed = 1;

    for (int round = 0; round < 60; round++) {
        const uint32_t kinds = 2 + (uint32_t)round % 19;
        size_t size = 0;

        while (size + 4 < INPUT_SIZE) {
            seed = seed * 1664525 + 1013904223;
            size = append(text, size, pieces[(seed >> 16) % kinds]);
        }
        check("random pieces", text, size);
    }
}

static int set_up(void **state)
{
    *state = malloc(INPUT_SIZE + 16);
    return *state != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_patterns_end_quickly),
        cmocka_unit_test(test_growing_indentation_ends_quickly),
        cmocka_unit_test(test_many_keys_end_quickly),
        cmocka_unit_test(test_many_duplicates_end_quickly),
        cmocka_unit_test(test_long_keys_end_quickly),
        cmocka_unit_test(test_nul_bytes_end_quickly),
        cmocka_unit_test(test_random_pieces_end_quickly),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
