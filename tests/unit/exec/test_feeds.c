/* Feeds, and clients that are slow to take what a worker says. */
#include "fake.h"

#include <limits.h>

enum { TIMEOUT_MS = 500, SAID = 2000 };

static struct fake *start_feeds(const struct fake_option *options)
{
    struct fake *fake = fake_start(options);

    fake->feeds = true;
    FAKE_UNTIL(fake, fake_logged(fake, -1, "ready") == 1);
    return fake;
}

static void pass_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static unsigned value_of(struct fake *fake, const unsigned *value)
{
    unsigned copy;

    (void)pthread_mutex_lock(&fake->mutex);
    copy = *value;
    (void)pthread_mutex_unlock(&fake->mutex);
    return copy;
}

static void wait_for(struct fake *fake, const unsigned *value, unsigned wanted)
{
    for (int i = 0; i < FAKE_LIMIT_S * 1000 && value_of(fake, value) < wanted; i++)
        pass_ms(1);
    assert_true(value_of(fake, value) >= wanted);
}

static void test_a_feed_has_all_the_time_it_wants_after_its_first_response(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("feeds"), {.name = "timeout", .number = TIMEOUT_MS}, {0}};
    struct fake *fake = start_feeds(options);
    const struct fake_action *feed = fake_do(fake, "any", "{}");

    (void)state;
    wait_for(fake, &feed->responses, 1);
    assert_string_equal(feed->response, "true"); /* it was told that updates are wanted */
    assert_string_equal(feed->key, "EUR");
    pass_ms(2L * TIMEOUT_MS);
    assert_int_equal(value_of(fake, &feed->settled), 0);
    fake_cancel(fake, feed, ATAMO_REASON_CLIENT);
    fake_finish(fake);
    assert_int_equal(feed->kind, ATAMO_DONE);
    fake_end(fake);
}

static void test_a_feed_that_goes_on_when_it_is_cancelled_runs_out_of_time(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("deaf_feed"), {.name = "timeout", .number = TIMEOUT_MS}, {0}};
    struct fake *fake = start_feeds(options);
    const struct fake_action *feed = fake_do(fake, "any", "{}");

    (void)state;
    wait_for(fake, &feed->progresses, 1);
    fake_cancel(fake, feed, ATAMO_REASON_CLIENT);
    fake_finish(fake);
    assert_int_equal(feed->kind, ATAMO_RETRY);
    assert_string_equal(feed->reason, "no answer within 500 ms");
    fake_end(fake);
}

static void test_a_feed_ends_with_its_worker(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("feeds"), {.name = "stop_grace", .number = 20}, {0}};
    struct fake *fake = start_feeds(options);
    const struct fake_action *feed = fake_do(fake, "any", "{}");

    (void)state;
    wait_for(fake, &feed->responses, 1);
    fake_end(fake); /* which looks that it was settled */
}

static void test_a_slow_client_holds_its_worker_up_and_costs_it_no_time(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("talks"), {.name = "timeout", .number = TIMEOUT_MS}, {0}};
    struct fake *fake = fake_start(options);
    const struct fake_action *action;

    (void)state;
    FAKE_UNTIL(fake, fake_logged(fake, -1, "ready") == 1);
    fake->busy = UINT_MAX;
    action = fake_do(fake, "any", "{}");
    pass_ms(2L * TIMEOUT_MS);
    assert_int_equal(value_of(fake, &action->settled), 0);
    assert_true(UINT_MAX - value_of(fake, &fake->busy) < 40); /* it does not try all the time */
    (void)pthread_mutex_lock(&fake->mutex);
    fake->busy = 0;
    (void)pthread_mutex_unlock(&fake->mutex);
    fake->plugin->agent->room(fake->self, (atamo_action)(action - fake->actions) + 1);
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_DONE);
    assert_int_equal(action->responses, SAID);
    fake_end(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_feed_has_all_the_time_it_wants_after_its_first_response),
        cmocka_unit_test(test_a_feed_that_goes_on_when_it_is_cancelled_runs_out_of_time),
        cmocka_unit_test(test_a_feed_ends_with_its_worker),
        cmocka_unit_test(test_a_slow_client_holds_its_worker_up_and_costs_it_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
