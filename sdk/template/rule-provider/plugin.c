/* @ID@ - a rule provider: a rule `{agent: NAME, action: TYPE}` asks for that action each time. */
#include <atamo/atamo.h>

#include <stdlib.h>

struct rule {
    char agent[64];
    char action[64];
};

static int copy_member(const atamo_json *json, const atamo_json_reader *reader,
                       const atamo_json_value *root, const char *name, char text[64])
{
    const atamo_json_value value = json->member(reader, root, name);

    if (value.kind != ATAMO_JSON_TEXT || value.text.size == 0 || value.text.size >= 64)
        return ATAMO_INVALID;
    memcpy(text, value.text.data, value.text.size); /* calloc() put the NUL behind it */
    return ATAMO_OK;
}

/* Keys that nobody knows are misspelt ones. */
static int check_keys(const atamo_host *host, const atamo_json *json,
                      const atamo_json_reader *reader, const atamo_json_value *root)
{
    static const char *const known[] = {"id", "on", "for", "provider", "agent", "action"};

    for (size_t i = 0; i < root->count; i++) {
        atamo_bytes name = {"", 0};
        size_t at = 0;

        (void)json->at(reader, root, i, &name);
        while (at < sizeof known / sizeof known[0] &&
               (strlen(known[at]) != name.size || memcmp(known[at], name.data, name.size) != 0))
            at++;
        if (at == sizeof known / sizeof known[0])
            return atamo_refuse(host, "unknown key \"%.*s\"", (int)name.size, name.data);
    }
    return ATAMO_OK;
}

static int read_rule(const atamo_host *host, const atamo_json *json, atamo_json_reader *reader,
                     atamo_bytes text, struct rule *rule)
{
    atamo_json_value root;
    int status;

    if (json->parse(reader, text, &root, NULL) != ATAMO_OK)
        return atamo_refuse(host, "the rule is not JSON");
    status = check_keys(host, json, reader, &root);
    if (status != ATAMO_OK)
        return status;
    if (copy_member(json, reader, &root, "agent", rule->agent) != ATAMO_OK ||
        copy_member(json, reader, &root, "action", rule->action) != ATAMO_OK)
        return atamo_refuse(host, "agent and action are needed: texts of at most 63 bytes");
    return ATAMO_OK;
}

static int compile(void *self, atamo_bytes id, atamo_bytes text, void **rule)
{
    const atamo_host *host = self; /* without create(), self is the host */
    const atamo_json *json = host->extension(host, ATAMO_JSON_EXTENSION);
    atamo_json_reader *reader = NULL;
    struct rule *mine;
    int status;

    (void)id;
    if (json == NULL || json->open(host, &reader) != ATAMO_OK)
        return atamo_refuse(host, "this hub has no JSON reader for it");
    mine = calloc(1, sizeof *mine);
    status =
        mine == NULL ? atamo_refuse(host, "no memory") : read_rule(host, json, reader, text, mine);
    json->close(reader);
    if (status == ATAMO_OK)
        *rule = mine;
    else
        free(mine);
    return status;
}

static int evaluate(void *self, void *rule, const atamo_event *event, void *evaluation, char *why)
{
    const atamo_host *host = self;
    const struct rule *mine = rule;
    const atamo_proposal proposal = {.size = sizeof proposal,
                                     .agent = atamo_text(mine->agent),
                                     .action = atamo_text(mine->action)};
    const int status = host->propose(host, evaluation, &proposal);

    (void)event; /* look at it here: host->attribute(), host->data() */
    if (status != ATAMO_OK)
        (void)snprintf(why, 256, "the proposal was refused: %s", atamo_status_text(status));
    return status;
}

static void release(void *self, void *rule)
{
    (void)self;
    free(rule);
}

static const atamo_rule_provider provider = {
    .size = sizeof provider,
    .compile = compile,
    .evaluate = evaluate,
    .release = release,
};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,          .id = "@ID@", .version = "0.1.0", .summary = "Asks for one action.",
    .rule_provider = &provider,
};
