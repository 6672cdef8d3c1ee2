/* The ring of telemetry records: what is found, what has gone, and how many steps that were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 1024 };

static void add_text(struct history *history, unsigned step, uint64_t message, const char *text)
{
    atamo_telemetry records[64] = {{.step = (uint16_t)step, .message = message}};
    const size_t size = strlen(text);

    records[0].text = (uint16_t)size;
    for (size_t done = 0; done < size; done += ATAMO_PIECE_BYTES) {
        atamo_telemetry_piece piece = {.step = ATAMO_STEP_TEXT};

        piece.size = (uint16_t)(size - done < ATAMO_PIECE_BYTES ? size - done : ATAMO_PIECE_BYTES);
        memcpy(piece.bytes, text + done, piece.size);
        memcpy(&records[1 + done / ATAMO_PIECE_BYTES], &piece, sizeof piece);
    }
    history_add(history, records, atamo_telemetry_span(records), 0);
}

static void add(struct history *history, unsigned step, uint64_t message)
{
    add_text(history, step, message, "");
}

static uint64_t lost_before(const struct history *history, uint64_t number)
{
    struct history_reader reader = history_read_from(history, number);
    uint64_t lost = 0;

    assert_non_null(history_next(history, &reader, &lost));
    return lost;
}

struct seen {
    unsigned steps[1024];
    size_t count;
};

static void see(void *user, const atamo_telemetry *record)
{
    struct seen *seen = user;

    seen->steps[seen->count++] = record->step;
}

static void test_an_empty_history_has_nothing(void **state)
{
    struct history *history = history_open(1);
    struct history_reader reader = history_read_from(history, 1);
    struct seen seen = {.count = 0};
    uint64_t lost = 7;

    (void)state;
    assert_int_equal(history_newest(history), 0);
    assert_int_equal(history_oldest(history), 1);
    assert_null(history_next(history, &reader, &lost));
    assert_int_equal(history_visit(history, 1, see, &seen), 0);
    assert_int_equal(history_find(history, atamo_text("x")), 0);
    history_close(history);
    history_close(NULL);
}

static void test_steps_are_numbered_and_read_in_order(void **state)
{
    struct history *history = history_open(RING);
    struct history_reader reader = history_read_from(history, 1);

    (void)state;
    for (uint64_t i = 1; i <= 3000; i++) {
        const atamo_telemetry *record;
        uint64_t lost = 7;

        add_text(history, ATAMO_STEP_ADMITTED, i, i % 3 == 0 ? "some text" : "");
        record = history_next(history, &reader, &lost);
        assert_non_null(record);
        assert_int_equal(record->message, i);
        assert_int_equal(lost, 0);
        assert_null(history_next(history, &reader, &lost));
        assert_int_equal(history_newest(history), i);
    }
    assert_int_equal(reader.wanted, 3001);
    history_close(history);
}

static void test_a_reader_that_is_too_slow_learns_how_many_it_missed(void **state)
{
    struct history *history = history_open(RING);
    struct history_reader reader = history_read_from(history, 1);
    uint64_t lost = 0;

    (void)state;
    for (uint64_t i = 1; i <= UINT64_C(5) * RING; i++)
        add(history, ATAMO_STEP_DONE, i);
    assert_int_equal(history_next(history, &reader, &lost)->message, UINT64_C(4) * RING + 1);
    assert_int_equal(lost, 4 * RING);
    assert_int_equal(history_next(history, &reader, &lost)->message, 4 * RING + 2);
    assert_int_equal(lost, 0);
    assert_int_equal(history_oldest(history), 4 * RING + 1);
    history_close(history);
}

static void test_what_the_hub_lost_is_a_gap_that_counts(void **state)
{
    struct history *history = history_open(RING);
    struct history_reader reader = history_read_from(history, 1);
    const atamo_telemetry record = {.step = ATAMO_STEP_DONE, .message = 9};
    uint64_t lost = 0;

    (void)state;
    add(history, ATAMO_STEP_DONE, 8);
    history_add(history, &record, 1, 40);
    assert_int_equal(history_newest(history), 42);
    assert_int_equal(history_next(history, &reader, &lost)->message, 8);
    assert_int_equal(lost, 0);
    assert_int_equal(history_next(history, &reader, &lost)->message, 9);
    assert_int_equal(lost, 40);
    assert_null(history_next(history, &reader, &lost));
    assert_int_equal(lost_before(history, 30), 12);
    history_close(history);
}

/* From every number, in a ring with texts, fillers and gaps, what comes is the step with that
 * number or the first one behind it. */
