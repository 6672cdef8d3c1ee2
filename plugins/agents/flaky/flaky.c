/* flaky - an agent that fails as it is told to: for trying out retries, dead letters and alerts.
 *
 * The first attempts of every action fail transiently, as many as configured; then it ends as
 * configured. It decides by the action's attempt alone, so it keeps nothing and never blocks.
 */
#include <atamo/agent.h>

static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    const char *outcome = host->text(host, "outcome").data;
    atamo_action_info info = {.size = sizeof info};
    char why[64];

    if (host->info(host, action, &info) != ATAMO_OK)
        return;
    if (info.attempt <= (uint64_t)host->integer(host, "fail_first")) {
        (void)snprintf(why, sizeof why, "attempt %u fails, as configured", info.attempt);
        atamo_retry(host, action, (uint64_t)host->integer(host, "retry_after"), why);
    } else if (strcmp(outcome, "retry") == 0) {
        atamo_retry(host, action, (uint64_t)host->integer(host, "retry_after"),
                    "fails every time, as configured");
    } else if (strcmp(outcome, "fail") == 0) {
        atamo_fail(host, action, "fails for good, as configured");
    } else if (host->integer(host, "respond") != 0 &&
               atamo_respond(host, action, info.body) == ATAMO_BUSY) {
        atamo_retry(host, action, 0, "its client is slow to take responses");
    } else {
        atamo_done(host, action);
    }
}

static const atamo_option options[] = {
    {.name = "fail_first",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "0",
     .max = 65000,
     .about = "how many attempts of each action fail first, transiently"},
    {.name = "outcome",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "done",
     .choices = "done|retry|fail",
     .about = "what becomes of the attempts after those"},
    {.name = "retry_after",
     .type = ATAMO_OPTION_DURATION,
     .fallback = "0",
     .about = "asks not to be tried again earlier than this"},
    {.name = "respond",
     .type = ATAMO_OPTION_BOOLEAN,
     .fallback = "false",
     .about = "answer with the action's body when it is done"},
};

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "flaky",
    .version = "1.0.0",
    .summary = "fails as it is told to: for trying out retries and dead letters",
    .agent = &agent,
};
