/* timer - submits events by the clock: every so often, or when a cron pattern matches.
 *
 * The list of timers is read once. produce() runs on the hub's own thread and submits what is due
 * by the hub's clock, so simulations work too. A tick that the hub has no room for is kept and
 * submitted as soon as there is room; ticks missed meanwhile become that one. Fails at the start
 * for a list that is not understood; an event that the hub refuses is logged.
 */
#include "cron.h"

#include <atamo/event_provider.h>
#include <atamo/json.h>

#include <stdatomic.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

enum { MOST_TIMERS = 1024, MOST_MS = 2000000000 };

struct timer {
    struct cron cron;
    int64_t every; /* ns; 0: by `cron` */
    int64_t due;   /* Unix ns */
    char *type;
    char *data; /* JSON text */
};

struct clockwork {
    const atamo_host *host;
    atomic_bool stopped;
    bool local;
    size_t count;
    struct timer *timers;
};

/* "250ms", "10s", "5m", "2h", "1d" as nanoseconds; 0 if it is none of these. */
static int64_t read_duration(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;
    const long long number = strtoll(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || number < 1 || number > MOST_MS)
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(end, units[i].unit) == 0 && number <= MOST_MS / units[i].ms)
            return number * units[i].ms * (SECOND / 1000);
    return 0;
}

/* Set when the timer is due next, later than `now`. */
static int set_due(const struct clockwork *clockwork, struct timer *timer, int64_t now)
{
    int64_t seconds;
    int status;

    if (timer->every > 0) {
        timer->due += timer->every;
        if (timer->due <= now || timer->due > now + timer->every)
            timer->due = now + timer->every; /* late, or the clock was set */
        return ATAMO_OK;
    }
    status = cron_next(&timer->cron, now / SECOND, clockwork->local, &seconds);
    if (status == ATAMO_OK)
        timer->due = seconds * SECOND;
    else
        timer->due = INT64_MAX;
    return status;
}

static void tick(const struct clockwork *clockwork, const struct timer *timer, size_t *taken,
                 int *status)
{
    const atamo_host *host = clockwork->host;
    atamo_event_draft draft = atamo_draft(timer->type);
    char why[256] = "";

    draft.source = host->text(host, "source");
    draft.data = atamo_text(timer->data);
    *status = host->submit(host, &draft, 1, taken, why);
    if (*status != ATAMO_OK && *status != ATAMO_BUSY && *status != ATAMO_CLOSED)
        atamo_log(host, ATAMO_LOG_WARN, "event %s refused: %s", timer->type,
                  why[0] != '\0' ? why : atamo_status_text(*status));
}

static size_t produce(void *self, size_t budget)
{
    struct clockwork *clockwork = self;
    const int64_t now = clockwork->host->now(clockwork->host);
    size_t count = 0;

    if (atomic_load(&clockwork->stopped))
        return 0;
    for (size_t i = 0; i < clockwork->count && count < budget; i++) {
        struct timer *timer = &clockwork->timers[i];
        size_t taken = 0;
        int status;

        if (timer->due > now)
            continue;
        tick(clockwork, timer, &taken, &status);
        if (status == ATAMO_BUSY || status == ATAMO_CLOSED)
            break;
        count += taken;
        (void)set_due(clockwork, timer, now);
    }
    return count;
}

/* --- reading the list ------------------------------------------------------------------------ */

