/* @NAME@ - rules that look for a word in the event's data.
 *
 *     {id: r, provider: @NAME@, on: mail.received, word: invoice, agent: books, action: file}
 *
 * Happy path: compile() keeps word, agent and action; evaluate() looks for the word and proposes
 * the action. Rules with other keys, or without these, are refused with the key's name.
 */
#include <atamo/json.h>
#include <atamo/rule_provider.h>

#include <stdlib.h>

struct rule {
    char word[64];
    char agent[64];
    char action[64];
};

/* Where the value of a key goes; NULL: a key that the hub reads; *known: is it one at all? */
static char *place_of(struct rule *rule, const char *key, int *known)
{
    static const char *const hub_keys[] = {"id", "on", "for", "provider"};

    *known = 1;
    if (strcmp(key, "word") == 0)
        return rule->word;
    if (strcmp(key, "agent") == 0)
        return rule->agent;
    if (strcmp(key, "action") == 0)
        return rule->action;
    for (size_t i = 0; i < sizeof hub_keys / sizeof hub_keys[0]; i++)
        if (strcmp(key, hub_keys[i]) == 0)
            return NULL;
    *known = 0;
    return NULL;
}

static int read_member(const atamo_host *host, struct rule *rule, atamo_bytes key,
                       const atamo_json_value *value)
{
    int known;
    char name[64];
    char *place;

    (void)snprintf(name, sizeof name, "%.*s", (int)key.size, key.data);
    place = place_of(rule, name, &known);
    if (!known)
        return atamo_refuse(host, "key \"%s\" is unknown: word, agent and action are known", name);
    if (place == NULL)
        return ATAMO_OK;
    if (value->kind != ATAMO_JSON_TEXT || value->text.size == 0 || value->text.size > 63)
        return atamo_refuse(host, "\"%s\" must be a text of 1 to 63 bytes", name);
    memcpy(place, value->text.data, value->text.size + 1);
    return ATAMO_OK;
}

static int read_rule(const atamo_host *host, const atamo_json *json, atamo_json_reader *reader,
                     atamo_bytes text, struct rule *rule)
{
    atamo_json_value root;
    char why[256];
    int status = ATAMO_OK;

    if (json->parse(reader, text, &root, why) != ATAMO_OK)
        return atamo_refuse(host, "%s", why);
    for (size_t i = 0; i < root.count && status == ATAMO_OK; i++) {
        atamo_bytes key = {"", 0};
        const atamo_json_value value = json->at(reader, &root, i, &key);

        status = read_member(host, rule, key, &value);
    }
    if (status == ATAMO_OK && (!rule->word[0] || !rule->agent[0] || !rule->action[0]))
        status = atamo_refuse(host, "word, agent and action are required");
    return status;
}

static int compile(void *self, atamo_bytes id, atamo_bytes text, void **compiled)
{
    const atamo_host *host = self;
    const atamo_json *json = host->extension(host, ATAMO_JSON_EXTENSION);
    atamo_json_reader *reader = NULL;
    struct rule *rule = calloc(1, sizeof *rule);
    int status;

    (void)id;
    if (rule == NULL || json == NULL || json->open(host, &reader) != ATAMO_OK) {
        free(rule);
        return ATAMO_NO_MEMORY;
    }
    status = read_rule(host, json, reader, text, rule);
    json->close(reader);
    if (status == ATAMO_OK)
        *compiled = rule;
    else
        free(rule);
    return status;
}

static int contains(atamo_bytes text, const char *word)
{
    const size_t size = strlen(word);

    for (size_t at = 0; at + size <= text.size; at++)
        if (memcmp(text.data + at, word, size) == 0)
            return 1;
    return 0;
}

static int evaluate(void *self, void *compiled, const atamo_event *event, void *evaluation,
                    char *why)
{
    const atamo_host *host = self;
    const struct rule *rule = compiled;
    atamo_proposal proposal;

    (void)why; /* nothing fails here */
    if (!contains(host->data(host, event), rule->word))
        return ATAMO_OK;
    memset(&proposal, 0, sizeof proposal);
    proposal.size = sizeof proposal;
    proposal.agent = atamo_text(rule->agent);
    proposal.action = atamo_text(rule->action);
    return host->propose(host, evaluation, &proposal);
}

static void release(void *self, void *compiled)
{
    (void)self;
    free(compiled);
}

static const atamo_rule_provider rules = {
    .size = sizeof rules, .compile = compile, .evaluate = evaluate, .release = release};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD, .id = "@NAME@", .version = "1.0.0",
                .summary = "rules that look for a word in the event's data",
                .rule_provider = &rules};
