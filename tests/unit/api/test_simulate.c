/* Simulations: the same seed tells the same story. */
#include "api/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char config_text[] =
    "agents: {a: {plugin: log, retry: {attempts: 3, base: 1m, max: 6h}, rate: 10/s}}\n"
    "rules: [{id: r, on: x, then: [{agent: a, action: one}, {agent: a, action: two}]}]\n";

struct story {
    char *text;
    size_t size;
    atamo_stats stats;
};

static void simulate(const char *config, uint64_t seed, struct story *story)
{
    struct problems *problems = malloc(sizeof *problems);
    char events[100 * 128] = "";
    size_t at = 0;
    struct simulation simulation = {.config_path = config, .days = 30, .seed = seed};
    uint64_t bad = 0;

    assert_non_null(problems);
    problems_init(problems);
    memset(story, 0, sizeof *story);
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(events + at, sizeof events - at,
                               "{\"specversion\":\"1.0\",\"id\":\"%d\",\"source\":\"/s\","
                               "\"type\":\"x\",\"data\":{}}\n",
                               i);
    simulation.events = (atamo_bytes){events, at};
    simulation.journal = open_memstream(&story->text, &story->size);
    assert_non_null(simulation.journal);
    assert_int_equal(simulate_run(&simulation, problems, &story->stats, &bad), ATAMO_OK);
    assert_int_equal(fclose(simulation.journal), 0);
    assert_int_equal(bad, 0);
    problems_close(problems);
    free(problems);
}

static void write_config(char path[64])
{
    char text[1024];
    FILE *file;

    (void)snprintf(path, 64, "/tmp/atamo-simulate-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    (void)snprintf(text, sizeof text, "plugins: {path: %s/lib/atamo/plugins}\n%s", ATAMO_BUILD_DIR,
                   config_text);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_the_same_seed_tells_the_same_story_to_the_byte(void **state)
{
    struct story one;
    struct story two;
    struct story other;
    char path[64];

    (void)state;
    write_config(path);
    simulate(path, 42, &one);
    simulate(path, 42, &two);
    simulate(path, 43, &other);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.text, two.text, one.size);
    assert_true(other.size != one.size || memcmp(one.text, other.text, one.size) != 0);
    assert_int_equal(one.stats.accepted, 100);
    assert_int_equal(one.stats.actions, 200);
    assert_int_equal(one.stats.in_flight, 0);
    assert_int_equal(one.stats.done + one.stats.dead, 200);
    free(one.text);
    free(two.text);
    free(other.text);
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_seed_tells_the_same_story_to_the_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
