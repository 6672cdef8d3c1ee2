/* rules - /v1/rules: which rules run and how often they matched; show, change, roll back, try.
 *
 * Happy path of a change: what is to become of the rule goes to the hub, which checks it with the
 * whole configuration, writes it down and swaps it in, or says what is wrong and where. All of that
 * is an errand: it reads files, and may take as long as there are rules.
 */
#include "errand.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_types(struct text *text, const char *on)
{
    text_open(text, "on", '[');
    while (*on != '\0') {
        const size_t size = strcspn(on, " ");

        text_bytes(text, NULL, (atamo_bytes){on, size});
        on += size + (on[size] == ' ');
    }
    text_close(text, ']');
}

void rules_list(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    atamo_rule_state state = {.size = sizeof state};
    atamo_stats stats = {.size = sizeof stats};
    struct text text = {0};

    (void)server->control->stats_get(server->hub, NULL, &stats);
    text_open(&text, NULL, '{');
    text_uint(&text, "generation", stats.generation);
    text_open(&text, "rules", '[');
    for (size_t i = 0; server->control->rule_get(server->hub, i, &state) == ATAMO_OK; i++) {
        text_open(&text, NULL, '{');
        text_string(&text, "id", state.id);
        put_types(&text, state.on);
        text_string(&text, "provider", state.provider);
        text_string(&text, "file", state.file);
        text_uint(&text, "line", state.line);
        text_bool(&text, "editable", state.editable != 0);
        text_uint(&text, "hits", state.hits);
        text_uint(&text, "last_match_us", (uint64_t)(state.last_match_ns / 1000));
        text_close(&text, '}');
    }
    text_close(&text, ']');
    text_close(&text, '}');
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}

/* --- what was wrong */

static void put_mistakes(struct text *text, const struct errand *errand)
{
    const atamo_control *control = errand->server->control;
    const size_t count = control->report_count(errand->report);

    text_open(text, "errors", '[');
    for (size_t i = 0; i < count; i++) {
        const atamo_problem problem = control->report_at(errand->report, i);

        if (problem.warning != 0)
            continue;
        text_open(text, NULL, '{');
        if (problem.file != NULL)
            text_string(text, "file", problem.file);
        text_uint(text, "line", problem.line);
        text_uint(text, "column", problem.column);
        text_string(text, "text", problem.text);
        text_close(text, '}');
    }
    text_close(text, ']');
}

static const char *detail_of(const struct errand *errand)
{
    const atamo_control *control = errand->server->control;

    if (control->report_count(errand->report) > 0)
        return control->report_at(errand->report, 0).text;
    switch (errand->status) {
    case ATAMO_NOT_FOUND:
        return "there is no such rule";
    case ATAMO_EXISTS:
        return "the rule stands in a file of the configuration: it is changed there";
    case ATAMO_CONFLICT:
        return "somebody else has changed it, or the configuration's files, meanwhile";
    case ATAMO_UNSUPPORTED:
        return "the configuration has no rules_folder for rules that may be changed";
    case ATAMO_BUSY:
        return "the hub is being reloaded";
    default:
        return atamo_status_text(errand->status);
    }
}

