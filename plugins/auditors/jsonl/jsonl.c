/* jsonl - each telemetry record as one JSON line.
 *
 * Lines gather in a buffer that is written when it is full, and when there is nothing more to come
 * just now. Fields that are empty are left out. If the file cannot be written the auditor refuses
 * the records: the hub logs that and goes on.
 */
#include <atamo/auditor.h>
#include <atamo/json.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, LINE = 8192 };

struct jsonl {
    const atamo_host *host;
    const atamo_json *json;
    int fd;
    bool micros;    /* `time` is a number */
    int64_t second; /* of `time` */
    char time[32];
    size_t used;
    char buffer[BUFFER];
};

static int flush(struct jsonl *jsonl)
{
    size_t done = 0;

    while (done < jsonl->used) {
        const ssize_t written = write(jsonl->fd, jsonl->buffer + done, jsonl->used - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    memmove(jsonl->buffer, jsonl->buffer + done, jsonl->used - done);
    jsonl->used -= done;
    return jsonl->used == 0 ? ATAMO_OK : ATAMO_IO;
}

static void put(struct jsonl *jsonl, const char *data, size_t size)
{
    memcpy(jsonl->buffer + jsonl->used, data, size);
    jsonl->used += size;
}

static void put_text(struct jsonl *jsonl, const char *name, atamo_bytes text)
{
    char head[32];

    if (text.size == 0)
        return;
    put(jsonl, head, (size_t)snprintf(head, sizeof head, ",\"%s\":", name));
    jsonl->used += jsonl->json->quote(text, jsonl->buffer + jsonl->used, LINE / 2);
}

static void put_number(struct jsonl *jsonl, const char *name, uint64_t value)
{
    char text[64];

    if (value != 0)
        put(jsonl, text, (size_t)snprintf(text, sizeof text, ",\"%s\":%" PRIu64, name, value));
}

/* The second is formatted once for all its records. */
static void put_time(struct jsonl *jsonl, int64_t ns)
{
    const int64_t second = ns / 1000000000;
    const time_t t = (time_t)second;
    char micro[48];
    struct tm tm;

    if (jsonl->micros) {
        put(jsonl, micro, (size_t)snprintf(micro, sizeof micro, "{\"time\":%" PRId64, ns / 1000));
        return;
    }
    if (second != jsonl->second && gmtime_r(&t, &tm) != NULL) {
        (void)strftime(jsonl->time, sizeof jsonl->time, "%Y-%m-%dT%H:%M:%S", &tm);
        jsonl->second = second;
    }
    put(jsonl, micro,
        (size_t)snprintf(micro, sizeof micro, "{\"time\":\"%s.%06dZ\"", jsonl->time,
                         (int)(ns % 1000000000 / 1000)));
}

static void put_record(struct jsonl *jsonl, const atamo_telemetry *record)
{
    const atamo_host *host = jsonl->host;
    char text[1100];
    char uuid[37];

    put_time(jsonl, record->time_ns);
    put_text(jsonl, "step", atamo_text(atamo_step_name(record->step)));
    if (record->message != 0) {
        host->message_id(host, record->message, uuid);
        put_text(jsonl, "message", atamo_text(uuid));
    }
    put_number(jsonl, "action", record->action);
    put_text(jsonl, "type", host->name(host, record->type));
    put_text(jsonl, "rule", host->name(host, record->rule));
    put_text(jsonl, "agent", host->name(host, record->agent));
    put_text(jsonl, "user", host->name(host, record->user));
    put_number(jsonl, "attempt", record->attempt);
    put_text(jsonl, "reason", atamo_text(atamo_reason_text(record->reason)));
    (void)atamo_telemetry_text(record, text, sizeof text);
    put_text(jsonl, record->step == ATAMO_STEP_ADMITTED ? "id" : "text", atamo_text(text));
    if (record->value[0] != 0 || record->value[1] != 0)
        put(jsonl, text,
            (size_t)snprintf(text, sizeof text, ",\"value\":[%" PRIu64 ",%" PRIu64 "]",
                             record->value[0], record->value[1]));
    put(jsonl, "}\n", 2);
}

static int records(void *self, const atamo_telemetry *list, size_t count, uint64_t lost)
{
    struct jsonl *jsonl = self;

    if (lost > 0)
        atamo_log(jsonl->host, ATAMO_LOG_WARN, "%" PRIu64 " records were lost: the file is slow",
                  lost);
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&list[i])) {
        if (list[i].step == ATAMO_STEP_TEXT)
            continue;
        if (BUFFER - jsonl->used < LINE && flush(jsonl) != ATAMO_OK) {
            jsonl->used = 0; /* these records are refused as a whole */
            return ATAMO_IO;
        }
        put_record(jsonl, &list[i]);
    }
    return ATAMO_OK;
}

static void idle(void *self)
{
    (void)flush(self);
}

static int create(const atamo_host *host, void **self)
{
    struct jsonl *jsonl = calloc(1, sizeof *jsonl);

    if (jsonl == NULL)
        return ATAMO_NO_MEMORY;
    jsonl->host = host;
    jsonl->json = host->extension(host, ATAMO_JSON_EXTENSION);
    jsonl->micros = strcmp(host->text(host, "time").data, "us") == 0;
    jsonl->fd = -1;
    *self = jsonl;
    return ATAMO_OK;
}

/* Not before: a configuration that is only checked leaves no file behind. */
static int start(void *self)
{
    struct jsonl *jsonl = self;
    const char *path = jsonl->host->text(jsonl->host, "path").data;
    char text[128];

    jsonl->fd = strcmp(path, "-") == 0
                    ? dup(STDOUT_FILENO)
                    : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (jsonl->fd < 0)
        return atamo_refuse(jsonl->host, "cannot open %s: %s", path,
                            strerror_r(errno, text, sizeof text));
    return ATAMO_OK;
}

static void destroy(void *self)
{
    struct jsonl *jsonl = self;

    if (jsonl->fd >= 0) {
        (void)flush(jsonl);
        (void)close(jsonl->fd);
    }
    free(jsonl);
}

static const atamo_option options[] = {
    {.name = "path",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "\"-\"",
     .about = "the file to append to; - is standard output"},
    {.name = "time",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "iso",
     .choices = "iso|us",
     .about = "iso: RFC 3339 text; us: Unix time in microseconds, a number"},
};

static const atamo_auditor auditor = {.size = sizeof auditor, .records = records, .idle = idle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "jsonl",
    .version = "1.0.0",
    .summary = "each telemetry record as one JSON line",
    .create = create,
    .start = start,
    .destroy = destroy,
    .auditor = &auditor,
};
