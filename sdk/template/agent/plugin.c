/* @ID@ - an agent that answers each action with a greeting. */
#include <atamo/atamo.h>

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self; /* without create(), self is the host */

    atamo_answer(host, action, atamo_text("\"hello\"")); /* responds, and the action is done */
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_INLINE, .handle = handle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD, .id = "@ID@", .version = "0.1.0", .summary = "Greets.", .agent = &agent,
};
