/* wish - what a client wants of its request.
 *
 * Happy path: each argument is read by itself, then it is checked that they go together. What is
 * left out is as for a client that asks once and comes back later: 30 s, all answers, and of more
 * results than are stored the newest. Everything else is a problem that names the argument.
 */
#include "wish.h"

#include "server.h"

#include <stdlib.h>
#include <string.h>

enum {
    TIME_MAX_MS = 24 * 3600 * 1000,
    TIMEOUT_MS = 30000,
    KEEP_MIN_MS = 1000,
    COUNT_MAX = 65535,
    QUEUE = 10000,
    QUEUE_BLOCK = 256
};

/* An argument that is one of these words; its number among them. False as for exchange_count(). */
static bool read_choice(struct exchange *exchange, const char *name, const char *const *words,
                        uint32_t count, uint32_t *choice)
{
    const char *text = exchange_argument(exchange, name);
    struct text list = {0};

    if (text == NULL)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *choice = i;
            text_free(&list);
            return true;
        }
        text_print(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
    }
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "\"%s\" is \"%.40s\", expected %.*s", name,
                     text, (int)list.size, list.size > 0 ? list.data : "");
    text_free(&list);
    return false;
}

static bool read_flag(struct exchange *exchange, const char *name, uint32_t flag, uint32_t *flags)
{
    static const char *const words[] = {"false", "true"};
    uint32_t choice = 0;

    if (!read_choice(exchange, name, words, 2, &choice))
        return false;
    *flags |= choice == 1 ? flag : 0;
    return true;
}

/* A number from 1. */
static bool read_number(struct exchange *exchange, const char *name, uint32_t fallback,
                        uint32_t *number)
{
    uint64_t count;

    if (!exchange_count(exchange, name, COUNT_MAX, fallback, &count))
        return false;
    if (count == 0 && exchange_argument(exchange, name) != NULL) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                         "\"%s\" is \"0\", expected a number from 1 to %d", name, (int)COUNT_MAX);
        return false;
    }
    *number = (uint32_t)count;
    return true;
}

static bool read_answers(struct exchange *exchange, uint32_t *answers)
{
    const char *text = exchange_argument(exchange, "answers");
    const bool first = text != NULL && strcmp(text, "first") == 0;
    char *end;
    unsigned long long number;

    *answers = first ? 1 : 0;
    if (text == NULL || first || strcmp(text, "all") == 0)
        return true;
    number = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number >= 1 && number <= COUNT_MAX) {
        *answers = (uint32_t)number;
        return true;
    }
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "\"answers\" is \"%.40s\", expected all, first or a number from 1 to %d", text,
                     (int)COUNT_MAX);
    return false;
}

/* How long it lives: `timeout` with its agents, `keep` without its client. */
static bool read_times(struct exchange *exchange, int64_t keep_ms, struct wish *wish)
{
    const bool is_feed = (wish->options.flags & ATAMO_FEED) != 0;
    const bool is_told = exchange_argument(exchange, "keep") != NULL;
    uint64_t timeout_ms;
    uint64_t told_ms;

    if (!exchange_duration(exchange, "timeout", TIME_MAX_MS, is_feed ? 0 : TIMEOUT_MS,
                           &timeout_ms) ||
        !exchange_duration(exchange, "keep", TIME_MAX_MS, (uint64_t)keep_ms, &told_ms))
        return false;
    if (told_ms < KEEP_MIN_MS) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "\"keep\" is less than a second");
        return false;
    }
    wish->options.timeout_ms = (uint32_t)timeout_ms;
    wish->keep_ms = (int64_t)told_ms;
    wish->alone_ms = is_told || is_feed ? (int64_t)told_ms : 0;
    return true;
}

static bool goes_together(struct exchange *exchange, const struct wish *wish)
{
    const uint32_t both = ATAMO_FEED | ATAMO_DETACHED;

    if ((wish->options.flags & both) != both)
        return true;
    exchange_problem(exchange, MHD_HTTP_BAD_REQUEST,
                     "\"feed\" and \"detached\" exclude each other: nobody could end its work");
    return false;
}

bool wish_read(struct exchange *exchange, int64_t keep_ms, struct wish *wish)
{
    static const char *const policies[] = {
        [ATAMO_SLOW_BLOCK] = "block",
        [ATAMO_SLOW_OLDEST] = "drop-oldest",
        [ATAMO_SLOW_LATEST] = "latest",
    };
    atamo_request_options *options = &wish->options;
    uint32_t queue;

    *wish = (struct wish){.options = {.size = sizeof *options, .slow = ATAMO_SLOW_OLDEST}};
    if (!read_flag(exchange, "feed", ATAMO_FEED, &options->flags) ||
        !read_flag(exchange, "parts", ATAMO_PARTS, &options->flags) ||
        !read_flag(exchange, "detached", ATAMO_DETACHED, &options->flags) ||
        !read_answers(exchange, &options->answers) ||
        !read_choice(exchange, "slow", policies, 3, &options->slow))
        return false;
    queue = options->slow == ATAMO_SLOW_BLOCK ? (uint32_t)QUEUE_BLOCK : (uint32_t)QUEUE;
    if (!read_number(exchange, "queue", queue, &options->queue) ||
        !read_times(exchange, keep_ms, wish))
        return false;
    if (options->slow == ATAMO_SLOW_BLOCK)
        options->flags |= ATAMO_BY_HAND;
    return goes_together(exchange, wish);
}
