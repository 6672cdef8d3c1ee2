/* atamo-plugin-check, run as its users run it: on sound plugins and on broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

struct result {
    int code;
    char text[16384];
};

static struct result run(const char *arguments)
{
    struct result result = {.code = -1};
    char line[1024];
    FILE *stream;

    (void)snprintf(line, sizeof line, "%s/bin/atamo-plugin-check %s 2>&1", ATAMO_BUILD_DIR,
                   arguments);
    stream = popen(line, "re");
    assert_non_null(stream);
    result.text[fread(result.text, 1, sizeof result.text - 1, stream)] = '\0';
    result.code = WEXITSTATUS(pclose(stream));
    return result;
}

static struct result run_broken(const char *name)
{
    char arguments[512];

    (void)snprintf(arguments, sizeof arguments, "%s/tests/plugins/%s.so --limit 300",
                   ATAMO_BUILD_DIR, name);
    return run(arguments);
}

/* The check fails, and says so in these words. */
static void assert_says(const char *name, const char *words)
{
    const struct result result = run_broken(name);

    assert_int_equal(result.code, 1);
    if (strstr(result.text, words) == NULL)
        fail_msg("\"%s\" is not in:\n%s", words, result.text);
}

static void test_sound_plugins_pass(void **state)
{
    static const char *const plugins[] = {"log", "flaky", "trace"};
    char arguments[512];

    (void)state;
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++) {
        struct result result;

        (void)snprintf(arguments, sizeof arguments, "%s/lib/atamo/plugins/%s.so", ATAMO_BUILD_DIR,
                       plugins[i]);
        result = run(arguments);
        if (result.code != 0)
            fail_msg("%s", result.text);
        assert_non_null(strstr(result.text, " 0 failed"));
    }
}

static void test_an_option_that_is_required_is_asked_for(void **state)
{
    struct result result;

    (void)state;
    result = run(ATAMO_BUILD_DIR "/lib/atamo/plugins/file.so");
    assert_int_equal(result.code, 1);
    assert_non_null(strstr(result.text, "option \"path\" is required"));
    assert_non_null(strstr(result.text, "--config"));
    result = run(ATAMO_BUILD_DIR "/lib/atamo/plugins/file.so --config 'path: /dev/null'");
    if (result.code != 0)
        fail_msg("%s", result.text);
}

static void test_json_has_every_check(void **state)
{
    const struct result result = run(ATAMO_BUILD_DIR "/lib/atamo/plugins/flaky.so --json");

    (void)state;
    assert_int_equal(result.code, 0);
    assert_int_equal(strncmp(result.text, "{\"file\":", 8), 0);
    assert_non_null(strstr(result.text, "\"ok\":true"));
    assert_null(strstr(result.text, "\"ok\":false"));
    assert_non_null(strstr(result.text, "\"failed\":0}"));
}

static void test_wrong_usage_exits_with_2(void **state)
{
    (void)state;
    assert_int_equal(run("").code, 2);
    assert_int_equal(run("x.so --no-such-option 1").code, 2);
    assert_int_equal(run("x.so --limit soon").code, 2);
}

static void test_a_crash_is_a_finding_that_names_the_call(void **state)
{
    (void)state;
    assert_says("crashes_in_drain", "crashed by signal 6 (Aborted) in drain()");
}

static void test_a_hang_is_a_finding_that_names_the_call(void **state)
{
    (void)state;
    assert_says("hangs_in_start", "did not return from start() within the limit");
}

static void test_ending_the_process_is_a_finding(void **state)
{
    (void)state;
    assert_says("exits_in_handle", "exited with 3 in handle()");
}

static void test_settling_twice_or_never_is_a_finding(void **state)
{
    (void)state;
    assert_says("settles_twice", "settle() for action 1, which was settled before");
    assert_says("never_settles", "was never settled");
}

static void test_a_loop_that_is_held_up_is_a_finding(void **state)
{
    (void)state;
    assert_says("blocks_the_loop", "held the loop up");
}

static void test_what_is_left_behind_is_a_finding(void **state)
{
    (void)state;
    assert_says("leaves_descriptor", "descriptors open");
#ifdef __SANITIZE_ADDRESS__
    assert_says("leaves_memory", "leaked in"); /* the sanitizer sees it first */
#else
    assert_says("leaves_memory", "each life leaves");
#endif
}

static void test_calls_after_destroy_are_a_finding(void **state)
{
    (void)state;
    assert_says("calls_after_destroy", "log() was called after destroy()");
}

static void test_instances_that_share_state_are_a_finding(void **state)
{
    (void)state;
    assert_says("shares_state", "two instances share one self");
}

static void test_failing_without_a_reason_is_a_finding(void **state)
{
    (void)state;
    assert_says("fails_silently", "without saying why");
    assert_says("refuses_start", "start() failed: nobody answers at port 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_plugins_pass),
        cmocka_unit_test(test_an_option_that_is_required_is_asked_for),
        cmocka_unit_test(test_json_has_every_check),
        cmocka_unit_test(test_wrong_usage_exits_with_2),
        cmocka_unit_test(test_a_crash_is_a_finding_that_names_the_call),
        cmocka_unit_test(test_a_hang_is_a_finding_that_names_the_call),
        cmocka_unit_test(test_ending_the_process_is_a_finding),
        cmocka_unit_test(test_settling_twice_or_never_is_a_finding),
        cmocka_unit_test(test_a_loop_that_is_held_up_is_a_finding),
        cmocka_unit_test(test_what_is_left_behind_is_a_finding),
        cmocka_unit_test(test_calls_after_destroy_are_a_finding),
        cmocka_unit_test(test_instances_that_share_state_are_a_finding),
        cmocka_unit_test(test_failing_without_a_reason_is_a_finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
