/* The loader: plugins that cannot be loaded, each with an error that names file and remedy. */
#include "plugin/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BROKEN ATAMO_BUILD_DIR "/tests/plugins"
#define SOUND  ATAMO_BUILD_DIR "/lib/atamo/plugins"

static struct problems problems;

static int load(const char *name, const char *path, struct loaded_plugin *loaded)
{
    const struct place place = {"hub.yaml", 3, 5};

    problems_close(&problems);
    problems_init(&problems);
    return loader_load(name, path, place, &problems, loaded);
}

static void assert_refused(const char *name, const char *file, const char *remedy)
{
    struct loaded_plugin loaded = {NULL, 0};
    const char *text;

    assert_int_not_equal(load(name, BROKEN, &loaded), ATAMO_OK);
    assert_null(loaded.plugin);
    assert_true(problems.count > 0);
    text = problems.list[0].text;
    assert_int_equal(problems.list[0].place.line, 3);
    if (strstr(text, file) == NULL || strstr(text, remedy) == NULL)
        fail_msg("neither \"%s\" nor \"%s\" may be missing in: %s", file, remedy, text);
}

static int open_problems(void **state)
{
    (void)state;
    problems_init(&problems);
    return 0;
}

static int close_problems(void **state)
{
    (void)state;
    problems_close(&problems);
    return 0;
}

static void test_a_plugin_is_found_by_id_and_by_file(void **state)
{
    struct loaded_plugin by_id = {NULL, 0};
    struct loaded_plugin by_file = {NULL, 0};

    (void)state;
    assert_int_equal(load("log", "/no/such/folder:" SOUND, &by_id), ATAMO_OK);
    assert_int_equal(load(SOUND "/log.so", "", &by_file), ATAMO_OK);
    assert_string_equal(by_id.plugin->id, "log");
    assert_ptr_equal(by_id.plugin, by_file.plugin);
    assert_int_equal(by_id.fingerprint, by_file.fingerprint);
}

static void test_a_name_that_is_nearly_right_is_suggested(void **state)
{
    struct loaded_plugin loaded;

    (void)state;
    assert_int_equal(load("flakey", SOUND, &loaded), ATAMO_NOT_FOUND);
    assert_non_null(strstr(problems.list[0].text, "did you mean \"flaky\"?"));
    assert_non_null(strstr(problems.list[0].text, SOUND));
    assert_int_equal(load("./no-such.so", "", &loaded), ATAMO_NOT_FOUND);
    assert_non_null(strstr(problems.list[0].text, "no plugin file ./no-such.so"));
}

static void test_a_missing_symbol_is_named(void **state)
{
    (void)state;
    assert_refused("no_symbol", "no_symbol.so", "exports no symbol atamo_plugin_v1");
    assert_refused("missing_function", "missing_function.so", "function_of_no_library");
}

static void test_another_abi_is_refused_before_the_table_is_read(void **state)
{
    (void)state;
    assert_refused("wrong_abi", "wrong_abi.so", "build it again");
    assert_refused("short_table", "short_table.so", "use ATAMO_PLUGIN_HEAD");
}

static void test_a_plugin_without_a_role_or_without_its_functions_is_refused(void **state)
{
    (void)state;
    assert_refused("no_role", "no_role.so", "plays no role");
    assert_refused("no_handle", "no_handle.so", "neither handle() nor handle_batch()");
}

static void test_every_mistake_of_an_option_table_is_said(void **state)
{
    static const char *const expected[] = {"option 0 has no name", "\"twice\" is there twice",
                                           "unknown type 99",      "\"mute\" says nothing",
                                           "without `choices`",    "`min` above its `max`"};
    struct loaded_plugin loaded;

    (void)state;
    assert_int_equal(load("bad_options", BROKEN, &loaded), ATAMO_INVALID);
    assert_int_equal(problems.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < problems.count; i++)
        assert_non_null(strstr(problems.list[i].text, expected[i]));
}

static void test_a_fallback_that_its_own_row_forbids_is_refused(void **state)
{
    struct loaded_plugin loaded;

    (void)state;
    assert_int_equal(load("bad_fallback", BROKEN, &loaded), ATAMO_INVALID);
    assert_non_null(strstr(problems.list[0].text, "\"times\" must be from 1 to 9"));
    assert_non_null(strstr(problems.list[1].text, "the fallback of option \"times\" is \"10\""));
}

static void test_a_file_that_is_no_library_is_refused(void **state)
{
    char file[] = "/tmp/atamo-test-XXXXXX";
    const int fd = mkstemp(file);
    struct loaded_plugin loaded;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "text", 4), 4);
    (void)close(fd);
    assert_int_equal(load(file, "", &loaded), ATAMO_INVALID);
    (void)unlink(file);
    assert_non_null(strstr(problems.list[0].text, file));
    assert_non_null(strstr(problems.list[0].text, "is it a shared object for this machine"));
}

static void copy_file(const char *from, const char *to)
{
    char line[512];

    (void)snprintf(line, sizeof line, "cp %s %s.new && mv %s.new %s", from, to, to, to);
    assert_int_equal(system(line), 0);
}

static void test_a_file_that_was_replaced_is_loaded_as_it_is_now(void **state)
{
    char folder[] = "/tmp/atamo-test-XXXXXX";
    char file[64];
    struct loaded_plugin before;
    struct loaded_plugin after;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(file, sizeof file, "%s/p.so", folder);
    copy_file(SOUND "/log.so", file);
    assert_int_equal(load(file, "", &before), ATAMO_OK);
    copy_file(SOUND "/flaky.so", file);
    assert_int_equal(load(file, "", &after), ATAMO_OK);
    assert_string_equal(before.plugin->id, "log");
    assert_string_equal(after.plugin->id, "flaky");
    assert_int_not_equal(before.fingerprint, after.fingerprint);
    (void)unlink(file);
    (void)rmdir(folder);
}

static void count_file(void *user, const char *file)
{
    assert_non_null(strstr(file, ".so"));
    (*(size_t *)user)++;
}

static void test_all_shared_objects_of_all_folders_are_listed(void **state)
{
    size_t one = 0;
    size_t both = 0;

    (void)state;
    assert_int_equal(loader_list(SOUND, count_file, &one), ATAMO_OK);
    assert_int_equal(loader_list(SOUND ":" BROKEN ":/no/such", count_file, &both), ATAMO_OK);
    assert_true(one > 3);
    assert_true(both > one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plugin_is_found_by_id_and_by_file),
        cmocka_unit_test(test_a_name_that_is_nearly_right_is_suggested),
        cmocka_unit_test(test_a_missing_symbol_is_named),
        cmocka_unit_test(test_another_abi_is_refused_before_the_table_is_read),
        cmocka_unit_test(test_a_plugin_without_a_role_or_without_its_functions_is_refused),
        cmocka_unit_test(test_every_mistake_of_an_option_table_is_said),
        cmocka_unit_test(test_a_fallback_that_its_own_row_forbids_is_refused),
        cmocka_unit_test(test_a_file_that_is_no_library_is_refused),
        cmocka_unit_test(test_a_file_that_was_replaced_is_loaded_as_it_is_now),
        cmocka_unit_test(test_all_shared_objects_of_all_folders_are_listed),
    };

    return cmocka_run_group_tests(tests, open_problems, close_problems);
}
