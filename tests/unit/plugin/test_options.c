/* Options of a plugin: every type, every mistake, and quantities as people write them. */
#include "plugin/options.h"
#include "plugin/quantity.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const atamo_option table[] = {
    {.name = "to", .type = ATAMO_OPTION_TEXT, .flags = ATAMO_OPTION_REQUIRED, .about = "where"},
    {.name = "times",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "3",
     .min = 1,
     .max = 9,
     .about = "how often"},
    {.name = "ratio", .type = ATAMO_OPTION_NUMBER, .fallback = "0.5", .about = "how much"},
    {.name = "on", .type = ATAMO_OPTION_BOOLEAN, .fallback = "true", .about = "whether"},
    {.name = "pause",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "250ms",
     .max = 60000,
     .about = "how long"},
    {.name = "room", .type = ATAMO_OPTION_SIZE, .fallback = "64KiB", .about = "how large"},
    {.name = "mode",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "block",
     .choices = "block|drop",
     .about = "what then"},
    {.name = "words", .type = ATAMO_OPTION_LIST, .about = "which"},
    {.name = "headers", .type = ATAMO_OPTION_MAP, .about = "which"},
    {.name = "shape", .type = ATAMO_OPTION_JSON, .about = "anything"},
};

static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, ATAMO_OPTIONS(table), .id = "tested", .version = "1", .summary = "is tested",
};

struct fixture {
    struct arena arena;
    struct problems problems;
    struct options *options;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    arena_init(&fixture.arena);
    problems_init(&fixture.problems);
    fixture.options = NULL;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    options_free(fixture->options);
    problems_close(&fixture->problems);
    arena_close(&fixture->arena);
    return 0;
}

static int build(struct fixture *fixture, const char *yaml)
{
    const struct yaml_options options = {.file = "hub.yaml"};
    const struct yaml_node *node = NULL;

    assert_int_equal(
        yaml_parse(&fixture->arena, atamo_text(yaml), &options, &fixture->problems, &node),
        ATAMO_OK);
    return options_build(&plugin, node, (struct place){"hub.yaml", 1, 1}, &fixture->problems,
                         &fixture->options);
}

static void test_what_is_absent_takes_its_fallback(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(build(fixture, "to: x"), ATAMO_OK);
    assert_string_equal(options_text(fixture->options, "to").data, "x");
    assert_int_equal(options_integer(fixture->options, "times"), 3);
    assert_true(options_number(fixture->options, "ratio") > 0.49);
    assert_int_equal(options_integer(fixture->options, "on"), 1);
    assert_int_equal(options_integer(fixture->options, "pause"), 250);
    assert_int_equal(options_integer(fixture->options, "room"), 65536);
    assert_string_equal(options_text(fixture->options, "mode").data, "block");
    assert_int_equal(options_count(fixture->options, "words"), 0);
    assert_string_equal(options_text(fixture->options, "shape").data, "");
}

static void test_every_type_is_read(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(build(fixture, "to: 7\ntimes: 9\nratio: 2\non: false\npause: 1m\nroom: 10MB\n"
                                    "mode: drop\nwords: [a, 2]\nheaders: {k: v}\n"
                                    "shape: {a: [1, null]}\n"),
                     ATAMO_OK);
    assert_string_equal(options_text(fixture->options, "to").data, "7");
    assert_int_equal(options_integer(fixture->options, "on"), 0);
    assert_int_equal(options_integer(fixture->options, "pause"), 60000);
    assert_int_equal(options_integer(fixture->options, "room"), 10000000);
    assert_string_equal(options_text_at(fixture->options, "words", 1).data, "2");
    assert_string_equal(options_key_at(fixture->options, "headers", 0).data, "k");
    assert_string_equal(options_text_at(fixture->options, "headers", 0).data, "v");
    assert_string_equal(options_text_at(fixture->options, "headers", 1).data, "");
    assert_string_equal(options_text(fixture->options, "shape").data, "{\"a\":[1,null]}");
}

static void test_a_single_text_is_a_list_of_one(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(build(fixture, "{to: x, words: alone}"), ATAMO_OK);
    assert_int_equal(options_count(fixture->options, "words"), 1);
    assert_string_equal(options_text_at(fixture->options, "words", 0).data, "alone");
}

