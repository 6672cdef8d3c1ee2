/* cmd_token - bearer tokens of a hub: make one, list them, revoke one.
 *
 * Happy path: the configuration says where the file of tokens is; the file is read, or replaced by
 * a changed one, also while a hub runs with it. A new token is printed once and then wiped from
 * memory; if it cannot be printed it is taken back. Fails if the configuration names no such file,
 * or the file cannot be read or written: then nothing has changed.
 */
#include "access/token_file.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "config/config.h"
#include "model/text.h"
#include "plugin/quantity.h"
#include "json/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_NS (INT64_C(86400) * NS_PER_S)

enum { EXPIRES_MAX_DAYS = 3650, JSON_MAX = 4096, SCOPES_MAX = 256, TIME_MAX = 32 };

/* The file of a configuration. */
struct setting {
    struct problems problems;
    struct arena arena;
    const char *config;
    const char *path;
};

static int open_setting(struct setting *setting, const char *path)
{
    const struct config_source source = {.path = path};
    struct config *config = NULL;
    int status;

    *setting = (struct setting){.config = path};
    problems_init(&setting->problems);
    arena_init(&setting->arena);
    status = config_read(&source, &setting->problems, &config);
    if (status == ATAMO_OK)
        status = config_token_file(config, &setting->arena, &setting->problems, &setting->path);
    config_free(config);
    return status;
}

/* Says what went wrong. */
static enum exit_code close_setting(struct setting *setting, int status)
{
    cli_show_problems(&setting->problems, setting->config);
    if (status != ATAMO_OK && setting->problems.count == 0)
        cli_say("%s: %s", setting->config, atamo_status_text(status));
    problems_close(&setting->problems);
    arena_close(&setting->arena);
    return status == ATAMO_DAMAGED ? EXIT_INVALID : cli_exit(status);
}

/* To the millisecond, as the file has it. */
static int64_t now(void)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_REALTIME, &moment);
    return moment.tv_sec * (int64_t)NS_PER_S + moment.tv_nsec / NS_PER_MS * NS_PER_MS;
}

/* --- how a token is shown */

static void put(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static void put_time(struct json_writer *writer, const char *name, int64_t ns)
{
    json_put_name(writer, atamo_text(name));
    json_put_int(writer, ns / NS_PER_US);
}

/* What is known of it; never its hash. */
static void put_token(struct json_writer *writer, const struct token *token)
{
    put(writer, "id", token->id);
    put(writer, "user", token->user);
    if (token->tenant[0] != '\0')
        put(writer, "tenant", token->tenant);
    json_put_name(writer, atamo_text("scopes"));
    json_open_array(writer);
    for (uint32_t scope = 1; scope <= ATAMO_SCOPE_LAST; scope <<= 1)
        if ((token->scopes & scope) != 0)
            json_put_text(writer, atamo_text(atamo_scope_name(scope)));
    json_close_array(writer);
    put_time(writer, "created_us", token->created_ns);
    if (token->expires_ns != 0)
        put_time(writer, "expires_us", token->expires_ns);
    json_put_name(writer, atamo_text("expired"));
    json_put_bool(writer, token_is_over(token, now()));
    if (token->note[0] != '\0')
        put(writer, "note", token->note);
}

static const char *scopes_text(uint32_t scopes, char text[SCOPES_MAX])
{
    size_t used = 0;

    if (scopes == TOKEN_SCOPES_ALL)
        return "*";
    text[0] = '\0';
    for (uint32_t scope = 1; scope <= ATAMO_SCOPE_LAST; scope <<= 1)
        if ((scopes & scope) != 0)
            used += (size_t)snprintf(text + used, SCOPES_MAX - used, "%s%s", used == 0 ? "" : ",",
                                     atamo_scope_name(scope));
    return text;
}

static const char *time_text(int64_t ns, char text[TIME_MAX])
{
    const time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm parts;

    text[0] = '\0';
    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, TIME_MAX, "%Y-%m-%d %H:%M:%S", &parts);
    return text;
}

