/* log - an agent that writes each action as one line: to the hub's log, or to standard output or
 * error.
 *
 * Control characters are written as spaces, so that no body can forge a line; long bodies are cut.
 * Writing to a stream that is closed makes the action fail transiently.
 */
#include <atamo/agent.h>

enum { LINE_MAX_BYTES = 900 };

static void clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

static void handle(void *self, atamo_action action)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const atamo_host *host = self;
    const char *to = host->text(host, "to").data;
    atamo_action_info info = {.size = sizeof info};
    char line[LINE_MAX_BYTES];
    int level = 0;

    if (host->info(host, action, &info) != ATAMO_OK)
        return;
    (void)snprintf(line, sizeof line, "%s by %s: %.*s", info.type.data, info.rule.data,
                   (int)(info.body.size < 800 ? info.body.size : 800), info.body.data);
    clean(line);
    while (level < ATAMO_LOG_ERROR && strcmp(levels[level], host->text(host, "level").data) != 0)
        level++;
    if (strcmp(to, "log") == 0)
        host->log(host, level, line);
    else if (fprintf(strcmp(to, "stdout") == 0 ? stdout : stderr, "%s\n", line) < 0) {
        atamo_retry(host, action, 0, "cannot write to the stream");
        return;
    }
    atamo_done(host, action);
}

static const atamo_option options[] = {
    {.name = "to",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "log",
     .choices = "log|stdout|stderr",
     .about = "where the lines go"},
    {.name = "level",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "info",
     .choices = "debug|info|warn|error",
     .about = "level of the lines in the hub's log"},
};

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "log",
    .version = "1.0.0",
    .summary = "writes each action as one line",
    .agent = &agent,
};
