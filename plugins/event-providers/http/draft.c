/* draft - events out of HTTP requests.
 *
 * Happy path: the content type says which mode it is. Structured: the body is the event. Batch: an
 * array of them; all are read once to be checked before the first is submitted. Binary: attributes
 * are headers ce-*, percent-encoded; they are written as a JSON event without data, which is read
 * like any other, so that each attribute is checked in one place; the body is the data as it came.
 *
 * Refused with 400: no ce-type, a header that is badly encoded, what the reader finds wrong; with
 * 415: a format of CloudEvents that is not JSON.
 */
#include "draft.h"

#include "percent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum mode { MODE_BINARY, MODE_STRUCTURED, MODE_BATCH, MODE_OTHER };

enum { TYPE_MAX = 256, BATCH_MAX = 10000 };

/* The media type without parameters, in lower case. */
static void media_type(const struct exchange *exchange, char type[TYPE_MAX])
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *header = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t size = header == NULL ? 0 : strcspn(header, ";");

    while (size > 0 && (header[size - 1] == ' ' || header[size - 1] == '\t'))
        size--;
    size = size < TYPE_MAX ? size : TYPE_MAX - 1;
    if (size == sizeof form - 1 && strncasecmp(header, form, size) == 0)
        size = 0; /* what curl -d says of anything: the body is JSON, as without a type */
    for (size_t i = 0; i < size; i++)
        type[i] = (char)(header[i] >= 'A' && header[i] <= 'Z' ? header[i] | 0x20 : header[i]);
    type[size] = '\0';
}

static enum mode mode_of(const char *type)
{
    static const char structured[] = "application/cloudevents";
    static const char batch[] = "application/cloudevents-batch";

    if (strcmp(type, "application/cloudevents+json") == 0)
        return MODE_STRUCTURED;
    if (strcmp(type, "application/cloudevents-batch+json") == 0)
        return MODE_BATCH;
    if (strncmp(type, structured, sizeof structured - 1) == 0 ||
        strncmp(type, batch, sizeof batch - 1) == 0)
        return MODE_OTHER;
    return MODE_BINARY;
}

/* --- binary mode */

struct envelope {
    struct text text;
    const char *wrong; /* a header that is not what it should be */
    bool typed, traced, keyed;
};

/* A value in double quotes stands for what is in them (binding, 3.1.3.2); `out` has room for it. */
static atamo_bytes unquote(const char *value, size_t size, char *out)
{
    size_t count = 0;

    if (size < 2 || value[0] != '"' || value[size - 1] != '"')
        return (atamo_bytes){value, size};
    for (size_t i = 1; i < size - 1; i++) {
        i += value[i] == '\\' && i + 2 < size;
        out[count++] = value[i];
    }
    return (atamo_bytes){out, count};
}

static void put_attribute(struct envelope *envelope, const char *name, size_t name_size,
                          const char *value, size_t size)
{
    char key[64];
    bool bad = false;
    char *decoded = malloc(size + 1);
    atamo_bytes text;

    if (decoded == NULL || name_size >= sizeof key) {
        envelope->text.failed = envelope->text.failed || decoded == NULL;
        envelope->wrong = "the name of an attribute is too long";
        free(decoded);
        return;
    }
    for (size_t i = 0; i <= name_size; i++)
        key[i] = (char)(i == name_size                     ? '\0'
                        : name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20
                                                           : name[i]);
    envelope->typed |= strcmp(key, "type") == 0;
    envelope->traced |= strcmp(key, "traceparent") == 0;
    envelope->keyed |= strcmp(key, "idempotencykey") == 0;
    if (strcmp(key, "data") == 0 || strcmp(key, "datacontenttype") == 0)
        envelope->wrong = "data is the body, and datacontenttype the header Content-Type";
    /* Binding, 3.1.3.2. */
    text = (atamo_bytes){decoded, percent_decode(unquote(value, size, decoded), decoded, &bad)};
    text_bytes(&envelope->text, key, text);
    if (bad)
        envelope->wrong = "a header ce-* is badly percent-encoded";
    else if (!text_is_utf8(text))
        envelope->wrong = "a header ce-* is not UTF-8";
    free(decoded);
}

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t size)
{
    struct envelope *envelope = user;

    (void)kind;
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--; /* no part of it (RFC 9110, 5.5), and the library leaves it there */
    if (name_size > 3 && strncasecmp(name, "ce-", 3) == 0 &&
        strcasecmp(name, "ce-specversion") != 0)
        put_attribute(envelope, name + 3, name_size - 3, value, size);
    return MHD_YES;
}

