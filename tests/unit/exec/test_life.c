/* An instance from its creation to its end, and what is left behind: nothing. */
#include "fake.h"

static void check_refused(const struct fake_option *options, const char *why)
{
    struct fake *fake = fake_new(options);

    assert_int_equal(fake->plugin->create(&fake->host, &fake->self), ATAMO_INVALID);
    assert_non_null(strstr(fake->refusal, why));
    fake_free(fake);
}

static void test_a_command_that_cannot_be_run_is_refused(void **state)
{
    static const struct fake_option unknown[] = {{.name = "command", .items = {"no-such-program"}},
                                                 {0}};
    static const struct fake_option absent[] = {{.name = "command", .items = {"/no/such/program"}},
                                                {0}};
    static const struct fake_option text[] = {
        {.name = "command", .items = {ATAMO_SOURCE_DIR "/LICENSE"}}, {0}};
    static const struct fake_option folder[] = {{.name = "command", .items = {"/tmp"}}, {0}};
    static const struct fake_option nowhere[] = {
        FAKE_PYTHON, {.name = "directory", .items = {"/no/such/folder"}}, {0}};
    static const struct fake_option variable[] = {
        FAKE_PYTHON, {.name = "environment", .items = {"=x"}}, {0}};

    (void)state;
    check_refused(unknown, "\"no-such-program\" was not found in PATH");
    check_refused(absent, "\"/no/such/program\" was not found");
    check_refused(text, "is not a file that may be executed");
    check_refused(folder, "is not a file that may be executed");
    check_refused(nowhere, "\"/no/such/folder\" is not a folder");
    check_refused(variable, "cannot be set");
}

static void test_a_worker_has_the_environment_and_folder_it_is_given(void **state)
{
    static const struct fake_option options[] = {
        {.name = "command", .items = {"./echo.py"}},
        {.name = "directory", .items = {FAKE_CLIENTS "/python"}},
        {.name = "environment", .items = {"TOKEN=abc", "PATH=/usr/local/bin:/usr/bin:/bin"}},
        {0}};
    const struct fake_action *action;
    struct fake *fake;

    (void)state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    assert_int_equal(setenv("ATAMO_TEST_SECRET", "x", 1), 0);
    fake = fake_start(options);
    action = fake_do(fake, "environment", "{}");
    fake_finish(fake);
    assert_string_equal(action->response, "{\"TOKEN\": \"abc\", \"ATAMO_TEST_SECRET\": null}");
    fake_end(fake);
}

static void test_draining_lets_actions_end_and_hands_back_the_rest(void **state)
{
    static const struct fake_option silent[] = {
        FAKE_ODD("silent"), {.name = "stop_grace", .number = 100}, {0}};
    static const struct fake_option python[] = {FAKE_PYTHON, {0}};
    struct fake *fake = fake_start(silent);
    const struct fake_action *action = fake_do(fake, "any", "{}");

    (void)state;
    fake->plugin->drain(fake->self);
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "the agent stops");
    fake_end(fake);
    fake = fake_start(python);
    (void)fake_do(fake, "echo", "{}");
    fake_finish(fake);
    for (int i = 0; i < 100; i++)
        (void)fake_do(fake, "echo", "{}");
    fake->plugin->drain(fake->self);
    for (int i = 0; i < 100; i++) /* those that had reached the worker are done */
        assert_true(fake->actions[i].kind == ATAMO_DONE ||
                    strcmp(fake->actions[i].reason, "the agent stops") == 0);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, ""), 0);
    fake_end(fake);
}

static void test_a_worker_that_does_not_want_to_end_is_killed(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("stubborn"), {.name = "stop_grace", .number = 50}, {0}};
    struct fake *fake = fake_start(options);

    (void)state;
    FAKE_UNTIL(fake, fake_logged(fake, -1, "ready") == 1);
    fake_end(fake);
    fake_no_children();
}

static void test_two_instances_do_not_disturb_one_another(void **state)
{
    static const struct fake_option python[] = {FAKE_PYTHON, {0}};
    static const struct fake_option dying[] = {FAKE_ODD("dies_at_start"), {0}};
    struct fake *one = fake_start(python);
    struct fake *two = fake_start(dying);

    (void)state;
    (void)fake_do(two, "any", "{}");
    for (int i = 0; i < 500; i++)
        (void)fake_do(one, "echo", "{}");
    fake_finish(one);
    fake_end(two);
    for (int i = 0; i < 500; i++)
        (void)fake_do(one, "echo", "{}");
    fake_finish(one);
    fake_end(one);
}

static void test_an_instance_may_end_without_having_begun(void **state)
{
    static const struct fake_option python[] = {FAKE_PYTHON, {0}};
    struct fake *fake = fake_new(python);

    (void)state;
    assert_int_equal(fake->plugin->create(&fake->host, &fake->self), ATAMO_OK);
    fake->plugin->destroy(fake->self);
    fake_free(fake);
    fake = fake_start(python);
    fake->plugin->destroy(fake->self); /* not drained */
    fake_free(fake);
    fake_no_children();
}

static void test_no_descriptor_and_no_process_is_left_behind(void **state)
{
    static const struct fake_option options[] = {
        FAKE_PYTHON, {.name = "workers", .number = 3}, {0}};
    const size_t before = fake_descriptors();

    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        struct fake *fake = fake_start(options);

        for (int i = 0; i < 50; i++)
            (void)fake_do(fake, i % 10 == 0 ? "die" : "echo", "{}");
        fake_finish(fake);
        fake_end(fake);
        fake_no_children();
    }
    assert_int_equal(fake_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_that_cannot_be_run_is_refused),
        cmocka_unit_test(test_a_worker_has_the_environment_and_folder_it_is_given),
        cmocka_unit_test(test_draining_lets_actions_end_and_hands_back_the_rest),
        cmocka_unit_test(test_a_worker_that_does_not_want_to_end_is_killed),
        cmocka_unit_test(test_two_instances_do_not_disturb_one_another),
        cmocka_unit_test(test_an_instance_may_end_without_having_begun),
        cmocka_unit_test(test_no_descriptor_and_no_process_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
