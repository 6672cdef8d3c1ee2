/* Plugins that read and write files, through a real hub: stdin, file, jsonl, trace, flaky. */
#include "unit/api/fixture.h"

#include <unistd.h>

struct place {
    char folder[64];
    char input[96];
    char output[96];
    char journal[96];
    char paths[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (place == NULL)
        return -1;
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/atamo-test-XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    (void)snprintf(place->input, sizeof place->input, "%s/in.jsonl", place->folder);
    (void)snprintf(place->output, sizeof place->output, "%s/out.jsonl", place->folder);
    (void)snprintf(place->journal, sizeof place->journal, "%s/journal", place->folder);
    (void)snprintf(place->paths, sizeof place->paths, "%s/paths", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    const char *const files[] = {place->input, place->output, place->journal, place->paths};

    for (size_t i = 0; i < 4; i++)
        (void)unlink(files[i]);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

static void write_input(const struct place *place, const char *text, size_t size)
{
    FILE *file = fopen(place->input, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

/* Run the input to its end. */
static atamo_stats run_hub(const struct place *place, const char *stdin_more)
{
    char yaml[4096];
    atamo_settings settings = {.size = sizeof settings, .log = fixture_quiet};
    atamo_stats stats = {.size = sizeof stats};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;

    (void)snprintf(
        yaml, sizeof yaml,
        "plugins: {path: %s/lib/atamo/plugins}\n"
        "agents:\n"
        "  books: {plugin: file, config: {path: %s}}\n"
        "  weak: {plugin: flaky, config: {fail_first: 1}, retry: {base: 1ms, max: 1ms}}\n"
        "auditors:\n"
        "  journal: {plugin: jsonl, config: {path: %s}}\n"
        "  paths: {plugin: trace, config: {to: %s, colour: never}}\n"
        "event_providers:\n"
        "  input: {plugin: stdin, config: {path: %s, type: plain %s}}\n"
        "rules:\n"
        "  - {id: keep, on: [order, plain], then: {agent: books, action: keep}}\n"
        "  - {id: try, on: order, then: {agent: weak, action: try}}\n",
        ATAMO_BUILD_DIR, place->output, place->journal, place->paths, place->input, stdin_more);
    settings.config = atamo_text(yaml);
    if (atamo_open(&settings, &hub, &report) != ATAMO_OK)
        fail_msg("%s", atamo_report_at(report, 0).text);
    atamo_report_free(report);
    assert_int_equal(atamo_wait_idle(hub, 10000), ATAMO_OK);
    assert_int_equal(atamo_stats_get(hub, NULL, &stats), ATAMO_OK);
    assert_int_equal(atamo_close(hub, 5000), ATAMO_OK);
    return stats;
}

static const char order[] = "{\"specversion\":\"1.0\",\"id\":\"A-1\",\"source\":\"/"
                            "s\",\"type\":\"order\",\"data\":{\"n\":1}}\n";

static void test_lines_become_events_and_actions_become_lines(void **state)
{
    const struct place *place = *state;
    atamo_stats stats;

    write_input(place, order, sizeof order - 1);
    stats = run_hub(place, "");
    assert_int_equal(stats.accepted, 1);
    assert_int_equal(stats.done, 2);
    assert_int_equal(stats.retries, 1);
    assert_non_null(strstr(read_text(place->output), "\"event_id\":\"A-1\""));
    assert_non_null(strstr(read_text(place->output), "\"body\":\"{\\\"n\\\":1}\""));
}

static void test_plain_json_becomes_data_of_the_configured_type(void **state)
{
    const struct place *place = *state;

    write_input(place, "{\"n\":1}\n\n[2]", 12);
    assert_int_equal(run_hub(place, "").done, 2);
    assert_non_null(strstr(read_text(place->journal), "\"type\":\"plain\""));
}

static void test_bad_lines_are_skipped_and_the_rest_is_read(void **state)
{
    static const char bad[] = "{\"n\":1}\n{oops\n\0\x01\n{\"n\":2}\n";
    const struct place *place = *state;

    write_input(place, bad, sizeof bad - 1);
    assert_int_equal(run_hub(place, "").accepted, 2);
}

static void test_a_bad_line_ends_the_input_if_asked(void **state)
{
    const struct place *place = *state;

    write_input(place, "{\"n\":1}\n{oops\n{\"n\":2}\n", 22);
    assert_int_equal(run_hub(place, ", on_error: stop").accepted, 1);
}

static void test_a_line_over_the_limit_is_skipped(void **state)
{
    const struct place *place = *state;
    const size_t size = 2 << 20;
    char *text = malloc(size);

    assert_non_null(text);
    memset(text, ' ', size);
    text[0] = '[';
    text[size - 20] = ']';
    text[size - 19] = '\n';
    text[size - 18] = '7';
    text[size - 17] = '\n';
    write_input(place, text, size);
    free(text);
    assert_int_equal(run_hub(place, "").accepted, 1);
}

static void test_the_journal_tells_each_step_as_json(void **state)
{
    const struct place *place = *state;
    const char *text;

    write_input(place, order, sizeof order - 1);
    (void)run_hub(place, "");
    text = read_text(place->journal);
    assert_non_null(strstr(text, "\"step\":\"admitted\""));
    assert_non_null(strstr(text, "\"id\":\"A-1\""));
    assert_non_null(strstr(text, "\"step\":\"retry\""));
    assert_non_null(strstr(text, "\"text\":\"attempt 1 fails, as configured\""));
    assert_non_null(strstr(text, "\"step\":\"finished\""));
}

static void test_the_trace_shows_the_path_of_a_message(void **state)
{
    const struct place *place = *state;
    const char *text;

    write_input(place, order, sizeof order - 1);
    (void)run_hub(place, "");
    text = read_text(place->paths);
    assert_non_null(strstr(text, "order  A-1"));
    assert_non_null(strstr(text, "keep -> books.keep"));
    assert_non_null(strstr(text, "attempt 1 fails, as configured (again in"));
}

static int open_status(const char *agent, char *why, size_t capacity)
{
    char yaml[1024];
    atamo_settings settings = {.size = sizeof settings, .log = fixture_quiet};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;
    int status;

    (void)snprintf(yaml, sizeof yaml, "plugins: {path: %s/lib/atamo/plugins}\n%s\n",
                   ATAMO_BUILD_DIR, agent);
    settings.config = atamo_text(yaml);
    status = atamo_open(&settings, &hub, &report);
    (void)snprintf(why, capacity, "%s",
                   atamo_report_count(report) > 0 ? atamo_report_at(report, 0).text : "");
    atamo_report_free(report);
    if (status == ATAMO_OK)
        (void)atamo_close(hub, 0);
    return status;
}

static void test_paths_that_cannot_be_opened_are_refused(void **state)
{
    static const char *const configs[] = {
        "agents: {a: {plugin: file, config: {path: /no/such/folder/x}}}",
        "auditors: {a: {plugin: jsonl, config: {path: /no/such/folder/x}}}",
        "auditors: {a: {plugin: trace, config: {to: /no/such/folder/x}}}",
        "event_providers: {a: {plugin: stdin, config: {path: /no/such/folder/x}}}",
        "event_providers: {a: {plugin: stdin, config: {path: /tmp}}}",
    };
    char why[512];

    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        assert_int_equal(open_status(configs[i], why, sizeof why), ATAMO_INVALID);
        assert_true(strstr(why, "cannot open") != NULL || strstr(why, "is a folder") != NULL);
    }
}

static void test_a_full_disk_makes_the_file_agent_try_again_and_then_die(void **state)
{
    static const char yaml[] = "agents: {a: {plugin: file, config: {path: /dev/full},\n"
                               "            retry: {attempts: 2, base: 1ms, max: 1ms}}}\n"
                               "rules: [{id: r, on: x, then: {agent: a, action: keep}}]\n";
    char text[1024];
    struct fixture *fixture;

    (void)state;
    (void)snprintf(text, sizeof text, "plugins: {path: %s/lib/atamo/plugins}\n%s", ATAMO_BUILD_DIR,
                   yaml);
    fixture = fixture_open(text, NULL, 0);
    fixture_submit(fixture, "x", "{}", "");
    FIXTURE_UNTIL(fixture, fixture_count(fixture, ATAMO_STEP_DEAD, ATAMO_REASON_ATTEMPTS) == 1);
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_become_events_and_actions_become_lines,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_plain_json_becomes_data_of_the_configured_type,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_bad_lines_are_skipped_and_the_rest_is_read, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_a_bad_line_ends_the_input_if_asked, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_a_line_over_the_limit_is_skipped, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_the_journal_tells_each_step_as_json, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_the_trace_shows_the_path_of_a_message, make_place,
                                        remove_place),
        cmocka_unit_test(test_paths_that_cannot_be_opened_are_refused),
        cmocka_unit_test(test_a_full_disk_makes_the_file_agent_try_again_and_then_die),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
