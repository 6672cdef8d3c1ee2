/* The timing wheel against a plain list. */
#include "base/clock.h"
#include "base/random.h"
#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TIMERS = 500 };

static void test_timers_fire_within_a_tick_and_never_early(void **state)
{
    static struct timer timers[TIMERS];
    struct wheel *wheel = malloc(sizeof *wheel);
    struct random random = {.state = 7};
    int64_t now = INT64_C(1700000000) * NS_PER_S + 123;
    int fired = 0;
    int set = 0;

    (void)state;
    assert_non_null(wheel);
    wheel_init(wheel, now);
    for (int round = 0; round < 20000; round++) {
        struct timer *timer = &timers[random_below(&random, TIMERS)];
        const unsigned shift = (unsigned)random_below(&random, 46);

        if (timer_is_set(timer)) {
            if (random_below(&random, 2) == 0) {
                wheel_stop(wheel, timer);
                set--;
            }
        } else {
            wheel_set(wheel, timer, now + (int64_t)random_below(&random, UINT64_C(1) << shift));
            set++;
        }
        if (random_below(&random, 4) != 0)
            continue;
        const int64_t next = wheel_next(wheel);
        now += (int64_t)random_below(&random, UINT64_C(1) << random_below(&random, 45));
        wheel_advance(wheel, now);
        for (timer = wheel_pop(wheel); timer != NULL; timer = wheel_pop(wheel)) {
            assert_true(timer->due <= now);
            assert_true(next <= now);
            fired++;
            set--;
        }
        for (int i = 0; i < TIMERS; i++)
            if (timer_is_set(&timers[i]))
                assert_true(timers[i].due > now - NS_PER_MS);
        assert_int_equal(wheel->count, set);
    }
    assert_true(fired > 1000);
    free(wheel);
}

static void test_a_timer_weeks_away_fires_at_its_time(void **state)
{
    struct wheel *wheel = malloc(sizeof *wheel);
    struct timer timer = {0};
    const int64_t start = INT64_C(1700000000) * NS_PER_S;
    const int64_t due = start + INT64_C(90) * 86400 * NS_PER_S;
    int steps = 0;
    int64_t now = start;

    (void)state;
    assert_non_null(wheel);
    wheel_init(wheel, start);
    wheel_set(wheel, &timer, due);
    while (timer_is_set(&timer)) {
        now = wheel_next(wheel);
        assert_true(now <= due + NS_PER_MS);
        wheel_advance(wheel, now);
        (void)wheel_pop(wheel);
        assert_true(++steps < 50);
    }
    assert_true(now >= due);
    free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_within_a_tick_and_never_early),
        cmocka_unit_test(test_a_timer_weeks_away_fires_at_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
