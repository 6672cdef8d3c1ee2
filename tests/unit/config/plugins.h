/* plugins - small plugins of the test program itself, registered as an embedding program would. */
#ifndef TESTS_UNIT_CONFIG_PLUGINS_H
#define TESTS_UNIT_CONFIG_PLUGINS_H

#include <atamo/agent.h>
#include <atamo/auditor.h>
#include <atamo/event_provider.h>
#include <atamo/hub.h>
#include <atamo/rule_provider.h>

#include <stdlib.h>
#include <string.h>

/* How often instances were made and ended; what tests of reuse and of failures look at. */
struct plugin_counts {
    int created, destroyed, compiled, released;
};

struct plugin_instance {
    const atamo_host *host;
    struct plugin_counts *counts;
};

static int plugin_create(const atamo_host *host, void **self)
{
    struct plugin_instance *made = malloc(sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->host = host;
    made->counts = host->context(host);
    if (host->text(host, "fail").size > 0) {
        free(made);
        return atamo_refuse(host, "told to fail: %s", host->text(host, "fail").data);
    }
    made->counts->created++;
    *self = made;
    return ATAMO_OK;
}

static void plugin_destroy(void *self)
{
    struct plugin_instance *instance = self;

    instance->counts->destroyed++;
    free(instance);
}

static void plugin_handle(void *self, atamo_action action)
{
    struct plugin_instance *instance = self;

    atamo_done(instance->host, action);
}

static int plugin_records(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    (void)self;
    (void)records;
    (void)count;
    (void)lost;
    return ATAMO_OK;
}

/* Its rules: {"say": TEXT} proposes that text to the agent "mail"; "say": "nothing" proposes
 * nothing, "say": "fail" fails. */
static int plugin_compile(void *self, atamo_bytes id, atamo_bytes json, void **rule)
{
    static const char key[] = "\"say\":\"";
    struct plugin_instance *instance = self;
    const char *at = strstr(json.data, key);
    char *text;

    if (at == NULL)
        return atamo_refuse(instance->host, "%s has no \"say\"", id.data);
    text = strdup(at + sizeof key - 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    text[strcspn(text, "\"")] = '\0';
    instance->counts->compiled++;
    *rule = text;
    return ATAMO_OK;
}

static int plugin_evaluate(void *self, void *rule, const atamo_event *event, void *evaluation,
                           char *why)
{
    const struct plugin_instance *instance = self;
    const atamo_host *host = instance->host;
    atamo_proposal proposal = {.size = sizeof proposal};
    const char *text = rule;
    char body[256];

    if (strcmp(text, "nothing") == 0)
        return ATAMO_OK;
    if (strcmp(text, "fail") == 0) {
        (void)snprintf(why, 256, "it does not like %s",
                       host->attribute(host, event, ATAMO_TYPE).data);
        return ATAMO_INVALID;
    }
    (void)snprintf(body, sizeof body, "{\"say\":\"%s\"}", text);
    proposal.agent = atamo_text("mail");
    proposal.action = atamo_text("speak");
    proposal.body = atamo_text(body);
    return host->propose(host, evaluation, &proposal);
}

static void plugin_release(void *self, void *rule)
{
    struct plugin_instance *instance = self;

    instance->counts->released++;
    free(rule);
}

static const atamo_option plugin_options[] = {
    {.name = "fail", .type = ATAMO_OPTION_TEXT, .about = "Refuse to be created, with this text."},
    {.name = "size",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 9,
     .about = "A number."},
};

static const atamo_agent plugin_agent = {
    .size = sizeof plugin_agent, .mode = ATAMO_INLINE, .handle = plugin_handle};
static const atamo_agent plugin_blocking = {
    .size = sizeof plugin_blocking, .mode = ATAMO_POOL, .handle = plugin_handle};
static const atamo_auditor plugin_auditor = {.size = sizeof plugin_auditor,
                                             .records = plugin_records};
static const atamo_event_provider plugin_event_provider = {.size = sizeof plugin_event_provider};
static const atamo_rule_provider plugin_rule_provider = {.size = sizeof plugin_rule_provider,
                                                         .compile = plugin_compile,
                                                         .evaluate = plugin_evaluate,
                                                         .release = plugin_release};

#define PLUGIN(plugin_id, ...)                                                             \
    {                                                                                      \
        ATAMO_PLUGIN_HEAD, .id = (plugin_id), .version = "1.0.0", .summary = "For tests.", \
                           ATAMO_OPTIONS(plugin_options), .create = plugin_create,         \
                           .destroy = plugin_destroy, __VA_ARGS__                          \
    }

static const atamo_plugin plugin_tables[] = {
    PLUGIN("worker", .agent = &plugin_agent),
    PLUGIN("blocker", .agent = &plugin_blocking),
    PLUGIN("watcher", .auditor = &plugin_auditor),
    PLUGIN("source", .event_provider = &plugin_event_provider),
    PLUGIN("speaker", .rule_provider = &plugin_rule_provider),
};

enum { PLUGIN_COUNT = sizeof plugin_tables / sizeof plugin_tables[0] };

static void plugins_fill(atamo_registration list[PLUGIN_COUNT], struct plugin_counts *counts)
{
    for (size_t i = 0; i < PLUGIN_COUNT; i++)
        list[i] = (atamo_registration){&plugin_tables[i], counts};
}

#endif
