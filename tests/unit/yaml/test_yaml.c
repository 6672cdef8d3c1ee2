/* What a configuration author sees of the YAML floor: types, positions, refusals. */
#include "yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct arena arena;
    struct problems problems;
    struct yaml_options options;
    const struct yaml_node *root;
};

static const char *environment(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "PORT") == 0)
        return "8080";
    if (strcmp(name, "HOST") == 0)
        return "example.org";
    if (strcmp(name, "BROKEN") == 0)
        return "caf\xe9";
    if (strcmp(name, "SNEAKY") == 0)
        return "${env:PORT}: [";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL)
        return -1;
    arena_init(&fixture->arena);
    problems_init(&fixture->problems);
    fixture->options.file = "a.yaml";
    fixture->options.environment = environment;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_close(&fixture->arena);
    problems_close(&fixture->problems);
    free(fixture);
    return 0;
}

static int parse(struct fixture *fixture, const char *text)
{
    return yaml_parse(&fixture->arena, atamo_text(text), &fixture->options, &fixture->problems,
                      &fixture->root);
}

static void assert_json(struct fixture *fixture, const char *text, const char *json)
{
    const int status = parse(fixture, text);

    if (fixture->problems.count > 0)
        print_error("%s\n", fixture->problems.list[0].text);
    assert_int_equal(status, ATAMO_OK);
    assert_non_null(fixture->root);
    assert_string_equal(yaml_to_json(&fixture->arena, fixture->root).data, json);
}

/* The text is refused with a first problem at this place whose sentence holds these words. */
static void assert_refused(struct fixture *fixture, const char *text, uint32_t line,
                           uint32_t column, const char *words)
{
    const size_t before = fixture->problems.count;
    const struct problem *problem = &fixture->problems.list[before];
    const int status = parse(fixture, text);

    assert_int_not_equal(status, ATAMO_OK);
    assert_true(fixture->problems.count > before);
    if (strstr(problem->text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problem->text, words);
    assert_string_equal(problem->place.file, "a.yaml");
    assert_int_equal(problem->place.line, line);
    assert_int_equal(problem->place.column, column);
}

static void test_scalars_have_the_types_of_the_core_schema(void **state)
{
    assert_json(*state, "[~, null, true, False, yes, no, on]",
                "[null,null,true,false,\"yes\",\"no\",\"on\"]");
    assert_json(*state, "[1, -2, +3, 007, 0x1F, 0o17, 1.5, .5, 5., 1e-05, -0, -.5E+3, 00.5]",
                "[1,-2,3,7,31,15,1.5,0.5,5,1e-05,-0,-0.5E+3,0.5]");
    assert_json(*state, "[1.2.3, 1:30, 0x, 1e, '-', +, 0b1, 1_000, .e1, '12', \"true\"]",
                "[\"1.2.3\",\"1:30\",\"0x\",\"1e\",\"-\",\"+\",\"0b1\",\"1_000\",\".e1\",\"12\","
                "\"true\"]");
    assert_json(*state,
                "[9223372036854775807, 9223372036854775808, 123456789012345678901234567890]",
                "[9223372036854775807,9223372036854775808,123456789012345678901234567890]");
}

static void test_integers_that_fit_are_integral(void **state)
{
    struct fixture *fixture = *state;

    assert_json(fixture, "[9223372036854775807, 9223372036854775808, 2.0]",
                "[9223372036854775807,9223372036854775808,2.0]");
    assert_true(fixture->root->items[0]->integral);
    assert_true(fixture->root->items[0]->integer == INT64_MAX);
    assert_false(fixture->root->items[1]->integral);
    assert_true(fixture->root->items[1]->number > 9.2e18);
    assert_false(fixture->root->items[2]->integral);
}

static void test_numbers_that_json_cannot_hold_are_refused(void **state)
{
    assert_refused(*state, "a: .inf", 1, 4, "infinity");
    assert_refused(*state, "a: -.INF", 1, 4, "infinity");
    assert_refused(*state, "a: .nan", 1, 4, "infinity");
    assert_refused(*state, "a: 1e999", 1, 4, "64-bit float");
    assert_refused(*state, "a: 0xffffffffffffffff", 1, 4, "63 bits");
}

static void test_keys_are_text_as_written(void **state)
{
    assert_json(*state, "{1: a, true: b, ~: c, 0x10: d}",
                "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"0x10\":\"d\"}");
    assert_refused(*state, "? [1, 2]\n: x", 1, 3, "a key is text, this is a list");
}

static void test_nodes_know_where_they_stood(void **state)
{
    struct fixture *fixture = *state;
    const struct yaml_node *inner;

    assert_json(fixture, "a:\n  b: [x, 'y']\n", "{\"a\":{\"b\":[\"x\",\"y\"]}}");
    inner = yaml_get(yaml_get(fixture->root, "a"), "b");
    assert_non_null(inner);
    assert_int_equal(inner->items[1]->line, 2);
    assert_int_equal(inner->items[1]->column, 10);
    assert_string_equal(inner->file, "a.yaml");
    assert_null(yaml_get(fixture->root, "c"));
    assert_null(yaml_get(inner, "b"));
}

static void test_json_is_read_as_it_is(void **state)
{
    assert_json(*state, "{\"a\":[1,2.50,{\"b\":null}],\"c\\/\":\"\\u00e4\\n\\u0001\\\"\"}\n",
                "{\"a\":[1,2.50,{\"b\":null}],\"c/\":\"\xc3\xa4\\n\\u0001\\\"\"}");
    assert_json(*state, "\xef\xbb\xbf{\"a\": \"b\"}", "{\"a\":\"b\"}");
}

static void test_an_empty_document_has_no_root(void **state)
{
    struct fixture *fixture = *state;
    const char *const empty[] = {"", "\n\n", "# only a comment", "---\n", "---\n...\n"};

    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_int_equal(parse(fixture, empty[i]), ATAMO_OK);
        assert_null(fixture->root);
    }
}

