/* Workers that die, lie, dawdle or do not listen. */
#include "fake.h"

#include <fcntl.h>
#include <signal.h>

/* One action with a worker of odd.py; the caller looks at how it ended. */
static struct fake *one(const struct fake_option *options, const struct fake_action **action)
{
    struct fake *fake = fake_start(options);

    *action = fake_do(fake, "any", "{}");
    fake_finish(fake);
    return fake;
}

/* The same, once the worker has said that it is up. */
static struct fake *one_when_ready(const struct fake_option *options,
                                   const struct fake_action **action)
{
    struct fake *fake = fake_start(options);

    FAKE_UNTIL(fake, fake_logged(fake, -1, "ready") == 1);
    *action = fake_do(fake, "any", "{}");
    fake_finish(fake);
    return fake;
}

static void test_actions_of_a_worker_that_dies_are_handed_back(void **state)
{
    static const struct fake_option python[] = {FAKE_PYTHON, {0}};
    static const struct fake_option killed[] = {FAKE_ODD("killed"), {0}};
    const struct fake_action *action;
    struct fake *fake = fake_start(python);

    (void)state;
    action = fake_do(fake, "die", "{}");
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "worker exited with status 3");
    action = fake_do(fake, "echo", "{}"); /* the next process does it */
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_DONE);
    fake_end(fake);
    fake = one(killed, &action);
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "worker killed by signal 9");
    fake_end(fake);
}

static void test_what_a_worker_wrote_before_it_died_counts(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("dies_after_answer"), {0}};
    const struct fake_action *action;
    struct fake *fake = one(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_DONE);
    fake_end(fake);
}

static void test_a_worker_that_keeps_dying_is_started_less_and_less_often(void **state)
{
    static const struct fake_option options[] = {
        {.name = "command", .items = {"sh", "-c", "exit 4"}},
        {.name = "restart_delay", .number = 50},
        {.name = "restart_delay_max", .number = 175},
        {0}};
    struct fake *fake = fake_start(options);

    (void)state;
    FAKE_UNTIL(fake, fake_logged(fake, ATAMO_LOG_WARN, "it is started again in 175 ms") >= 2);
    assert_int_equal(fake_logged(fake, -1, "exited with status 4; it is started again in 50 ms"),
                     1);
    assert_int_equal(fake_logged(fake, -1, "it is started again in 100 ms"), 1);
    fake_end(fake);
}

static void test_lines_that_are_no_answers_are_shown_and_do_nothing(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("garbage_first"), {0}};
    const struct fake_action *action;
    struct fake *fake = one(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_DONE);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, "it has no such action"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, "none of done, retry, fail"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, "not JSON"), 1);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, "it is not an object"), 1);
    assert_int_equal(fake_logged(fake, -1, "started again"), 0);
    fake_end(fake);
}

static void test_a_worker_that_writes_only_garbage_is_ended(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("only_garbage"), {.name = "stop_grace", .number = 50}, {0}};
    const struct fake_action *action;
    struct fake *fake = one(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "worker does not speak the protocol");
    FAKE_UNTIL(fake, fake_logged(fake, -1, "started again") == 1);
    assert_true(fake_logged(fake, -1, "blah") <= 20);
    fake_end(fake);
}

static void test_an_action_that_takes_too_long_is_cancelled_and_then_the_worker_ended(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("silent"),
                                                 {.name = "timeout", .number = 200},
                                                 {.name = "stop_grace", .number = 1000},
                                                 {0}};
    const struct fake_action *action;
    struct fake *fake = one_when_ready(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "no answer within 200 ms");
    FAKE_UNTIL(fake, fake_logged(fake, -1, "cancelled: no answer within 200 ms") == 1);
    FAKE_UNTIL(fake, fake_logged(fake, -1, "kept an action past its time limit") == 1);
    fake_end(fake);
}

