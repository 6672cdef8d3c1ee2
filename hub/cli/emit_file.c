/* emit_file - submit the events of a file, in batches.
 *
 * Happy path: bytes are read as they come, each line is an event; a batch goes off when it is full,
 * or when the input has nothing more at the moment, so that a pipe is not kept waiting. What the
 * hub refuses is said with its line, and the rest goes on. A hub that is busy (429, 503) says when
 * to come again: then the same events are sent again, those only that it did not take. Fails at a
 * line that is no JSON, and when the hub is gone: then it says up to which line all was accepted.
 */
#include "cli/emit_file.h"

#include "cli/bar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 256,
    BATCH_BYTES = 1 << 20,
    LINE_MAX_BYTES = 8 << 20,
    PIECE = 65536,
    AGAIN_MS = 1000
};

struct event_line {
    size_t at, size; /* in the batch's bytes */
    uint64_t number;
};

struct emission {
    struct remote *remote;
    const char *name; /* of the file */
    int fd;
    struct buffer input;   /* the beginning of a line */
    struct buffer bytes;   /* of the batch */
    struct buffer request; /* its JSON */
    struct event_line lines[BATCH];
    size_t count;
    uint64_t line; /* number of the last that was read */
    uint64_t accepted, refused, duplicates;
    uint64_t read, total; /* bytes; total 0: nobody knows */
    struct answer check;  /* its parser looks at lines */
    struct bar bar;
    bool said_busy;
};

static enum exit_code no_memory(void)
{
    cli_say("%s", atamo_status_text(ATAMO_NO_MEMORY));
    return EXIT_FAILED;
}

/* --- a batch */

static bool write_request(struct emission *emission)
{
    struct buffer *request = &emission->request;
    int status;

    buffer_empty(request);
    status = buffer_add(request, atamo_text("["), SIZE_MAX / 2);
    for (size_t i = 0; i < emission->count && status == ATAMO_OK; i++) {
        const struct event_line *line = &emission->lines[i];

        if (i > 0)
            status = buffer_add(request, atamo_text(","), SIZE_MAX / 2);
        if (status == ATAMO_OK)
            status = buffer_add(request, (atamo_bytes){emission->bytes.data + line->at, line->size},
                                SIZE_MAX / 2);
    }
    return status == ATAMO_OK && buffer_add(request, atamo_text("]"), SIZE_MAX / 2) == ATAMO_OK;
}

static void say_refused(struct emission *emission, const struct event_line *line,
                        atamo_bytes detail)
{
    bar_end(&emission->bar);
    (void)fprintf(stderr, "%s:%" PRIu64 ": refused: ", emission->name, line->number);
    answer_put(detail, stderr);
    (void)fputc('\n', stderr);
}

/* Count what became of each event; those that the hub had no room for stay in the batch. False if
 * the answer does not tell. */
static bool settle(struct emission *emission, const struct answer *answer)
{
    const uint32_t list = answer_member(answer, 0, "events");
    const size_t sent = emission->count;
    size_t i = 0;

    if (list == 0 || json_count(&answer->document, list) != sent)
        return false;
    emission->count = 0;
    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at)) {
        const struct event_line line = emission->lines[i++];
        const int64_t status = answer_int(answer, at, "status");

        if (status == 429 || status == 503) {
            emission->lines[emission->count++] = line;
        } else if (status >= 400) {
            emission->refused++;
            say_refused(emission, &line, answer_text(answer, at, "detail"));
        } else {
            emission->accepted++;
            emission->duplicates += answer_bool(answer, at, "duplicate");
        }
    }
    return true;
}

