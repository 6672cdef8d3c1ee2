/* file - an agent that appends each action as one JSON line to a file.
 *
 * It runs on a thread of its own, because disks block. Happy path: a line is built and written with
 * one write(). If that fails or is cut short, what was written is taken back, so that the file
 * never holds half a line, and the action is tried again. A file that has grown over its limit is
 * renamed to FILE.1, older ones move on, the oldest goes.
 */
#include <atamo/agent.h>
#include <atamo/json.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file {
    const atamo_host *host;
    const atamo_json *json;
    pthread_mutex_t lock; /* a pool may have several workers */
    int fd;
    char *line;
    size_t room;
};

static int open_file(const struct file *file)
{
    return open(file->host->text(file->host, "path").data,
                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* FILE.2 -> FILE.3, FILE.1 -> FILE.2, FILE -> FILE.1. */
static void rotate(struct file *file)
{
    const char *path = file->host->text(file->host, "path").data;
    char from[4200];
    char to[4200];

    for (int64_t i = file->host->integer(file->host, "keep"); i > 0; i--) {
        if (i == 1)
            (void)snprintf(from, sizeof from, "%s", path);
        else
            (void)snprintf(from, sizeof from, "%s.%d", path, (int)i - 1);
        (void)snprintf(to, sizeof to, "%s.%d", path, (int)i);
        (void)rename(from, to); /* it may not be there yet */
    }
    if (file->host->integer(file->host, "keep") == 0)
        (void)unlink(path);
    (void)close(file->fd);
    file->fd = open_file(file);
}

static int append(struct file *file, size_t size, char *why, size_t capacity)
{
    const int64_t limit = file->host->integer(file->host, "rotate_size");
    const off_t before = lseek(file->fd, 0, SEEK_END);
    ssize_t written;

    written = write(file->fd, file->line, size);
    if (written != (ssize_t)size) {
        const int error = written < 0 ? errno : ENOSPC;
        char text[128];

        if (written > 0 && ftruncate(file->fd, before) != 0)
            (void)snprintf(text, sizeof text, "half a line stays in the file");
        (void)snprintf(why, capacity, "cannot write: %s", strerror_r(error, text, sizeof text));
        return ATAMO_IO;
    }
    if (strcmp(file->host->text(file->host, "sync").data, "action") == 0)
        (void)fdatasync(file->fd);
    if (limit > 0 && before + written >= limit)
        rotate(file);
    return ATAMO_OK;
}

static bool reserve(struct file *file, size_t size)
{
    char *line;

    if (size <= file->room)
        return true;
    line = realloc(file->line, size);
    if (line == NULL)
        return false;
    file->line = line;
    file->room = size;
    return true;
}

static size_t put_member(const struct file *file, size_t at, const char *name, atamo_bytes text)
{
    at += (size_t)sprintf(file->line + at, ",\"%s\":", name);
    return at + file->json->quote(text, file->line + at, file->room - at);
}

/* Bodies that rules render are JSON; an event's own data may be anything, so it is quoted then. */
static size_t build_line(struct file *file, const atamo_action_info *info)
{
    const atamo_host *host = file->host;
    const atamo_bytes id = host->attribute(host, info->event, ATAMO_ID);
    const atamo_bytes data = host->data(host, info->event);
    const int64_t ms = host->now(host) / 1000000;
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char time[32];
    size_t at;

    if (!reserve(file, 1024 + 6 * (id.size + info->type.size + info->rule.size + info->user.size +
                                   info->body.size)))
        return 0;
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
    at = (size_t)sprintf(file->line, "{\"time\":\"%s.%03dZ\"", time, (int)(ms % 1000));
    at = put_member(file, at, "action", info->type);
    at = put_member(file, at, "rule", info->rule);
    at = put_member(file, at, "user", info->user);
    at = put_member(file, at, "event_id", id);
    if (info->body.data == data.data || info->body.size == 0) {
        at = put_member(file, at, "body", info->body);
    } else {
        at += (size_t)sprintf(file->line + at, ",\"body\":");
        memcpy(file->line + at, info->body.data, info->body.size);
        at += info->body.size;
    }
    file->line[at++] = '}';
    file->line[at++] = '\n';
    return at;
}

static void handle(void *self, atamo_action action)
{
    struct file *file = self;
    atamo_action_info info = {.size = sizeof info};
    char why[256] = "no memory";
    int status = ATAMO_NO_MEMORY;
    size_t size;

    if (file->host->info(file->host, action, &info) != ATAMO_OK)
        return;
    (void)pthread_mutex_lock(&file->lock);
    size = build_line(file, &info);
    if (file->fd < 0)
        file->fd = open_file(file);
    if (size > 0)
        status = append(file, size, why, sizeof why);
    (void)pthread_mutex_unlock(&file->lock);
    if (status == ATAMO_OK)
        atamo_done(file->host, action);
    else
        atamo_retry(file->host, action, 0, why);
}

static void destroy(void *self)
{
    struct file *file = self;

    if (file->fd >= 0)
        (void)close(file->fd);
    (void)pthread_mutex_destroy(&file->lock);
    free(file->line);
    free(file);
}

static int create(const atamo_host *host, void **self)
{
    struct file *file = calloc(1, sizeof *file);

    if (file == NULL)
        return ATAMO_NO_MEMORY;
    file->host = host;
    file->json = host->extension(host, ATAMO_JSON_EXTENSION);
    (void)pthread_mutex_init(&file->lock, NULL);
    file->fd = -1;
    *self = file;
    return ATAMO_OK;
}

/* Only now, so that a configuration can be checked without a trace on the disk. */
static int start(void *self)
{
    struct file *file = self;
    char text[128];

    file->fd = open_file(file);
    if (file->fd >= 0)
        return ATAMO_OK;
    return atamo_refuse(file->host, "cannot open %s: %s", file->host->text(file->host, "path").data,
                        strerror_r(errno, text, sizeof text));
}

static const atamo_option options[] = {
    {.name = "path",
     .type = ATAMO_OPTION_TEXT,
     .flags = ATAMO_OPTION_REQUIRED,
     .about = "the file to append to; made if it is not there"},
    {.name = "sync",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "never",
     .choices = "never|action",
     .about = "when lines are forced to the disk"},
    {.name = "rotate_size",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "0",
     .about = "start a new file when it is larger than this; 0: never"},
    {.name = "keep",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "3",
     .max = 1000,
     .about = "how many old files are kept"},
};

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "file",
    .version = "1.0.0",
    .summary = "appends each action as one JSON line to a file",
    .create = create,
    .start = start,
    .destroy = destroy,
    .agent = &agent,
};