static void test_a_late_answer_saves_the_worker(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("late"),
                                                 {.name = "timeout", .number = 200},
                                                 {.name = "in_flight", .number = 1},
                                                 {0}};
    const struct fake_action *action;
    struct fake *fake = one_when_ready(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_RETRY);
    action = fake_do(fake, "any", "{}"); /* there is room only after the late answer */
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_DONE);
    assert_int_equal(fake_logged(fake, ATAMO_LOG_WARN, ""), 0);
    fake_end(fake);
}

static void test_a_cancellation_reaches_the_worker_with_its_reason(void **state)
{
    static const struct fake_option silent[] = {
        FAKE_ODD("silent"), {.name = "stop_grace", .number = 50}, {0}};
    static const struct fake_option node[] = {FAKE_NODE, {0}};
    struct fake *fake = fake_start(silent);
    const struct fake_action *action = fake_do(fake, "any", "{}");

    (void)state;
    fake_cancel(fake, action, ATAMO_REASON_DEADLINE);
    /* It was either still waiting for the process, or the worker hears of it. */
    FAKE_UNTIL(fake, fake_logged(fake, -1, "cancelled: deadline passed") == 1 ||
                         fake->settled_count == 1);
    fake_end(fake);
    fake = fake_start(node);
    (void)fake_do(fake, "echo", "{}");
    fake_finish(fake); /* it is up now */
    action = fake_do(fake, "slow", "{}");
    fake_cancel(fake, action, ATAMO_REASON_CLIENT);
    fake_finish(fake);
    assert_int_equal(action->kind, ATAMO_RETRY);
    fake_end(fake);
}

static void test_a_worker_that_closes_its_stdout_is_replaced(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("closes_stdout"), {.name = "stop_grace", .number = 200}, {0}};
    const struct fake_action *action;
    struct fake *fake = one(options, &action);

    (void)state;
    assert_int_equal(action->kind, ATAMO_RETRY);
    assert_string_equal(action->reason, "worker closed its stdout");
    FAKE_UNTIL(fake, fake_logged(fake, -1, "closed its stdout, and killed by signal 15") == 1);
    fake_end(fake);
}

static void test_a_line_over_the_limit_ends_only_its_own_action(void **state)
{
    static const struct fake_option options[] = {
        FAKE_ODD("long_answer"), {.name = "max_line", .number = 2000}, {0}};
    static char body[3000];
    struct fake *fake = fake_start(options);
    const struct fake_action *from = fake_do(fake, "any", "{}");
    const struct fake_action *to;
    struct fake_action *fine;

    (void)state;
    memset(body, ' ', sizeof body - 2);
    body[0] = '1';
    to = fake_do(fake, "any", body);
    fake_finish(fake);
    assert_int_equal(from->kind, ATAMO_FAIL);
    assert_string_equal(from->reason, "an answer of over 2000 bytes (max_line)");
    assert_int_equal(to->kind, ATAMO_FAIL);
    assert_string_equal(to->reason, "its line would be over 2000 bytes (max_line)");
    fine = &fake->actions[fake->action_count++];
    *fine = (struct fake_action){.type = "any", .body = atamo_text("{}"), .attempt = 2};
    fake->plugin->agent->handle_batch(fake->self, &(atamo_action){fake->action_count}, 1);
    fake_finish(fake);
    assert_int_equal(fine->kind, ATAMO_DONE);
    assert_int_equal(fake_logged(fake, -1, "started again"), 0);
    fake_end(fake);
}

static void test_a_worker_that_does_not_read_holds_up_nobody(void **state)
{
    static char mark[] = "/tmp/atamo-exec-XXXXXX";
    static char variable[64];
    struct fake_option options[] = {FAKE_ODD("deaf_once"),
                                    {.name = "workers", .number = 2},
                                    {.name = "in_flight", .number = 64},
                                    {.name = "stop_grace", .number = 100},
                                    {.name = "environment", .items = {variable}},
                                    {0}};
    static char body[16000]; /* so that what the deaf one is given does not fit its pipe */
    struct fake *fake;

    (void)state;
    assert_true(mkstemp(mark) >= 0);
    assert_int_equal(unlink(mark), 0);
    (void)snprintf(variable, sizeof variable, "MARK=%s", mark);
    memset(body, ' ', sizeof body - 1);
    body[0] = '1';
    fake = fake_start(options);
    for (int i = 0; i < 1000; i++)
        (void)fake_do(fake, "any", body);
    FAKE_UNTIL(fake, fake->settled_count >= 1000 - 64);
    fake_end(fake);
    assert_int_equal(unlink(mark), 0);
}