/* Headers that mean the same outside of CloudEvents. */
static void take_others(const struct exchange *exchange, struct envelope *envelope,
                        const char *type)
{
    const char *trace = exchange_header(exchange, "traceparent");
    const char *key = exchange_header(exchange, "Idempotency-Key");

    if (type[0] != '\0')
        text_string(&envelope->text, "datacontenttype", type);
    if (trace != NULL && !envelope->traced)
        text_string(&envelope->text, "traceparent", trace);
    if (key != NULL && !envelope->keyed)
        text_string(&envelope->text, "idempotencykey", key);
    if ((trace != NULL && !text_is_utf8(atamo_text(trace))) ||
        (key != NULL && !text_is_utf8(atamo_text(key))) || !text_is_utf8(atamo_text(type)))
        envelope->wrong = "a header is not UTF-8";
}

static bool is_text(const char *type)
{
    const size_t size = strlen(type);

    return size == 0 || strncmp(type, "text/", 5) == 0 || strcmp(type, "application/json") == 0 ||
           (size > 5 && strcmp(type + size - 5, "+json") == 0) ||
           (size > 4 && strcmp(type + size - 4, "+xml") == 0);
}

/* --- reading */

static int refuse(struct exchange *exchange, int status, const char *why)
{
    if (status == ATAMO_INVALID)
        exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "%s", why);
    else
        exchange_failed(exchange, status, why);
    return status;
}

/* Whoever shows a token speaks for its user. */
static int set_user(struct exchange *exchange, atamo_event_draft *draft, const char **why)
{
    const atamo_bytes user = atamo_text(exchange->user);
    const atamo_bytes tenant = atamo_text(exchange->tenant);

    if (user.size == 0)
        return ATAMO_OK;
    if ((draft->user.size > 0 &&
         (draft->user.size != user.size || memcmp(draft->user.data, user.data, user.size) != 0)) ||
        (draft->tenant.size > 0 && (draft->tenant.size != tenant.size ||
                                    memcmp(draft->tenant.data, tenant.data, tenant.size) != 0))) {
        *why = "the event names another user or tenant than the token";
        return ATAMO_DENIED;
    }
    draft->user = user;
    draft->tenant = tenant;
    return ATAMO_OK;
}

static int read_event(struct exchange *exchange, atamo_bytes json, atamo_event_draft *draft)
{
    const struct server *server = exchange->server;
    char why[256] = "";
    const char *told = why;
    int status = server->control->reader_read(server->reader, json, NULL, draft, why);

    if (status == ATAMO_OK)
        status = set_user(exchange, draft, &told);
    return status == ATAMO_OK ? ATAMO_OK : refuse(exchange, status, told);
}

