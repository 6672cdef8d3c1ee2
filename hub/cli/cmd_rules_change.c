/* cmd_rules_change - a rule of a running hub: show it, put it, take it away, go back to what it
 * was.
 *
 * Happy path: `rules show` prints a rule as it was written, `rules put` sends a file with one,
 * which takes effect at once and as a whole; each change is a version, and `rules rollback` puts an
 * older one. Which rule a file is about says its `id`. Mistakes are shown in the file, with line
 * and column. The hub refuses to change rules that are written in files of its configuration.
 */
#include "cli/remote.h"
#include "yaml/yaml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void rule_path(struct path *path, const char *id, const char *what)
{
    path_begin(path, "/v1/rules/");
    path_add_escaped(path, id);
    path_add(path, what);
}

enum exit_code cmd_rules_show(const struct cli_line *line)
{
    struct remote remote;
    struct answer answer;
    struct path path;
    atamo_bytes source;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    rule_path(&path, line->arguments[0], "");
    code = remote_get(&remote, &path, &answer);
    source = answer_text(&answer, 0, "source");
    if (code == EXIT_OK && remote.json)
        answer_print(&answer);
    else if (code == EXIT_OK)
        (void)printf("%.*s%s", (int)source.size, source.data,
                     source.size > 0 && source.data[source.size - 1] == '\n' ? "" : "\n");
    answer_free(&answer);
    remote_close(&remote);
    return code;
}

/* --- put */

/* The id of the rule in a text; mistakes are shown. */
static enum exit_code find_id(struct arena *arena, const char *file, atamo_bytes text,
                              const char **id)
{
    const struct yaml_options options = {.file = file};
    struct problems *problems = malloc(sizeof *problems);
    const struct yaml_node *root = NULL, *node;
    int status;

    if (problems == NULL)
        return EXIT_FAILED;
    problems_init(problems);
    status = yaml_parse(arena, text, &options, problems, &root);
    node = status == ATAMO_OK && root != NULL ? yaml_get(root, "id") : NULL;
    if (status == ATAMO_OK && (node == NULL || node->kind != YAML_TEXT))
        status =
            problems_add(problems, root == NULL ? (struct place){.file = file} : yaml_place(root),
                         "expected one rule: a map with an id");
    *id = node == NULL ? NULL : node->text.data;
    cli_show_problems(problems, file);
    problems_close(problems);
    free(problems);
    return cli_exit(status);
}

static enum exit_code put(struct remote *remote, const struct cli_line *line, atamo_bytes text)
{
    struct http_call call = {.method = "PUT", .content_type = "application/yaml", .body = text};
    struct answer answer = {.parser = NULL};
    struct path path;
    const char *id = NULL;
    enum exit_code code;

    remote->file = line->arguments[0];
    code = find_id(&remote->arena, remote->file, text, &id);
    if (code != EXIT_OK)
        return code;
    rule_path(&path, id, "");
    path_query(&path, "why", cli_value(line, "why"));
    call.path = path.text;
    if (!path_is_good(&path))
        return EXIT_USAGE;
    code = remote_call(remote, &call, &answer);
    if (code == EXIT_OK && remote->json)
        answer_print(&answer);
    else if (code == EXIT_OK && !remote->quiet)
        (void)printf("%s %s\n", id, answer.http.code == 201 ? "is new" : "was replaced");
    answer_free(&answer);
    return code;
}

enum exit_code cmd_rules_put(const struct cli_line *line)
{
    struct remote remote;
    atamo_bytes text = {NULL, 0};
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = cli_exit(cli_read_file(line->arguments[0], &text));
    if (code == EXIT_OK)
        code = put(&remote, line, text);
    free((char *)(uintptr_t)text.data);
    remote_close(&remote);
    return code;
}

/* --- rm, rollback */

static enum exit_code change(const struct cli_line *line, const char *method,
                             const struct path *path, const char *said)
{
    const struct http_call call = {.method = method, .path = path->text};
    struct remote remote;
    struct answer answer;
    enum exit_code code = path_is_good(path) ? remote_open(&remote, line) : EXIT_USAGE;

    if (code != EXIT_OK)
        return code;
    code = remote_call(&remote, &call, &answer);
    if (code == EXIT_OK && remote.json && answer.http.body.size > 0)
        answer_print(&answer);
    else if (code == EXIT_OK && !remote.json && !remote.quiet)
        (void)printf("%s %s\n", line->arguments[0], said);
    answer_free(&answer);
    remote_close(&remote);
    return code;
}

enum exit_code cmd_rules_rm(const struct cli_line *line)
{
    struct path path;

    rule_path(&path, line->arguments[0], "");
    return change(line, "DELETE", &path, "was taken away");
}

enum exit_code cmd_rules_rollback(const struct cli_line *line)
{
    const char *version = line->arguments[1];
    struct path path;

    if (version[0] == '\0' || version[strspn(version, "0123456789")] != '\0') {
        cli_say("%s is no version: atamo rules history %s lists them", version, line->arguments[0]);
        return EXIT_USAGE;
    }
    rule_path(&path, line->arguments[0], ":rollback");
    path_query(&path, "version", version);
    return change(line, "POST", &path, "is what it was");
}

/* --- history */

static void print_version(const struct answer *answer, uint32_t at)
{
    (void)printf("%4" PRId64 "  ", answer_int(answer, at, "version"));
    answer_put_time(answer_int(answer, at, "t_us"), ANSWER_DATE, stdout);
    (void)fputs("  ", stdout);
    answer_put_wide(answer_text(answer, at, "user"), 12, stdout);
    (void)fputs(answer_bool(answer, at, "deleted") ? "taken away  " : "", stdout);
    answer_put(answer_text(answer, at, "why"), stdout);
    (void)putchar('\n');
}

enum exit_code cmd_rules_history(const struct cli_line *line)
{
    struct remote remote;
    struct answer answer;
    struct path path;
    uint32_t list;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    rule_path(&path, line->arguments[0], "/versions");
    code = remote_get(&remote, &path, &answer);
    list = answer_member(&answer, 0, "versions");
    if (code == EXIT_OK && remote.json)
        answer_print(&answer);
    for (uint32_t at = answer_first(&answer, list); code == EXIT_OK && !remote.json && at != 0;
         at = answer_after(&answer, list, at))
        print_version(&answer, at);
    answer_free(&answer);
    remote_close(&remote);
    return code;
}
