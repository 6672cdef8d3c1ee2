/* Random rules and events: the index against an evaluator that knows nothing of how it works, and
 * explain against both. The seed is fixed, so a failure repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pattern_set.h"
#include "random_model.h"

#include <stdio.h>

/* As text. */

struct writer {
    char text[TEXT_BYTES];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void print(struct writer *w, const char *format, ...)
{
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(w->text + w->size, sizeof w->text - w->size, format, args);
    va_end(args);
    assert_true(size >= 0 && (size_t)size < sizeof w->text - w->size);
    w->size += (size_t)size;
}

static void print_value(struct writer *w, const struct value *value)
{
    if (value->null)
        print(w, "null");
    else if (value->text >= 0)
        print(w, "\"%s\"", texts[value->text]);
    else
        print(w, pick(2) == 0 ? "%d" : "%d.0", value->number);
}

static void print_test(struct writer *w, const struct rule_test *test)
{
    const char *text = texts[test->value.text];

    switch (test->kind) {
    case TEXT:
        print(w, "\"%s\"", text);
        break;
    case NUMBER:
        print(w, "%d", test->value.number);
        break;
    case NOTHING:
        print(w, "null");
        break;
    case PREFIX:
        print(w, "{\"prefix\":\"%s\"}", text);
        break;
    case SUFFIX:
        print(w, "{\"suffix\":\"%s\"}", text);
        break;
    case WILDCARD:
        print(w, "{\"wildcard\":\"g*%s\"}", strcmp(text, "a*b") == 0 ? "a\\\\*b" : text);
        break;
    case BUT:
        print(w, "{\"anything-but\":[\"%s\"]}", text);
        break;
    case RANGE:
        print(w, "{\"numeric\":[\">=\",%d,\"<\",%d]}", test->value.number, test->high);
        break;
    default:
        print(w, "{\"exists\":%s}", test->kind == EXISTS ? "true" : "false");
        break;
    }
}

static void print_clause(struct writer *w, const struct rule *rule, int path)
{
    print(w, "\"%s\":[", paths[path]);
    for (int i = 0; i < rule->clauses[path].count; i++) {
        print(w, "%s", i > 0 ? "," : "");
        print_test(w, &rule->clauses[path].tests[i]);
    }
    print(w, "]");
}

static void print_rule(struct writer *w, const struct rule *rule)
{
    const char *comma = "";

    w->size = 0;
    print(w, "{\"data\":{");
    for (int i = 0; i < PATHS; i++) {
        if (rule->clauses[i].count == 0 || i == rule->or_first || i == rule->or_second)
            continue;
        print(w, "%s", comma);
        print_clause(w, rule, i);
        comma = ",";
    }
    if (rule->or_first >= 0) {
        print(w, "%s\"$or\":[{", comma);
        print_clause(w, rule, rule->or_first);
        print(w, "},{");
        print_clause(w, rule, rule->or_second);
        print(w, "}]");
    }
    print(w, "}}");
}

static void print_event(struct writer *w, const struct event *event)
{
    w->size = 0;
    print(w, "{\"list\":[");
    for (int i = 0; i < event->elements; i++) {
        print(w, "%s{\"z\":0", i > 0 ? "," : "");
        for (int j = 0; j < 2; j++) {
            if (!event->has[i][j])
                continue;
            print(w, ",\"%s\":", j == 0 ? "x" : "y");
            print_value(w, &event->list[i][j]);
        }
        print(w, "}");
    }
    print(w, "]");
    for (int i = 0; i < PLAIN; i++) {
        print(w, ",\"%s\":%s", paths[i], event->counts[i] == 1 ? "" : "[");
        for (int j = 0; j < event->counts[i]; j++) {
            print(w, "%s", j > 0 ? "," : "");
            print_value(w, &event->values[i][j]);
        }
        print(w, "%s", event->counts[i] == 1 ? "" : "]");
    }
    print(w, "}");
}

/* Both together. */

static struct rule rules[RULES_MAX];

static struct index_names one_name(atamo_bytes *name, const char *text)
{
    if (text == NULL)
        return (struct index_names){NULL, 0};
    *name = atamo_text(text);
    return (struct index_names){name, 1};
}

static void add_rule(struct pattern_set *set, const struct rule *rule)
{
    struct index_rule made = {0};
    struct json_document document;
    struct writer w;
    atamo_bytes type;
    atamo_bytes user;
    atamo_bytes group;
    atamo_bytes tenant;

    print_rule(&w, rule);
    assert_int_equal(
        json_parse(set->parser, (atamo_bytes){w.text, w.size}, w.size, &document, NULL), ATAMO_OK);
    assert_int_equal(pattern_compile(&set->arena, set->plan, tree_of(&set->arena, &document, 0),
                                     &set->problems, &made.pattern),
                     ATAMO_OK);
    made.types = one_name(&type, rule->type == -2   ? "order.*"
                                 : rule->type == -1 ? NULL
                                                    : types[rule->type]);
    made.users = one_name(&user, rule->user < 0 ? NULL : names[rule->user]);
    made.groups = one_name(&group, rule->group < 0 ? NULL : names[rule->group]);
    made.tenants = one_name(&tenant, rule->tenant < 0 ? NULL : names[rule->tenant]);
    assert_int_equal(index_add(set->index, &made), ATAMO_OK);
    set->count++;
}

static void check_rule(struct pattern_set *set, uint32_t rule, const struct rule_event *event,
                       const struct index_who *who, bool matched)
{
    struct index_reason reason;

    assert_int_equal(index_explain(set->index, rule, set->fields, event, who, &reason), ATAMO_OK);
    assert_true(strlen(reason.text) > 10);
    if (reason.matched != matched)
        fail_msg("rule %u: %s", rule, reason.text);
}

static void check_event(struct pattern_set *set, bool explain)
{
    const struct event event = random_event();
    const atamo_bytes group = atamo_text(names[event.group < 0 ? 0 : event.group]);
    struct index_who who = {.groups = &group, .group_count = event.group >= 0};
    struct index_result result;
    struct rule_event given;
    struct writer w;
    size_t found = 0;

    if (event.user >= 0)
        who.user = atamo_text(names[event.user]);
    if (event.tenant >= 0)
        who.tenant = atamo_text(names[event.tenant]);
    print_event(&w, &event);
    given = set_event((atamo_bytes){w.text, w.size});
    given.attributes[ATAMO_TYPE] = atamo_text(types[event.type]);
    assert_int_equal(index_match(set->index, set->scratch, set->fields, &given, &who, &result),
                     ATAMO_OK);
    for (uint32_t i = 0; i < set->count; i++) {
        const bool matched = found < result.count && result.rules[found] == i;
        struct writer said;

        found += matched;
        if (matched != rule_passes(&rules[i], &event)) {
            print_rule(&said, &rules[i]);
            fail_msg("%s %s by %s", w.text, matched ? "is matched" : "is not matched", said.text);
        }
    }
    assert_int_equal(found, result.count);
    for (uint32_t i = 0; explain && i < set->count; i++)
        check_rule(set, i, &given, &who, rule_passes(&rules[i], &event));
}

static void check_rules(uint32_t count, int events, bool explain)
{
    struct pattern_set set;

    set_open(&set);
    for (uint32_t i = 0; i < count; i++) {
        rules[i] = random_rule();
        add_rule(&set, &rules[i]);
    }
    set_seal(&set);
    for (int i = 0; i < events; i++)
        check_event(&set, explain);
    set_close(&set);
}

static void test_few_rules_agree_and_every_answer_is_explained(void **state)
{
    (void)state;
    seed = 1;
    for (int i = 0; i < 60; i++)
        check_rules(1 + (uint32_t)pick(60), 20, true);
}

static void test_many_rules_that_share_values_agree(void **state)
{
    (void)state;
    seed = 2;
    for (int i = 0; i < 3; i++)
        check_rules(RULES_MAX, 100, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_rules_agree_and_every_answer_is_explained),
        cmocka_unit_test(test_many_rules_that_share_values_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
