/* Every kind of mistake: its place, its words, and the way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/config/fixture.h"

struct mistake {
    const char *text;
    uint32_t line, column;
    const char *words;
    bool warning;
};

static void expect(struct build_fixture *f, const struct mistake *mistake)
{
    const int status = fixture_build(f, mistake->text);
    const struct problem *problem = &f->problems.list[0];

    if (f->problems.count != 1 || strcmp(problem->text, mistake->words) != 0 ||
        problem->place.line != mistake->line || problem->place.column != mistake->column ||
        problem->warning != mistake->warning) {
        print_error("in:\n%s\nexpected %u:%u: %s\n", mistake->text, mistake->line, mistake->column,
                    mistake->words);
        for (size_t i = 0; i < f->problems.count; i++)
            print_error("     got %u:%u: %s\n", f->problems.list[i].place.line,
                        f->problems.list[i].place.column, f->problems.list[i].text);
        fail();
    }
    assert_int_equal(status, mistake->warning ? ATAMO_OK : ATAMO_INVALID);
}

static void expect_all(void **state, const struct mistake *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(*state, &list[i]);
}

#define EXPECT_ALL(list) expect_all(state, list, sizeof(list) / sizeof((list)[0]))

static void test_unknown_keys_come_with_the_nearest_known_one(void **state)
{
    static const struct mistake list[] = {
        {"rulse: []", 1, 1, "unknown key \"rulse\" in the configuration; did you mean \"rules\"?",
         false},
        {"agent: {}", 1, 1, "unknown key \"agent\" in the configuration; did you mean \"agents\"?",
         false},
        {"hub: {hop_limt: 3}", 1, 7,
         "unknown key \"hop_limt\" in \"hub\"; did you mean \"hop_limit\"?", false},
        {"agents:\n  a:\n    plugin: worker\n    worker: 2", 4, 5,
         "unknown key \"worker\" in an agent; did you mean \"workers\"?", false},
        {"agents: {a: {plugin: worker, retry: {atempts: 1}}}", 1, 38,
         "unknown key \"atempts\" in \"retry\"; did you mean \"attempts\"?", false},
        {"agents: {a: {plugin: worker, config: {sise: 1}}}", 1, 39,
         "plugin \"worker\" has no option \"sise\": did you mean \"size\"?", false},
        {"users: {anna: {group: sales}}", 1, 16,
         "unknown key \"group\" in a user; did you mean \"groups\"?", false},
        {"access: {token: x}", 1, 10,
         "unknown key \"token\" in \"access\"; did you mean \"tokens\"?", false},
        {"rules:\n- {id: a, whn: {}}", 2, 11,
         "unknown key \"whn\" in a rule; did you mean \"when\"?", false},
        {"plugins: {xyzzy: 1}", 1, 11, "unknown key \"xyzzy\" in \"plugins\"; there is path",
         false},
    };

    EXPECT_ALL(list);
}

static void test_values_of_the_wrong_kind_say_what_was_expected(void **state)
{
    static const struct mistake list[] = {
        {"hub: 7", 1, 6, "\"hub\" is 7, expected a map", false},
        {"hub: {stop_limit: 10}", 1, 19,
         "\"stop_limit\" is 10, expected a duration such as 10s or 250ms", false},
        {"hub: {stop_limit: soon}", 1, 19,
         "\"stop_limit\" is \"soon\", expected a duration such as 10s or 250ms", false},
        {"hub: {max_data: lots}", 1, 17,
         "\"max_data\" is \"lots\", expected a size such as 64KiB or 16MB", false},
        {"hub: {recent: '5'}", 1, 15, "\"recent\" is \"5\", expected a whole number", false},
        {"hub: {recent: 1.5}", 1, 15, "\"recent\" is 1.5, expected a whole number", false},
        {"agents: {a: {plugin: worker, run: pol}}", 1, 35,
         "\"run\" is \"pol\", expected inline or pool", false},
        {"agents: {a: worker}", 1, 13, "an agent is a map, not text", false},
        {"agents: {a: {plugin: [worker]}}", 1, 22,
         "\"plugin\" is a list, expected the id of a plugin, or its file", false},
        {"agents: {a: {plugin: worker, rate: 5}}", 1, 36,
         "\"rate\" is expected as 100/s, or {per_second: 100, burst: 20}", false},
        {"rules: {}", 1, 8, "\"rules\" is a map, expected a list", false},
        {"rules: [7]", 1, 9, "a rule is a map, not a number", false},
        {"rules: [{id: 7}]", 1, 14, "\"id\" is a number, expected text: put it in quotes", false},
        {"rules: [{id: ''}]", 1, 14, "\"id\" is empty", false},
        {"rules: [{id: a, on: [x, [y]]}]", 1, 25, "\"on\" is a list, expected text", false},
        {"- a", 1, 1, "the configuration is a list, not a map", false},
    };

    EXPECT_ALL(list);
}

static void test_numbers_out_of_bounds_say_the_bounds(void **state)
{
    static const struct mistake list[] = {
        {"hub: {max_clients: 0}", 1, 20, "\"max_clients\" is 0, expected 1 to 1000", false},
        {"hub: {max_clients: -1}", 1, 20, "\"max_clients\" is -1, expected 1 to 1000", false},
        {"hub: {recent: 99999999999}", 1, 15, "\"recent\" is 99999999999, expected 0 to 1000000",
         false},
        {"hub: {blocked_after: 0s}", 1, 22, "\"blocked_after\" is 0s, expected 1ms to 1d", false},
        {"hub: {max_data: 17MiB}", 1, 17, "\"max_data\" is 17MiB, expected 1B to 16MiB", false},
        {"auditors: {a: {plugin: watcher, ring: 5000}}", 1, 33,
         "\"ring\" is 5000, expected a power of two", false},
        {"agents: {a: {plugin: worker, retry: {base: 2m}}}", 1, 37,
         "\"max\" of \"retry\" is less than its \"base\"", false},
        {"agents: {a: {plugin: blocker, concurrency: 5000}}", 1, 31,
         "\"concurrency\" is 5000, expected at most 4096 in a pool", false},
    };

    EXPECT_ALL(list);
}

static void test_plugins_must_be_there_and_play_their_role(void **state)
{
    static const struct mistake list[] = {
        {"agents: {a: {}}", 1, 13, "an agent needs the key \"plugin\"", false},
        {"auditors: {a: {plugin: worker}}", 1, 24, "plugin \"worker\" is not an auditor", false},
        {"agents: {a: {plugin: blocker, run: inline}}", 1, 31,
         "plugin \"blocker\" may block, so it cannot run inline", false},
        {"agents: {a: {plugin: worker, workers: 2}}", 1, 30,
         "\"workers\" is for agents with run: pool", false},
        {"agents: {a: {plugin: worker, config: {size: 10}}}", 1, 45,
         "option \"size\" must be from 1 to 9", false},
        {"agents: {a: {plugin: worker, config: {fail: badly}}}", 1, 22,
         "a: plugin \"worker\" failed in create(): told to fail: badly", false},
    };

    EXPECT_ALL(list);
}

static void test_rules_name_only_what_is_there(void **state)
{
    static const struct mistake list[] = {
        {"agents: {mail: {plugin: worker}}\nrules:\n- {id: a, then: {agent: maill, action: x}}", 3,
         25, "unknown agent \"maill\"; did you mean \"mail\"?", false},
        {"rules:\n- {id: a, then: [{action: x}]}", 2, 18, "an action needs the key \"agent\"",
         false},
        {"agents: {mail: {plugin: worker}}\nrules:\n- {id: a, then: {agent: mail}}", 3, 17,
         "an action needs the key \"action\"", false},
        {"rules:\n- {on: x}", 2, 3, "a rule needs the key \"id\"", false},
        {"rules:\n- {id: a}\n- {id: b}\n- {id: a}", 4, 8, "there is another rule \"a\"", false},
        {"rule_providers: {voice: {plugin: speaker}}\nrules:\n- {id: a, provider: voise}", 3, 21,
         "unknown rule provider \"voise\"; did you mean \"voice\"?", false},
        {"rule_providers: {voice: {plugin: speaker}}\nrules:\n- {id: a, provider: voice}", 3, 3,
         "rule \"a\": a has no \"say\"", false},
        {"rules: [{id: a, on: 'order.*.x'}]", 1, 21,
         "\"order.*.x\" is no event type: '*' stands at the end only, as in order.*", false},
        {"events: {order.created: {}}\nrules: [{id: a, on: order.crated}]", 2, 21,
         "unknown event type \"order.crated\"; did you mean \"order.created\"?", false},
        {"events: {order.created: {}}\nrules: [{id: a, on: 'bill.*'}]", 2, 21,
         "unknown event type \"bill.*\"", false},
    };

    EXPECT_ALL(list);
}

static void test_event_types_have_templates_that_can_be_met(void **state)
{
    static const struct mistake list[] = {
        {"events: {x: {required: [7]}}", 1, 25,
         "expected a path, or one path and its kind: {data.total: number}", false},
        {"events: {x: {required: [data..id]}}", 1, 25,
         "\"data..id\" is no path such as subject or data.order.id", false},
        {"events: {x: {required: [{data.id: numbr}]}}", 1, 35,
         "unknown kind of field \"numbr\"; did you mean \"number\"?", false},
        {"events: {'*': perhaps}", 1, 15,
         "\"*\" says what becomes of other types: refuse or accept", false},
        {"events: {x: {allow: {tenants: [a]}}}", 1, 22,
         "unknown key \"tenants\" in \"allow\"; there is users, groups", false},
    };

    EXPECT_ALL(list);
}

static void test_what_can_hardly_be_meant_is_a_warning(void **state)
{
    static const struct mistake list[] = {
        {"rules: [{id: a, when: {sbject: [x]}}]", 1, 24,
         "no event has an attribute \"sbject\" of its own; did you mean \"subject\"?", true},
        {"rules: [{id: a, when: {'what-ever': [x]}}]", 1, 24,
         "no event has an attribute \"what-ever\": 1 to 20 lower-case letters and digits", true},
        {"rules: [{id: a, when: {$or: [{Data: {x: [1]}}, {subject: [y]}]}}]", 1, 31,
         "no event has an attribute \"Data\" of its own; did you mean \"data\"?", true},
        {"users: {anna: {groups: [sales]}}\nrules: [{id: a, for: {groups: [sale]}}]", 2, 31,
         "nobody is in group \"sale\"; did you mean \"sales\"?", true},
        {"users: {anna: {}}\nagents: {m: {plugin: worker}}\n"
         "rules: [{id: a, then: {agent: m, action: x, as: ana}}]",
         3, 45, "user \"ana\" is not listed; did you mean \"anna\"?", true},
    };

    EXPECT_ALL(list);
}

static void test_all_mistakes_of_all_parts_are_told_in_one_run(void **state)
{
    struct build_fixture *f = *state;
    static const char text[] =
        "hub: {hop_limit: many}\n"
        "agents:\n"
        "  mail: {plugin: worker, queue: -1}\n"
        "  other: {plugin: nothing-of-that-name}\n"
        "auditors: {a: {plugin: worker}}\n"
        "rules:\n"
        "  - {id: a, when: {data: {x: 5}}, then: {agent: maill, action: x}}\n"
        "  - {id: a, when: {data: {x: [{prefx: a}]}}}\n"
        "  - {id: b, then: {agent: mail, action: x, with: '${data.}'}}\n"
        "colour: red\n";
    static const uint32_t lines[] = {10, 1, 3, 4, 5, 7, 7, 8, 8, 9};

    assert_int_equal(fixture_build(f, text), ATAMO_INVALID);
    if (f->problems.count != sizeof lines / sizeof lines[0])
        for (size_t i = 0; i < f->problems.count; i++)
            print_error("%u:%u: %s\n", f->problems.list[i].place.line,
                        f->problems.list[i].place.column, f->problems.list[i].text);
    assert_int_equal(f->problems.count, sizeof lines / sizeof lines[0]);
    for (size_t i = 0; i < f->problems.count; i++)
        assert_int_equal(f->problems.list[i].place.line, lines[i]);
    assert_int_equal(f->counts.created, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_keys_come_with_the_nearest_known_one),
        TEST(test_values_of_the_wrong_kind_say_what_was_expected),
        TEST(test_numbers_out_of_bounds_say_the_bounds),
        TEST(test_plugins_must_be_there_and_play_their_role),
        TEST(test_rules_name_only_what_is_there),
        TEST(test_event_types_have_templates_that_can_be_met),
        TEST(test_what_can_hardly_be_meant_is_a_warning),
        TEST(test_all_mistakes_of_all_parts_are_told_in_one_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
