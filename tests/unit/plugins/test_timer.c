/* Events by the clock: cron patterns by themselves, and the timer plugin through a real hub. */
#include "../../../plugins/event-providers/timer/cron.h"

#include "unit/api/fixture.h"

/* "2026-11-21 01:04" in UTC as Unix seconds. */
static int64_t utc(const char *text)
{
    struct tm date = {0};

    assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &date));
    return timegm(&date);
}

static void expect_next(const char *pattern, const char *after, const char *expected)
{
    struct cron cron;
    char why[CRON_WHY];
    int64_t next = 0;

    assert_int_equal(cron_parse(pattern, &cron, why), ATAMO_OK);
    assert_int_equal(cron_next(&cron, utc(after), false, &next), ATAMO_OK);
    assert_true(next == utc(expected));
}

static void test_a_pattern_finds_its_next_minute(void **state)
{
    (void)state;
    expect_next("* * * * *", "2026-11-21 01:04", "2026-11-21 01:05");
    expect_next("*/15 * * * *", "2026-11-21 01:45", "2026-11-21 02:00");
    expect_next("*/5 9-17 * * mon-fri", "2026-11-20 17:55", "2026-11-23 09:00");
    expect_next("0 0 1 jan *", "2026-11-21 01:04", "2027-01-01 00:00");
    expect_next("30 8,20 * * *", "2026-11-21 09:00", "2026-11-21 20:30");
    expect_next("5/20 * * * *", "2026-11-21 01:06", "2026-11-21 01:25");
}

/* No other thread runs at this time. */
static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0); /* NOLINT(concurrency-mt-unsafe) */
    tzset();
}

/* Central European Time as a rule, so that no time zone database is needed. In 2026 clocks go from
 * 02:00 to 03:00 on 29 March and from 03:00 to 02:00 on 25 October. */
static void test_the_change_to_summer_time_skips_and_the_change_back_repeats(void **state)
{
    struct cron cron;
    char why[CRON_WHY];
    int64_t next = 0;

    (void)state;
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_int_equal(cron_parse("30 2 * * *", &cron, why), ATAMO_OK);
    assert_int_equal(cron_next(&cron, utc("2026-03-28 12:00"), true, &next), ATAMO_OK);
    assert_true(next == utc("2026-03-30 00:30")); /* not on the 29th */
    assert_int_equal(cron_next(&cron, utc("2026-10-24 12:00"), true, &next), ATAMO_OK);
    assert_true(next == utc("2026-10-25 00:30")); /* still summer time */
    assert_int_equal(cron_next(&cron, next, true, &next), ATAMO_OK);
    assert_true(next == utc("2026-10-25 01:30")); /* an hour later, and it is 02:30 again */
    set_zone("UTC0");
}

static void test_sunday_is_0_and_7_and_ends_a_range(void **state)
{
    (void)state;
    expect_next("0 0 * * 0", "2026-11-21 01:04", "2026-11-22 00:00");
    expect_next("0 0 * * 7", "2026-11-21 01:04", "2026-11-22 00:00");
    expect_next("0 0 * * SAT-sun", "2026-11-21 01:04", "2026-11-22 00:00");
}

static void test_day_and_weekday_together_mean_either(void **state)
{
    (void)state;
    expect_next("0 0 25 * mon", "2026-11-21 01:04", "2026-11-23 00:00");
    expect_next("0 0 25 * mon", "2026-11-23 01:04", "2026-11-25 00:00");
    expect_next("0 0 25 * *", "2026-11-21 01:04", "2026-11-25 00:00");
}

static void test_the_29th_of_february_waits_for_a_leap_year(void **state)
{
    (void)state;
    expect_next("0 12 29 2 *", "2026-11-21 01:04", "2028-02-29 12:00");
}

static void test_a_day_that_never_comes_is_not_found(void **state)
{
    struct cron cron;
    char why[CRON_WHY];
    int64_t next = 0;

    (void)state;
    assert_int_equal(cron_parse("0 0 30 2 *", &cron, why), ATAMO_OK);
    assert_int_equal(cron_next(&cron, utc("2026-11-21 01:04"), false, &next), ATAMO_NOT_FOUND);
}

