/* What is stored for clients that are away or slow: what stays, what goes, and that all of it goes
 * in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct results_pool pool;
    struct results results;
    uint64_t sequence;
};

static void begin(struct fixture *fixture, uint32_t slow, uint32_t most)
{
    *fixture = (struct fixture){.pool.most = 1 << 30};
    results_open(&fixture->results, &fixture->pool, slow, most);
}

static void end(struct fixture *fixture)
{
    results_close(&fixture->results);
    assert_int_equal(fixture->pool.bytes, 0);
    assert_null(fixture->pool.oldest);
    assert_null(fixture->pool.newest);
}

static int add_sized(struct fixture *fixture, uint32_t kind, const char *key, size_t size)
{
    char *json = calloc(1, size + 1);
    const atamo_reply reply = {.kind = kind,
                               .sequence = ++fixture->sequence,
                               .agent = atamo_text("agent"),
                               .rule = atamo_text("rule"),
                               .key = atamo_text(key)};
    int status;

    assert_non_null(json);
    memset(json, 'x', size);
    status = results_add(&fixture->results, &reply, (atamo_bytes){json, size});
    free(json);
    return status;
}

static void add(struct fixture *fixture, uint32_t kind, const char *key)
{
    assert_int_equal(add_sized(fixture, kind, key, 10), ATAMO_OK);
}

static void add_data(struct fixture *fixture, size_t count)
{
    while (count-- > 0)
        add(fixture, ATAMO_REPLY_DATA, "");
}

/* The sequence numbers of what is stored: "1 2 5 ". */
static const char *stored(const struct fixture *fixture)
{
    static char text[4096];
    size_t size = 0;

    text[0] = '\0';
    for (const struct result *at = results_after(&fixture->results, 0); at != NULL; at = at->next)
        size += (size_t)snprintf(text + size, sizeof text - size, "%llu ",
                                 (unsigned long long)at->sequence);
    return text;
}

static void test_the_oldest_go_and_are_counted(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_OLDEST, 3);
    add_data(&fixture, 5);
    assert_string_equal(stored(&fixture), "3 4 5 ");
    assert_int_equal(fixture.pool.dropped, 2);
    end(&fixture);
}

static void test_the_ends_of_parts_stay(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_OLDEST, 2);
    add(&fixture, ATAMO_REPLY_PART, "");
    add_data(&fixture, 3);
    add(&fixture, ATAMO_REPLY_PART, "");
    add_data(&fixture, 2);
    assert_string_equal(stored(&fixture), "1 5 6 7 ");
    end(&fixture);
}

static void test_latest_keeps_the_newest_of_each_key(void **state)
{
    static const char *const keys[] = {"EUR", "GBP", "EUR", "", "EUR", "GBP", ""};
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_LATEST, 100);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        add(&fixture, ATAMO_REPLY_DATA, keys[i]);
    add(&fixture, ATAMO_REPLY_PROGRESS, "");
    add(&fixture, ATAMO_REPLY_PROGRESS, "");
    assert_string_equal(stored(&fixture), "4 5 6 7 9 ");
    end(&fixture);
}

static void test_latest_keeps_no_more_keys_than_may_be_stored(void **state)
{
    struct fixture fixture;
    char key[16];

    (void)state;
    begin(&fixture, ATAMO_SLOW_LATEST, 4);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key %d", i % 6);
        add(&fixture, ATAMO_REPLY_DATA, key);
    }
    assert_string_equal(stored(&fixture), "997 998 999 1000 ");
    end(&fixture);
}

static void test_block_drops_nothing_that_no_reader_has(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_BLOCK, 2);
    fixture.pool.most = 1; /* everything that may go goes at once */
    add(&fixture, ATAMO_REPLY_DATA, "");
    assert_true(results_are_full(&fixture.pool));
    assert_int_equal(add_sized(&fixture, ATAMO_REPLY_DATA, "", 10), ATAMO_FULL);
    assert_int_equal(results_taken(&fixture.results, 1), 1);
    assert_string_equal(stored(&fixture), "");
    assert_false(results_are_full(&fixture.pool));
    end(&fixture);
}