static void test_reading_begins_at_any_number(void **state)
{
    struct history *history = history_open(RING);
    const atamo_telemetry record = {.step = ATAMO_STEP_DONE, .message = 1};
    char text[400];

    (void)state;
    for (unsigned i = 0; i < 900; i++) {
        memset(text, 'x', sizeof text);
        text[(size_t)i * 37 % 399] = '\0';
        if (i % 5 == 0)
            add_text(history, ATAMO_STEP_ADMITTED, 1, text);
        else
            history_add(history, &record, 1, i % 50 == 49 ? 3 : 0);
    }
    for (uint64_t number = 1; number <= history_newest(history); number++) {
        struct history_reader reader = history_read_from(history, number);
        uint64_t lost = 0;

        assert_non_null(history_next(history, &reader, &lost));
        assert_int_equal(reader.wanted, number + lost + 1);
        if (number < history_oldest(history))
            assert_true(number + lost >= history_oldest(history));
        else
            assert_true(lost <= 3);
    }
    history_close(history);
}

static void test_the_steps_of_a_message_are_found_in_order_until_they_have_gone(void **state)
{
    static const unsigned steps[] = {ATAMO_STEP_ADMITTED, ATAMO_STEP_EVALUATED, ATAMO_STEP_ATTEMPT,
                                     ATAMO_STEP_DONE, ATAMO_STEP_FINISHED};
    struct history *history = history_open(RING);
    struct seen seen = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (uint64_t message = 1; message <= 150; message++)
            add(history, steps[i], message << 22);
    for (uint64_t message = 1; message <= 150; message++) {
        seen.count = 0;
        assert_int_equal(history_visit(history, message << 22, see, &seen), 5);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(seen.steps[i], steps[i]);
    }
    assert_int_equal(history_visit(history, 151 << 22, see, &seen), 0);
    for (uint64_t message = 0; message < RING; message++)
        add(history, ATAMO_STEP_DONE, 7);
    assert_int_equal(history_visit(history, 1 << 22, see, &seen), 0);
    history_close(history);
}

static void test_of_a_message_with_very_many_steps_the_last_ones_are_told(void **state)
{
    struct history *history = history_open(RING);
    struct seen seen = {.count = 0};

    (void)state;
    for (unsigned i = 0; i < 800; i++)
        add(history, ATAMO_STEP_ATTEMPT, 5);
    add(history, ATAMO_STEP_FINISHED, 5);
    assert_int_equal(history_visit(history, 5, see, &seen), 512);
    assert_int_equal(seen.steps[511], ATAMO_STEP_FINISHED);
    history_close(history);
}

static void test_a_message_is_found_by_the_id_of_its_event(void **state)
{
    struct history *history = history_open(RING);
    char id[24];
    char long_id[600];

    (void)state;
    memset(long_id, 'i', sizeof long_id);
    long_id[sizeof long_id - 1] = '\0';
    for (uint64_t message = 1; message <= 300; message++) {
        (void)snprintf(id, sizeof id, "id-%u", (unsigned)message);
        add_text(history, ATAMO_STEP_ADMITTED, message, id);
        add_text(history, ATAMO_STEP_DEAD, message, "id-1");
    }
    for (uint64_t message = 150; message <= 300; message++) {
        (void)snprintf(id, sizeof id, "id-%u", (unsigned)message);
        assert_int_equal(history_find(history, atamo_text(id)), message);
    }
    assert_int_equal(history_find(history, atamo_text("id-1")), 0);
    assert_int_equal(history_find(history, atamo_text("id-")), 0);
    assert_int_equal(history_find(history, atamo_text("")), 0);
    add_text(history, ATAMO_STEP_RECOVERED, 400, "id-300");
    assert_int_equal(history_find(history, atamo_text("id-300")), 400);
    add_text(history, ATAMO_STEP_ADMITTED, 401, long_id);
    assert_int_equal(history_find(history, atamo_text(long_id)), 401);
    history_close(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_history_has_nothing),
        cmocka_unit_test(test_steps_are_numbered_and_read_in_order),
        cmocka_unit_test(test_a_reader_that_is_too_slow_learns_how_many_it_missed),
        cmocka_unit_test(test_what_the_hub_lost_is_a_gap_that_counts),
        cmocka_unit_test(test_reading_begins_at_any_number),
        cmocka_unit_test(test_the_steps_of_a_message_are_found_in_order_until_they_have_gone),
        cmocka_unit_test(test_of_a_message_with_very_many_steps_the_last_ones_are_told),
        cmocka_unit_test(test_a_message_is_found_by_the_id_of_its_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
