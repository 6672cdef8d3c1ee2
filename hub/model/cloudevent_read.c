/* cloudevent_read - an event out of JSON text.
 *
 * Happy path: the text is parsed, each member of the object goes to the draft's field of that name,
 * or becomes an extension attribute. Refused are texts that are not JSON, events whose specversion
 * is not 1.x, attributes of the wrong kind, and both "data" and "data_base64"; `why` names the
 * member.
 */
#include "model/base64.h"
#include "model/cloudevent.h"
#include "model/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cloudevent_reader {
    struct json_parser *parser;
    atamo_extension_attribute extensions[MESSAGE_EXTENSIONS_MAX];
    char *bytes; /* data_base64, decoded */
    char *why;   /* of the read that is under way */
};

int cloudevent_reader_open(struct cloudevent_reader **reader)
{
    struct cloudevent_reader *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    if (json_parser_open(&made->parser) != ATAMO_OK) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    *reader = made;
    return ATAMO_OK;
}

void cloudevent_reader_close(struct cloudevent_reader *reader)
{
    if (reader == NULL)
        return;
    json_parser_close(reader->parser);
    free(reader->bytes);
    free(reader);
}

__attribute__((format(printf, 2, 3))) static int refuse(struct cloudevent_reader *reader,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reader->why, CLOUDEVENT_WHY, format, args);
    va_end(args);
    return ATAMO_INVALID;
}

/* The draft's field for an attribute that is plain text, or NULL. */
static atamo_bytes *field_of(atamo_event_draft *draft, atamo_bytes name)
{
    const struct {
        const char *name;
        atamo_bytes *field;
    } fields[] = {
        {"id", &draft->id},
        {"source", &draft->source},
        {"type", &draft->type},
        {"subject", &draft->subject},
        {"time", &draft->time},
        {"datacontenttype", &draft->datacontenttype},
        {"dataschema", &draft->dataschema},
        {"user", &draft->user},
        {"tenant", &draft->tenant},
        {"partitionkey", &draft->partitionkey},
        {"traceparent", &draft->traceparent},
        {"correlationid", &draft->correlationid},
        {"causationid", &draft->causationid},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strlen(fields[i].name) == name.size &&
            memcmp(fields[i].name, name.data, name.size) == 0)
            return fields[i].field;
    return NULL;
}

