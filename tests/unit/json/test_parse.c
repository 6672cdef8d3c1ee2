/* What the JSON floor accepts, what it refuses, and what it gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fixture {
    struct json_parser *parser;
    struct json_document document;
    struct json_problem problem;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    return f == NULL ? -1 : json_parser_open(&f->parser);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    json_parser_close(f->parser);
    free(f);
    return 0;
}

/* Parse a copy that ends exactly where the text does, so that a sanitizer sees any overrun. */
static int parse_bytes(struct fixture *f, const char *text, size_t size)
{
    char *exact = malloc(size == 0 ? 1 : size);
    int status;

    assert_non_null(exact);
    memcpy(exact, text, size);
    status = json_parse(f->parser, (atamo_bytes){exact, size}, size, &f->document, &f->problem);
    free(exact);
    return status;
}

static int parse(struct fixture *f, const char *text)
{
    return parse_bytes(f, text, strlen(text));
}

static void assert_bytes(atamo_bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}

static void test_every_kind_of_value_is_read(void **state)
{
    struct fixture *f = *state;
    uint32_t list;

    assert_int_equal(parse(f, " {\"a\":[1, \"x\", true ,false,null,{}],\"b\":{\"c\":-0.5e+3}} "),
                     0);
    list = json_member(&f->document, 0, atamo_text("a"));
    assert_int_equal(json_count(&f->document, list), 6);
    assert_int_equal(json_count(&f->document, 0), 2);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 0)), JSON_NUMBER);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 1)), JSON_TEXT);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 2)), JSON_TRUE);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 3)), JSON_FALSE);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 4)), JSON_NULL);
    assert_int_equal(json_kind_of(&f->document, json_element(&f->document, list, 5)), JSON_OBJECT);
    assert_int_equal(json_element(&f->document, list, 6), 0);
    assert_int_equal(json_member(&f->document, 0, atamo_text("z")), 0);
    assert_bytes(json_raw(&f->document, json_member(&f->document, 0, atamo_text("b"))),
                 "{\"c\":-0.5e+3}");
}

static void test_the_last_of_two_members_with_one_name_wins(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, "{\"a\":1,\"a\":2}"), 0);
    assert_bytes(json_raw(&f->document, json_member(&f->document, 0, atamo_text("a"))), "2");
}

static void test_escapes_are_decoded(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, "[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00z\", \"plain\"]"),
                     0);
    assert_bytes(json_text(&f->document, 1), "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80z");
    assert_bytes(json_text(&f->document, 2), "plain");
    assert_bytes(json_raw(&f->document, 2), "\"plain\"");
    assert_int_equal(parse(f, "{\"\\u0061\":1}"), 0);
    assert_int_equal(json_member(&f->document, 0, atamo_text("a")), 2);
}

static void test_whole_numbers_keep_every_digit(void **state)
{
    struct fixture *f = *state;
    uint64_t u = 0;
    int64_t i = 0;
    double d = 0;

    assert_int_equal(parse(f, "[9007199254740993,-9223372036854775808,18446744073709551615,"
                              "18446744073709551616,1e400,1.5]"),
                     0);
    assert_true(json_int64(json_raw(&f->document, 1), &i));
    assert_int_equal(i, 9007199254740993);
    assert_true(json_int64(json_raw(&f->document, 2), &i));
    assert_true(i == INT64_MIN);
    assert_true(json_uint64(json_raw(&f->document, 3), &u));
    assert_true(u == UINT64_MAX);
    assert_false(json_int64(json_raw(&f->document, 3), &i));
    assert_false(json_uint64(json_raw(&f->document, 4), &u));
    assert_false(json_double(json_raw(&f->document, 5), &d));
    assert_false(json_int64(json_raw(&f->document, 6), &i));
    assert_true(json_double(json_raw(&f->document, 6), &d));
    assert_true(d == 1.5);
}

static const char *const not_json[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[1,]",
    "[,1]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "[1 2]",
    "\"a\"\"b\"",
    "[\"a\"1]",
    "[1\"a\"]",
    "tru",
    "truex",
    "nul",
    "True",
    "[1}",
    "{\"a\":1]",
    "1 1",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1.e1",
    "Infinity",
    "NaN",
    "--1",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"a",
    "\"a\nb\"",
    "'a'",
    "/* */1",
    "[1]x",
    "\xef\xbb\xbf[]",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "[\"\\\"]",
    "{\"a\":1 \"b\":2}",
    "{\"a\" 1}",
    "{:1}",
    "[:]",
    "{\"a\":1:2}",
    "\\\"a\"",
    "[\"a\\",
    "\"\\",
    "1 ,",
};

