/* cmd_request - submit an event and print what agents answer, as they do; or come back to it.
 *
 * Happy path: the event is posted as a request; responses are printed until the hub says how it
 * ended. They are asked for by long calls, each of which says what has been printed, or with
 * --stream come through one connection. SIGINT and SIGTERM cancel the request; a terminal that goes
 * away leaves one that is kept to whoever comes back. How it ended is the exit code.
 */
#include "cli/event_body.h"
#include "cli/follow.h"
#include "cli/replies.h"
#include "cli/signals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WAIT "10s"
enum { WAIT_MS = 10000 };

struct request {
    struct remote *remote;
    char id[128];
    struct replies replies;
    struct answer event;
    struct signals signals;
    enum exit_code code;
    bool is_kept; /* somebody may come back to it */
    bool ended, stopped, left;
};

/* How it ended; the state is not "open". */
static void end(struct request *request, const struct answer *answer)
{
    request->ended = true;
    request->code = replies_end(&request->replies, answer);
}

static bool stop(void *user)
{
    struct request *request = user;
    const int number = signals_next(&request->signals);

    request->stopped = request->stopped || signals_is_end(number);
    request->left = request->left || (number == SIGHUP && request->is_kept);
    return request->stopped;
}

static enum exit_code wait_for(struct request *request)
{
    enum exit_code code = EXIT_OK;

    while (code == EXIT_OK && !request->ended) {
        struct http_call call = {.wait_ms = WAIT_MS};
        struct answer answer;
        struct path path;
        uint32_t list;
        char after[32];

        path_begin(&path, "/v1/requests/");
        path_add_escaped(&path, request->id);
        (void)snprintf(after, sizeof after, "%" PRId64, request->replies.last);
        path_query(&path, "wait", WAIT);
        path_query(&path, "after", after);
        call.path = path.text;
        code = remote_call(request->remote, &call, &answer);
        list = answer_member(&answer, 0, "responses");
        for (uint32_t at = answer_first(&answer, list); code == EXIT_OK && at != 0;
             at = answer_after(&answer, list, at))
            replies_print(&request->replies, &answer, at);
        if (code == EXIT_OK && !answer_is(answer_text(&answer, 0, "state"), "open"))
            end(request, &answer);
        answer_free(&answer);
    }
    return request->ended ? request->code : code;
}

static int take(void *user, const struct sse_event *event)
{
    struct request *request = user;

    if (answer_parse(&request->event, event->data, NULL) != ATAMO_OK) {
        cli_say("a response that is no JSON was passed over");
    } else if (answer_is(event->name, "end")) {
        end(request, &request->event);
        return FOLLOW_ENOUGH;
    } else {
        replies_print(&request->replies, &request->event, 0);
    }
    return ATAMO_OK;
}

static enum exit_code stream(struct request *request)
{
    struct path path;
    enum exit_code code;

    path_begin(&path, "/v1/requests/");
    path_add_escaped(&path, request->id);
    path_add(&path, "/stream");
    code = follow(request->remote, path.text, take, request);
    answer_free(&request->event);
    return request->ended ? request->code : code;
}

static void cancel(struct request *request)
{
    struct http_call call = {.method = "DELETE"};
    struct answer answer;
    struct path path;

    http_stop_when(request->remote->http, NULL, NULL);
    path_begin(&path, "/v1/requests/");
    path_add_escaped(&path, request->id);
    call.path = path.text;
    if (remote_call(request->remote, &call, &answer) == EXIT_OK)
        cli_say("the request was cancelled");
    answer_free(&answer);
}

/* --- begin */

/* The arguments of the call, named as the options. */
static const char *const wishes[] = {"timeout", "answers", "slow", "queue", "keep"};
static const char *const flags[] = {"feed", "parts", "detached"};

static bool begin_path(const struct cli_line *line, struct path *path)
{
    int64_t ms;

    path_begin(path, "/v1/requests");
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        path_query(path, wishes[i], cli_value(line, wishes[i]));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        path_query(path, flags[i], cli_value(line, flags[i]) == NULL ? NULL : "true");
    return remote_duration("timeout", cli_value(line, "timeout"), &ms) &&
           remote_duration("keep", cli_value(line, "keep"), &ms) && path_is_good(path);
}

static enum exit_code submit(struct request *request, const struct cli_line *line)
{
    struct http_call call = {.method = "POST", .content_type = EVENT_BODY_TYPE};
    struct answer answer = {.parser = NULL};
    struct path path;
    enum exit_code code = EXIT_USAGE;

    if (begin_path(line, &path))
        code = event_body(line, &call.body);
    call.path = path.text;
    if (code == EXIT_OK)
        code = remote_call(request->remote, &call, &answer);
    if (code == EXIT_OK) {
        const atamo_bytes id = answer_text(&answer, 0, "request_id");

        (void)snprintf(request->id, sizeof request->id, "%.*s", (int)id.size, id.data);
        if (request->id[0] == '\0') {
            cli_say("%s does not say which request it has become", request->remote->url);
            code = EXIT_FAILED;
        }
    }
    answer_free(&answer);
    free((char *)(uintptr_t)call.body.data);
    if (code == EXIT_OK && request->is_kept && !request->remote->quiet)
        cli_say("to come back: atamo request --attach %s", request->id);
    return code;
}

/* What an event is made of has no meaning with one that there is already. */
static enum exit_code attach(struct request *request, const struct cli_line *line)
{
    const char *id = cli_value(line, "attach");
    bool is_asked = line->count > 0;

    for (size_t i = 0; i < EVENT_OPTIONS; i++)
        is_asked = is_asked || cli_value(line, event_options[i].option) != NULL;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        is_asked = is_asked || cli_value(line, wishes[i]) != NULL;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        is_asked = is_asked || cli_value(line, flags[i]) != NULL;
    if (is_asked || strlen(id) >= sizeof request->id) {
        cli_say("--attach takes the id of a request, and nothing else that would make one");
        return EXIT_USAGE;
    }
    (void)snprintf(request->id, sizeof request->id, "%s", id);
    return EXIT_OK;
}

static enum exit_code begin(struct request *request, const struct cli_line *line)
{
    if (cli_value(line, "attach") != NULL)
        return attach(request, line);
    if (line->count == 0) {
        cli_say("which TYPE of event? or, to come back to a request: --attach ID");
        return EXIT_USAGE;
    }
    return submit(request, line);
}

enum exit_code cmd_request(const struct cli_line *line)
{
    struct remote remote;
    struct request request = {.remote = &remote, .replies.remote = &remote};
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    request.is_kept = cli_value(line, "keep") != NULL || cli_value(line, "attach") != NULL;
    code = begin(&request, line);
    if (code == EXIT_OK && !signals_open(&request.signals, NULL)) {
        code = EXIT_FAILED;
    } else if (code == EXIT_OK) {
        http_stop_when(remote.http, stop, &request);
        code = cli_value(line, "stream") != NULL ? stream(&request) : wait_for(&request);
        if (request.stopped && !request.ended && !request.left)
            cancel(&request);
        signals_close(&request.signals);
    }
    remote_close(&remote);
    return code;
}