static void test_a_duplicate_key_names_both_places(void **state)
{
    struct fixture *fixture = *state;

    assert_refused(fixture, "a: 1\nb: 2\n\"a\": 3\n", 3, 1, "\"a\" is already at line 1, column 1");
    assert_refused(fixture, "x: {k: 1, k: 2}\n", 1, 11, "line 1, column 5");
}

static void test_all_problems_are_found_in_one_run(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(parse(fixture, "a: .inf\nb: ${env:NOPE}\nc: &x 1\nd: *x\na: !odd y\n<<: {}\n"),
                     ATAMO_INVALID);
    assert_int_equal(fixture->problems.count, 7); /* the key `a` twice, too */
}

static void test_more_than_one_document_is_refused(void **state)
{
    assert_refused(*state, "a: 1\n---\nb: 2\n", 2, 1, "second document");
    assert_refused(*state, "a: 1\n...\n# c\n--- x", 4, 1, "second document");
    assert_refused(*state, "a: 1\r\n...\r\nb: 2", 3, 1, "text follows");
    assert_refused(*state, "'a' b", 1, 5, "text follows");
    assert_json(*state, "%YAML 1.2\n--- # c\n\xc3\xa4: 1\n... # c\n...\n\n# end",
                "{\"\xc3\xa4\":1}");
}

static void test_anchors_tags_and_merge_keys_are_refused(void **state)
{
    assert_refused(*state, "a: &x {b: 1}", 1, 4, "anchor &x");
    assert_refused(*state, "a: [*x]", 1, 5, "alias *x");
    assert_refused(*state, "<<: {}", 1, 1, "merge keys");
    assert_refused(*state, "a: !thing b", 1, 4, "!thing");
    assert_refused(*state, "a: !!int b", 1, 4, "tag:yaml.org,2002:int");
    assert_refused(*state, "!!set {a}", 1, 1, "tag:yaml.org,2002:set");
    assert_refused(*state, "# c\n%TAG ! tag:x,2000:\n--- a", 2, 1, "%TAG");
    assert_json(*state, "[!!str 1, !!int 2, !!seq [], !!map {}, ! 3]", "[\"1\",2,[],{},\"3\"]");
}

