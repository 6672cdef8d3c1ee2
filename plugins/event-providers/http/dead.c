/* dead - /v1/dead-letters: list, show, replay, drop.
 *
 * Happy path: the hub hands out dead letters in the order of their ids; a page ends with the id
 * after which the next one begins. Replaying many goes on by itself, at the rate that was asked
 * for.
 */
#include "dead.h"

#include "routes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 1000, PAGE = 100, RATE = 100, RATE_MAX = 100000, REPLAYS_MAX = 16 };

/* Which ones: the exchange's arguments. */
struct choice {
    char agent[64], rule[128], type[128]; /* "": all */
};

struct replay {
    struct replay *next;
    struct choice choice;
    uint64_t after, last; /* ids: done so far, and the last one when it was asked for */
    uint64_t rate;
    double due; /* how many may go now */
};

static bool is_chosen(const struct choice *choice, const atamo_dead_letter *letter)
{
    return (choice->agent[0] == '\0' || strcmp(choice->agent, letter->agent) == 0) &&
           (choice->rule[0] == '\0' || strcmp(choice->rule, letter->rule) == 0) &&
           (choice->type[0] == '\0' || strcmp(choice->type, letter->event_type) == 0);
}

static bool take(struct exchange *exchange, const char *name, char *out, size_t room)
{
    const char *value = exchange_argument(exchange, name);

    if (value == NULL)
        return true;
    if (strlen(value) >= room) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "\"%s\" is too long", name);
        return false;
    }
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static bool read_choice(struct exchange *exchange, struct choice *choice)
{
    *choice = (struct choice){.agent = ""};
    return take(exchange, "agent", choice->agent, sizeof choice->agent) &&
           take(exchange, "rule", choice->rule, sizeof choice->rule) &&
           take(exchange, "type", choice->type, sizeof choice->type);
}

static int next_letter(const struct server *server, uint64_t after, atamo_dead_letter *letter)
{
    *letter = (atamo_dead_letter){.size = sizeof *letter};
    return server->control->dead_next(server->hub, after, letter);
}

static void put_letter(struct text *text, const struct server *server,
                       const atamo_dead_letter *letter)
{
    char id[24];
    char uuid[37];

    (void)snprintf(id, sizeof id, "%" PRIu64, letter->id);
    server->control->message_id(server->hub, letter->message, uuid);
    text_open(text, NULL, '{');
    text_string(text, "id", id);
    text_string(text, "message", uuid);
    text_string(text, "event", letter->event_id);
    text_string(text, "type", letter->event_type);
    text_string(text, "rule", letter->rule);
    text_string(text, "agent", letter->agent);
    text_string(text, "action", letter->action);
    text_string(text, "reason", atamo_reason_text(letter->reason));
    text_string(text, "text", letter->text);
    text_uint(text, "attempts", letter->attempts);
    text_uint(text, "died_us", (uint64_t)(letter->died_ns / 1000));
    text_close(text, '}');
}

void dead_list(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    struct choice choice;
    struct text text = {0};
    atamo_dead_letter letter;
    uint64_t limit, after;
    uint64_t count = 0;
    char next[24] = "";

    if (!read_choice(exchange, &choice) ||
        !exchange_count(exchange, "limit", PAGE_MAX, PAGE, &limit) ||
        !exchange_count(exchange, "after", UINT64_MAX, 0, &after))
        return;
    if (limit == 0) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "a page of 0 letters never ends");
        return;
    }
    text_open(&text, NULL, '{');
    text_open(&text, "dead_letters", '[');
    while (next_letter(server, after, &letter) == ATAMO_OK) {
        if (is_chosen(&choice, &letter) && count++ == limit) {
            (void)snprintf(next, sizeof next, "%" PRIu64, after);
            break;
        }
        after = letter.id;
        if (is_chosen(&choice, &letter))
            put_letter(&text, server, &letter);
    }
    text_close(&text, ']');
    if (next[0] != '\0')
        text_string(&text, "next", next);
    else
        text_raw(&text, "next", atamo_text("null"));
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

/* The id in the path; false: there is no such letter, and the exchange is answered. */
static bool find(struct exchange *exchange, atamo_dead_letter *letter)
{
    char *end;
    const uint64_t id = strtoull(exchange->id, &end, 10);

    if (*end == '\0' && id > 0 && next_letter(exchange->server, id - 1, letter) == ATAMO_OK &&
        letter->id == id)
        return true;
    exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "no dead letter \"%.64s\"", exchange->id);
    return false;
}

