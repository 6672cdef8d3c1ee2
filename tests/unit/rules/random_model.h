/* random_model - random rules and events as plain structs, and an evaluator of them that shares
 * nothing with the rules floor. For test_random.c only.
 */
#ifndef TESTS_UNIT_RULES_RANDOM_MODEL_H
#define TESTS_UNIT_RULES_RANDOM_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

static inline int pick(int below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)below);
}

static inline struct value random_value(void)
{
    const int what = pick(10);

    return (struct value){what < 6 ? pick(TEXTS) : -1, pick(6) - 2, what == 9};
}

static inline struct rule_test random_test(void)
{
    struct rule_test test = {.kind = pick(2) == 0 ? TEXT : (enum kind)pick(KINDS),
                             .value = random_value()};

    test.value.text = pick(TEXTS);
    test.high = test.value.number + 1 + pick(4);
    return test;
}

static inline struct rule random_rule(void)
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

static inline struct event random_event(void)
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

static inline bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static inline bool ends(const char *text, const char *with)
{
    return strlen(text) >= strlen(with) && strcmp(text + strlen(text) - strlen(with), with) == 0;
}

static inline bool value_passes(const struct rule_test *test, const struct value *value)
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

static inline bool any_passes(const struct rule_clause *clause, const struct value *value)
{
    for (int i = 0; i < clause->count; i++) {
        if (value_passes(&clause->tests[i], value))
            return true;
    }
    return false;
}

static inline bool wants_none(const struct rule_clause *clause)
{
    for (int i = 0; i < clause->count; i++) {
        if (clause->tests[i].kind == ABSENT)
            return true;
    }
    return false;
}

static inline bool plain_passes(const struct rule *rule, const struct event *event, int path)
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
static inline bool y_passes(const struct rule_clause *y, const struct event *event, int from)
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

static inline bool list_passes(const struct rule *rule, const struct event *event)
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

static inline bool scope_passes(const struct rule *rule, const struct event *event)
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

static inline bool rule_passes(const struct rule *rule, const struct event *event)
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

#endif