static int visit_binary(struct exchange *exchange, draft_fn fn, void *user)
{
    const char *version = exchange_header(exchange, "ce-specversion");
    struct envelope envelope = {0};
    atamo_event_draft draft;
    char type[TYPE_MAX];
    int status;

    media_type(exchange, type);
    text_open(&envelope.text, NULL, '{');
    text_string(&envelope.text, "specversion", version == NULL ? "1.0" : version);
    (void)MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, take_header,
                                      &envelope);
    take_others(exchange, &envelope, type);
    text_close(&envelope.text, '}');
    if (envelope.text.failed)
        status = refuse(exchange, ATAMO_NO_MEMORY, "");
    else if (envelope.wrong != NULL)
        status = refuse(exchange, ATAMO_INVALID, envelope.wrong);
    else if (!envelope.typed)
        status = refuse(exchange, ATAMO_INVALID,
                        "no header ce-type; an event that is JSON as a whole is sent as "
                        "application/cloudevents+json");
    else
        status =
            read_event(exchange, (atamo_bytes){envelope.text.data, envelope.text.size}, &draft);
    if (status == ATAMO_OK) {
        draft.data = (atamo_bytes){exchange->body.data, exchange->body.size};
        draft.flags |= is_text(type) ? 0 : (uint32_t)ATAMO_DATA_BINARY;
        status = fn(user, &draft, 0);
    }
    text_free(&envelope.text);
    return status;
}

static int visit_batch(struct exchange *exchange, draft_fn fn, void *user)
{
    const atamo_json *json = exchange->server->json;
    const atamo_bytes body = {exchange->body.data, exchange->body.size};
    atamo_json_reader *reader = NULL;
    atamo_json_value root;
    char why[256] = "";
    int status = json->open(exchange->server->host, &reader);

    if (status == ATAMO_OK)
        status = json->parse(reader, body, &root, why);
    if (status == ATAMO_OK && root.kind != ATAMO_JSON_ARRAY) {
        (void)snprintf(why, sizeof why, "a batch is an array of events");
        status = ATAMO_INVALID;
    } else if (status == ATAMO_OK && root.count > BATCH_MAX) {
        (void)snprintf(why, sizeof why, "a batch has at most %d events", (int)BATCH_MAX);
        status = ATAMO_TOO_LARGE;
    }
    if (status != ATAMO_OK)
        (void)refuse(exchange, status, why);
    for (size_t i = 0; status == ATAMO_OK && i < root.count; i++) {
        const atamo_json_value item = json->at(reader, &root, i, NULL);
        atamo_event_draft draft;

        status = read_event(exchange, item.raw, &draft);
        if (status == ATAMO_OK)
            status = fn(user, &draft, i);
    }
    json->close(reader);
    return status;
}

static enum mode mode_of_exchange(const struct exchange *exchange)
{
    char type[TYPE_MAX];

    media_type(exchange, type);
    return mode_of(type);
}

int drafts_visit(struct exchange *exchange, draft_fn fn, void *user)
{
    atamo_event_draft draft;
    int status;

    switch (mode_of_exchange(exchange)) {
    case MODE_BINARY:
        return visit_binary(exchange, fn, user);
    case MODE_BATCH:
        return visit_batch(exchange, fn, user);
    default:
        status =
            read_event(exchange, (atamo_bytes){exchange->body.data, exchange->body.size}, &draft);
        return status == ATAMO_OK ? fn(user, &draft, 0) : status;
    }
}

static int count(void *user, const atamo_event_draft *draft, size_t index)
{
    int64_t *events = user;

    (void)draft;
    *events = (int64_t)index + 1;
    return ATAMO_OK;
}

int64_t drafts_count(struct exchange *exchange, bool *batch)
{
    const enum mode mode = mode_of_exchange(exchange);
    int64_t events = 0;

    *batch = mode == MODE_BATCH;
    if (mode == MODE_OTHER) {
        exchange_problem(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                         "events are taken as application/cloudevents+json, "
                         "application/cloudevents-batch+json, or with headers ce-*");
        return -1;
    }
    if (mode != MODE_BATCH)
        return 1; /* it is read, and refused, when it is submitted */
    return drafts_visit(exchange, count, &events) == ATAMO_OK ? events : -1;
}

const char *draft_fault(int status)
{
    return status == ATAMO_INVALID ? "an attribute holds control characters" : "";
}
