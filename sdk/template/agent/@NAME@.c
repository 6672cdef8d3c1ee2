/* @NAME@ - an agent that greets whom an action names. */
#include <atamo/agent.h>

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self; /* without create(), self is the host */
    char text[256];

    (void)snprintf(text, sizeof text, "%s, %s!", host->text(host, "greeting").data,
                   host->body(host, action).data);
    host->log(host, ATAMO_LOG_INFO, text);
    atamo_answer(host, action, atamo_text(text));
}

static const atamo_option options[] = {
    {.name = "greeting", .type = ATAMO_OPTION_TEXT, .fallback = "Hello", .about = "how it greets"}};
static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_INLINE, .handle = handle};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD,
                ATAMO_OPTIONS(options),
                .id = "@NAME@",
                .version = "1.0.0",
                .summary = "greets whom an action names",
                .agent = &agent};
