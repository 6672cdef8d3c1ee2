/* Random rules and events: the index against an evaluator that knows nothing of how it works, and
 * explain against both. The seed is fixed, so a failure repeats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pattern_set.h"

#include <stdio.h>

enum { PLAIN = 4, PATHS = 6, LIST_X = 4, LIST_Y = 5, TESTS = 3, VALUES = 3, ELEMENTS = 3 };
enum { RULES_MAX = 3000, TEXTS = 12, TEXT_BYTES = 4096 };

static const char *const paths[PATHS] = {"a", "b", "c", "d", "list.x", "list.y"};
static const char *const texts[TEXTS] = {"",   "red",     "green", "blue", "gr",  "een",
                                         "10", "reddish", "a*b",   "null", "Red", "grey"};
static const char *const types[] = {"order.created", "order.paid", "user.left", "order"};
static const char *const names[] = {"anna", "bert", "carl"};

enum kind { TEXT, NUMBER, NOTHING, PREFIX, SUFFIX, WILDCARD, BUT, RANGE, EXISTS, ABSENT, KINDS };

/* A value of an event, or what a test compares with: a text if >= 0, else a number. */
struct value {
    int text;
    int number;
    bool null;
};

struct rule_test {
    enum kind kind;
    struct value value;
    int high;
};

struct rule_clause {
    int count; /* 0: the path is not in the rule */
    struct rule_test tests[TESTS];
};

struct rule {
    int type;     /* index, -1: all, -2: "order.*" */
    int user;     /* -1: everybody */
    int group;    /* -1: none */
    int tenant;   /* -1: all */
    int or_first; /* these two are alternatives; -1: no $or */
    int or_second;
    struct rule_clause clauses[PATHS];
};

struct event {
    int type, user, tenant, group;
    int counts[PLAIN]; /* values of a plain path; several: an array */
    struct value values[PLAIN][VALUES];
    int elements;
    bool has[ELEMENTS][2];
    struct value list[ELEMENTS][2];
};

static uint64_t seed;

static int pick(int below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)below);
}

static struct value random_value(void)
{
    const int what = pick(10);

    return (struct value){what < 6 ? pick(TEXTS) : -1, pick(6) - 2, what == 9};
}

static struct rule_test random_test(void)
{
    struct rule_test test = {.kind = pick(2) == 0 ? TEXT : (enum kind)pick(KINDS),
                             .value = random_value()};

    test.value.text = pick(TEXTS);
    test.high = test.value.number + 1 + pick(4);
    return test;
}

static struct rule random_rule(void)
{
    struct rule rule = {.type = pick(6) - 2,
                        .user = -1,
                        .group = -1,
                        .tenant = -1,
                        .or_first = -1,
                        .or_second = -1};
    const int count = 1 + pick(3);

    if (pick(6) == 0)
        rule.user = pick(3);
    if (pick(6) == 0)
        rule.group = pick(3);
    if (pick(6) == 0)
        rule.tenant = pick(3);
    for (int i = 0; i < count; i++) {
        struct rule_clause *clause = &rule.clauses[pick(PATHS)];

        clause->count = 1 + (pick(3) == 0) + (pick(6) == 0);
        for (int j = 0; j < clause->count; j++)
            clause->tests[j] = random_test();
    }
    if (pick(5) == 0 && rule.clauses[0].count > 0 && rule.clauses[1].count > 0) {
        rule.or_first = 0;
        rule.or_second = 1;
    }
    return rule;
}

static struct event random_event(void)
{
    struct event event = {
        .type = pick(4), .user = pick(4) - 1, .tenant = pick(4) - 1, .group = pick(4) - 1};

    for (int i = 0; i < PLAIN; i++) {
        event.counts[i] = pick(5) == 0 ? pick(VALUES + 1) : 1;
        for (int j = 0; j < event.counts[i]; j++)
            event.values[i][j] = random_value();
    }
    event.elements = pick(ELEMENTS + 1);
    for (int i = 0; i < event.elements; i++) {
        for (int j = 0; j < 2; j++) {
            event.has[i][j] = pick(4) != 0;
            event.list[i][j] = random_value();
        }
    }
    return event;
}