/* --- new */

/* "events:write,rules:read", or "*". */
static bool read_scopes(const char *text, uint32_t *scopes)
{
    *scopes = strcmp(text, "*") == 0 ? TOKEN_SCOPES_ALL : 0;
    while (*scopes != TOKEN_SCOPES_ALL) {
        const atamo_bytes name = {text, strcspn(text, ",")};
        const char *nearest;
        const uint32_t scope = token_scope(name, &nearest);

        if (scope == 0 && nearest != NULL)
            cli_say("--scope: there is no scope \"%.*s\"; did you mean \"%s\"?", (int)name.size,
                    text, nearest);
        else if (scope == 0)
            cli_say("--scope: there is no scope \"%.*s\"; atamo help token new lists them",
                    (int)name.size, text);
        if (scope == 0)
            return false;
        *scopes |= scope;
        text += name.size;
        if (*text++ == '\0')
            break;
    }
    return true;
}

static bool read_expires(const char *text, struct token *token)
{
    int64_t span = 0;

    if (text == NULL)
        return true;
    if (quantity_duration(atamo_text(text), &span) != ATAMO_OK || span < NS_PER_MS ||
        span > EXPIRES_MAX_DAYS * DAY_NS) {
        cli_say("--expires %s: expected a duration like 12h or 90d, at most %dd", text,
                EXPIRES_MAX_DAYS);
        return false;
    }
    token->expires_ns = token->created_ns + span / NS_PER_MS * NS_PER_MS;
    return true;
}

static bool read_name(const char *what, const char *text, char name[TOKEN_NAME_MAX + 1])
{
    if (text == NULL)
        return true;
    if (!token_is_name(atamo_text(text))) {
        cli_say("\"%s\" cannot be %s: 1 to %d bytes of UTF-8 without control characters", text,
                what, TOKEN_NAME_MAX);
        return false;
    }
    (void)snprintf(name, TOKEN_NAME_MAX + 1, "%s", text);
    return true;
}

static bool read_note(const char *text, struct token *token)
{
    if (text == NULL)
        return true;
    if (strlen(text) > TOKEN_NOTE_MAX || !text_is_clean(atamo_text(text))) {
        cli_say("--note: expected at most %d bytes of UTF-8 without control characters",
                TOKEN_NOTE_MAX);
        return false;
    }
    (void)snprintf(token->note, sizeof token->note, "%s", text);
    return true;
}

static bool read_wish(const struct cli_line *line, struct token *token)
{
    const char *scopes = cli_value(line, "scope");

    *token = (struct token){.created_ns = now()};
    return read_name("a user", line->arguments[1], token->user) &&
           read_name("a tenant", cli_value(line, "tenant"), token->tenant) &&
           read_scopes(scopes == NULL ? "events:write" : scopes, &token->scopes) &&
           read_expires(cli_value(line, "expires"), token) &&
           read_note(cli_value(line, "note"), token);
}

