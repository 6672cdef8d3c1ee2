/* hello_agent - the least that is an agent: it greets through the log and is done. */
#include <atamo/atamo.h>

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self; /* without create(), self is the host */

    host->log(host, ATAMO_LOG_INFO, "hello");
    host->settle(host, &action, NULL, 1);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_INLINE, .handle = handle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD, .id = "hello", .version = "1.0.0", .summary = "Greets through the log.",
    .agent = &agent,
};