static void test_syntax_errors_have_a_place_and_a_hint(void **state)
{
    assert_refused(*state, "a:\n\tb: 1\n", 2, 1, "indent with spaces");
    assert_refused(*state, "a: {b: ${env:PORT}}\n", 1, 9, "needs quotes");
    assert_refused(*state, "a: [1, 2\nb: 3", 2, 2, "while parsing a flow sequence");
    assert_refused(*state, "a: 1\nb: \xff\xfe\n", 2, 4, "UTF-8");
    assert_refused(*state, "a: 1\nb: \x01\n", 2, 4, "control characters");
}

static void test_a_nul_byte_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const atamo_bytes input = {"a: b\0c", 6};

    assert_int_equal(
        yaml_parse(&fixture->arena, input, &fixture->options, &fixture->problems, &fixture->root),
        ATAMO_INVALID);
    assert_int_equal(fixture->problems.list[0].place.column, 5);
}

static void test_the_environment_is_replaced_and_typed_again(void **state)
{
    assert_json(*state, "port: ${env:PORT}", "{\"port\":8080}");
    assert_json(*state, "port: \"${env:PORT}\"", "{\"port\":\"8080\"}");
    assert_json(*state, "u: http://${env:HOST}:${env:PORT}/",
                "{\"u\":\"http://example.org:8080/\"}");
    assert_json(*state, "[\"${env:NO:-a b}\", '${env:NO:-}', \"${env:EMPTY:-x}\"]",
                "[\"a b\",\"\",\"\"]");
    assert_json(*state, "a: ${env:NO:-true}", "{\"a\":true}");
    assert_json(*state, "a: ${env:SNEAKY}", "{\"a\":\"${env:PORT}: [\"}");
    assert_json(*state, "a: $${env:PORT} ${data.x}", "{\"a\":\"$${env:PORT} ${data.x}\"}");
    assert_json(*state, "a: |\n  ${env:PORT}\n", "{\"a\":\"${env:PORT}\\n\"}");
}

static void test_what_the_environment_lacks_is_named(void **state)
{
    assert_refused(*state, "a: 1\nb: ${env:NOPE}", 2, 4, "variable NOPE is not set");
    assert_refused(*state, "b: ${env:BROKEN}", 1, 4, "BROKEN is not UTF-8");
    assert_refused(*state, "b: ${env:PORT", 1, 4, "found \"${env:PORT\"");
    assert_refused(*state, "b: \"${env:} ${env:A-B}\"", 1, 4, "found \"${env:}");
    assert_refused(*state, "${env:PORT}: 1", 1, 1, "not in keys");
}

static void test_without_an_environment_references_stay(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.environment = NULL;
    assert_json(fixture, "a: ${env:PORT}", "{\"a\":\"${env:PORT}\"}");
}

static void test_limits_are_kept(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.limits = (struct yaml_limits){.bytes = 100, .depth = 3, .nodes = 10};
    assert_json(fixture, "[[[1]]]", "[[[1]]]");
    assert_int_equal(parse(fixture, "[[[[1]]]]"), ATAMO_TOO_LARGE);
    assert_int_equal(parse(fixture, "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"), ATAMO_TOO_LARGE);
    fixture->options.limits.bytes = 20;
    assert_int_equal(parse(fixture, "a: 0123456789012345678901"), ATAMO_TOO_LARGE);
    assert_int_equal(parse(fixture, "[\"${env:HOST}${env:HOST}\"]"), ATAMO_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_scalars_have_the_types_of_the_core_schema),
        TEST(test_integers_that_fit_are_integral),
        TEST(test_numbers_that_json_cannot_hold_are_refused),
        TEST(test_keys_are_text_as_written),
        TEST(test_nodes_know_where_they_stood),
        TEST(test_json_is_read_as_it_is),
        TEST(test_an_empty_document_has_no_root),
        TEST(test_a_duplicate_key_names_both_places),
        TEST(test_all_problems_are_found_in_one_run),
        TEST(test_more_than_one_document_is_refused),
        TEST(test_anchors_tags_and_merge_keys_are_refused),
        TEST(test_syntax_errors_have_a_place_and_a_hint),
        TEST(test_a_nul_byte_is_refused),
        TEST(test_the_environment_is_replaced_and_typed_again),
        TEST(test_what_the_environment_lacks_is_named),
        TEST(test_without_an_environment_references_stay),
        TEST(test_limits_are_kept),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