static void test_what_does_not_fit_the_queue_is_handed_back_at_once(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("silent"),
                                                 {.name = "in_flight", .number = 2},
                                                 {.name = "queue", .number = 3},
                                                 {.name = "stop_grace", .number = 50},
                                                 {0}};
    struct fake *fake = fake_start(options);
    size_t refused = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        (void)fake_do(fake, "any", "{}");
    FAKE_UNTIL(fake, fake->settled_count >= 100 - 2 - 3);
    (void)pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < 100; i++)
        refused += strcmp(fake->actions[i].reason, "too many actions wait for a worker") == 0;
    (void)pthread_mutex_unlock(&fake->mutex);
    assert_true(refused >= 100 - 2 - 3); /* two more if the worker was not yet up */
    fake_end(fake);
}

static void test_a_worker_inherits_neither_descriptors_nor_blocked_signals(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("descriptors"), {0}};
    const int forgotten = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    const struct fake_action *action;
    struct fake *fake = one(options, &action);

    (void)state;
    assert_string_equal(action->response, "{\"fds\": [0, 1, 2], \"blocked\": 0}");
    fake_end(fake);
    assert_int_equal(close(forgotten), 0);
}

static void test_processes_that_a_worker_leaves_behind_die_with_it(void **state)
{
    static const struct fake_option options[] = {FAKE_ODD("leaves_a_child"), {0}};
    const struct fake_action *action;
    struct fake *fake = one(options, &action);
    char *end;
    const long pid = strtol(action->response, &end, 10);

    (void)state;
    assert_true(pid > 1 && *end == '\0');
    FAKE_UNTIL(fake, fake_logged(fake, -1, "exited with status 0") == 1);
    for (int i = 0; i < 1000 && kill((pid_t)pid, 0) == 0; i++) {
        char path[64];
        char text[64] = "";
        FILE *file;

        (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        file = fopen(path, "r");
        if (file == NULL)
            break;
        if (fscanf(file, "%*d %*s %1s", text) == 1 && text[0] == 'Z')
            i = 1000; /* dead; whoever adopted it has not noticed yet */
        (void)fclose(file);
        assert_true(i != 999);
        (void)sched_yield();
    }
    fake_end(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_of_a_worker_that_dies_are_handed_back),
        cmocka_unit_test(test_what_a_worker_wrote_before_it_died_counts),
        cmocka_unit_test(test_a_worker_that_keeps_dying_is_started_less_and_less_often),
        cmocka_unit_test(test_lines_that_are_no_answers_are_shown_and_do_nothing),
        cmocka_unit_test(test_a_worker_that_writes_only_garbage_is_ended),
        cmocka_unit_test(test_an_action_that_takes_too_long_is_cancelled_and_then_the_worker_ended),
        cmocka_unit_test(test_a_late_answer_saves_the_worker),
        cmocka_unit_test(test_a_cancellation_reaches_the_worker_with_its_reason),
        cmocka_unit_test(test_a_worker_that_closes_its_stdout_is_replaced),
        cmocka_unit_test(test_a_line_over_the_limit_ends_only_its_own_action),
        cmocka_unit_test(test_a_worker_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(test_what_does_not_fit_the_queue_is_handed_back_at_once),
        cmocka_unit_test(test_a_worker_inherits_neither_descriptors_nor_blocked_signals),
        cmocka_unit_test(test_processes_that_a_worker_leaves_behind_die_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