static void wait_for_room(struct emission *emission, int64_t ms)
{
    struct timespec left;

    if (ms <= 0)
        ms = AGAIN_MS;
    if (!emission->said_busy && !emission->remote->quiet && !emission->bar.drawn)
        cli_say("the hub is busy: going on when it has room");
    emission->said_busy = true;
    left = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static enum exit_code send_once(struct emission *emission)
{
    const struct http_call call = {.method = "POST",
                                   .path = "/v1/events",
                                   .content_type = "application/cloudevents-batch+json",
                                   .body = buffer_bytes(&emission->request)};
    struct answer answer = {.parser = NULL};
    int status = http_call(emission->remote->http, &call, &answer.http);
    enum exit_code code = EXIT_OK;
    int64_t wait_ms = -1;

    if (status == ATAMO_OK)
        (void)answer_parse(&answer, buffer_bytes(&answer.http.body), NULL);
    if (status == ATAMO_OK && settle(emission, &answer)) {
        wait_ms = emission->count > 0 ? answer.http.retry_after_ms : 0;
    } else if (status == ATAMO_OK && (answer.http.code == 429 || answer.http.code == 503)) {
        wait_ms = answer.http.retry_after_ms;
    } else {
        bar_end(&emission->bar);
        code = remote_judge(emission->remote, status, &answer);
        if (code == EXIT_OK)
            cli_say("%s does not say what became of the events", emission->remote->url);
        code = code == EXIT_OK ? EXIT_FAILED : code;
    }
    answer_free(&answer);
    if (code == EXIT_OK && emission->count > 0)
        wait_for_room(emission, wait_ms);
    return code;
}

static enum exit_code send_batch(struct emission *emission)
{
    enum exit_code code = EXIT_OK;

    while (emission->count > 0 && code == EXIT_OK)
        code = write_request(emission) ? send_once(emission) : no_memory();
    if (code != EXIT_OK)
        cli_say("%s: from line %" PRIu64 " on nobody knows; before it all was dealt with",
                emission->name, emission->lines[0].number);
    emission->count = 0;
    buffer_empty(&emission->bytes);
    if (emission->total > 0)
        bar_set(&emission->bar, emission->read, emission->total);
    return code;
}

/* --- lines */

static bool is_blank(atamo_bytes line)
{
    for (size_t i = 0; i < line.size; i++)
        if (strchr(" \t\r", line.data[i]) == NULL || line.data[i] == '\0')
            return false;
    return true;
}

static enum exit_code take_line(struct emission *emission, atamo_bytes line)
{
    enum exit_code code = EXIT_OK;
    const char *why = "";

    emission->line++;
    if (is_blank(line))
        return EXIT_OK;
    if (answer_parse(&emission->check, line, &why) != ATAMO_OK) {
        bar_end(&emission->bar);
        cli_say("%s:%" PRIu64 ": not JSON: %s", emission->name, emission->line, why);
        return EXIT_INVALID;
    }
    if (emission->count == BATCH ||
        (emission->count > 0 && emission->bytes.size + line.size > BATCH_BYTES))
        code = send_batch(emission);
    if (code != EXIT_OK)
        return code;
    emission->lines[emission->count++] = (struct event_line){
        .at = emission->bytes.size, .size = line.size, .number = emission->line};
    return buffer_add(&emission->bytes, line, SIZE_MAX / 2) == ATAMO_OK ? EXIT_OK : no_memory();
}

/* Lines of what was read; the beginning of one that has not ended is kept. */
static enum exit_code take_piece(struct emission *emission, atamo_bytes piece)
{
    enum exit_code code = EXIT_OK;

    while (code == EXIT_OK && piece.size > 0) {
        const char *end = memchr(piece.data, '\n', piece.size);
        const size_t size = end == NULL ? piece.size : (size_t)(end - piece.data);

        if (buffer_add(&emission->input, (atamo_bytes){piece.data, size}, LINE_MAX_BYTES) !=
            ATAMO_OK) {
            cli_say("%s:%" PRIu64 ": the line is too long", emission->name, emission->line + 1);
            return EXIT_INVALID;
        }
        if (end == NULL)
            break;
        code = take_line(emission, buffer_bytes(&emission->input));
        buffer_empty(&emission->input);
        piece = (atamo_bytes){end + 1, piece.size - size - 1};
    }
    return code;
}

static bool has_more(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

static enum exit_code read_all(struct emission *emission)
{
    enum exit_code code = EXIT_OK;
    char bytes[PIECE];
    ssize_t size = 1;

    while (code == EXIT_OK && size > 0) {
        size = read(emission->fd, bytes, sizeof bytes);
        if (size < 0 && errno == EINTR) {
            size = 1;
            continue;
        }
        if (size < 0) {
            cli_say("%s cannot be read", emission->name);
            return EXIT_FAILED;
        }
        emission->read += (uint64_t)size;
        code = take_piece(emission, (atamo_bytes){bytes, (size_t)size});
        if (code == EXIT_OK && size > 0 && emission->count > 0 && !has_more(emission->fd))
            code = send_batch(emission);
    }
    if (code == EXIT_OK && emission->input.size > 0)
        code = take_line(emission, buffer_bytes(&emission->input));
    return code;
}

static void print_counts(const struct emission *emission)
{
    (void)printf("%" PRIu64 " accepted", emission->accepted);
    if (emission->duplicates > 0)
        (void)printf(", %" PRIu64 " of them had come before", emission->duplicates);
    if (emission->refused > 0)
        (void)printf(", %" PRIu64 " refused", emission->refused);
    (void)putchar('\n');
}

static enum exit_code finish(struct emission *emission, enum exit_code code)
{
    const enum exit_code sent = emission->count > 0 && (code == EXIT_OK || code == EXIT_INVALID)
                                    ? send_batch(emission)
                                    : EXIT_OK;

    bar_end(&emission->bar);
    if (emission->remote->json)
        (void)printf("{\"accepted\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"refused\":%" PRIu64
                     "}\n",
                     emission->accepted, emission->duplicates, emission->refused);
    else if (!emission->remote->quiet)
        print_counts(emission);
    if (code == EXIT_OK)
        code = sent;
    return code == EXIT_OK && emission->refused > 0 ? EXIT_INVALID : code;
}

static bool open_input(struct emission *emission, const char *path)
{
    struct stat about;

    emission->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (emission->fd < 0)
        return false;
    if (fstat(emission->fd, &about) == 0 && S_ISREG(about.st_mode))
        emission->total = (uint64_t)about.st_size;
    return true;
}

enum exit_code emit_file(struct remote *remote, const char *path)
{
    struct emission emission = {.remote = remote, .name = path};
    enum exit_code code;
    char text[128];

    if (!open_input(&emission, path)) {
        code = errno == ENOENT ? EXIT_NOT_FOUND : errno == EACCES ? EXIT_DENIED : EXIT_FAILED;
        cli_say("%s: %s", path, strerror_r(errno, text, sizeof text));
        return code;
    }
    bar_begin(&emission.bar, "emit", remote->quiet);
    code = finish(&emission, read_all(&emission));
    if (emission.fd != STDIN_FILENO)
        (void)close(emission.fd);
    buffer_free(&emission.input);
    buffer_free(&emission.bytes);
    buffer_free(&emission.request);
    answer_free(&emission.check);
    return code;
}
