/* json_extension - "atamo.json/1" for plugins, over the JSON floor.
 *
 * A reader keeps a copy of the text, with room behind it so that the parser needs no second one,
 * and the flat list of nodes that the parser made. A value's position is its node's number. Texts
 * get their NUL in a second copy, made only for those that are asked for by a plugin as text.
 */
#include "plugin/json_extension.h"

#include "base/arena.h"
#include "json/json.h"
#include "json/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 256, TEXTS_KEPT = 1 << 20 };

struct atamo_json_reader {
    struct json_parser *parser;
    struct json_document document;
    char *text; /* the document, with JSON_ROOM behind it */
    size_t room;
    struct arena texts; /* with a NUL after each */
};

static int reader_open(const atamo_host *host, atamo_json_reader **reader)
{
    struct atamo_json_reader *made = calloc(1, sizeof *made);

    (void)host;
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    arena_init(&made->texts);
    if (json_parser_open(&made->parser) != ATAMO_OK) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    *reader = made;
    return ATAMO_OK;
}

static void reader_close(atamo_json_reader *reader)
{
    if (reader == NULL)
        return;
    json_parser_close(reader->parser);
    arena_close(&reader->texts);
    free(reader->text);
    free(reader);
}

static int copy(atamo_json_reader *reader, atamo_bytes json)
{
    const size_t need = json.size + JSON_ROOM;

    if (need > reader->room) {
        char *text = realloc(reader->text, need * 2);

        if (text == NULL)
            return ATAMO_NO_MEMORY;
        reader->text = text;
        reader->room = need * 2;
    }
    if (json.size > 0)
        memcpy(reader->text, json.data, json.size);
    memset(reader->text + json.size, 0, JSON_ROOM);
    return ATAMO_OK;
}

static uint32_t public_kind(enum json_kind kind)
{
    static const uint32_t kinds[] = {
        [JSON_NULL] = ATAMO_JSON_NULL,   [JSON_FALSE] = ATAMO_JSON_FALSE,
        [JSON_TRUE] = ATAMO_JSON_TRUE,   [JSON_NUMBER] = ATAMO_JSON_NUMBER,
        [JSON_TEXT] = ATAMO_JSON_TEXT,   [JSON_OBJECT] = ATAMO_JSON_OBJECT,
        [JSON_ARRAY] = ATAMO_JSON_ARRAY,
    };

    return kinds[kind];
}

static atamo_json_value value_of(const atamo_json_reader *reader, uint32_t node)
{
    const struct json_document *document = &reader->document;
    atamo_json_value value = {.kind = public_kind(json_kind_of(document, node)), .position = node};

    value.raw = json_raw(document, node);
    value.text = (atamo_bytes){"", 0};
    switch (value.kind) {
    case ATAMO_JSON_NUMBER:
        (void)json_double(value.raw, &value.number);
        (void)json_int64(value.raw, &value.integer);
        break;
    case ATAMO_JSON_TEXT: {
        /* The arena is the reader's own cache; the reader is logically unchanged. */
        struct arena *texts = &((atamo_json_reader *)(uintptr_t)reader)->texts;
        const atamo_bytes copied = arena_copy(texts, json_text(document, node));

        if (copied.data != NULL)
            value.text = copied;
        break;
    }
    default:
        value.count = (uint32_t)json_count(document, node);
        break;
    }
    return value;
}

static int reader_parse(atamo_json_reader *reader, atamo_bytes json, atamo_json_value *root,
                        char *why)
{
    struct json_problem problem = {"too large, or no memory", JSON_NO_OFFSET};
    int status = copy(reader, json);

    if (reader->texts.total > TEXTS_KEPT)
        arena_close(&reader->texts);
    else
        reader->texts.used = 0; /* of the newest block; older ones stay until they are too many */
    if (status == ATAMO_OK)
        status = json_parse(reader->parser, (atamo_bytes){reader->text, json.size},
                            json.size + JSON_ROOM, &reader->document, &problem);
    if (status == ATAMO_OK)
        *root = value_of(reader, 0);
    else if (why != NULL && problem.at != JSON_NO_OFFSET)
        (void)snprintf(why, WHY, "%s at byte %zu", problem.reason, problem.at);
    else if (why != NULL)
        (void)snprintf(why, WHY, "%s", problem.reason);
    return status;
}

static const atamo_json_value missing = {
    .kind = ATAMO_JSON_MISSING, .text = {"", 0}, .raw = {"", 0}};

static atamo_json_value reader_member(const atamo_json_reader *reader,
                                      const atamo_json_value *object, const char *name)
{
    uint32_t node = 0;

    if (object->kind == ATAMO_JSON_OBJECT)
        node = json_member(&reader->document, (uint32_t)object->position, atamo_text(name));
    return node == 0 ? missing : value_of(reader, node);
}

static atamo_json_value reader_at(const atamo_json_reader *reader, const atamo_json_value *value,
                                  size_t index, atamo_bytes *name)
{
    const struct json_document *document = &reader->document;
    const bool object = value->kind == ATAMO_JSON_OBJECT;
    uint32_t node = (uint32_t)value->position + 1;

    if ((!object && value->kind != ATAMO_JSON_ARRAY) || index >= value->count)
        return missing;
    for (; index > 0; index--)
        node = json_next(document, object ? node + 1 : node);
    if (object && name != NULL)
        *name = json_text(document, node);
    return value_of(reader, object ? node + 1 : node);
}

static size_t quote(atamo_bytes text, char *buffer, size_t capacity)
{
    struct json_writer writer;

    json_writer_init(&writer, buffer, capacity);
    json_put_text(&writer, text);
    return writer.size;
}

const atamo_json *json_extension(void)
{
    static const atamo_json table = {
        .size = sizeof table,
        .open = reader_open,
        .close = reader_close,
        .parse = reader_parse,
        .member = reader_member,
        .at = reader_at,
        .quote = quote,
    };

    return &table;
}
