/* `why` against an evaluator that shares nothing with the hub: random rules and events; every event
 * has an answer, every rule its verdict, and what failed first did fail. */
#include "fixture.h"

enum { RULES = 40, EVENTS = 300, FIELDS = 3, ANSWER = 64 * 1024 };

static const char *const types[] = {"order.created", "order.paid", "user.left"};
static const char *const words[] = {"red", "green", "blue", "redder"};
static const char *const users[] = {"", "anna", "bert"};

/* A condition on one field of the data: any of its words, or a range of numbers. */
struct clause {
    enum { NOTHING, WORD, PREFIX, BELOW, EXISTS } kind;
    int value;
};

struct model_rule {
    int type; /* -1: every type */
    int user; /* 0: everybody */
    struct clause clauses[FIELDS];
};

struct model_event {
    int type, user;
    int kinds[FIELDS]; /* 0 missing, 1 a word, 2 a number */
    int values[FIELDS];
};

static uint64_t seed = 20261121;

static int pick(int below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed >> 33) % (uint64_t)below);
}

static bool holds(const struct clause *clause, const struct model_event *event, int field)
{
    const int value = event->values[field];

    switch (clause->kind) {
    case WORD:
        return event->kinds[field] == 1 && value == clause->value;
    case PREFIX:
        return event->kinds[field] == 1 &&
               strncmp(words[value], words[clause->value], strlen(words[clause->value])) == 0;
    case BELOW:
        return event->kinds[field] == 2 && value < clause->value;
    case EXISTS:
        return event->kinds[field] != 0;
    case NOTHING:
        break;
    }
    return true;
}

static size_t write_rule(char *out, size_t room, const struct model_rule *rule, int number)
{
    static const char fields[] = "abc";
    size_t at = (size_t)snprintf(out, room, "  - {id: r%d, ", number);
    bool first = true;

    if (rule->type >= 0)
        at += (size_t)snprintf(out + at, room - at, "on: %s, ", types[rule->type]);
    if (rule->user > 0)
        at += (size_t)snprintf(out + at, room - at, "for: {users: [%s]}, ", users[rule->user]);
    at += (size_t)snprintf(out + at, room - at, "when: {data: {");
    for (int i = 0; i < FIELDS; i++) {
        const struct clause *clause = &rule->clauses[i];
        char test[64];

        if (clause->kind == NOTHING)
            continue;
        if (clause->kind == WORD)
            (void)snprintf(test, sizeof test, "%s", words[clause->value]);
        else if (clause->kind == PREFIX)
            (void)snprintf(test, sizeof test, "{prefix: %s}", words[clause->value]);
        else if (clause->kind == BELOW)
            (void)snprintf(test, sizeof test, "{numeric: ['<', %d]}", clause->value);
        else
            (void)snprintf(test, sizeof test, "{exists: true}");
        at +=
            (size_t)snprintf(out + at, room - at, "%s%c: [%s]", first ? "" : ", ", fields[i], test);
        first = false;
    }
    return at + (size_t)snprintf(out + at, room - at, "}}, then: {agent: a, action: do}}\n");
}

static void write_data(char *out, size_t room, const struct model_event *event)
{
    size_t at = (size_t)snprintf(out, room, "{\"other\":1");

    for (int i = 0; i < FIELDS; i++) {
        if (event->kinds[i] == 1)
            at += (size_t)snprintf(out + at, room - at, ",\"%c\":\"%s\"", 'a' + i,
                                   words[event->values[i]]);
        else if (event->kinds[i] == 2)
            at += (size_t)snprintf(out + at, room - at, ",\"%c\":%d", 'a' + i, event->values[i]);
    }
    (void)snprintf(out + at, room - at, "}");
}

static struct model_rule random_rule(void)
{
    struct model_rule rule = {.type = pick(4) - 1, .user = pick(4) == 0 ? 1 + pick(2) : 0};

    rule.clauses[pick(FIELDS)] = (struct clause){WORD, pick(4)};
    for (int i = 0; i < FIELDS; i++)
        if (pick(2) == 0)
            rule.clauses[i] = (struct clause){(unsigned)(1 + pick(4)), pick(4)};
    return rule;
}

