/* trace - an auditor that shows the path of each message, readable, when the message has ended.
 *
 * Happy path: the records of a message are gathered; with FINISHED or REFUSED they become a small
 * tree: the event, then each action with its attempts. Messages that found no place in the table,
 * because too many are under way, are counted and said at the end. The output is written in whole
 * messages.
 */
#include "paths.h"

#include <atamo/auditor.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct style {
    const char *bold, *dim, *red, *green, *yellow, *cyan, *reset;
    const char *branch, *last, *good, *bad, *again, *event;
};

struct trace {
    const atamo_host *host;
    FILE *out;
    bool own; /* the stream is ours to close */
    struct style style;
    struct paths paths;
    uint64_t shown, untraced;
};

static const struct style plain = {"", "", "", "", "", "", "", "|- ", "`- ", "ok", "X", "~", "*"};

/* --- one message */

static const char *name(const struct trace *trace, uint32_t number)
{
    return trace->host->name(trace->host, number).data;
}

static double ms_between(int64_t from, int64_t to)
{
    return (double)(to - from) / 1e6;
}

static void show_head(const struct trace *trace, const struct path *path)
{
    const struct path_step *first = &path->steps[0];
    const struct style *style = &trace->style;
    const time_t seconds = (time_t)(first->record.time_ns / 1000000000);
    char id[STEP_TEXT_MAX];
    char clock[16];
    struct tm tm;

    if (first->record.step == ATAMO_STEP_ADMITTED && first->text[0] != '\0')
        (void)snprintf(id, sizeof id, "%s", first->text);
    else
        trace->host->message_id(trace->host, path->message, id);
    (void)localtime_r(&seconds, &tm);
    (void)strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    (void)fprintf(trace->out, "%s%s%s %s%s%s  %s%s  %s%s\n", style->cyan, style->event,
                  style->reset, style->bold, name(trace, first->record.type), style->reset,
                  style->dim, id, clock, style->reset);
}

/* What an attempt came to, or how an action ended. */
static void show_step(const struct trace *trace, const struct path_step *step, int64_t started)
{
    const atamo_telemetry *record = &step->record;
    const struct style *style = &trace->style;
    const char *why = step->text[0] != '\0' ? step->text : atamo_reason_text(record->reason);

    switch (record->step) {
    case ATAMO_STEP_DONE:
        (void)fprintf(trace->out, " %s%s%s %s%.1f ms%s", style->green, style->good, style->reset,
                      style->dim, ms_between(started, record->time_ns), style->reset);
        break;
    case ATAMO_STEP_RETRY:
        (void)fprintf(trace->out, " %s%s %s%s %s(again in %.0f ms)%s", style->yellow, style->again,
                      why, style->reset, style->dim,
                      ms_between(record->time_ns, (int64_t)record->value[0]), style->reset);
        break;
    case ATAMO_STEP_DEAD:
    case ATAMO_STEP_SHED:
    case ATAMO_STEP_CANCELLED:
    case ATAMO_STEP_EXPIRED:
        (void)fprintf(trace->out, " %s%s %s: %s%s", style->red, style->bad,
                      atamo_step_name(record->step), why, style->reset);
        break;
    case ATAMO_STEP_SCHEDULED:
        (void)fprintf(trace->out, " %swaits: %s%s", style->dim, why, style->reset);
        break;
    default:
        break;
    }
}

/* All that happened to one action, on one line. */
static void show_action(const struct trace *trace, const struct path *path, uint64_t action,
                        bool last)
{
    const struct style *style = &trace->style;
    const int64_t started = path->steps[0].record.time_ns;
    bool headed = false;

    for (size_t i = 0; i < path->count; i++) {
        const atamo_telemetry *record = &path->steps[i].record;

        if (record->action != action || record->step == ATAMO_STEP_ALERT ||
            record->step == ATAMO_STEP_HUB)
            continue;
        if (!headed)
            (void)fprintf(trace->out, "  %s%s%s%s%s %s->%s %s.%s", style->dim,
                          last ? style->last : style->branch, style->reset,
                          name(trace, record->rule), "", style->dim, style->reset,
                          name(trace, record->agent), name(trace, record->type));
        headed = true;
        show_step(trace, &path->steps[i], started);
    }
    if (headed)
        (void)fputc('\n', trace->out);
}

static uint64_t last_action(const struct path *path)
{
    uint64_t last = 0;

    for (size_t i = 0; i < path->count; i++)
        if (path->steps[i].record.action > last)
            last = path->steps[i].record.action;
    return last;
}

