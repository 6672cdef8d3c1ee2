/* What the reader of server-sent events makes of bytes, in whatever pieces they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/sse.h"

#include <string.h>

enum { MOST = 64 };

/* Events as one text: "name(id):data;". */
struct seen {
    char text[512];
    size_t size;
    size_t enough; /* events after which it is enough; 0: never */
};

static void add(struct seen *seen, atamo_bytes text, char after)
{
    assert_true(seen->size + text.size + 1 < sizeof seen->text);
    memcpy(seen->text + seen->size, text.data, text.size);
    seen->size += text.size;
    seen->text[seen->size++] = after;
}

static int take(void *user, const struct sse_event *event)
{
    struct seen *seen = user;

    add(seen, event->name, '(');
    add(seen, event->id, ')');
    add(seen, event->data, ';');
    return seen->enough > 0 && --seen->enough == 0 ? ATAMO_CLOSED : ATAMO_OK;
}

static int feed(struct seen *seen, atamo_bytes bytes, size_t piece)
{
    struct sse sse;
    int status = ATAMO_OK;

    sse_open(&sse, MOST, take, seen);
    for (size_t at = 0; at < bytes.size && status == ATAMO_OK; at += piece) {
        const size_t left = bytes.size - at;

        status = sse_feed(&sse, (atamo_bytes){bytes.data + at, left < piece ? left : piece});
    }
    sse_close(&sse);
    return status;
}

/* The same in pieces of every size. */
static void assert_seen(const char *text, const char *events)
{
    const atamo_bytes bytes = atamo_text(text);

    for (size_t piece = 1; piece <= bytes.size; piece++) {
        struct seen seen = {.size = 0};

        assert_int_equal(feed(&seen, bytes, piece), ATAMO_OK);
        seen.text[seen.size] = '\0';
        assert_string_equal(seen.text, events);
    }
}

static void test_events_are_split_at_any_byte(void **state)
{
    (void)state;
    assert_seen("id: 1\nevent: step\ndata: {}\n\nevent: gap\ndata: 7\n\n", "step(1){};gap(1)7;");
}

static void test_lines_end_in_lf_cr_or_both(void **state)
{
    (void)state;
    assert_seen("data: a\r\n\r\ndata: b\r\rdata: c\n\n", "message()a;message()b;message()c;");
    assert_seen("data: a\r\ndata: b\r\n\r\n", "message()a\nb;");
}

static void test_a_byte_order_mark_comments_and_unknown_fields_are_passed_over(void **state)
{
    (void)state;
    assert_seen("\xef\xbb\xbf"
                "data: a\n\n",
                "message()a;");
    assert_seen(": ping\n\nretry: 5\nnews: x\nid\ndata\n\n", "message();");
}

static void test_one_space_behind_the_colon_is_no_part_of_a_value(void **state)
{
    (void)state;
    assert_seen("data:  a:b\ndata:c\n\n", "message() a:b\nc;");
}

static void test_an_id_lasts_until_the_next_and_a_name_does_not(void **state)
{
    (void)state;
    assert_seen("id: 1\nevent: x\ndata: a\n\ndata: b\n\nid:\ndata: c\n\n",
                "x(1)a;message(1)b;message()c;");
}

static void test_events_without_data_and_events_that_do_not_end_are_none(void **state)
{
    (void)state;
    assert_seen("event: x\n\ndata: a\n\ndata: b\n", "message()a;");
    assert_seen("data: b", "");
}

static void test_an_id_with_a_nul_is_none(void **state)
{
    static const char text[] = "id: 1\nid: 2\0003\ndata: a\n\n";
    struct seen seen = {.size = 0};

    (void)state;
    assert_int_equal(feed(&seen, (atamo_bytes){text, sizeof text - 1}, 3), ATAMO_OK);
    assert_memory_equal(seen.text, "message(1)a;", 12);
}

/* The line again and again. */
static atamo_bytes lines(const char *line, char text[MOST * 3])
{
    const size_t size = strlen(line);

    for (size_t at = 0; at < (size_t)MOST * 3; at++)
        text[at] = line[at % size];
    return (atamo_bytes){text, (size_t)MOST * 3};
}

static void test_lines_and_events_over_the_limit_end_it(void **state)
{
    char text[MOST * 3];
    struct seen seen = {.size = 0};

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(feed(&seen, (atamo_bytes){text, MOST}, 1), ATAMO_OK);
    assert_int_equal(feed(&seen, (atamo_bytes){text, MOST + 1}, 1), ATAMO_TOO_LARGE);
    assert_int_equal(feed(&seen, lines("data: x\n", text), 7), ATAMO_OK);
    assert_int_equal(feed(&seen, lines("data: 123456789\n", text), 7), ATAMO_TOO_LARGE);
    assert_int_equal(seen.size, 0);
}

static void test_it_ends_when_the_taker_has_enough(void **state)
{
    struct seen seen = {.enough = 2};

    (void)state;
    assert_int_equal(feed(&seen, atamo_text("data:a\n\ndata:b\n\ndata:c\n\n"), 100), ATAMO_CLOSED);
    seen.text[seen.size] = '\0';
    assert_string_equal(seen.text, "message()a;message()b;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_split_at_any_byte),
        cmocka_unit_test(test_lines_end_in_lf_cr_or_both),
        cmocka_unit_test(test_a_byte_order_mark_comments_and_unknown_fields_are_passed_over),
        cmocka_unit_test(test_one_space_behind_the_colon_is_no_part_of_a_value),
        cmocka_unit_test(test_an_id_lasts_until_the_next_and_a_name_does_not),
        cmocka_unit_test(test_events_without_data_and_events_that_do_not_end_are_none),
        cmocka_unit_test(test_an_id_with_a_nul_is_none),
        cmocka_unit_test(test_lines_and_events_over_the_limit_end_it),
        cmocka_unit_test(test_it_ends_when_the_taker_has_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