/* The evaluator. */

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    return strlen(text) >= strlen(with) && strcmp(text + strlen(text) - strlen(with), with) == 0;
}

static bool value_passes(const struct rule_test *test, const struct value *value)
{
    const bool is_text = value->text >= 0 && !value->null;
    const bool is_number = value->text < 0 && !value->null;
    const char *wanted = texts[test->value.text];
    const char *text = is_text ? texts[value->text] : "";

    switch (test->kind) {
    case TEXT:
        return is_text && value->text == test->value.text;
    case NUMBER:
        return is_number && value->number == test->value.number;
    case NOTHING:
        return value->null;
    case PREFIX:
        return is_text && starts(text, wanted);
    case SUFFIX:
        return is_text && ends(text, wanted);
    case WILDCARD: /* written as g*WANTED */
        return is_text && strlen(text) > strlen(wanted) && starts(text, "g") && ends(text, wanted);
    case BUT:
        return !(is_text && value->text == test->value.text);
    case RANGE:
        return is_number && value->number >= test->value.number && value->number < test->high;
    case EXISTS:
        return true;
    default:
        return false;
    }
}

static bool any_passes(const struct rule_clause *clause, const struct value *value)
{
    for (int i = 0; i < clause->count; i++) {
        if (value_passes(&clause->tests[i], value))
            return true;
    }
    return false;
}

static bool wants_none(const struct rule_clause *clause)
{
    for (int i = 0; i < clause->count; i++) {
        if (clause->tests[i].kind == ABSENT)
            return true;
    }
    return false;
}

static bool plain_passes(const struct rule *rule, const struct event *event, int path)
{
    const struct rule_clause *clause = &rule->clauses[path];

    if (clause->count == 0)
        return true;
    if (event->counts[path] == 0)
        return wants_none(clause);
    for (int i = 0; i < event->counts[path]; i++) {
        if (any_passes(clause, &event->values[path][i]))
            return true;
    }
    return false;
}

/* Whether y passes once x was taken from element `from`, or from nowhere if it is -1. */
static bool y_passes(const struct rule_clause *y, const struct event *event, int from)
{
    bool absent = true;

    if (y->count == 0)
        return true;
    for (int i = 0; i < event->elements; i++) {
        if (!event->has[i][1] || (from >= 0 && from != i))
            continue;
        absent = false;
        if (any_passes(y, &event->list[i][1]))
            return true;
    }
    return absent && wants_none(y);
}

static bool list_passes(const struct rule *rule, const struct event *event)
{
    const struct rule_clause *x = &rule->clauses[LIST_X];
    const struct rule_clause *y = &rule->clauses[LIST_Y];
    bool absent = true;

    if (x->count == 0)
        return y_passes(y, event, -1);
    for (int i = 0; i < event->elements; i++) {
        if (!event->has[i][0])
            continue;
        absent = false;
        if (any_passes(x, &event->list[i][0]) && y_passes(y, event, i))
            return true;
    }
    return absent && wants_none(x) && y_passes(y, event, -1);
}

static bool scope_passes(const struct rule *rule, const struct event *event)
{
    if (rule->type >= 0 && rule->type != event->type)
        return false;
    if (rule->type == -2 && !starts(types[event->type], "order."))
        return false;
    if (rule->tenant >= 0 && rule->tenant != event->tenant)
        return false;
    if (rule->user < 0 && rule->group < 0)
        return true;
    return (rule->user >= 0 && rule->user == event->user) ||
           (rule->group >= 0 && rule->group == event->group);
}

static bool rule_passes(const struct rule *rule, const struct event *event)
{
    if (!scope_passes(rule, event) || !list_passes(rule, event))
        return false;
    for (int i = 0; i < PLAIN; i++) {
        if (i != rule->or_first && i != rule->or_second && !plain_passes(rule, event, i))
            return false;
    }
    return rule->or_first < 0 || plain_passes(rule, event, rule->or_first) ||
           plain_passes(rule, event, rule->or_second);
}

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