static void test_block_tells_how_many_were_taken_and_keeps_them_for_another_reading(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_BLOCK, 2);
    add_data(&fixture, 2);
    add(&fixture, ATAMO_REPLY_PART, "");
    add_data(&fixture, 1);
    assert_int_equal(results_taken(&fixture.results, 0), 0);
    assert_int_equal(results_taken(&fixture.results, 3), 2); /* the part does not count */
    assert_int_equal(results_taken(&fixture.results, 3), 0);
    assert_int_equal(results_taken(&fixture.results, UINT64_MAX), 1);
    assert_string_equal(stored(&fixture), "1 2 3 4 ");
    end(&fixture);
}

static void test_bytes_are_limited_for_each_request_and_for_all(void **state)
{
    const size_t large = 1 << 20;
    struct fixture fixture;
    struct results other;

    (void)state;
    begin(&fixture, ATAMO_SLOW_OLDEST, 1000);
    for (int i = 0; i < 40; i++)
        assert_int_equal(add_sized(&fixture, ATAMO_REPLY_DATA, "", large), ATAMO_OK);
    assert_true(fixture.results.bytes <= RESULTS_BYTES_MAX);
    assert_int_equal(results_after(&fixture.results, 0)->sequence, 26);
    fixture.pool.most = 4 * large;
    results_open(&other, &fixture.pool, ATAMO_SLOW_OLDEST, 1000);
    assert_int_equal(results_add(&other, &(atamo_reply){.kind = ATAMO_REPLY_DATA, .sequence = 1},
                                 atamo_text("{}")),
                     ATAMO_OK); /* the oldest of all go first, whosever they are */
    assert_string_equal(stored(&fixture), "38 39 40 ");
    assert_int_equal(results_after(&other, 0)->sequence, 1);
    results_close(&other);
    end(&fixture);
}

static void test_what_a_reader_holds_stays_and_counts_until_it_lets_go(void **state)
{
    struct fixture fixture;
    struct result *held;
    size_t one;

    (void)state;
    begin(&fixture, ATAMO_SLOW_OLDEST, 1);
    add_data(&fixture, 1);
    one = fixture.pool.bytes;
    held = result_hold(results_after(&fixture.results, 0));
    add_data(&fixture, 1);
    assert_string_equal(stored(&fixture), "2 ");
    assert_int_equal(fixture.pool.bytes, 2 * one);
    assert_memory_equal(result_json(held).data, "xxxxxxxxxx", 10);
    result_let_go(held);
    assert_int_equal(fixture.pool.bytes, one);
    end(&fixture);
}

static void test_block_refuses_what_would_be_too_many_bytes(void **state)
{
    struct fixture fixture;
    int status = ATAMO_OK;
    int count = 0;

    (void)state;
    begin(&fixture, ATAMO_SLOW_BLOCK, 1000);
    for (; count < 20 && status == ATAMO_OK; count++)
        status = add_sized(&fixture, ATAMO_REPLY_DATA, "", 1 << 20);
    assert_int_equal(status, ATAMO_FULL);
    assert_int_equal(count, 16);
    end(&fixture);
}

static void test_a_place_is_found_from_both_ends(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, ATAMO_SLOW_OLDEST, 50);
    add_data(&fixture, 100);
    for (uint64_t after = 0; after < 100; after++) {
        const struct result *found = results_after(&fixture.results, after);

        assert_non_null(found);
        assert_int_equal(found->sequence, after < 50 ? 51 : after + 1);
    }
    assert_null(results_after(&fixture.results, 100));
    assert_null(results_after(&fixture.results, UINT64_MAX));
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_oldest_go_and_are_counted),
        cmocka_unit_test(test_the_ends_of_parts_stay),
        cmocka_unit_test(test_latest_keeps_the_newest_of_each_key),
        cmocka_unit_test(test_latest_keeps_no_more_keys_than_may_be_stored),
        cmocka_unit_test(test_block_drops_nothing_that_no_reader_has),
        cmocka_unit_test(test_block_tells_how_many_were_taken_and_keeps_them_for_another_reading),
        cmocka_unit_test(test_bytes_are_limited_for_each_request_and_for_all),
        cmocka_unit_test(test_what_a_reader_holds_stays_and_counts_until_it_lets_go),
        cmocka_unit_test(test_block_refuses_what_would_be_too_many_bytes),
        cmocka_unit_test(test_a_place_is_found_from_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