static bool is(atamo_bytes name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static int read_base64(struct cloudevent_reader *reader, atamo_bytes text, atamo_event_draft *draft)
{
    free(reader->bytes);
    reader->bytes = malloc(text.size / 4 * 3 + 1);
    if (reader->bytes == NULL)
        return ATAMO_NO_MEMORY;
    if (base64_decode(text, reader->bytes, &draft->data.size) != ATAMO_OK)
        return refuse(reader, "\"data_base64\" is not base64");
    draft->data.data = reader->bytes;
    draft->flags |= ATAMO_DATA_BINARY;
    return ATAMO_OK;
}

/* Extension attributes may be text, integers and booleans; all are kept as text. */
static int read_extension(struct cloudevent_reader *reader, const struct json_document *document,
                          atamo_bytes name, uint32_t value, atamo_event_draft *draft)
{
    const enum json_kind kind = json_kind_of(document, value);

    if (kind == JSON_NULL)
        return ATAMO_OK;
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        return refuse(reader, "attribute \"%.*s\" is %s, expected text, a number or a boolean",
                      (int)(name.size < 60 ? name.size : 60), name.data, json_kind_name(kind));
    if (!text_is_attribute_name(name))
        return refuse(reader,
                      "\"%.*s\" is no attribute name: 1 to 20 lower-case letters and digits",
                      (int)(name.size < 60 ? name.size : 60), name.data);
    if (draft->extension_count == MESSAGE_EXTENSIONS_MAX)
        return refuse(reader, "more than %d extension attributes", MESSAGE_EXTENSIONS_MAX);
    reader->extensions[draft->extension_count].name = name;
    reader->extensions[draft->extension_count].value =
        kind == JSON_TEXT ? json_text(document, value) : json_raw(document, value);
    draft->extension_count++;
    return ATAMO_OK;
}

static int read_member(struct cloudevent_reader *reader, const struct json_document *document,
                       uint32_t key, atamo_event_draft *draft)
{
    const atamo_bytes name = json_text(document, key);
    const uint32_t value = key + 1;
    const enum json_kind kind = json_kind_of(document, value);
    atamo_bytes *field = field_of(draft, name);
    int64_t time_ms;

    if (is(name, "specversion"))
        return ATAMO_OK;
    if (is(name, "data")) {
        draft->data = json_raw(document, value);
        return ATAMO_OK;
    }
    if (field == NULL && !is(name, "data_base64") && !is(name, "expirytime"))
        return read_extension(reader, document, name, value, draft);
    if (kind == JSON_NULL)
        return ATAMO_OK;
    if (kind != JSON_TEXT)
        return refuse(reader, "\"%.*s\" is %s, expected text", (int)name.size, name.data,
                      json_kind_name(kind));
    if (is(name, "time") && text_to_time(json_text(document, value), &time_ms) != ATAMO_OK)
        return refuse(reader, "\"time\" is not an RFC 3339 time");
    if (field != NULL)
        *field = json_text(document, value);
    else if (is(name, "data_base64"))
        return read_base64(reader, json_text(document, value), draft);
    else if (text_to_time(json_text(document, value), &draft->expires_at_ms) != ATAMO_OK)
        return refuse(reader, "\"expirytime\" is not an RFC 3339 time");
    return ATAMO_OK;
}

static int read_event(struct cloudevent_reader *reader, const struct json_document *document,
                      uint32_t specversion, atamo_event_draft *draft)
{
    const atamo_bytes version = json_text(document, specversion);
    const uint32_t end = json_next(document, 0);
    int status = ATAMO_OK;

    if (json_kind_of(document, specversion) != JSON_TEXT || version.size < 3 ||
        memcmp(version.data, "1.", 2) != 0)
        return refuse(reader, "\"specversion\" must be \"1.0\"");
    memset(draft, 0, sizeof *draft);
    draft->size = sizeof *draft;
    draft->extensions = reader->extensions;
    for (uint32_t key = 1; key != end && status == ATAMO_OK; key = json_next(document, key + 1))
        status = read_member(reader, document, key, draft);
    if (status != ATAMO_OK)
        return status;
    if (draft->type.size == 0)
        return refuse(reader, "the event has no \"type\"");
    if (json_member(document, 0, atamo_text("data")) != 0 &&
        (draft->flags & ATAMO_DATA_BINARY) != 0)
        return refuse(reader, "both \"data\" and \"data_base64\"");
    return ATAMO_OK;
}

/* Data that is JSON text but is said to be of a type that is not JSON is that text itself. */
static void unwrap_text(const struct json_document *document, atamo_event_draft *draft)
{
    const uint32_t data = json_member(document, 0, atamo_text("data"));
    const atamo_bytes type = draft->datacontenttype;
    const bool json = type.size == 0 || memmem(type.data, type.size, "json", 4) != NULL;

    if (data != 0 && !json && json_kind_of(document, data) == JSON_TEXT)
        draft->data = json_text(document, data);
}

int cloudevent_read(struct cloudevent_reader *reader, atamo_bytes json,
                    const atamo_event_draft *fallback, atamo_event_draft *draft,
                    char why[CLOUDEVENT_WHY])
{
    struct json_document document = {0};
    struct json_problem problem = {"too large or no memory", JSON_NO_OFFSET};
    const int status = json_parse(reader->parser, json, json.size, &document, &problem);
    atamo_event_draft made = {0};
    uint32_t specversion;
    int result;

    reader->why = why;
    if (status != ATAMO_OK) {
        if (problem.at == JSON_NO_OFFSET)
            (void)refuse(reader, "not JSON: %s", problem.reason);
        else
            (void)refuse(reader, "not JSON: %s at byte %zu", problem.reason, problem.at);
        return status;
    }
    specversion = json_member(&document, 0, atamo_text("specversion"));
    if (specversion == 0) {
        if (fallback == NULL)
            return refuse(reader, "not a CloudEvent: no \"specversion\"");
        *draft = *fallback;
        draft->data = json_raw(&document, 0);
        return ATAMO_OK;
    }
    result = read_event(reader, &document, specversion, &made);
    if (result != ATAMO_OK)
        return result;
    unwrap_text(&document, &made);
    *draft = made;
    return ATAMO_OK;
}