static void test_malformed_patterns_are_refused_with_a_reason(void **state)
{
    static const char *const patterns[] = {
        "",           "*",          "* * * *",   "* * * * * *",         "60 * * * *",  "* 24 * * *",
        "* * 0 * *",  "* * * 13 *", "* * * * 8", "5-1 * * * *",         "*/0 * * * *", "1, * * * *",
        "1- * * * *", "-1 * * * *", "x * * * *", "99999999999 * * * *", "1** * * * *",
    };
    struct cron cron;

    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char why[CRON_WHY] = "";

        assert_int_equal(cron_parse(patterns[i], &cron, why), ATAMO_INVALID);
        assert_int_not_equal(why[0], '\0');
    }
}

static void test_a_timer_submits_again_and_again(void **state)
{
    char yaml[1024];
    struct fixture *fixture;

    (void)state;
    (void)snprintf(yaml, sizeof yaml,
                   "plugins: {path: %s/lib/atamo/plugins}\n"
                   "agents: {weak: {plugin: flaky}}\n"
                   "event_providers: {clock: {plugin: timer, config: {timers: [\n"
                   "  {every: 20ms, type: beat, data: {n: 1}}, {every: 1d, type: never},\n"
                   "  {cron: '0 0 29 2 *', type: never}]}}}\n"
                   "rules: [{id: r, on: beat, when: {data: {n: [1]}},\n"
                   "         then: {agent: weak, action: x}}]\n",
                   ATAMO_BUILD_DIR);
    fixture = fixture_open(yaml, NULL, 0);
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DONE, 0) >= 3);
    fixture_close(fixture);
}

static void test_lists_that_are_not_understood_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"[]", "must be a list"},
        {"7", "must be a list"},
        {"[7]", "is not a map"},
        {"[{type: x}]", "either every or cron"},
        {"[{every: 1s, cron: '* * * * *', type: x}]", "either every or cron"},
        {"[{every: 1s}]", "needs a type"},
        {"[{every: 10, type: x}]", "must be a text"},
        {"[{every: 0s, type: x}]", "no duration"},
        {"[{every: 9999999999d, type: x}]", "no duration"},
        {"[{every: 1s, type: x}, {every: soon, type: x}]", "timers[1]"},
        {"[{cron: '61 * * * *', type: x}]", "the minute"},
        {"[{cron: '0 0 30 2 *', type: x}]", "never comes"},
        {"[{every: 1s, type: x, colour: red}]", "unknown key colour"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[512];
        atamo_settings settings = {.size = sizeof settings, .log = fixture_quiet};
        atamo_report *report = NULL;
        atamo_hub *hub = NULL;

        (void)snprintf(yaml, sizeof yaml,
                       "plugins: {path: %s/lib/atamo/plugins}\n"
                       "event_providers: {clock: {plugin: timer, config: {timers: %s}}}\n",
                       ATAMO_BUILD_DIR, cases[i][0]);
        settings.config = atamo_text(yaml);
        assert_int_equal(atamo_open(&settings, &hub, &report), ATAMO_INVALID);
        assert_true(atamo_report_count(report) > 0);
        if (strstr(atamo_report_at(report, 0).text, cases[i][1]) == NULL)
            fail_msg("%s: %s", cases[i][0], atamo_report_at(report, 0).text);
        atamo_report_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pattern_finds_its_next_minute),
        cmocka_unit_test(test_the_change_to_summer_time_skips_and_the_change_back_repeats),
        cmocka_unit_test(test_sunday_is_0_and_7_and_ends_a_range),
        cmocka_unit_test(test_day_and_weekday_together_mean_either),
        cmocka_unit_test(test_the_29th_of_february_waits_for_a_leap_year),
        cmocka_unit_test(test_a_day_that_never_comes_is_not_found),
        cmocka_unit_test(test_malformed_patterns_are_refused_with_a_reason),
        cmocka_unit_test(test_a_timer_submits_again_and_again),
        cmocka_unit_test(test_lists_that_are_not_understood_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
