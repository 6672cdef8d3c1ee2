/* The tables of the format, the JSON Schema for editors, and the manual page say the same.
 *
 * When the tables have changed: ATAMO_WRITE_SCHEMA=1 runs this test so that it writes the schema
 * anew instead of comparing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/format.h"
#include "config/schema.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCHEMA ATAMO_SOURCE_DIR "/configs/atamo.schema.json"
#define MANUAL ATAMO_SOURCE_DIR "/docs/man/atamo.yaml.5"
#define CHECK  ATAMO_SOURCE_DIR "/tests/unit/config/check_schema.py"

static atamo_bytes read_all(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = arena_alloc(arena, 1 << 20);
    size_t size;

    assert_non_null(file);
    assert_non_null(text);
    size = fread(text, 1, (1 << 20) - 1, file);
    assert_int_equal(fclose(file), 0);
    return (atamo_bytes){text, size};
}

/* The same JSON in its most compact form. */
static atamo_bytes compact(struct arena *arena, atamo_bytes json)
{
    struct problems problems;
    const struct yaml_options options = {.file = "schema"};
    const struct yaml_node *root = NULL;

    problems_init(&problems);
    assert_int_equal(yaml_parse(arena, json, &options, &problems, &root), ATAMO_OK);
    problems_close(&problems);
    return yaml_to_json(arena, root);
}

static int run_check(char *what)
{
    static char python[] = "python3";
    static char script[] = CHECK;
    static char folder[] = ATAMO_SOURCE_DIR;
    char *const arguments[] = {python, script, what, folder, NULL};
    int result = -1;
    pid_t child;

    assert_int_equal(posix_spawnp(&child, "python3", NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static void test_the_schema_for_editors_is_that_of_the_tables(void **state)
{
    static char layout[] = "layout";
    struct arena arena;
    atamo_bytes made;
    FILE *file;

    (void)state;
    arena_init(&arena);
    made = schema_write(&arena);
    assert_non_null(made.data);
    if (getenv("ATAMO_WRITE_SCHEMA") != NULL) {
        file = fopen(SCHEMA, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(made.data, 1, made.size, file), made.size);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(run_check(layout), 0);
    }
    assert_string_equal(compact(&arena, read_all(&arena, SCHEMA)).data, compact(&arena, made).data);
    arena_close(&arena);
}

static void test_examples_fit_the_schema_and_mistakes_do_not(void **state)
{
    enum { NO_VALIDATOR = 77 };
    static char examples[] = "examples";
    const int result = run_check(examples);

    (void)state;
    if (result == NO_VALIDATOR)
        skip();
    assert_int_equal(result, 0);
}

static void test_every_key_is_in_the_manual(void **state)
{
    struct arena arena;
    atamo_bytes manual;

    (void)state;
    arena_init(&arena);
    manual = read_all(&arena, MANUAL);
    for (size_t i = 0; i < FORMAT_TABLES; i++) {
        for (size_t j = 0; j < format_tables[i]->count; j++) {
            char line[128];

            (void)snprintf(line, sizeof line, "\n.It Cm %s\n", format_tables[i]->keys[j].name);
            if (strstr(manual.data, line) == NULL)
                fail_msg("the manual does not tell of \"%s\" of %s", format_tables[i]->keys[j].name,
                         format_tables[i]->what);
        }
    }
    arena_close(&arena);
}

static void test_every_key_says_what_it_is_for_and_has_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_TABLES; i++) {
        for (size_t j = 0; j < format_tables[i]->count; j++) {
            const struct key *key = &format_tables[i]->keys[j];
            const bool bounded = key->kind == KEY_COUNT || key->kind == KEY_SIZE ||
                                 key->kind == KEY_DURATION || key->kind == KEY_TEXT ||
                                 key->kind == KEY_TEXTS;

            assert_non_null(key->about);
            assert_true(key->offset < format_tables[i]->size);
            assert_true(!bounded || key->max > 0);
            assert_true(key->min <= key->max);
            assert_true(key->kind != KEY_CHOICE || key->choices != NULL);
            assert_true(key->kind != KEY_ANY || key->schema != NULL);
        }
    }
}

/* Reading nothing sets every default, which asserts that it can be read. */
static void test_every_default_is_a_value_of_its_key(void **state)
{
    struct problems problems;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    problems_init(&problems);
    for (size_t i = 0; i < FORMAT_TABLES; i++) {
        void *out = malloc(format_tables[i]->size);

        assert_non_null(out);
        assert_int_equal(keys_read(&arena, format_tables[i], NULL, &problems, out), ATAMO_OK);
        free(out);
    }
    assert_int_equal(problems.count, 0);
    problems_close(&problems);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_schema_for_editors_is_that_of_the_tables),
        cmocka_unit_test(test_examples_fit_the_schema_and_mistakes_do_not),
        cmocka_unit_test(test_every_key_is_in_the_manual),
        cmocka_unit_test(test_every_key_says_what_it_is_for_and_has_bounds),
        cmocka_unit_test(test_every_default_is_a_value_of_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
