/* cmd_request - submit an event and print what agents answer, as they do.
 *
 * Happy path: the event is posted as a request; responses are printed until the hub says how it
 * ended, data on stdout, progress on stderr. They are asked for by long calls, or with --stream
 * come through one connection. SIGINT and SIGTERM cancel the request. How it ended is the exit
 * code.
 */
#include "cli/event_body.h"
#include "cli/follow.h"
#include "cli/signals.h"

#include <inttypes.h>
#include <stdlib.h>

#define WAIT "10s"
enum { WAIT_MS = 10000 };

struct request {
    struct remote *remote;
    char id[128];
    int64_t last; /* sequence of the last response */
    struct answer event;
    struct signals signals;
    enum exit_code code;
    bool ended, stopped;
};

static void print_data(const struct answer *answer, uint32_t at)
{
    const uint32_t data = answer_member(answer, at, "data");
    atamo_bytes text;

    if (data == 0)
        return;
    text = json_kind_of(&answer->document, data) == JSON_TEXT ? json_text(&answer->document, data)
                                                              : json_raw(&answer->document, data);
    (void)fwrite(text.data, 1, text.size, stdout);
    (void)putchar('\n');
}

static void print_response(struct request *request, const struct answer *answer, uint32_t at)
{
    const atamo_bytes raw = json_raw(&answer->document, at);
    const int64_t sequence = answer_int(answer, at, "sequence");

    if (sequence > 0 && sequence <= request->last)
        return;
    request->last = sequence;
    if (request->remote->json) {
        (void)printf("%.*s\n", (int)raw.size, raw.data);
    } else if (!answer_is(answer_text(answer, at, "kind"), "progress")) {
        print_data(answer, at);
    } else if (!request->remote->quiet) {
        answer_put(answer_text(answer, at, "agent"), stderr);
        (void)fprintf(stderr, " %3.0f %% ", answer_double(answer, at, "progress") * 100);
        answer_put(answer_text(answer, at, "text"), stderr);
        (void)fputc('\n', stderr);
    }
    (void)fflush(stdout);
}

static void print_end(const struct answer *answer)
{
    const uint32_t state = answer_member(answer, 0, "state");
    const uint32_t detail = answer_member(answer, 0, "detail");
    const atamo_bytes null = atamo_text("null");
    const atamo_bytes first = state == 0 ? null : json_raw(&answer->document, state);
    const atamo_bytes second = detail == 0 ? null : json_raw(&answer->document, detail);

    (void)printf("{\"state\":%.*s,\"detail\":%.*s}\n", (int)first.size, first.data,
                 (int)second.size, second.data);
}

/* How it ended; the state is not "open". */
static void end(struct request *request, const struct answer *answer)
{
    const atamo_bytes state = answer_text(answer, 0, "state");
    const atamo_bytes detail = answer_text(answer, 0, "detail");

    request->ended = true;
    request->code = answer_is(state, "done")      ? EXIT_OK
                    : answer_is(state, "timeout") ? EXIT_TIMEOUT
                                                  : EXIT_FAILED;
    if (request->remote->json)
        print_end(answer);
    if (request->code == EXIT_OK)
        return;
    (void)fputs("atamo: the request has ended: ", stderr);
    answer_put(state, stderr);
    (void)fputs(detail.size > 0 ? ": " : "", stderr);
    answer_put(detail, stderr);
    (void)fputc('\n', stderr);
}

static bool stop(void *user)
{
    struct request *request = user;

    request->stopped = request->stopped || signals_stop(&request->signals);
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
        (void)snprintf(after, sizeof after, "%" PRId64, request->last);
        path_query(&path, "wait", WAIT);
        path_query(&path, "after", after);
        call.path = path.text;
        code = remote_call(request->remote, &call, &answer);
        list = answer_member(&answer, 0, "responses");
        for (uint32_t at = answer_first(&answer, list); code == EXIT_OK && at != 0;
             at = answer_after(&answer, list, at))
            print_response(request, &answer, at);
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
        print_response(request, &request->event, 0);
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

static enum exit_code submit(struct request *request, const struct cli_line *line)
{
    const char *timeout = cli_value(line, "timeout");
    struct http_call call = {.method = "POST", .content_type = EVENT_BODY_TYPE};
    struct answer answer = {.parser = NULL};
    struct path path;
    int64_t ms;
    enum exit_code code = EXIT_USAGE;

    path_begin(&path, "/v1/requests");
    path_query(&path, "timeout", timeout);
    call.path = path.text;
    if (remote_duration("timeout", timeout, &ms) && path_is_good(&path))
        code = event_body(line, &call.body);
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
    return code;
}

enum exit_code cmd_request(const struct cli_line *line)
{
    struct remote remote;
    struct request request = {.remote = &remote};
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = submit(&request, line);
    if (code == EXIT_OK && !signals_open(&request.signals, NULL)) {
        code = EXIT_FAILED;
    } else if (code == EXIT_OK) {
        http_stop_when(remote.http, stop, &request);
        code = cli_value(line, "stream") != NULL ? stream(&request) : wait_for(&request);
        if (request.stopped && !request.ended)
            cancel(&request);
        signals_close(&request.signals);
    }
    remote_close(&remote);
    return code;
}
