/* log - an agent that writes each action as one line: to the hub's log, or to standard output or
 * error.
 *
 * Control characters are written as spaces, so that no body can forge a line; long bodies are cut.
 * A stream is flushed after each batch, so lines are there when their actions are done. Actions
 * whose lines cannot be written fail transiently.
 */
#include <atamo/agent.h>

enum { LINE_MAX_BYTES = 900 };

static void clean(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

/* The stream of the option `to`; NULL: the hub's log. */
static FILE *stream_of(const atamo_host *host)
{
    const char *to = host->text(host, "to").data;

    if (strcmp(to, "log") == 0)
        return NULL;
    return strcmp(to, "stdout") == 0 ? stdout : stderr;
}

static int level_of(const atamo_host *host)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    int level = ATAMO_LOG_DEBUG;

    while (level < ATAMO_LOG_ERROR && strcmp(levels[level], host->text(host, "level").data) != 0)
        level++;
    return level;
}

static void write_line(const atamo_host *host, atamo_action action, FILE *stream)
{
    atamo_action_info info = {.size = sizeof info};
    char line[LINE_MAX_BYTES];

    if (host->info(host, action, &info) != ATAMO_OK)
        return;
    (void)snprintf(line, sizeof line, "%s by %s: %.*s", info.type.data, info.rule.data,
                   (int)(info.body.size < 800 ? info.body.size : 800), info.body.data);
    clean(line);
    if (stream == NULL)
        host->log(host, level_of(host), line);
    else
        (void)fprintf(stream, "%s\n", line); /* the flush says whether that went well */
}

static void handle_batch(void *self, const atamo_action *actions, size_t count)
{
    const atamo_host *host = self;
    FILE *stream = stream_of(host);

    for (size_t i = 0; i < count; i++)
        write_line(host, actions[i], stream);
    if (stream == NULL || (fflush(stream) == 0 && ferror(stream) == 0)) {
        host->settle(host, actions, NULL, count);
        return;
    }
    clearerr(stream);
    for (size_t i = 0; i < count; i++)
        atamo_retry(host, actions[i], 0, "cannot write to the stream");
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

static const atamo_agent agent = {
    .size = sizeof agent, .mode = ATAMO_POOL, .handle_batch = handle_batch};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "log",
    .version = "1.0.0",
    .summary = "writes each action as one line",
    .agent = &agent,
};
