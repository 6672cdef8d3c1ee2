/* request - the lines that a worker reads.
 *
 * Happy path: each member is written at the end of the worker's buffer, texts quoted by the host.
 * A body that is JSON goes in as it is; the host's parser tells, as nothing else may break the
 * framing by lines: line feeds can stand only between the tokens of valid JSON, where a space does
 * as well. Any other body goes in as base64. A line that cannot be finished is taken back.
 */
#include "request.h"

#include "base64.h"

#include <inttypes.h>
#include <string.h>

enum { NUMBERS_SIZE = 160 };

static int add_text(struct buffer *buffer, const char *text)
{
    return buffer_add(buffer, text, strlen(text));
}

static int add_quoted(const struct request_writer *writer, struct buffer *buffer, atamo_bytes text)
{
    size_t size = text.size + 2; /* most need no escape */
    int status = buffer_reserve(buffer, size);

    if (status != ATAMO_OK)
        return status;
    size = writer->json->quote(text, buffer->data + buffer->tail, buffer->room - buffer->tail);
    if (size > buffer->room - buffer->tail) {
        status = buffer_reserve(buffer, size);
        if (status != ATAMO_OK)
            return status;
        size = writer->json->quote(text, buffer->data + buffer->tail, buffer->room - buffer->tail);
    }
    buffer->tail += size;
    return ATAMO_OK;
}

/* `name` with quotes, colon and the comma before it; nothing at all for an empty text. */
static int add_member(const struct request_writer *writer, struct buffer *buffer, const char *name,
                      atamo_bytes text)
{
    int status;

    if (text.size == 0)
        return ATAMO_OK;
    status = add_text(buffer, name);
    return status == ATAMO_OK ? add_quoted(writer, buffer, text) : status;
}

static int add_attributes(const struct request_writer *writer, struct buffer *buffer,
                          const atamo_event *event)
{
    static const char *const names[ATAMO_ATTRIBUTE_COUNT] = {
        "\"id\":",
        ",\"source\":",
        ",\"type\":",
        ",\"subject\":",
        ",\"time\":",
        ",\"datacontenttype\":",
        ",\"dataschema\":",
        ",\"user\":",
        ",\"tenant\":",
        ",\"partitionkey\":",
        ",\"traceparent\":",
        ",\"expirytime\":",
        ",\"correlationid\":",
        ",\"causationid\":",
    };
    int status = add_text(buffer, ",\"event\":{");

    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT && status == ATAMO_OK; i++)
        status = add_member(writer, buffer, names[i],
                            writer->host->attribute(writer->host, event, (atamo_attribute)i));
    return status == ATAMO_OK ? add_text(buffer, "}") : status;
}

/* Valid JSON text on one line. */
static void flatten(char *json, size_t size)
{
    for (char *at = json; (at = memchr(at, '\n', size - (size_t)(at - json))) != NULL;)
        *at = ' ';
    for (char *at = json; (at = memchr(at, '\r', size - (size_t)(at - json))) != NULL;)
        *at = ' ';
}

static int add_whole_event(const struct request_writer *writer, struct buffer *buffer,
                           const atamo_event *event)
{
    const atamo_host *host = writer->host;
    const size_t size = host->event_json(host, event, NULL, 0);
    int status;

    if (size > writer->max_line)
        return ATAMO_TOO_LARGE;
    status = add_text(buffer, ",\"event\":");
    if (status == ATAMO_OK)
        status = buffer_reserve(buffer, size + 1);
    if (status != ATAMO_OK)
        return status;
    (void)host->event_json(host, event, buffer->data + buffer->tail, size + 1);
    flatten(buffer->data + buffer->tail, size);
    buffer->tail += size;
    return ATAMO_OK;
}

static int add_base64(struct buffer *buffer, atamo_bytes body)
{
    const size_t size = base64_size(body.size);
    int status = add_text(buffer, ",\"body_base64\":\"");

    if (status == ATAMO_OK)
        status = buffer_reserve(buffer, size + 1);
    if (status != ATAMO_OK)
        return status;
    base64_write(body, buffer->data + buffer->tail);
    buffer->tail += size;
    buffer->data[buffer->tail++] = '"';
    return ATAMO_OK;
}