/* What concerns the message, not one of its actions. */
static void show_rest(const struct trace *trace, const struct path *path)
{
    const struct style *style = &trace->style;

    for (size_t i = 0; i < path->count; i++) {
        const atamo_telemetry *record = &path->steps[i].record;

        if (record->step == ATAMO_STEP_REFUSED)
            (void)fprintf(trace->out, "  %s%s%s refused: %s (%s)%s\n", style->last, style->red,
                          style->bad, atamo_reason_text(record->reason), path->steps[i].text,
                          style->reset);
        if (record->step == ATAMO_STEP_RULE_FAILED)
            (void)fprintf(trace->out, "  %s%s%s%s rule %s failed: %s %s%s\n", style->dim,
                          style->last, style->reset, style->red, name(trace, record->rule),
                          atamo_reason_text(record->reason), path->steps[i].text, style->reset);
        if (record->step == ATAMO_STEP_EVALUATED && record->value[0] == 0)
            (void)fprintf(trace->out, "  %s%sno rule matched%s\n", style->dim, style->last,
                          style->reset);
    }
}

static void show(struct trace *trace, const struct path *path)
{
    const uint64_t last = last_action(path);

    show_head(trace, path);
    for (uint64_t action = 1; action <= last; action++)
        show_action(trace, path, action, action == last);
    show_rest(trace, path);
    trace->shown++;
}

/* --- records */

static void take(struct trace *trace, const atamo_telemetry *record)
{
    struct path *path;

    if (record->step == ATAMO_STEP_TEXT || record->message == 0)
        return;
    path = paths_get(&trace->paths, record->message);
    if (path == NULL) {
        trace->untraced += record->step == ATAMO_STEP_FINISHED;
        return;
    }
    path_add(path, record);
    if (record->step != ATAMO_STEP_FINISHED && record->step != ATAMO_STEP_REFUSED)
        return;
    if (path->count > 0)
        show(trace, path);
    paths_drop(&trace->paths, path);
}

static int records(void *self, const atamo_telemetry *list, size_t count, uint64_t lost)
{
    struct trace *trace = self;

    trace->untraced += lost;
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&list[i]))
        take(trace, &list[i]);
    return ferror(trace->out) != 0 ? ATAMO_IO : ATAMO_OK;
}

static void idle(void *self)
{
    (void)fflush(((struct trace *)self)->out);
}

/* --- life */

/* Do the locale's variables speak of UTF-8? */
static bool speaks_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

static void choose_style(struct trace *trace)
{
    const char *colour = trace->host->text(trace->host, "colour").data;
    const char *no_colour = getenv("NO_COLOR");
    const bool wanted = strcmp(colour, "always") == 0 ||
                        (strcmp(colour, "auto") == 0 && isatty(fileno(trace->out)) == 1 &&
                         (no_colour == NULL || no_colour[0] == '\0'));

    trace->style = plain;
    if (speaks_utf8()) {
        trace->style.branch = "├─ ";
        trace->style.last = "└─ ";
        trace->style.good = "✓";
        trace->style.bad = "✗";
        trace->style.again = "↻";
        trace->style.event = "●";
    }
    if (!wanted)
        return;
    trace->style.bold = "\033[1m";
    trace->style.dim = "\033[2m";
    trace->style.red = "\033[31m";
    trace->style.green = "\033[32m";
    trace->style.yellow = "\033[33m";
    trace->style.cyan = "\033[36m";
    trace->style.reset = "\033[0m";
}

static int create(const atamo_host *host, void **self)
{
    struct trace *trace = calloc(1, sizeof *trace);

    if (trace == NULL)
        return ATAMO_NO_MEMORY;
    trace->host = host;
    *self = trace;
    return ATAMO_OK;
}

/* The file is opened here: a configuration that is only checked leaves none behind. */
static int start(void *self)
{
    struct trace *trace = self;
    const char *to = trace->host->text(trace->host, "to").data;
    char text[128];

    trace->out = strcmp(to, "stdout") == 0 ? stdout : strcmp(to, "stderr") == 0 ? stderr : NULL;
    if (trace->out == NULL) {
        trace->out = fopen(to, "ae");
        trace->own = true;
    }
    if (trace->out == NULL)
        return atamo_refuse(trace->host, "cannot open %s: %s", to,
                            strerror_r(errno, text, sizeof text));
    choose_style(trace);
    return ATAMO_OK;
}

/* Without start() there is no output. */
static void end_output(struct trace *trace)
{
    if (trace->untraced > 0)
        (void)fprintf(trace->out, "%" PRIu64 " more messages were too many to show\n",
                      trace->untraced);
    (void)fflush(trace->out);
    if (trace->own)
        (void)fclose(trace->out);
}

static void destroy(void *self)
{
    struct trace *trace = self;

    if (trace->out != NULL)
        end_output(trace);
    paths_close(&trace->paths);
    free(trace);
}

static const atamo_option options[] = {
    {.name = "to",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "stdout",
     .about = "stdout, stderr, or a file to append to"},
    {.name = "colour",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|always|never",
     .about = "auto: if it is a terminal and NO_COLOR is not set"},
};

static const atamo_auditor auditor = {.size = sizeof auditor, .records = records, .idle = idle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "trace",
    .version = "1.0.0",
    .summary = "shows the path of each message in the terminal",
    .create = create,
    .start = start,
    .destroy = destroy,
    .auditor = &auditor,
};
