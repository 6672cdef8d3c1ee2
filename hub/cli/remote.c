/* remote - the running hub that a command asks: where it is, what it answers, what that means.
 *
 * Happy path: settings are found, a call is made, the answer's JSON is parsed and is the command's.
 * A hub that refuses says why in a problem document (RFC 9457), which is printed as it says it, its
 * mistakes with line and column; with --json the document itself goes to stdout. A hub that does
 * not answer, or answers something else than JSON, is said to.
 */
#include "cli/remote.h"

#include "base/clock.h"
#include "plugin/quantity.h"

#include <inttypes.h>
#include <string.h>

enum exit_code remote_open(struct remote *remote, const struct cli_line *line)
{
    struct http_settings settings = {.url = NULL};
    enum exit_code code;

    *remote = (struct remote){.json = cli_value(line, "json") != NULL,
                              .quiet = cli_value(line, "quiet") != NULL};
    arena_init(&remote->arena);
    code = remote_settings(line, &remote->arena, &settings);
    if (code == EXIT_OK && http_open(&settings, &remote->http) != ATAMO_OK) {
        cli_say("%s", atamo_status_text(ATAMO_NO_MEMORY));
        code = EXIT_FAILED;
    }
    remote->url = settings.url;
    if (code != EXIT_OK)
        remote_close(remote);
    return code;
}

void remote_close(struct remote *remote)
{
    http_close(remote->http);
    remote->http = NULL;
    arena_close(&remote->arena);
}

enum exit_code remote_exit(int status, long code)
{
    if (status != ATAMO_OK)
        return status == ATAMO_TIMEOUT ? EXIT_TIMEOUT : EXIT_FAILED;
    switch (code) {
    case 400:
    case 413:
    case 415:
    case 422:
        return EXIT_INVALID;
    case 401:
    case 403:
        return EXIT_DENIED;
    case 404:
        return EXIT_NOT_FOUND;
    case 408:
    case 504:
        return EXIT_TIMEOUT;
    default:
        return code >= 200 && code < 300 ? EXIT_OK : EXIT_FAILED;
    }
}

static void say_mistakes(const struct remote *remote, const struct answer *answer)
{
    const uint32_t list = answer_member(answer, 0, "errors");

    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at)) {
        char text[1024];

        answer_copy(answer_text(answer, at, "text"), text, sizeof text);
        cli_show_problem(remote->file == NULL ? "input" : remote->file,
                         (uint32_t)answer_int(answer, at, "line"),
                         (uint32_t)answer_int(answer, at, "column"), false, text);
    }
}

static void say_problem(const struct remote *remote, const struct answer *answer)
{
    const atamo_bytes title = answer_text(answer, 0, "title");
    const atamo_bytes detail = answer_text(answer, 0, "detail");
    const bool both = title.size > 0 && detail.size > 0;

    if (remote->json && answer->document.count > 0)
        answer_print(answer);
    (void)fputs("atamo: ", stderr);
    if (title.size + detail.size == 0)
        (void)fprintf(stderr, "%s answers with status %ld", remote->url, answer->http.code);
    answer_put(title, stderr);
    (void)fputs(both ? ": " : "", stderr);
    answer_put(detail, stderr);
    (void)fputc('\n', stderr);
    say_mistakes(remote, answer);
    if (answer->http.code == 401)
        cli_say("give a token by --token @FILE, ATAMO_TOKEN, or client.yaml");
    if (answer->http.retry_after_ms > 0)
        cli_say("it may be tried again in %" PRId64 " s", answer->http.retry_after_ms / 1000);
}

enum exit_code remote_judge(const struct remote *remote, int status, const struct answer *answer)
{
    const enum exit_code code = remote_exit(status, answer->http.code);

    if (status == ATAMO_TOO_LARGE)
        cli_say("%s answers more than this program takes", remote->url);
    else if (status == ATAMO_IO || status == ATAMO_TIMEOUT)
        cli_say("%s: %s", remote->url, http_reason(remote->http));
    else if (status != ATAMO_OK && status != ATAMO_GONE)
        cli_say("%s", atamo_status_text(status));
    else if (status == ATAMO_OK && code != EXIT_OK)
        say_problem(remote, answer);
    return code;
}

enum exit_code remote_call(struct remote *remote, const struct http_call *call,
                           struct answer *answer)
{
    const char *why = "";
    enum exit_code code;
    int status, parsed = ATAMO_OK;

    *answer = (struct answer){.parser = NULL};
    status = http_call(remote->http, call, &answer->http);
    if (status == ATAMO_OK && answer->http.body.size > 0)
        parsed = answer_parse(answer, buffer_bytes(&answer->http.body), &why);
    code = remote_judge(remote, status, answer);
    if (code != EXIT_OK || parsed == ATAMO_OK)
        return code;
    cli_say("%s answers something that is not JSON: %s", remote->url, why);
    return EXIT_FAILED;
}

enum exit_code remote_get(struct remote *remote, const struct path *path, struct answer *answer)
{
    const struct http_call call = {.path = path->text};

    *answer = (struct answer){.parser = NULL};
    return path_is_good(path) ? remote_call(remote, &call, answer) : EXIT_USAGE;
}

bool remote_duration(const char *name, const char *value, int64_t *ms)
{
    int64_t ns = 0;

    if (value != NULL && quantity_duration(atamo_text(value), &ns) != ATAMO_OK) {
        cli_say("--%s %s: expected a duration such as 250ms, 5s or 2m", name, value);
        return false;
    }
    *ms = ns / NS_PER_MS;
    return true;
}

bool remote_is_absent(const struct cli_line *line)
{
    static const char *const names[] = {"url", "token", "cacert"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (cli_value(line, names[i]) == NULL)
            continue;
        cli_say("--%s asks a running hub, CONFIG reads here: one of them", names[i]);
        return false;
    }
    return true;
}
