/* event_body - a CloudEvent out of a command line: TYPE [DATA] and options.
 *
 * Happy path: DATA is checked to be JSON and stands in the event as it was written; attributes come
 * from the options, and what is not given the hub fills in. Fails if DATA is no JSON or cannot be
 * read.
 */
#include "cli/event_body.h"

#include "cli/answer.h"
#include "cli/json_made.h"

#include <stdlib.h>
#include <string.h>

const struct event_option event_options[EVENT_OPTIONS] = {
    {"source", "source"},    {"subject", "subject"}, {"id", "id"},
    {"key", "partitionkey"}, {"user", "user"},
};

struct parts {
    const struct cli_line *line;
    atamo_bytes data; /* NULL: none */
};

static void put(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static void write_event(struct json_writer *writer, const void *user)
{
    const struct parts *parts = user;

    json_open_object(writer);
    put(writer, "specversion", "1.0");
    put(writer, "type", parts->line->arguments[0]);
    for (size_t i = 0; i < EVENT_OPTIONS; i++) {
        const char *value = cli_value(parts->line, event_options[i].option);

        if (value != NULL)
            put(writer, event_options[i].attribute, value);
    }
    if (parts->data.data != NULL) {
        json_put_name(writer, atamo_text("data"));
        json_put_raw(writer, parts->data);
    }
    json_close_object(writer);
}

static enum exit_code check(atamo_bytes data)
{
    struct answer answer = {.parser = NULL};
    const char *why = "";
    const int status = answer_parse(&answer, data, &why);

    answer_free(&answer);
    if (status != ATAMO_OK)
        cli_say("DATA is not JSON: %s; a text needs quotes, as in '\"text\"'", why);
    return cli_exit(status);
}

enum exit_code event_body(const struct cli_line *line, atamo_bytes *body)
{
    struct parts parts = {.line = line};
    atamo_bytes read = {NULL, 0};
    enum exit_code code = EXIT_OK;

    *body = (atamo_bytes){NULL, 0};
    if (line->count > 1 && strcmp(line->arguments[1], "-") == 0) {
        code = cli_exit(cli_read_file("-", &read));
        parts.data = read;
    } else if (line->count > 1) {
        parts.data = atamo_text(line->arguments[1]);
    }
    if (code == EXIT_OK && parts.data.data != NULL)
        code = check(parts.data);
    if (code == EXIT_OK) {
        *body = json_made(write_event, &parts);
        code = body->data == NULL ? EXIT_FAILED : EXIT_OK;
    }
    free((char *)(uintptr_t)read.data);
    return code;
}