static void test_all_mistakes_are_found_in_one_run_with_their_places(void **state)
{
    static const struct {
        uint32_t line;
        const char *text;
    } expected[] = {
        {1, "option \"to\" is required: where"},
        {1, "\"times\" must be from 1 to 9"},
        {2, "\"on\" is text, expected true or false"},
        {3, "\"pause\": expected a duration"},
        {4, "\"room\": expected a size"},
        {5, "\"mode\" must be one of block|drop"},
        {6, "\"headers\" is a list, expected a map"},
        {7, "has no option \"wrds\": did you mean \"words\"?"},
    };
    struct fixture *fixture = *state;

    assert_int_equal(build(fixture, "times: 10\non: perhaps\npause: soon\nroom: 1XB\nmode: wait\n"
                                    "headers: [a]\nwrds: a\n"),
                     ATAMO_INVALID);
    assert_null(fixture->options);
    assert_int_equal(fixture->problems.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < fixture->problems.count; i++) {
        assert_int_equal(fixture->problems.list[i].place.line, expected[i].line);
        if (strstr(fixture->problems.list[i].text, expected[i].text) == NULL)
            fail_msg("not \"%s\": %s", expected[i].text, fixture->problems.list[i].text);
    }
}

static void test_a_configuration_that_is_no_map_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(build(fixture, "[to, x]"), ATAMO_INVALID);
    assert_non_null(strstr(fixture->problems.list[0].text, "must be a map"));
}

static void test_the_fingerprint_tells_values_apart(void **state)
{
    struct fixture *fixture = *state;
    uint64_t one;

    assert_int_equal(build(fixture, "to: x"), ATAMO_OK);
    one = options_fingerprint(fixture->options);
    options_free(fixture->options);
    assert_int_equal(build(fixture, "{to: x, times: 3}"), ATAMO_OK);
    assert_int_equal(options_fingerprint(fixture->options), one);
    options_free(fixture->options);
    assert_int_equal(build(fixture, "{to: x, times: 4}"), ATAMO_OK);
    assert_int_not_equal(options_fingerprint(fixture->options), one);
}

static void test_rows_may_be_longer_than_this_hub_knows(void **state)
{
    struct longer {
        atamo_option option;
        uint64_t newer[3];
    };
    static const struct longer rows[] = {
        {{.name = "one", .type = ATAMO_OPTION_TEXT, .fallback = "1", .about = "first"}, {0}},
        {{.name = "two", .type = ATAMO_OPTION_TEXT, .fallback = "2", .about = "second"}, {0}},
    };
    const atamo_plugin longer = {ATAMO_PLUGIN_HEAD,
                                 .id = "longer",
                                 .version = "1",
                                 .summary = "is newer",
                                 .options = &rows[0].option,
                                 .option_count = 2,
                                 .option_stride = sizeof rows[0]};
    struct fixture *fixture = *state;

    assert_int_equal(options_build(&longer, NULL, (struct place){NULL, 0, 0}, &fixture->problems,
                                   &fixture->options),
                     ATAMO_OK);
    assert_string_equal(options_text(fixture->options, "two").data, "2");
}

static void test_durations_are_read_as_people_write_them(void **state)
{
    static const char *const wrong[] = {"",    "1",    "ms", "1 s",    "1.5s",
                                        "-1s", "1h30", "1x", "300000d"};
    int64_t ns = -1;

    (void)state;
    assert_int_equal(quantity_duration(atamo_text("1h30m"), &ns), ATAMO_OK);
    assert_int_equal(ns, INT64_C(5400000000000));
    assert_int_equal(quantity_duration(atamo_text("0"), &ns), ATAMO_OK);
    assert_int_equal(ns, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(quantity_duration(atamo_text(wrong[i]), &ns), ATAMO_INVALID);
    assert_int_equal(ns, 0);
}

static void test_sizes_are_read_as_people_write_them(void **state)
{
    static const char *const wrong[] = {"", "KB", "1kb", "1 KB", "1.5MB", "-1", "99999999999GiB"};
    int64_t bytes = -1;

    (void)state;
    assert_int_equal(quantity_size(atamo_text("64KiB"), &bytes), ATAMO_OK);
    assert_int_equal(bytes, 65536);
    assert_int_equal(quantity_size(atamo_text("12"), &bytes), ATAMO_OK);
    assert_int_equal(bytes, 12);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(quantity_size(atamo_text(wrong[i]), &bytes), ATAMO_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_absent_takes_its_fallback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_type_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_single_text_is_a_list_of_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_mistakes_are_found_in_one_run_with_their_places,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_configuration_that_is_no_map_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_fingerprint_tells_values_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_may_be_longer_than_this_hub_knows, set_up,
                                        tear_down),
        cmocka_unit_test(test_durations_are_read_as_people_write_them),
        cmocka_unit_test(test_sizes_are_read_as_people_write_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
