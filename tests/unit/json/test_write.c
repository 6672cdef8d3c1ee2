/* What the JSON writer writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/write.h"

#include <string.h>

static void assert_written(const struct json_writer *writer, const char *text)
{
    assert_int_equal(json_writer_status(writer), ATAMO_OK);
    assert_int_equal(writer->size, strlen(text));
    assert_memory_equal(writer->data, text, writer->size);
}

static void test_members_and_elements_are_separated_by_commas(void **state)
{
    char buffer[200];
    struct json_writer w;

    (void)state;
    json_writer_init(&w, buffer, sizeof buffer);
    json_open_object(&w);
    json_put_name(&w, atamo_text("a"));
    json_open_array(&w);
    json_put_int(&w, INT64_MIN);
    json_put_uint(&w, UINT64_MAX);
    json_put_bool(&w, true);
    json_put_null(&w);
    json_close_array(&w);
    json_put_name(&w, atamo_text("b"));
    json_put_raw(&w, atamo_text("{\"x\": 1}"));
    json_put_name(&w, atamo_text("c"));
    json_open_object(&w);
    json_close_object(&w);
    json_close_object(&w);
    assert_written(&w, "{\"a\":[-9223372036854775808,18446744073709551615,true,null],"
                       "\"b\":{\"x\": 1},\"c\":{}}");
}

static void test_text_is_escaped(void **state)
{
    char buffer[200];
    struct json_writer w;

    (void)state;
    json_writer_init(&w, buffer, sizeof buffer);
    json_put_text(&w, (atamo_bytes){"a\"\\\b\t\n\v\f\r\x01\xc3\xa9\0z", 14});
    assert_written(&w, "\"a\\\"\\\\\\b\\t\\n\\u000b\\f\\r\\u0001\xc3\xa9\\u0000z\"");
}

static void test_bytes_that_are_not_utf8_are_replaced(void **state)
{
    char buffer[200];
    struct json_writer w;

    (void)state;
    json_writer_init(&w, buffer, sizeof buffer);
    json_put_text(&w, atamo_text("a\xff\xc3\xa9\xe2\x82"));
    assert_written(&w, "\"a\\ufffd\xc3\xa9\\ufffd\\ufffd\"");
}

static void test_a_small_buffer_says_how_much_is_needed(void **state)
{
    char buffer[8] = "........";
    struct json_writer w;

    (void)state;
    json_writer_init(&w, buffer, 4);
    json_put_text(&w, atamo_text("hello"));
    assert_int_equal(json_writer_status(&w), ATAMO_TOO_LARGE);
    assert_int_equal(w.size, 7);
    assert_memory_equal(buffer + 4, "....", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_elements_are_separated_by_commas),
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(test_a_small_buffer_says_how_much_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
