/* What the author of a rule sees of templates. */
#include "rules/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char order[] =
    "{\"total\": 12.50, \"n\": 1e-05, \"paid\":true,\"none\":null,\"empty\":\"\",\"note\":\"say "
    "\\\"hi\\\"\\n\\u00e4\",\"items\":[{\"name\":\"pen\"},{\"name\":\"ink\"}],\"odd "
    "name\":1,\"a.b\":2,\"q\\\"\":3,\"10\":\"ten\",\"customer\":{\"email\":\"a@b\"}}";

struct fixture {
    struct arena arena;
    struct problems problems;
    struct field_plan *plan;
    struct field_scratch *scratch;
    const struct template *template;
    struct rule_event event;
    char room[sizeof order + 64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    arena_init(&fixture->arena);
    problems_init(&fixture->problems);
    memcpy(fixture->room, order, sizeof order);
    fixture->event.attributes[ATAMO_ID] = atamo_text("7");
    fixture->event.attributes[ATAMO_TYPE] = atamo_text("order \"big\"");
    fixture->event.data = (atamo_bytes){fixture->room, sizeof order - 1};
    fixture->event.data_room = sizeof fixture->room;
    fixture->event.data_is_json = true;
    *state = fixture;
    return field_scratch_open(&fixture->scratch);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    field_scratch_close(fixture->scratch);
    arena_close(&fixture->arena);
    problems_close(&fixture->problems);
    free(fixture);
    return 0;
}

static int compile(struct fixture *fixture, const char *yaml)
{
    const struct yaml_options options = {.file = "rules.yaml"};
    const struct yaml_node *node = NULL;

    assert_int_equal(
        yaml_parse(&fixture->arena, atamo_text(yaml), &options, &fixture->problems, &node),
        ATAMO_OK);
    fixture->plan = field_plan_new(&fixture->arena);
    assert_non_null(fixture->plan);
    return template_compile(&fixture->arena, fixture->plan, node, &fixture->problems,
                            &fixture->template);
}

static int render(struct fixture *fixture, const char *yaml, char *buffer, size_t capacity,
                  size_t *size, atamo_bytes *missing)
{
    const char *problem = NULL;

    assert_int_equal(compile(fixture, yaml), ATAMO_OK);
    assert_int_equal(field_plan_seal(fixture->plan), ATAMO_OK);
    assert_int_equal(fields_extract(fixture->plan, fixture->scratch, &fixture->event, &problem),
                     ATAMO_OK);
    return template_render(fixture->template, fixture->scratch, buffer, capacity, size, missing);
}

static void assert_renders(struct fixture *fixture, const char *yaml, const char *json)
{
    char buffer[1024];
    atamo_bytes missing;
    size_t size = 0;

    assert_int_equal(render(fixture, yaml, buffer, sizeof buffer - 1, &size, &missing), ATAMO_OK);
    buffer[size] = '\0';
    assert_string_equal(buffer, json);
}

static void assert_missing(struct fixture *fixture, const char *yaml, const char *path)
{
    char buffer[1024];
    atamo_bytes missing = {NULL, 0};
    size_t size = 4711;

    assert_int_equal(render(fixture, yaml, buffer, sizeof buffer, &size, &missing),
                     ATAMO_NOT_FOUND);
    assert_int_equal(missing.size, strlen(path));
    assert_memory_equal(missing.data, path, missing.size);
    assert_int_equal(size, 4711);
}

static void assert_refused(struct fixture *fixture, const char *yaml, const char *words)
{
    const size_t before = fixture->problems.count;

    assert_int_equal(compile(fixture, yaml), ATAMO_INVALID);
    assert_int_equal(fixture->problems.count, before + 1);
    if (strstr(fixture->problems.list[before].text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fixture->problems.list[before].text, words);
    assert_int_equal(fixture->problems.list[before].place.line, 1);
}

static void test_a_tree_without_references_is_its_json(void **state)
{
    assert_renders(*state, "{a: [1, 0x10, true, ~, 'x\"y'], b: {}, c: []}",
                   "{\"a\":[1,16,true,null,\"x\\\"y\"],\"b\":{},\"c\":[]}");
    assert_renders(*state, "", "null");
    assert_renders(*state, "''", "\"\"");
}

static void test_a_reference_alone_keeps_the_type(void **state)
{
    assert_renders(*state, "[\"${data.total}\", \"${data.n}\", \"${data.paid}\", \"${data.none}\"]",
                   "[12.50,1e-05,true,null]");
    assert_renders(*state, "a: ${data.note}", "{\"a\":\"say \\\"hi\\\"\\n\\u00e4\"}");
    assert_renders(*state, "${data.items}", "[{\"name\":\"pen\"},{\"name\":\"ink\"}]");
    assert_renders(*state, "[\"${id}\", \"${type}\"]", "[\"7\",\"order \\\"big\\\"\"]");
}

static void test_a_reference_inside_text_is_written_out(void **state)
{
    assert_renders(*state, "Order ${id}, ${data.total} (${data.paid}, ${data.none})",
                   "\"Order 7, 12.50 (true, null)\"");
    assert_renders(*state, "\"<${data.note}>\"", "\"<say \\\"hi\\\"\\n\\u00e4>\"");
    assert_renders(*state, "\"${data.empty}${data.empty}\"", "\"\"");
    assert_renders(*state, "\"c=${data.customer}\"", "\"c={\\\"email\\\":\\\"a@b\\\"}\"");
    assert_renders(*state, "\"${id} \"", "\"7 \"");
    assert_renders(*state, "\"\\\"${id}\\\"\\t\"", "\"\\\"7\\\"\\t\"");
}

static void test_array_elements_and_odd_names_can_be_reached(void **state)
{
    assert_renders(*state, "[\"${data.items[0].name}\", \"${data.items.1.name}\"]",
                   "[\"pen\",\"ink\"]");
    assert_renders(*state, "['${data[\"odd name\"]}', '${data[\"a.b\"]}', '${data[\"q\\\"\"]}']",
                   "[1,2,3]");
    assert_renders(*state, "\"${data['odd name']}${data.10}\"", "\"1ten\"");
}

static void test_a_default_takes_the_place_of_what_is_missing(void **state)
{
    assert_renders(*state, "['${data.x:-5}', '${data.x:-a b}', '${data.x:-}', '${data.x:-null}']",
                   "[5,\"a b\",\"\",null]");
    assert_renders(*state, "['${data.x:-\"5\"}', '${data.x:-\"}', '${data.x:-01}', '${x:--1e3}']",
                   "[\"5\",\"\\\"\",\"01\",-1e3]");
    assert_renders(*state, "\"n=${data.x:-5} ${data.x:-\\\"}\"", "\"n=5 \\\"\"");
    assert_renders(*state, "${data.total:-5}", "12.50");
    assert_renders(*state, "[\"${data.none:-5}\"]", "[null]");
}

static void test_dollars_escape_the_opening(void **state)
{
    assert_renders(*state, "$${id} costs $5 ${id}$", "\"${id} costs $5 7$\"");
    assert_renders(*state, "$${", "\"${\"");
    assert_renders(*state, "\"a${id}$${id}\"", "\"a7${id}\"");
}

static void test_a_missing_path_is_named_and_never_empty(void **state)
{
    assert_missing(*state, "{a: \"${id}\", b: \"x ${data.items[9].name}\"}", "data.items[9].name");
    assert_missing(*state, "${subject}", "subject");
    assert_missing(*state, "${data.total.x}", "data.total.x");
    assert_missing(*state, "'${data[\"no such\"]}'", "data[\"no such\"]");
}

static void test_a_small_buffer_learns_the_size_it_needs(void **state)
{
    struct fixture *fixture = *state;
    const char *yaml = "Order ${id} ${data.customer}";
    const char *json = "\"Order 7 {\\\"email\\\":\\\"a@b\\\"}\"";
    char buffer[64];
    atamo_bytes missing;

    for (size_t capacity = 0; capacity < strlen(json); capacity++) {
        size_t size = 0;

        buffer[capacity] = '#';
        assert_int_equal(render(fixture, yaml, buffer, capacity, &size, &missing), ATAMO_TOO_LARGE);
        assert_int_equal(size, strlen(json));
        assert_int_equal(buffer[capacity], '#');
    }
    assert_renders(fixture, yaml, json);
}

static void test_only_data_alone_is_the_whole(void **state)
{
    struct fixture *fixture = *state;
    const char *const others[] = {"${id}",    "${data.id}",   "[\"${data}\"]",
                                  "${data} ", "\" ${data}\"", "${data:-1}"};
    uint32_t field = 99;

    assert_renders(fixture, "${data}", order);
    assert_true(template_is_whole(fixture->template, &field));
    assert_int_not_equal(field, 99);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const bool same = strcmp(others[i], "${data} ") == 0; /* YAML takes the space away */

        assert_int_equal(compile(fixture, others[i]), ATAMO_OK);
        assert_int_equal(template_is_whole(fixture->template, &field), same);
    }
}

static void test_mistakes_in_references_are_explained(void **state)
{
    assert_refused(*state, "a ${id", "not closed");
    assert_refused(*state, "a ${}", "a name was expected");
    assert_refused(*state, "${data..x}", "a name was expected");
    assert_refused(*state, "${data.}", "a name was expected");
    assert_refused(*state, "${data[x]}", "a number or a quoted name");
    assert_refused(*state, "${data[\"x}", "a quote is not closed");
    assert_refused(*state, "${data[1}", "a ] was expected");
    assert_refused(*state, "${dta.x}", "only data has parts");
    assert_refused(*state, "${Type}", "a path begins with data");
    assert_refused(*state, "${data.odd name}", "} or :-default");
    assert_refused(*state, "${data.x:5}", "} or :-default");
    assert_refused(*state, "${env:HOME}", "} or :-default");
    assert_refused(*state, "\"${id}\": 1", "only values can be filled in");
}

static void test_all_mistakes_are_found_in_one_run(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(compile(fixture, "a: ${\nb: [\"${}\", \"${id}\"]\nc: {d: \"${x.y}\"}"),
                     ATAMO_INVALID);
    assert_int_equal(fixture->problems.count, 3);
    assert_int_equal(fixture->problems.list[2].place.line, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_a_tree_without_references_is_its_json),
        TEST(test_a_reference_alone_keeps_the_type),
        TEST(test_a_reference_inside_text_is_written_out),
        TEST(test_array_elements_and_odd_names_can_be_reached),
        TEST(test_a_default_takes_the_place_of_what_is_missing),
        TEST(test_dollars_escape_the_opening),
        TEST(test_a_missing_path_is_named_and_never_empty),
        TEST(test_a_small_buffer_learns_the_size_it_needs),
        TEST(test_only_data_alone_is_the_whole),
        TEST(test_mistakes_in_references_are_explained),
        TEST(test_all_mistakes_are_found_in_one_run),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
