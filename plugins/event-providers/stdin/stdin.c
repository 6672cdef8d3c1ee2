/* stdin - an event provider that reads JSON lines from standard input or from a file.
 *
 * A thread of its own reads in large pieces, finds the lines and submits each: a CloudEvent, or
 * plain JSON that becomes the data of an event of the configured type. When the hub is full it
 * waits for room. A line that is no event is logged with its number and why, and skipped, or ends
 * the input. At the end the hub is told that there will be no more. Memory stays constant whatever
 * the size of the input.
 */
#include "progress.h"

#include <atamo/event_provider.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1 << 18, WAIT_MS = 100 };

struct input {
    const atamo_host *host;
    const char *path; /* for messages */
    int fd;
    int stop; /* eventfd: the thread shall end */
    bool has_thread;
    pthread_t thread;
    size_t max_line;
    int64_t rate; /* events a second; 0: no limit */
    bool skip;    /* bad lines are skipped */
    atamo_event_draft fallback;
    struct progress progress;
    uint64_t line, bad, events;
    int64_t started; /* monotonic ns, for the rate */
    bool too_long;   /* the rest of a line over the limit is skipped */
    size_t used, room;
    char *buffer;
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleep until the descriptor is readable or `ms` passed; false if the thread shall end. */
static bool wait_for(const struct input *input, int fd, int ms)
{
    struct pollfd polled[] = {{.fd = input->stop, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    (void)poll(polled, 2, ms);
    return (polled[0].revents & POLLIN) == 0;
}

/* Not faster than the rate says. */
static bool keep_rate(struct input *input)
{
    int64_t due;
    int64_t ahead;

    if (input->rate == 0)
        return true;
    due = input->started + (int64_t)input->events * 1000000000 / input->rate;
    ahead = (due - now_ns()) / 1000000;
    return ahead <= 0 || wait_for(input, -1, (int)ahead);
}

static bool bad_line(struct input *input, const char *why)
{
    input->bad++;
    atamo_log(input->host, input->skip ? ATAMO_LOG_WARN : ATAMO_LOG_ERROR, "%s:%" PRIu64 ": %s",
              input->path, input->line, why);
    return input->skip;
}

static bool is_blank(atamo_bytes line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r')
            return false;
    return true;
}

/* Submit one line; false if the input shall end. */
static bool take_line(struct input *input, atamo_bytes line)
{
    char why[256] = "";

    input->line++;
    if (is_blank(line))
        return true;
    if (!keep_rate(input))
        return false;
    for (;;) {
        const int status = input->host->submit_json(input->host, line, &input->fallback, why);

        if (status == ATAMO_OK) {
            input->events++;
            return true;
        }
        if (status == ATAMO_CLOSED)
            return false;
        if (status != ATAMO_BUSY)
            return bad_line(input, why[0] != '\0' ? why : atamo_status_text(status));
        (void)input->host->wait(input->host, WAIT_MS);
        if (!wait_for(input, -1, 0))
            return false;
    }
}

/* Submit the complete lines of the buffer; false if the input shall end. */
static bool take_lines(struct input *input)
{
    size_t from = 0;
    const char *end;
    bool go_on = true;

    while (go_on && (end = memchr(input->buffer + from, '\n', input->used - from)) != NULL) {
        const size_t size = (size_t)(end - (input->buffer + from));

        if (input->too_long)
            input->too_long = false;
        else
            go_on = take_line(input, (atamo_bytes){input->buffer + from, size});
        from += size + 1;
    }
    memmove(input->buffer, input->buffer + from, input->used - from);
    input->used -= from;
    if (go_on && input->used > input->max_line) {
        input->line += !input->too_long;
        if (!input->too_long)
            go_on = bad_line(input, "longer than max_line");
        input->too_long = true;
        input->used = 0;
    }
    return go_on;
}

static void read_all(struct input *input)
{
    bool go_on = true;

    while (go_on && wait_for(input, input->fd, -1)) {
        const ssize_t size =
            read(input->fd, input->buffer + input->used, input->room - input->used);

        if (size < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (size <= 0) {
            if (input->used > 0 && !input->too_long)
                (void)take_line(input, (atamo_bytes){input->buffer, input->used});
            return;
        }
        input->used += (size_t)size;
        progress_add(&input->progress, (uint64_t)size);
        go_on = take_lines(input);
    }
}

static void *run(void *argument)
{
    struct input *input = argument;

    input->started = now_ns();
    read_all(input);
    progress_end(&input->progress);
    if (input->bad > 0)
        atamo_log(input->host, ATAMO_LOG_WARN,
                  "%s: %" PRIu64 " of %" PRIu64 " lines were no events", input->path, input->bad,
                  input->line);
    input->host->finished(input->host);
    return NULL;
}

/* --- life */

static void destroy(void *self)
{
    struct input *input = self;

    if (input->has_thread)
        (void)pthread_join(input->thread, NULL);
    if (input->fd > STDERR_FILENO)
        (void)close(input->fd);
    if (input->stop >= 0)
        (void)close(input->stop);
    free(input->buffer);
    free(input);
}

static int open_input(struct input *input)
{
    const atamo_host *host = input->host;
    char text[128];
    struct stat info;

    input->path = host->text(host, "path").data;
    if (strcmp(input->path, "-") == 0) {
        input->path = "stdin";
        input->fd = STDIN_FILENO;
    } else {
        input->fd = open(input->path, O_RDONLY | O_CLOEXEC);
    }
    if (input->fd < 0 || fstat(input->fd, &info) != 0)
        return atamo_refuse(host, "cannot open %s: %s", input->path,
                            strerror_r(errno, text, sizeof text));
    if (S_ISDIR(info.st_mode))
        return atamo_refuse(host, "%s is a folder", input->path);
    if (S_ISREG(info.st_mode) && host->integer(host, "progress") != 0)
        progress_begin(&input->progress, input->path, (uint64_t)info.st_size);
    return ATAMO_OK;
}

static int create(const atamo_host *host, void **self)
{
    struct input *input = calloc(1, sizeof *input);
    int status;

    if (input == NULL)
        return ATAMO_NO_MEMORY;
    input->host = host;
    input->fd = -1;
    input->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    input->max_line = (size_t)host->integer(host, "max_line");
    input->rate = host->integer(host, "rate");
    input->skip = strcmp(host->text(host, "on_error").data, "skip") == 0;
    input->fallback = atamo_draft(host->text(host, "type").data);
    input->fallback.source = host->text(host, "source");
    input->room = input->max_line + READ_AT_ONCE;
    input->buffer = malloc(input->room);
    status = input->buffer == NULL || input->stop < 0 ? ATAMO_NO_MEMORY : open_input(input);
    if (status != ATAMO_OK) {
        destroy(input);
        return status;
    }
    *self = input;
    return ATAMO_OK;
}

static int start(void *self)
{
    struct input *input = self;
    sigset_t all;
    sigset_t before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&input->thread, NULL, run, input);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return atamo_refuse(input->host, "no thread to read with");
    input->has_thread = true;
    return ATAMO_OK;
}

static void drain(void *self)
{
    const struct input *input = self;
    const uint64_t one = 1;

    if (write(input->stop, &one, sizeof one) < 0)
        return; /* it was told already */
}

static const atamo_option options[] = {
    {.name = "path",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "\"-\"",
     .about = "the file to read; - is standard input"},
    {.name = "type",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "line",
     .about = "event type of lines that are plain JSON"},
    {.name = "source",
     .type = ATAMO_OPTION_TEXT,
     .fallback = "/stdin",
     .about = "source of lines that are plain JSON"},
    {.name = "on_error",
     .type = ATAMO_OPTION_CHOICE,
     .fallback = "skip",
     .choices = "skip|stop",
     .about = "what to do after a line that is no event"},
    {.name = "max_line",
     .type = ATAMO_OPTION_SIZE,
     .fallback = "1MiB",
     .min = 1024,
     .max = 64 << 20,
     .about = "the longest line"},
    {.name = "rate",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "0",
     .max = 1000000000,
     .about = "at most so many events a second; 0: no limit"},
    {.name = "progress",
     .type = ATAMO_OPTION_BOOLEAN,
     .fallback = "true",
     .about = "a progress bar for large files, if standard error is a terminal"},
};

static const atamo_event_provider provider = {.size = sizeof provider};

ATAMO_PLUGIN = {
    ATAMO_PLUGIN_HEAD,
    ATAMO_OPTIONS(options),
    .id = "stdin",
    .version = "1.0.0",
    .summary = "reads events as JSON lines from standard input or a file",
    .create = create,
    .start = start,
    .drain = drain,
    .destroy = destroy,
    .event_provider = &provider,
};