static void test_what_is_not_json_is_refused(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof not_json / sizeof not_json[0]; i++) {
        if (parse(f, not_json[i]) != ATAMO_INVALID)
            fail_msg("accepted: %s", not_json[i]);
        assert_non_null(f->problem.reason);
    }
    assert_int_equal(parse_bytes(f, "[1,\0 2]", 7), ATAMO_INVALID);
    assert_int_equal(parse_bytes(f, "\"a\0b\"", 5), ATAMO_INVALID);
    assert_int_equal(parse_bytes(f, "1\0", 2), ATAMO_INVALID);
}

static void test_a_refusal_names_the_place(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parse(f, "{\"a\": 1,\n \"b\": tru}"), ATAMO_INVALID);
    assert_int_equal(f->problem.at, 15);
    assert_int_equal(parse(f, "[\"abc\\q\"]"), ATAMO_INVALID);
    assert_int_equal(f->problem.at, 5);
}

static void test_nesting_is_limited(void **state)
{
    struct fixture *f = *state;
    char text[2 * JSON_DEPTH_MAX + 3];
    const size_t deep = JSON_DEPTH_MAX;

    memset(text, '[', deep);
    memset(text + deep, ']', deep);
    assert_int_equal(parse_bytes(f, text, 2 * deep), ATAMO_OK);
    memset(text, '[', deep + 1);
    memset(text + deep + 1, ']', deep + 1);
    assert_int_equal(parse_bytes(f, text, 2 * deep + 2), ATAMO_INVALID);
}

static void test_a_large_text_is_parsed_and_a_too_large_one_refused(void **state)
{
    struct fixture *f = *state;
    const size_t size = JSON_BYTES_MAX + 1;
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, '1', size);
    for (size_t i = 1; i < size; i += 2)
        text[i] = ',';
    text[0] = '[';
    text[1] = '1';
    text[99999] = ']';
    assert_int_equal(parse_bytes(f, text, 100000), ATAMO_OK);
    assert_int_equal(json_count(&f->document, 0), 49999);
    text[99999] = ',';
    text[100000] = ']';
    assert_int_equal(parse_bytes(f, text, 100001), ATAMO_INVALID);
    assert_int_equal(parse_bytes(f, text, size), ATAMO_TOO_LARGE);
    free(text);
}

static void test_a_text_with_room_behind_it_is_not_copied(void **state)
{
    struct fixture *f = *state;
    char text[5 + JSON_ROOM] = "[\"a\"]";

    assert_int_equal(json_parse(f->parser, (atamo_bytes){text, 5}, sizeof text, &f->document, NULL),
                     0);
    assert_ptr_equal(json_text(&f->document, 1).data, text + 2);
}

/* Texts of every length up to some steps of the scanner, each with its room ending where a page
 * begins that may not be read: reading further would end the test by a signal. */
static void test_nothing_is_read_past_the_room_behind_a_text(void **state)
{
    struct fixture *f = *state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    memset(pages, '7', page); /* what stands in the room looks like more of a number */
    for (size_t size = 1; size < 400; size++) {
        static const char *const ends[] = {"-", "-1", "2.5", "\"", "\\", "1e", "tru", "]", ":"};
        char *text = pages + page - JSON_ROOM - size;

        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            const size_t tail = strlen(ends[i]) < size ? strlen(ends[i]) : size;

            memset(text, ' ', size);
            memcpy(text + size - tail, ends[i], tail);
            (void)json_parse(f->parser, (atamo_bytes){text, size}, size + JSON_ROOM, &f->document,
                             NULL);
        }
    }
    assert_int_equal(munmap(pages, 2 * page), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_of_value_is_read),
        TEST(test_the_last_of_two_members_with_one_name_wins),
        TEST(test_escapes_are_decoded),
        TEST(test_whole_numbers_keep_every_digit),
        TEST(test_what_is_not_json_is_refused),
        TEST(test_a_refusal_names_the_place),
        TEST(test_nesting_is_limited),
        TEST(test_a_large_text_is_parsed_and_a_too_large_one_refused),
        TEST(test_a_text_with_room_behind_it_is_not_copied),
        TEST(test_nothing_is_read_past_the_room_behind_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
