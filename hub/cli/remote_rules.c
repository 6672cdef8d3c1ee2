/* remote_rules - what the rules of a running hub are, and what they would make of an event.
 *
 * Happy path: one call. A test prints what `atamo rules test CONFIG` prints: for each rule whether
 * it matches, else the first clause that fails; then the actions that would be made. Nothing fires.
 */
#include "cli/remote_rules.h"

#include "cli/json_made.h"
#include "cli/remote.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_rule(const struct answer *answer, uint32_t rule)
{
    const uint32_t on = answer_member(answer, rule, "on");
    const int64_t hits = answer_int(answer, rule, "hits");
    const char *between = "";

    answer_put_wide(answer_text(answer, rule, "id"), 25, stdout);
    for (uint32_t at = answer_first(answer, on); at != 0; at = answer_after(answer, on, at)) {
        (void)fputs(between, stdout);
        answer_put(json_text(&answer->document, at), stdout);
        between = ", ";
    }
    (void)printf("  %" PRId64 " hit%s", hits, hits == 1 ? "" : "s");
    if (answer_text(answer, rule, "file").size > 0) {
        (void)fputs("  ", stdout);
        answer_put(answer_text(answer, rule, "file"), stdout);
        (void)printf(":%" PRId64, answer_int(answer, rule, "line"));
    }
    (void)putchar('\n');
}

enum exit_code remote_rules_list(const struct cli_line *line)
{
    const struct http_call call = {.path = "/v1/rules"};
    struct remote remote;
    struct answer answer;
    enum exit_code code = remote_open(&remote, line);
    uint32_t list;

    if (code != EXIT_OK)
        return code;
    code = remote_call(&remote, &call, &answer);
    list = answer_member(&answer, 0, "rules");
    if (code == EXIT_OK && remote.json && list != 0)
        (void)printf("%.*s\n", (int)json_raw(&answer.document, list).size,
                     json_raw(&answer.document, list).data);
    for (uint32_t at = answer_first(&answer, list); code == EXIT_OK && !remote.json && at != 0;
         at = answer_after(&answer, list, at))
        print_rule(&answer, at);
    answer_free(&answer);
    remote_close(&remote);
    return code;
}

/* --- test */

static void print_test(const struct answer *answer)
{
    const uint32_t rules = answer_member(answer, 0, "rules");
    const uint32_t actions = answer_member(answer, 0, "actions");

    if (answer_text(answer, 0, "refused").size > 0) {
        (void)fputs("refused: ", stdout);
        answer_put(answer_text(answer, 0, "refused"), stdout);
        (void)putchar('\n');
    }
    for (uint32_t at = answer_first(answer, rules); at != 0; at = answer_after(answer, rules, at)) {
        (void)fputs(answer_bool(answer, at, "matched") ? "yes   " : "no    ", stdout);
        answer_put(answer_text(answer, at, "id"), stdout);
        (void)fputs(": ", stdout);
        answer_put(answer_text(answer, at, "reason"), stdout);
        (void)putchar('\n');
    }
    for (uint32_t at = answer_first(answer, actions); at != 0;
         at = answer_after(answer, actions, at)) {
        const uint32_t body = answer_member(answer, at, "body");
        const atamo_bytes as = answer_text(answer, at, "as");

        (void)fputs("-> ", stdout);
        answer_put_wide(answer_text(answer, at, "agent"), 0, stdout);
        answer_put(answer_text(answer, at, "action"), stdout);
        (void)fputs(as.size > 0 ? " as " : "", stdout);
        answer_put(as, stdout);
        (void)fputs(", from ", stdout);
        answer_put(answer_text(answer, at, "rule"), stdout);
        (void)fputs(": ", stdout);
        if (body != 0)
            answer_put(json_raw(&answer->document, body), stdout);
        (void)putchar('\n');
    }
}

static void write_test(struct json_writer *writer, const void *user)
{
    json_open_object(writer);
    json_put_name(writer, atamo_text("event"));
    json_put_raw(writer, *(const atamo_bytes *)user);
    json_close_object(writer);
}

/* What is sent must be JSON already: it becomes part of it. */
static enum exit_code make_test(const char *path, atamo_bytes *body)
{
    struct answer event = {.parser = NULL};
    atamo_bytes content = {NULL, 0};
    const char *why = "";
    int status = cli_read_file(path, &content);

    if (status == ATAMO_OK) {
        status = answer_parse(&event, content, &why);
        if (status != ATAMO_OK)
            cli_say("%s: not JSON: %s", path, why);
    }
    if (status == ATAMO_OK)
        *body = json_made(write_test, &content);
    answer_free(&event);
    free((char *)(uintptr_t)content.data);
    return status == ATAMO_OK && body->data == NULL ? EXIT_FAILED : cli_exit(status);
}

enum exit_code remote_rules_test(const struct cli_line *line)
{
    struct http_call call = {
        .method = "POST", .path = "/v1/rules:test", .content_type = "application/json"};
    struct answer answer = {.parser = NULL};
    struct remote remote;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = make_test(cli_value(line, "event"), &call.body);
    if (code == EXIT_OK)
        code = remote_call(&remote, &call, &answer);
    if (code == EXIT_OK && remote.json)
        answer_print(&answer);
    else if (code == EXIT_OK)
        print_test(&answer);
    answer_free(&answer);
    free((char *)(uintptr_t)call.body.data);
    remote_close(&remote);
    return code;
}
