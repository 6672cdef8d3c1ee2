/* cmd_emit - submit an event to a running hub, or a file of them.
 *
 * Happy path: the event is made from the command line and posted; the hub says which message it has
 * become and how safe it is. With --wait it answers when all actions of the event have ended, and
 * how they did is the exit code. Refusals are printed as the hub says them.
 */
#include "cli/emit_file.h"
#include "cli/event_body.h"
#include "cli/remote.h"
#include "cli/step_line.h"

#include <inttypes.h>
#include <stdlib.h>

/* done: fine; unmatched: fine, too, there was nothing to do; open: the time was over first. */
static enum exit_code exit_of(atamo_bytes state)
{
    if (answer_is(state, "open"))
        return EXIT_TIMEOUT;
    return answer_is(state, "failed") ? EXIT_FAILED : EXIT_OK;
}

static void print_action(const struct answer *answer, uint32_t at, FILE *out)
{
    const struct cli_colours colours = cli_colours(out);
    struct step_line line;

    step_line_read(&line, answer, at);
    line.step = answer_text(answer, at, "state");
    line.type = answer_text(answer, at, "action");
    (void)fputs("  ", out);
    step_line_print(&line, &colours, out);
}

/* Why it failed, where no action says so. */
static void print_detail(const struct answer *answer)
{
    const atamo_bytes detail = answer_text(answer, 0, "detail");

    if (detail.size == 0)
        return;
    (void)fputs(": ", stdout);
    answer_put(detail, stdout);
}

static bool list_is_empty(const struct answer *answer, uint32_t list)
{
    return answer_first(answer, list) == 0;
}

static enum exit_code print_outcome(const struct answer *answer)
{
    const atamo_bytes state = answer_text(answer, 0, "state");
    const uint32_t list = answer_member(answer, 0, "actions");

    answer_put(answer_text(answer, 0, "id"), stdout);
    (void)fputs(answer_is(state, "open") ? " is still open" : " ", stdout);
    if (!answer_is(state, "open"))
        answer_put(state, stdout);
    if (list_is_empty(answer, list))
        print_detail(answer);
    (void)putchar('\n');
    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at))
        print_action(answer, at, stdout);
    return exit_of(state);
}

static void print_accepted(const struct answer *answer)
{
    const atamo_bytes id = answer_text(answer, 0, "id");
    const atamo_bytes message = answer_text(answer, 0, "message");

    answer_put(id, stdout);
    (void)fputs(answer_bool(answer, 0, "duplicate") ? " was accepted before" : " accepted", stdout);
    (void)fputs(" (", stdout);
    answer_put(answer_text(answer, 0, "durability"), stdout);
    (void)fputs(")", stdout);
    if (id.size != message.size) {
        (void)fputs(", message ", stdout);
        answer_put(message, stdout);
    }
    (void)putchar('\n');
}

static enum exit_code emit(struct remote *remote, const struct cli_line *line, atamo_bytes body)
{
    const char *wait = cli_value(line, "wait");
    struct http_call call = {
        .method = "POST", .content_type = EVENT_BODY_TYPE, .body = body, .wait_ms = 0};
    struct answer answer;
    struct path path;
    enum exit_code code;

    if (!remote_duration("wait", wait, &call.wait_ms))
        return EXIT_USAGE;
    path_begin(&path, "/v1/events");
    path_query(&path, "wait", wait);
    call.path = path.text;
    code = remote_call(remote, &call, &answer);
    if (code == EXIT_OK && remote->json)
        answer_print(&answer);
    if (code == EXIT_OK && answer_text(&answer, 0, "state").size > 0)
        code = remote->json ? exit_of(answer_text(&answer, 0, "state")) : print_outcome(&answer);
    else if (code == EXIT_OK && !remote->json && !remote->quiet)
        print_accepted(&answer);
    answer_free(&answer);
    return code;
}

/* What makes no sense beside --file. */
static bool is_alone(const struct cli_line *line)
{
    if (line->count > 0) {
        cli_say("--file has whole events: no TYPE is taken");
        return false;
    }
    for (size_t i = 0; i < EVENT_OPTIONS; i++) {
        if (cli_value(line, event_options[i].option) == NULL)
            continue;
        cli_say("--file has whole events: --%s is for one", event_options[i].option);
        return false;
    }
    if (cli_value(line, "wait") != NULL)
        cli_say("--wait is for one event");
    return cli_value(line, "wait") == NULL;
}

enum exit_code cmd_emit(const struct cli_line *line)
{
    const char *file = cli_value(line, "file");
    struct remote remote;
    atamo_bytes body = {NULL, 0};
    enum exit_code code;

    if (file != NULL && !is_alone(line))
        return EXIT_USAGE;
    if (file == NULL && line->count == 0) {
        cli_say("usage: atamo emit [OPTION...] TYPE [DATA], or with --file FILE");
        return EXIT_USAGE;
    }
    code = remote_open(&remote, line);
    if (code != EXIT_OK)
        return code;
    if (file == NULL)
        code = event_body(line, &body);
    if (code == EXIT_OK)
        code = file == NULL ? emit(&remote, line, body) : emit_file(&remote, file);
    free((char *)(uintptr_t)body.data);
    remote_close(&remote);
    return code;
}