static struct model_event random_event(void)
{
    struct model_event event = {.type = pick(3), .user = pick(3)};

    for (int i = 0; i < FIELDS; i++) {
        event.kinds[i] = pick(3);
        event.values[i] = pick(4);
    }
    return event;
}

static void done(void *self, atamo_action action)
{
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = done};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

/* What the hub's answer says of a rule; its reason is copied, "" if there is none. */
static bool said_to_match(const char *answer, int rule, char reason[256])
{
    char start[48];
    const char *at;
    const char *end;

    (void)snprintf(start, sizeof start, "{\"id\":\"r%d\",\"matched\":", rule);
    at = strstr(answer, start);
    assert_non_null(at);
    at += strlen(start);
    end = strchr(at, '}');
    assert_non_null(end);
    (void)snprintf(reason, 256, "%.*s", (int)(end - at), at);
    return strncmp(at, "true", 4) == 0;
}

/* The verdict must be the model's, and a reason must name something that does not hold. */
static void compare(const struct model_rule *rule, const struct model_event *event,
                    const char *answer, int number)
{
    const bool type = rule->type < 0 || rule->type == event->type;
    const bool user = rule->user == 0 || rule->user == event->user;
    bool clauses = true;
    bool named = false;
    char reason[256];
    const bool matched = said_to_match(answer, number, reason);

    for (int i = 0; i < FIELDS; i++) {
        const char path[] = {'d', 'a', 't', 'a', '.', (char)('a' + i), '\0'};

        if (holds(&rule->clauses[i], event, i))
            continue;
        clauses = false;
        named = named || strstr(reason, path) != NULL;
    }
    if (matched != (type && user && clauses))
        fail_msg("r%d: %s", number, reason);
    if (matched)
        return;
    named = named || (!type && strstr(reason, "type") != NULL) ||
            (!user && strstr(reason, "user") != NULL);
    if (!named)
        fail_msg("r%d is said not to match for what does hold: %s", number, reason);
}

static void test_why_agrees_with_an_independent_evaluator(void **state)
{
    static struct model_rule rules[RULES];
    static struct model_event events[EVENTS];
    static char yaml[32 * 1024];
    static char answer[ANSWER];
    const atamo_registration registration = {&plugin, NULL};
    size_t at = (size_t)snprintf(yaml, sizeof yaml,
                                 "hub: {recent: 512}\nagents: {a: {plugin: work}}\nrules:\n");
    struct fixture *fixture;

    (void)state;
    for (int i = 0; i < RULES; i++) {
        rules[i] = random_rule();
        at += write_rule(yaml + at, sizeof yaml - at, &rules[i], i);
    }
    fixture = fixture_open(yaml, &registration, 1);
    for (int i = 0; i < EVENTS; i++) {
        atamo_event_draft draft;
        char data[256];
        char id[16];

        events[i] = random_event();
        write_data(data, sizeof data, &events[i]);
        (void)snprintf(id, sizeof id, "e%d", i);
        draft = atamo_draft(types[events[i].type]);
        draft.id = atamo_text(id);
        draft.user = atamo_text(users[events[i].user]);
        draft.data = atamo_text(data);
        assert_int_equal(atamo_submit(fixture->client, &draft, NULL), ATAMO_OK);
    }
    assert_int_equal(atamo_wait_idle(fixture->hub, FIXTURE_LIMIT_MS), ATAMO_OK);
    for (int i = 0; i < EVENTS; i++) {
        char id[16];
        size_t size = 0;

        (void)snprintf(id, sizeof id, "e%d", i);
        assert_int_equal(atamo_why(fixture->hub, id, answer, sizeof answer, &size), ATAMO_OK);
        assert_true(size < sizeof answer);
        for (int rule = 0; rule < RULES; rule++)
            compare(&rules[rule], &events[i], answer, rule);
    }
    fixture_close(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why_agrees_with_an_independent_evaluator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
