/* Texts that grow, and the JSON in them: always JSON, whatever bytes come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/text.h"

#include "plugin/json_extension.h"

#include <stdlib.h>
#include <string.h>

static void expect(struct text *text, const char *wanted)
{
    assert_false(text->failed);
    assert_int_equal(text->size, strlen(wanted));
    assert_memory_equal(text->data, wanted, text->size);
    text_free(text);
    assert_null(text->data);
}

static void test_members_and_elements_are_separated_by_commas(void **state)
{
    struct text text = {0};

    (void)state;
    text_open(&text, NULL, '{');
    text_string(&text, "a", "x");
    text_open(&text, "b", '[');
    text_uint(&text, NULL, 1);
    text_uint(&text, NULL, UINT64_MAX);
    text_open(&text, NULL, '{');
    text_close(&text, '}');
    text_bool(&text, NULL, true);
    text_close(&text, ']');
    text_number(&text, "c", 0.25);
    text_raw(&text, "d", atamo_text("null"));
    text_bool(&text, "e", false);
    text_close(&text, '}');
    expect(&text, "{\"a\":\"x\",\"b\":[1,18446744073709551615,{},true],\"c\":0.25,\"d\":null,"
                  "\"e\":false}");
}

static void test_strings_are_escaped(void **state)
{
    struct text text = {0};
    static const char bytes[] = "\"\\/\0\n\x1f\x7f~ \xc3\xbc\xf0\x9f\x98\x80";

    (void)state;
    text_bytes(&text, NULL, (atamo_bytes){bytes, sizeof bytes - 1});
    expect(&text, "\"\\\"\\\\/\\u0000\\u000a\\u001f\\u007f~ \xc3\xbc\xf0\x9f\x98\x80\"");
}

/* Each is no UTF-8 (RFC 3629), and in how many bad bytes. */
static const struct {
    const char *bytes;
    unsigned bad;
} no_utf8[] = {
    {"\x80", 1},         {"\xff", 1},         {"\xc0\x80", 2},         {"\xc1\xbf", 2},
    {"\xc3", 1},         {"\xe0\x80\x80", 3}, {"\xed\xa0\x80", 3},     {"\xe2\x82", 2},
    {"\xf0\x80\x80", 3}, {"\xf4\x90\x80", 3}, {"\xf0\x82\x82\xac", 4}, {"\xf5\x80\x80\x80", 4},
};

static void test_bytes_that_are_no_utf8_are_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_utf8 / sizeof no_utf8[0]; i++) {
        struct text text = {0};
        struct text wanted = {0};

        assert_false(text_is_utf8(atamo_text(no_utf8[i].bytes)));
        text_string(&text, NULL, no_utf8[i].bytes);
        text_put(&wanted, "\"");
        for (unsigned bad = 0; bad < no_utf8[i].bad; bad++)
            text_put(&wanted, "\xef\xbf\xbd");
        text_add(&wanted, "\"", 2);
        expect(&text, wanted.data);
        text_free(&wanted);
    }
    assert_true(text_is_utf8(atamo_text("")));
    assert_true(text_is_utf8(atamo_text("a\xc3\xbc\xe2\x82\xac\xed\x9f\xbf\xf4\x8f\xbf\xbf")));
}

/* xorshift64: the same bytes every time. */
static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void test_any_bytes_become_json_that_can_be_read(void **state)
{
    const atamo_json *json = json_extension();
    atamo_json_reader *reader = NULL;
    uint64_t seed = 0x9e3779b97f4a7c15;

    (void)state;
    assert_int_equal(json->open(NULL, &reader), ATAMO_OK);
    for (unsigned round = 0; round < 2000; round++) {
        struct text text = {0};
        atamo_json_value root;
        char bytes[40];
        const size_t size = next(&seed) % sizeof bytes;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)(next(&seed) >> 32);
        text_open(&text, NULL, '{');
        text_bytes(&text, "x", (atamo_bytes){bytes, size});
        text_close(&text, '}');
        assert_int_equal(json->parse(reader, (atamo_bytes){text.data, text.size}, &root, NULL),
                         ATAMO_OK);
        text_free(&text);
    }
    json->close(reader);
}

static void test_room_grows_and_what_was_there_stays(void **state)
{
    struct text text = {0};

    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        text_print(&text, "%04u", i);
    assert_int_equal(text.size, 40000);
    assert_memory_equal(text.data, "000000010002", 12);
    assert_memory_equal(text.data + 39996, "9999", 4);
    text_add(&text, NULL, 0);
    assert_int_equal(text.size, 40000);
    text_free(&text);
}

static void test_a_text_without_memory_says_so_and_stays_as_it_was(void **state)
{
    struct text text = {0};

    (void)state;
    text_put(&text, "here");
    text.failed = true;
    assert_null(text_reserve(&text, 1));
    text_put(&text, "more");
    text_uint(&text, "n", 1);
    assert_int_equal(text.size, 4);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_elements_are_separated_by_commas),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_bytes_that_are_no_utf8_are_mended),
        cmocka_unit_test(test_any_bytes_become_json_that_can_be_read),
        cmocka_unit_test(test_room_grows_and_what_was_there_stays),
        cmocka_unit_test(test_a_text_without_memory_says_so_and_stays_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
