/* follow - a stream of events that goes on when its connection is lost.
 *
 * Happy path: each event goes to `take`, and its id is kept. When the connection ends or falls
 * silent a new one is made that begins after that id: at once soon after an event, then less and
 * less often, never before the hub's Retry-After. An event that was cut off in the middle has not
 * been; it comes again. Fails if the first connection does, and if the hub refuses a later one for
 * good: 4xx other than 408 and 429.
 */
#include "cli/follow.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { FIRST_MS = 250, MOST_MS = 10000 };

struct following {
    struct remote *remote;
    sse_take take;
    void *user;
    struct buffer last; /* id of the last event */
    int64_t wait_ms;    /* before the next connection */
    bool connected;     /* once, at least */
};

static int take_event(void *user, const struct sse_event *event)
{
    struct following *following = user;
    int status;

    following->connected = true;
    following->wait_ms = FIRST_MS;
    status = following->take(following->user, event);
    if (status != ATAMO_OK || event->id.size == 0)
        return status;
    buffer_empty(&following->last);
    return buffer_add(&following->last, event->id, HTTP_EVENT_MAX);
}

/* May it be better next time? */
static bool may_come_back(const struct following *following, int status, long code)
{
    if (status == ATAMO_IO || status == ATAMO_TIMEOUT)
        return following->connected;
    return status == ATAMO_OK && following->connected &&
           (code == 200 || code == 408 || code == 429 || code >= 500);
}

static void wait_a_while(struct following *following, int64_t at_least_ms)
{
    const int64_t ms = at_least_ms > following->wait_ms ? at_least_ms : following->wait_ms;

    if (!following->remote->quiet)
        cli_say("the connection was lost; again in %.2g s", (double)ms / 1000);
    (void)poll(NULL, 0, (int)(ms > 3600000 ? 3600000 : ms));
    following->wait_ms = following->wait_ms * 2 > MOST_MS ? MOST_MS : following->wait_ms * 2;
}

/* One connection, from its beginning to its end. False: it was the last one, *code says how it
 * ended. */
static bool read_one(struct following *following, const char *path, enum exit_code *code)
{
    struct answer answer = {.parser = NULL};
    struct sse sse;
    bool again = false;
    int status;

    sse_open(&sse, HTTP_EVENT_MAX, take_event, following);
    status =
        http_stream(following->remote->http, path,
                    following->last.size == 0 ? NULL : following->last.data, &sse, &answer.http);
    sse_close(&sse);
    if (status == FOLLOW_ENOUGH) {
        *code = EXIT_OK;
    } else if (status == ATAMO_OK && answer.http.code == 200 && answer.http.body.size > 0) {
        cli_say("%s answers something that is no stream of events", following->remote->url);
        *code = EXIT_FAILED;
    } else {
        following->connected =
            following->connected || (status == ATAMO_OK && answer.http.code == 200);
        again = may_come_back(following, status, answer.http.code);
        if (status == ATAMO_OK && answer.http.body.size > 0)
            (void)answer_parse(&answer, buffer_bytes(&answer.http.body), NULL);
        if (again)
            wait_a_while(following, answer.http.retry_after_ms);
        else
            *code = remote_judge(following->remote, status, &answer);
    }
    answer_free(&answer);
    return again;
}

enum exit_code follow(struct remote *remote, const char *path, sse_take take, void *user)
{
    struct following following = {
        .remote = remote, .take = take, .user = user, .wait_ms = FIRST_MS};
    enum exit_code code = EXIT_FAILED;

    while (read_one(&following, path, &code))
        ;
    buffer_free(&following.last);
    return code;
}