static void answer_mistakes(struct errand *errand)
{
    const unsigned status = exchange_status(errand->status);
    struct text text = {0};

    text_open(&text, NULL, '{');
    text_string(&text, "type", "about:blank");
    text_string(&text, "title", MHD_get_reason_phrase_for(status));
    text_uint(&text, "status", status);
    text_string(&text, "detail", detail_of(errand));
    put_mistakes(&text, errand);
    text_close(&text, '}');
    if (errand->status == ATAMO_BUSY)
        exchange_set(errand->exchange, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    exchange_send(errand->exchange, status, "application/problem+json", &text);
}

/* --- show */

static void set_tag(struct exchange *exchange, uint32_t version)
{
    char tag[24];

    (void)snprintf(tag, sizeof tag, "\"%u\"", version);
    exchange_set(exchange, MHD_HTTP_HEADER_ETAG, tag);
}

static int ask_show(struct errand *errand, char *buffer, size_t capacity, size_t *size)
{
    const struct server *server = errand->server;

    return server->control->rule_show(server->hub, errand->id, errand->number != 0, buffer,
                                      capacity, size);
}

/* The version that the answer tells, and, if `wanted` is not 0, the source of that one of its
 * versions. [errand thread] */
static int read_shown(struct errand *errand, uint32_t wanted, uint32_t *version,
                      struct text *source)
{
    const atamo_json *json = errand->server->json;
    const atamo_bytes shown = {errand->text.data, errand->text.size};
    atamo_json_reader *reader = NULL;
    atamo_json_value root, versions;
    int status = json->open(errand->server->host, &reader);

    if (status == ATAMO_OK)
        status = json->parse(reader, shown, &root, NULL);
    if (status == ATAMO_OK) {
        *version = (uint32_t)json->member(reader, &root, "version").integer;
        versions = json->member(reader, &root, "versions");
        if (wanted > versions.count)
            status = ATAMO_NOT_FOUND;
    }
    if (status == ATAMO_OK && wanted > 0) {
        const atamo_json_value one = json->at(reader, &versions, wanted - 1, NULL);
        const atamo_bytes text = json->member(reader, &one, "source").text;

        text_add(source, text.data, text.size);
    }
    json->close(reader);
    return status;
}

static void fetch_rule(struct errand *errand)
{
    errand_fetch(errand, ask_show);
    if (errand->status == ATAMO_OK)
        errand->status = read_shown(errand, 0, &errand->number, NULL);
}

static void answer_rule(struct errand *errand)
{
    if (errand->status == ATAMO_OK)
        set_tag(errand->exchange, errand->number);
    errand_answer(errand);
}

void rules_show(struct exchange *exchange)
{
    struct errand *errand = errand_make(exchange, fetch_rule, answer_rule);

    if (errand != NULL)
        errand_send(errand);
}

void rules_versions(struct exchange *exchange)
{
    struct errand *errand = errand_make(exchange, fetch_rule, answer_rule);

    if (errand == NULL)
        return;
    errand->number = 1;
    errand_send(errand);
}

/* --- change */

static void change(struct errand *errand)
{
    const struct server *server = errand->server;
    const atamo_rule_draft draft = {
        .size = sizeof draft,
        .expected = errand->number,
        .id = errand->id,
        .source = {errand->body.data, errand->body.size},
        .user = errand->user,
        .why = errand->why,
    };

    errand->status =
        server->control->rule_change(server->hub, &draft, &errand->number, &errand->report);
}

static void answer_change(struct errand *errand)
{
    struct exchange *exchange = errand->exchange;
    struct text text = {0};

    if (errand->status != ATAMO_OK) {
        answer_mistakes(errand);
        return;
    }
    set_tag(exchange, errand->number);
    if (errand->body.size == 0) {
        exchange_send_empty(exchange, MHD_HTTP_NO_CONTENT);
        return;
    }
    text_open(&text, NULL, '{');
    text_string(&text, "id", errand->id);
    text_uint(&text, "version", errand->number);
    text_close(&text, '}');
    exchange_send_json(exchange, errand->number == 1 ? MHD_HTTP_CREATED : MHD_HTTP_OK, &text);
}

/* "3" or W/"3" or *; false: it is none of these, and the exchange is answered. */
static bool read_expected(struct exchange *exchange, uint32_t *expected)
{
    const char *match = exchange_header(exchange, MHD_HTTP_HEADER_IF_MATCH);
    const char *none = exchange_header(exchange, MHD_HTTP_HEADER_IF_NONE_MATCH);
    const char *digits = match == NULL ? NULL : strpbrk(match, "0123456789");

    *expected = none != NULL && strcmp(none, "*") == 0 ? UINT32_MAX : 0;
    if (match == NULL || strcmp(match, "*") == 0)
        return true;
    *expected = digits == NULL ? 0 : (uint32_t)strtoul(digits, NULL, 10);
    if (*expected == 0)
        exchange_problem(exchange, MHD_HTTP_PRECONDITION_FAILED,
                         "If-Match is %.40s, which is no version of a rule", match);
    return *expected != 0;
}

static struct errand *make_change(struct exchange *exchange, void (*run)(struct errand *errand))
{
    const char *why = exchange_argument(exchange, "why");
    struct errand *errand;
    uint32_t expected;

    if (!read_expected(exchange, &expected))
        return NULL;
    errand = errand_make(exchange, run, answer_change);
    if (errand == NULL)
        return NULL;
    errand->number = expected;
    (void)snprintf(errand->why, sizeof errand->why, "%s", why == NULL ? "" : why);
    return errand;
}

void rules_put(struct exchange *exchange)
{
    struct errand *errand;

    if (exchange->body.size == 0) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "the body is to be a rule");
        return;
    }
    errand = make_change(exchange, change);
    if (errand != NULL)
        errand_send(errand);
}