void dead_show(struct exchange *exchange)
{
    atamo_dead_letter letter;
    struct text text = {0};

    if (!find(exchange, &letter))
        return;
    put_letter(&text, exchange->server, &letter);
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

void dead_replay(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_dead_letter letter;
    int status;

    if (!find(exchange, &letter))
        return;
    status = server->control->dead_replay(server->hub, letter.id);
    if (status == ATAMO_OK)
        exchange_send_empty(exchange, MHD_HTTP_ACCEPTED);
    else
        exchange_failed(exchange, status, "");
}

void dead_drop(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_dead_letter letter;
    int status;

    if (!find(exchange, &letter))
        return;
    status = server->control->dead_drop(server->hub, letter.id);
    if (status == ATAMO_OK)
        exchange_send_empty(exchange, MHD_HTTP_NO_CONTENT);
    else
        exchange_failed(exchange, status, "");
}

/* --- many */

/* One chosen letter more, if there is one up to the last; false: that was all. */
static bool step(const struct server *server, struct replay *replay, bool dry, uint64_t *count)
{
    atamo_dead_letter letter;

    if (next_letter(server, replay->after, &letter) != ATAMO_OK || letter.id > replay->last)
        return false;
    if (is_chosen(&replay->choice, &letter)) {
        if (!dry && server->control->dead_replay(server->hub, letter.id) == ATAMO_BUSY)
            return true; /* again, later */
        ++*count;
    }
    replay->after = letter.id;
    return true;
}

static uint64_t count_chosen(const struct server *server, struct replay replay)
{
    uint64_t count = 0;

    while (step(server, &replay, true, &count))
        ;
    return count;
}

static uint64_t last_id(const struct server *server)
{
    atamo_dead_letter letter;
    uint64_t last = 0;

    while (next_letter(server, last, &letter) == ATAMO_OK)
        last = letter.id;
    return last;
}

void dead_replay_many(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const char *dry = exchange_argument(exchange, "dry_run");
    struct replay replay = {.last = last_id(server)};
    struct replay *kept;
    struct text text = {0};
    size_t running = 0;

    for (kept = server->replays; kept != NULL; kept = kept->next)
        running++;
    if (!read_choice(exchange, &replay.choice) ||
        !exchange_count(exchange, "rate", RATE_MAX, RATE, &replay.rate))
        return;
    if (replay.rate == 0 || running == REPLAYS_MAX) {
        exchange_problem(exchange,
                         replay.rate == 0 ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_TOO_MANY_REQUESTS, "%s",
                         replay.rate == 0 ? "at a rate of 0 none is ever replayed"
                                          : "too many replays go on already");
        return;
    }
    text_open(&text, NULL, '{');
    text_uint(&text, "count", count_chosen(server, replay));
    text_close(&text, '}');
    if (dry != NULL && strcmp(dry, "true") == 0) {
        exchange_send_json(exchange, MHD_HTTP_OK, &text);
        return;
    }
    kept = malloc(sizeof *kept);
    if (kept == NULL) {
        text_free(&text);
        exchange_failed(exchange, ATAMO_NO_MEMORY, "");
        return;
    }
    *kept = replay;
    kept->next = server->replays;
    server->replays = kept;
    exchange_send_json(exchange, MHD_HTTP_ACCEPTED, &text);
}

/* As many as are due. False: it is over. */
static bool go_on(const struct server *server, struct replay *replay, int64_t ms)
{
    uint64_t count = 0;
    bool more = true;

    replay->due += (double)replay->rate * (double)ms / 1000.0;
    while (more && replay->due >= 1) {
        const uint64_t after = replay->after;

        count = 0;
        more = step(server, replay, false, &count);
        if (replay->after == after)
            break;
        replay->due -= (double)count;
    }
    return more;
}

void dead_tick(struct server *server, int64_t ms)
{
    struct replay **place = &server->replays;

    while (*place != NULL) {
        struct replay *replay = *place;

        if (go_on(server, replay, ms)) {
            place = &replay->next;
            continue;
        }
        *place = replay->next;
        free(replay);
    }
}

void dead_close(struct server *server)
{
    while (server->replays != NULL) {
        struct replay *replay = server->replays;

        server->replays = replay->next;
        free(replay);
    }
}