/* Not through a buffer of the C library: that would keep it. */
static bool write_out(const char *text, size_t size)
{
    if (fflush(stdout) != 0)
        return false;
    while (size > 0) {
        const ssize_t wrote = write(STDOUT_FILENO, text, size);

        if (wrote < 0 && errno != EINTR)
            return false;
        text += wrote > 0 ? wrote : 0;
        size -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

static bool print_secret(const struct token *token, const char *text, bool json)
{
    char out[JSON_MAX];
    struct json_writer writer;
    bool good;

    json_writer_init(&writer, out, sizeof out);
    if (json) {
        json_open_object(&writer);
        put(&writer, "token", text);
        put_token(&writer, token);
        json_close_object(&writer);
    } else {
        json_put_bytes(&writer, atamo_text(text));
    }
    json_put_bytes(&writer, atamo_text("\n"));
    good = json_writer_status(&writer) == ATAMO_OK && write_out(out, writer.size);
    explicit_bzero(out, sizeof out);
    return good;
}

static int make(const struct cli_line *line, struct setting *setting, struct token *token)
{
    char text[TOKEN_TEXT_SIZE + 1];
    struct token removed;
    int status = token_file_add(setting->path, token, &setting->problems, text);

    if (status != ATAMO_OK)
        return status;
    if (!print_secret(token, text, cli_value(line, "json") != NULL)) {
        status = ATAMO_IO;
        (void)problems_add(&setting->problems, (struct place){NULL, 0, 0},
                           "the token could not be printed and is taken back");
        (void)token_file_remove(setting->path, token->id, &setting->problems, &removed);
    } else if (cli_value(line, "quiet") == NULL) {
        cli_say("token %s of %s: keep it, it is not shown again", token->id, token->user);
    }
    explicit_bzero(text, sizeof text);
    return status;
}

enum exit_code cmd_token_new(const struct cli_line *line)
{
    struct setting setting;
    struct token token;
    int status;

    if (!read_wish(line, &token))
        return EXIT_USAGE;
    status = open_setting(&setting, line->arguments[0]);
    if (status == ATAMO_OK)
        status = make(line, &setting, &token);
    return close_setting(&setting, status);
}

/* --- list */

static int by_user(const void *a, const void *b)
{
    const struct token *one = a;
    const struct token *other = b;
    const int order = strcmp(one->user, other->user);

    return order != 0
               ? order
               : (one->created_ns > other->created_ns) - (one->created_ns < other->created_ns);
}

static void print_json(const struct token *token, bool first)
{
    char text[JSON_MAX];
    struct json_writer writer;

    json_writer_init(&writer, text, sizeof text);
    json_open_object(&writer);
    put_token(&writer, token);
    json_close_object(&writer);
    (void)printf("%s%.*s", first ? "" : ",\n ", (int)writer.size, text);
}

static void print_line(const struct token *token)
{
    const bool owned = token->tenant[0] != '\0';
    char scopes[SCOPES_MAX], time[TIME_MAX];

    (void)printf("%s  %s%s%s  %s  created %s", token->id, token->user, owned ? " of " : "",
                 token->tenant, scopes_text(token->scopes, scopes),
                 time_text(token->created_ns, time));
    if (token->expires_ns != 0)
        (void)printf(", %s %s", token_is_over(token, now()) ? "expired" : "expires",
                     time_text(token->expires_ns, time));
    (void)printf("%s%s\n", token->note[0] == '\0' ? "" : "  ", token->note);
}

static void print_list(const struct cli_line *line, const struct token_list *list)
{
    const bool json = cli_value(line, "json") != NULL;

    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_user);
    if (json)
        (void)printf("[");
    for (size_t i = 0; i < list->count; i++) {
        if (json)
            print_json(&list->items[i], i == 0);
        else
            print_line(&list->items[i]);
    }
    if (json)
        (void)printf("]\n");
    else if (list->count == 0 && cli_value(line, "quiet") == NULL)
        cli_say("no tokens");
}

enum exit_code cmd_token_list(const struct cli_line *line)
{
    struct token_list list = {NULL, 0};
    struct setting setting;
    struct stat about;
    int status = open_setting(&setting, line->arguments[0]);

    if (status == ATAMO_OK)
        status = token_file_read(setting.path, &setting.problems, &list, &about);
    if (status == ATAMO_OK)
        print_list(line, &list);
    token_list_free(&list);
    return close_setting(&setting, status);
}

/* --- revoke */

enum exit_code cmd_token_revoke(const struct cli_line *line)
{
    struct setting setting;
    struct token removed;
    int status = open_setting(&setting, line->arguments[0]);

    if (status == ATAMO_OK)
        status = token_file_remove(setting.path, line->arguments[1], &setting.problems, &removed);
    if (status == ATAMO_OK && cli_value(line, "quiet") == NULL)
        (void)printf("token %s of %s is revoked\n", removed.id, removed.user);
    return close_setting(&setting, status);
}