static int add_body(const struct request_writer *writer, struct buffer *buffer, atamo_bytes body)
{
    atamo_json_value root;
    int status;

    if (body.size > writer->max_line)
        return ATAMO_TOO_LARGE;
    if (body.size == 0)
        return add_text(buffer, ",\"body\":null");
    status = writer->json->parse(writer->reader, body, &root, NULL);
    if (status == ATAMO_NO_MEMORY)
        return status;
    if (status != ATAMO_OK)
        return add_base64(buffer, body);
    status = add_text(buffer, ",\"body\":");
    if (status == ATAMO_OK)
        status = buffer_add(buffer, body.data, body.size);
    if (status == ATAMO_OK)
        flatten(buffer->data + buffer->tail - body.size, body.size);
    return status;
}

static int add_head(const struct request_writer *writer, struct buffer *buffer,
                    const atamo_action_info *info, uint64_t id)
{
    char numbers[NUMBERS_SIZE];
    int status;

    (void)snprintf(numbers, sizeof numbers, "{\"id\":\"%" PRIu64 "\",\"action\":", id);
    status = add_text(buffer, numbers);
    if (status == ATAMO_OK)
        status = add_quoted(writer, buffer, info->type);
    if (status == ATAMO_OK)
        status = add_member(writer, buffer, ",\"agent\":", info->agent);
    if (status == ATAMO_OK)
        status = add_member(writer, buffer, ",\"rule\":", info->rule);
    if (status == ATAMO_OK)
        status = add_member(writer, buffer, ",\"user\":", info->user);
    if (status == ATAMO_OK)
        status = add_member(writer, buffer, ",\"tenant\":", info->tenant);
    (void)snprintf(numbers, sizeof numbers,
                   ",\"attempt\":%" PRIu32 ",\"attempts\":%" PRIu32 ",\"key\":\"%016" PRIx64 "\"",
                   info->attempt, info->attempts, info->idempotency_key);
    if (status == ATAMO_OK)
        status = add_text(buffer, numbers);
    (void)snprintf(numbers, sizeof numbers, ",\"deadline_ms\":%" PRId64,
                   info->deadline_ns / 1000000);
    if (status == ATAMO_OK && info->deadline_ns != 0)
        status = add_text(buffer, numbers);
    if (status == ATAMO_OK && (info->flags & ATAMO_WANTS_RESPONSES) != 0)
        status = add_text(buffer, ",\"wants_responses\":true");
    if (status == ATAMO_OK && (info->flags & ATAMO_WANTS_FEED) != 0)
        status = add_text(buffer, ",\"wants_feed\":true");
    return status;
}

int request_add(const struct request_writer *writer, struct buffer *buffer, atamo_action action,
                uint64_t id, bool *is_feed)
{
    const size_t before = buffer_size(buffer);
    atamo_action_info info = {.size = sizeof info};
    int status = writer->host->info(writer->host, action, &info);

    if (status == ATAMO_OK)
        status = add_head(writer, buffer, &info, id);
    if (status == ATAMO_OK && writer->event == EVENT_ATTRIBUTES)
        status = add_attributes(writer, buffer, info.event);
    if (status == ATAMO_OK && writer->event == EVENT_FULL)
        status = add_whole_event(writer, buffer, info.event);
    if (status == ATAMO_OK)
        status = add_body(writer, buffer, info.body);
    if (status == ATAMO_OK)
        status = add_text(buffer, "}\n");
    if (status == ATAMO_OK && buffer_size(buffer) - before > writer->max_line)
        status = ATAMO_TOO_LARGE;
    if (status != ATAMO_OK)
        buffer->tail = buffer->head + before;
    else
        *is_feed = (info.flags & ATAMO_WANTS_FEED) != 0;
    return status;
}

int request_add_cancel(const struct request_writer *writer, struct buffer *buffer, uint64_t id,
                       const char *reason)
{
    const size_t before = buffer_size(buffer);
    char head[NUMBERS_SIZE];
    int status;

    (void)snprintf(head, sizeof head, "{\"cancel\":\"%" PRIu64 "\"", id);
    status = add_text(buffer, head);
    if (status == ATAMO_OK)
        status = add_member(writer, buffer, ",\"reason\":", atamo_text(reason));
    if (status == ATAMO_OK)
        status = add_text(buffer, "}\n");
    if (status != ATAMO_OK)
        buffer->tail = buffer->head + before;
    return status;
}