void rules_delete(struct exchange *exchange)
{
    struct errand *errand = make_change(exchange, change);

    if (errand == NULL)
        return;
    text_free(&errand->body);
    errand_send(errand);
}

/* The rule becomes once more what one of its versions was. */
static void roll_back(struct errand *errand)
{
    const uint32_t wanted = errand->number;
    uint32_t now;

    text_free(&errand->body);
    errand_fetch(errand, ask_show);
    if (errand->status == ATAMO_OK)
        errand->status = read_shown(errand, wanted, &now, &errand->body);
    text_free(&errand->text);
    if (errand->status != ATAMO_OK)
        return;
    errand->number = 0;
    (void)snprintf(errand->why, sizeof errand->why, "back to version %u", wanted);
    change(errand);
}

void rules_rollback(struct exchange *exchange)
{
    struct errand *errand;
    uint64_t version;

    if (!exchange_count(exchange, "version", UINT32_MAX - 1, 0, &version))
        return;
    if (version == 0) {
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "version=N says which one");
        return;
    }
    errand = errand_make(exchange, roll_back, answer_change);
    if (errand == NULL)
        return;
    errand->number = (uint32_t)version;
    errand_send(errand);
}

/* --- try */

static void try_rules(struct errand *errand)
{
    const struct server *server = errand->server;
    const atamo_json *json = server->json;
    atamo_json_reader *reader = NULL;
    atamo_json_value root = {0}, event, rules;
    size_t room = 65536;
    size_t size = 0;
    int status = json->open(server->host, &reader);

    if (status == ATAMO_OK)
        status = json->parse(reader, (atamo_bytes){errand->body.data, errand->body.size}, &root,
                             errand->why);
    event = json->member(reader, &root, "event");
    rules = json->member(reader, &root, "rules");
    if (status == ATAMO_OK && event.kind != ATAMO_JSON_OBJECT)
        status = ATAMO_INVALID;
    while (status == ATAMO_OK) {
        char *at = text_reserve(&errand->text, room);

        if (at == NULL)
            status = ATAMO_NO_MEMORY;
        else
            status = server->control->rules_try(
                server->hub, rules.kind == ATAMO_JSON_TEXT ? rules.text : atamo_text(""), event.raw,
                at, room, &size, &errand->report);
        if (status != ATAMO_TOO_LARGE || size <= room)
            break;
        server->control->report_free(errand->report);
        errand->report = NULL;
        room = size;
        status = ATAMO_OK;
    }
    errand->text.size = status == ATAMO_OK ? size : 0;
    errand->status = status;
    json->close(reader);
}

static void answer_try(struct errand *errand)
{
    if (errand->status == ATAMO_OK)
        exchange_send_json(errand->exchange, MHD_HTTP_OK, &errand->text);
    else if (errand->status == ATAMO_INVALID && errand->report == NULL)
        exchange_problem(errand->exchange, MHD_HTTP_BAD_REQUEST,
                         "expected {\"event\": {...}, \"rules\": \"...\"}%s%s",
                         errand->why[0] != '\0' ? ": " : "", errand->why);
    else
        answer_mistakes(errand);
}

void rules_test(struct exchange *exchange)
{
    struct errand *errand = errand_make(exchange, try_rules, answer_try);

    if (errand != NULL)
        errand_send(errand);
}