static char *copy(atamo_bytes bytes)
{
    char *text = malloc(bytes.size + 1);

    if (text == NULL)
        return NULL;
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static bool is(atamo_bytes name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

/* Every member of the object must be a known one, and a text where it has to be. */
static int check_members(const struct clockwork *clockwork, const atamo_json *json,
                         const atamo_json_reader *reader, const atamo_json_value *object)
{
    const size_t index = clockwork->count;

    if (object->kind != ATAMO_JSON_OBJECT)
        return atamo_refuse(clockwork->host, "timers[%zu] is not a map", index);
    for (size_t i = 0; i < object->count; i++) {
        atamo_bytes name;
        const atamo_json_value value = json->at(reader, object, i, &name);
        const int shown = name.size < 64 ? (int)name.size : 64;

        if (is(name, "data"))
            continue;
        if (!is(name, "every") && !is(name, "cron") && !is(name, "type"))
            return atamo_refuse(clockwork->host, "timers[%zu]: unknown key %.*s", index, shown,
                                name.data);
        if (value.kind != ATAMO_JSON_TEXT)
            return atamo_refuse(clockwork->host, "timers[%zu]: %.*s must be a text", index, shown,
                                name.data);
    }
    return ATAMO_OK;
}

/* Read `every` or `cron`. */
static int read_when(const struct clockwork *clockwork, const atamo_json_value *every,
                     const atamo_json_value *cron, struct timer *timer)
{
    const atamo_host *host = clockwork->host;
    const int64_t now = host->now(host);
    char why[CRON_WHY];

    if ((every->kind == ATAMO_JSON_MISSING) == (cron->kind == ATAMO_JSON_MISSING))
        return atamo_refuse(host, "timers[%zu] needs either every or cron", clockwork->count);
    if (every->kind == ATAMO_JSON_TEXT) {
        timer->every = read_duration(every->text.data);
        timer->due = now;
        if (timer->every == 0)
            return atamo_refuse(host, "timers[%zu]: every: \"%.64s\" is no duration like 10s",
                                clockwork->count, every->text.data);
    } else if (cron_parse(cron->text.data, &timer->cron, why) != ATAMO_OK) {
        return atamo_refuse(host, "timers[%zu]: cron: %s", clockwork->count, why);
    }
    if (set_due(clockwork, timer, now) != ATAMO_OK)
        return atamo_refuse(host, "timers[%zu]: cron: \"%.64s\" never comes", clockwork->count,
                            cron->text.data);
    return ATAMO_OK;
}

static int read_timer(struct clockwork *clockwork, const atamo_json *json,
                      const atamo_json_reader *reader, const atamo_json_value *object)
{
    struct timer *timer = &clockwork->timers[clockwork->count];
    const atamo_json_value every = json->member(reader, object, "every");
    const atamo_json_value cron = json->member(reader, object, "cron");
    const atamo_json_value type = json->member(reader, object, "type");
    const atamo_json_value data = json->member(reader, object, "data");
    int status = check_members(clockwork, json, reader, object);

    if (status == ATAMO_OK)
        status = read_when(clockwork, &every, &cron, timer);
    if (status != ATAMO_OK)
        return status;
    if (type.kind != ATAMO_JSON_TEXT || type.text.size == 0)
        return atamo_refuse(clockwork->host, "timers[%zu] needs a type", clockwork->count);
    timer->type = copy(type.text);
    timer->data = copy(data.kind == ATAMO_JSON_MISSING ? atamo_text("{}") : data.raw);
    clockwork->count++;
    return timer->type == NULL || timer->data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static int read_timers(struct clockwork *clockwork, const atamo_json *json,
                       atamo_json_reader *reader)
{
    const atamo_host *host = clockwork->host;
    atamo_json_value list;
    char why[256];
    int status = json->parse(reader, host->text(host, "timers"), &list, why);

    if (status == ATAMO_NO_MEMORY)
        return status;
    if (status != ATAMO_OK)
        return atamo_refuse(host, "timers: %s", why);
    if (list.kind != ATAMO_JSON_ARRAY || list.count == 0 || list.count > MOST_TIMERS)
        return atamo_refuse(host, "timers must be a list of 1 to %d", (int)MOST_TIMERS);
    clockwork->timers = calloc(list.count, sizeof *clockwork->timers);
    if (clockwork->timers == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < list.count && status == ATAMO_OK; i++) {
        const atamo_json_value item = json->at(reader, &list, i, NULL);

        status = read_timer(clockwork, json, reader, &item);
    }
    return status;
}

/* --- life ------------------------------------------------------------------------------------ */

static void destroy(void *self)
{
    struct clockwork *clockwork = self;

    for (size_t i = 0; i < clockwork->count; i++) {
        free(clockwork->timers[i].type);
        free(clockwork->timers[i].data);
    }
    free(clockwork->timers);
    free(clockwork);
}

static int create(const atamo_host *host, void **self)
{
    const atamo_json *json = host->extension(host, ATAMO_JSON_EXTENSION);
    struct clockwork *clockwork = calloc(1, sizeof *clockwork);
    atamo_json_reader *reader = NULL;
    int status;

    if (clockwork == NULL)
        return ATAMO_NO_MEMORY;
    if (json == NULL) {
        free(clockwork);
        return atamo_refuse(host, "this hub has no " ATAMO_JSON_EXTENSION);
    }
    clockwork->host = host;
    clockwork->local = strcmp(host->text(host, "timezone").data, "local") == 0;
    status = json->open(host, &reader);
    if (status == ATAMO_OK) {
        status = read_timers(clockwork, json, reader);
        json->close(reader);
    }
    if (status != ATAMO_OK) {
        destroy(clockwork);
        return status;
    }
    *self = clockwork;
    return ATAMO_OK;
}

static void drain(void *self)
{
    struct clockwork *clockwork = self;

    atomic_store(&clockwork->stopped, true);
}

static const atamo_option options[] = {
    {.name = "timers",
     .type = ATAMO_OPTION_JSON,
     .flags = ATAMO_OPTION_REQUIRED,
     .about = "list of {every or cron, type, data}"},
    {.name = "source",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "/timer",
     .about = "source of the events"},
    {.name = "timezone",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "utc",
     .choices = "utc|local",
     .about = "whose clock the cron patterns mean"},
};

static const atamo_event_provider provider = {.size = sizeof provider, .produce = produce};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "timer",
    .version = "1.0.0",
    .summary = "submits events by the clock: every so often, or by cron patterns",
    .create = create,
    .drain = drain,
    .destroy = destroy,
    .event_provider = &provider,
};
