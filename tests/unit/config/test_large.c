/* Large and hostile configurations: fast, or refused fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "unit/config/fixture.h"

/* The time limits are those of optimized builds; others do less and are not timed. */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { OPTIMIZED = 1, FILES = 20, RULES_PER_FILE = 5000, MANY = 200000 };
#else
enum { OPTIMIZED = 0, FILES = 4, RULES_PER_FILE = 500, MANY = 5000 };
#endif

enum { LINE = 400 };

static void write_rules(struct build_fixture *f, int number)
{
    char *text = malloc((size_t)RULES_PER_FILE * LINE);
    char name[32];
    size_t used = 0;

    assert_non_null(text);
    for (int i = 0; i < RULES_PER_FILE; i++)
        used += (size_t)snprintf(
            text + used, LINE,
            "- id: rule-%d-%d\n"
            "  on: order.created\n"
            "  when:\n"
            "    data:\n"
            "      total: [{numeric: ['>=', %d]}]\n"
            "      customer: [customer-%d]\n"
            "  then: {agent: mail, action: send, with: {to: '${data.email}', n: %d}}\n",
            number, i, i % 1000, i, i);
    (void)snprintf(name, sizeof name, "rules/%02d.yaml", number);
    files_write(&f->files, name, text);
    free(text);
}

static double seconds_since(int64_t begin)
{
    return (double)(clock_monotonic() - begin) / 1e9;
}

static void test_a_hundred_thousand_rules_in_many_files_are_loaded_in_two_seconds(void **state)
{
    struct build_fixture *f = *state;
    double took = 0;

    files_write(&f->files, "hub.yaml",
                "agents: {mail: {plugin: worker}}\nrules: [{include: rules/*.yaml}]\n");
    for (int i = 0; i < FILES; i++)
        write_rules(f, i);
    /* The best of a few: other tests run beside this one. */
    for (int i = 0; i < 3 && (i == 0 || took >= 2.0); i++) {
        const int64_t begin = clock_monotonic();

        assert_int_equal(fixture_build_file(f, "hub.yaml"), ATAMO_OK);
        took = seconds_since(begin);
    }
    assert_int_equal(f->generation->rule_count, FILES * RULES_PER_FILE);
    print_message("%d rules: %.2f s\n", FILES * RULES_PER_FILE, took);
    if (OPTIMIZED)
        assert_true(took < 2.0);
}

/* `head`, then `line` many times. */
__attribute__((format(printf, 2, 0))) static char *repeat(const char *head, const char *line)
{
    char *text = malloc(strlen(head) + (size_t)MANY * (strlen(line) + 8) + 1);
    size_t used;

    assert_non_null(text);
    used = (size_t)sprintf(text, "%s", head);
    for (int i = 0; i < MANY; i++)
        used += (size_t)sprintf(text + used, line, i);
    return text;
}

static void assert_refused_fast(struct build_fixture *f, char *text)
{
    const int64_t begin = clock_monotonic();
    const int status = fixture_build(f, text);

    assert_true(status == ATAMO_INVALID || status == ATAMO_TOO_LARGE);
    assert_true(seconds_since(begin) < (OPTIMIZED ? 3.0 : 60.0));
    free(text);
}

static void test_very_many_mistakes_are_counted_without_looking_for_what_was_meant(void **state)
{
    struct build_fixture *f = *state;

    assert_refused_fast(f, repeat("hub:\n", "  hop_limi%d: 1\n"));
    assert_int_equal(f->problems.count, PROBLEMS_MAX);
    assert_int_equal(f->problems.errors, MANY);
    assert_refused_fast(f, repeat("agents: {mail: {plugin: worker}}\nrules:\n",
                                  "- {id: r%d, then: {agent: male, action: x}}\n"));
    assert_int_equal(f->problems.errors, MANY);
    assert_refused_fast(f, repeat("events: {a: {}}\nrules:\n", "- {id: r%d, on: b}\n"));
}

static void test_hostile_nesting_is_refused_at_once(void **state)
{
    struct build_fixture *f = *state;

    assert_refused_fast(f, repeat("rules: ", "["));
    assert_refused_fast(f, repeat("a: &a [x]\nb: ", "*a "));
    assert_refused_fast(f, repeat("", "{a: "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_hundred_thousand_rules_in_many_files_are_loaded_in_two_seconds),
        TEST(test_very_many_mistakes_are_counted_without_looking_for_what_was_meant),
        TEST(test_hostile_nesting_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
