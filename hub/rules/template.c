/* template - JSON with holes that an event fills: compiling.
 *
 * The tree is walked once in written order. Everything that is the same for all events (brackets,
 * keys, commas, quotes, plain scalars) gathers in one literal until a reference ends it; literal
 * and reference make one part. References that are written wrongly become problems and the walk
 * goes on. What ends it is a lack of memory.
 */
#include "rules/template.h"

#include "rules/template_inside.h"
#include "rules/template_path.h"
#include "yaml/yaml_walk.h"
#include "json/json.h"
#include "json/write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    struct arena *arena;
    struct field_plan *plan;
    struct problems *problems;
    char *literal; /* not yet part of a part */
    size_t literal_size, literal_room;
    struct template_part *parts;
    size_t count, room;
    int status; /* ATAMO_NO_MEMORY sticks: what comes after it does nothing */
};

struct reference {
    struct template_path path;
    atamo_bytes text;     /* the path as written */
    atamo_bytes fallback; /* as written; `data` NULL: none */
};

static bool reserve(struct builder *builder, size_t size)
{
    size_t room = builder->literal_room > 0 ? builder->literal_room : 256;
    char *grown;

    while (room - builder->literal_size < size)
        room *= 2;
    if (room == builder->literal_room)
        return true;
    grown = realloc(builder->literal, room);
    if (grown == NULL) {
        builder->status = ATAMO_NO_MEMORY;
        return false;
    }
    builder->literal = grown;
    builder->literal_room = room;
    return true;
}

static void put(struct builder *builder, atamo_bytes bytes)
{
    if (builder->status != ATAMO_OK || bytes.size == 0 || !reserve(builder, bytes.size))
        return;
    memcpy(builder->literal + builder->literal_size, bytes.data, bytes.size);
    builder->literal_size += bytes.size;
}

static void put_escaped(struct builder *builder, atamo_bytes text)
{
    struct json_writer writer;

    if (builder->status != ATAMO_OK || !reserve(builder, text.size * 6))
        return;
    json_writer_init(&writer, builder->literal + builder->literal_size,
                     builder->literal_room - builder->literal_size);
    json_put_escaped(&writer, text);
    builder->literal_size += writer.size;
}

static void put_quote(struct builder *builder)
{
    put(builder, atamo_text("\""));
}

/* End the literal with what comes after it. */
static void end_part(struct builder *builder, struct template_part part)
{
    if (builder->status != ATAMO_OK)
        return;
    if (builder->count == builder->room) {
        const size_t room = builder->room > 0 ? builder->room * 2 : 8;
        struct template_part *grown = realloc(builder->parts, room * sizeof *grown);

        if (grown == NULL) {
            builder->status = ATAMO_NO_MEMORY;
            return;
        }
        builder->parts = grown;
        builder->room = room;
    }
    part.literal =
        arena_copy(builder->arena, (atamo_bytes){builder->literal, builder->literal_size});
    if (part.literal.data == NULL) {
        builder->status = ATAMO_NO_MEMORY;
        return;
    }
    builder->literal_size = 0;
    builder->parts[builder->count++] = part;
}

static atamo_bytes keep(struct builder *builder, atamo_bytes bytes)
{
    const atamo_bytes kept = arena_copy(builder->arena, bytes);

    if (kept.data == NULL)
        builder->status = ATAMO_NO_MEMORY;
    return kept;
}

/* A text in JSON, with or without quotes. */
static atamo_bytes keep_escaped(struct builder *builder, atamo_bytes text, bool quoted)
{
    const size_t room = text.size * 6 + 2;
    char *memory = arena_alloc(builder->arena, room);
    struct json_writer writer;

    if (memory == NULL) {
        builder->status = ATAMO_NO_MEMORY;
        return (atamo_bytes){NULL, 0};
    }
    json_writer_init(&writer, memory, room);
    if (quoted)
        json_put_bytes(&writer, atamo_text("\""));
    json_put_escaped(&writer, text);
    if (quoted)
        json_put_bytes(&writer, atamo_text("\""));
    return (atamo_bytes){memory, writer.size};
}

static bool equals(atamo_bytes text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* Whether text is a JSON scalar already. */
static bool is_json_scalar(struct builder *builder, atamo_bytes text)
{
    struct json_parser *parser;
    struct json_document document;
    int status;

    if (equals(text, "null") || equals(text, "true") || equals(text, "false"))
        return true;
    if (text.size == 0 || text.data[0] != '"')
        return text.size > 0 && json_number_size(text.data, text.size) == text.size;
    if (json_parser_open(&parser) != ATAMO_OK) {
        builder->status = ATAMO_NO_MEMORY;
        return false;
    }
    status = json_parse(parser, text, text.size, &document, NULL);
    json_parser_close(parser);
    if (status == ATAMO_NO_MEMORY)
        builder->status = status;
    return status == ATAMO_OK;
}

static void put_reference(struct builder *builder, const struct reference *reference,
                          enum template_hole hole)
{
    struct template_part part = {.hole = hole};
    const atamo_bytes fallback = reference->fallback;
    const int status = field_plan_add(builder->plan, reference->path.steps, reference->path.depth,
                                      FIELD_WHOLE, &part.field);

    if (status != ATAMO_OK) {
        builder->status = status;
        return;
    }
    part.path = keep(builder, reference->text);
    if (fallback.data != NULL && hole == TEMPLATE_VALUE && is_json_scalar(builder, fallback))
        part.fallback = keep(builder, fallback);
    else if (fallback.data != NULL)
        part.fallback = keep_escaped(builder, fallback, hole == TEMPLATE_VALUE);
    end_part(builder, part);
}

static int refuse(struct builder *builder, const struct yaml_node *node, const char *at,
                  const char *reason)
{
    const size_t left = (size_t)(node->text.data + node->text.size - at);

    return problems_add(builder->problems, yaml_place(node), "in \"%.*s\": %s",
                        (int)(left < 60 ? left : 60), at, reason);
}

/* Take `${path}` or `${path:-default}` apart; *after is where the text goes on. */
static int parse_reference(struct builder *builder, const struct yaml_node *node, const char *at,
                           struct reference *reference, const char **after)
{
    const char *end = node->text.data + node->text.size;
    const char *path = at + 2;
    const char *reason = NULL;
    const char *close;
    size_t used = 0;
    int status;

    if (memchr(path, '}', (size_t)(end - path)) == NULL)
        return refuse(builder, node, at, "${ is not closed by }; a literal ${ is written $${");
    status = template_path_parse(builder->arena, (atamo_bytes){path, (size_t)(end - path)},
                                 &reference->path, &used, &reason);
    if (status == ATAMO_INVALID)
        return refuse(builder, node, at, reason);
    if (status != ATAMO_OK) {
        builder->status = status;
        return status;
    }
    reference->text = (atamo_bytes){path, used};
    reference->fallback = (atamo_bytes){NULL, 0};
    close = memchr(path + used, '}', (size_t)(end - path) - used);
    if (close != NULL && close - (path + used) >= 2 && memcmp(path + used, ":-", 2) == 0)
        reference->fallback = (atamo_bytes){path + used + 2, (size_t)(close - (path + used + 2))};
    else if (close != path + used)
        return refuse(builder, node, at, "after the path } or :-default was expected");
    *after = close + 1;
    return ATAMO_OK;
}

/* The next `${` or `$${` from `at` on, or NULL. */
static const char *find_opening(const char *at, const char *end, bool *escaped)
{
    const char *hit = memmem(at, (size_t)(end - at), "${", 2);

    *escaped = hit != NULL && hit > at && hit[-1] == '$';
    return *escaped ? hit - 1 : hit;
}

static void compile_text(struct builder *builder, const struct yaml_node *node)
{
    const char *at = node->text.data;
    const char *end = at + node->text.size;
    struct reference reference;
    const char *after = NULL;
    bool escaped;

    put_quote(builder);
    while (at < end && builder->status == ATAMO_OK) {
        const char *hit = find_opening(at, end, &escaped);

        put_escaped(builder, (atamo_bytes){at, (size_t)((hit != NULL ? hit : end) - at)});
        if (hit == NULL)
            break;
        if (escaped) {
            put(builder, atamo_text("${"));
            at = hit + 3;
            continue;
        }
        if (parse_reference(builder, node, hit, &reference, &after) != ATAMO_OK)
            return;
        if (hit == node->text.data && after == end) {
            builder->literal_size--; /* no quote: the value keeps its type */
            put_reference(builder, &reference, TEMPLATE_VALUE);
            return;
        }
        put_reference(builder, &reference, TEMPLATE_INSIDE);
        at = after;
    }
    put_quote(builder);
}

static void compile_key(struct builder *builder, const struct yaml_node *key)
{
    if (memmem(key->text.data, key->text.size, "${", 2) != NULL)
        (void)problems_add(builder->problems, yaml_place(key),
                           "the key \"%.*s\" holds ${: only values can be filled in",
                           key->text.size < 60 ? (int)key->text.size : 60, key->text.data);
    put_quote(builder);
    put_escaped(builder, key->text);
    put(builder, atamo_text("\":"));
}

static void compile_scalar(struct builder *builder, const struct yaml_node *node)
{
    atamo_bytes json;

    if (node->kind == YAML_TEXT) {
        compile_text(builder, node);
        return;
    }
    json = yaml_to_json(builder->arena, node);
    if (json.data == NULL)
        builder->status = ATAMO_NO_MEMORY;
    else
        put(builder, json);
}

static void compile_step(struct builder *builder, const struct yaml_step *step)
{
    const bool map = step->node->kind == YAML_MAP;

    if (step->kind == YAML_STEP_LEAVE) {
        put(builder, atamo_text(map ? "}" : "]"));
        return;
    }
    if (step->index > 0)
        put(builder, atamo_text(","));
    if (step->key != NULL)
        compile_key(builder, step->key);
    if (step->kind == YAML_STEP_ENTER)
        put(builder, atamo_text(map ? "{" : "["));
    else
        compile_scalar(builder, step->node);
}

static void compile_tree(struct builder *builder, const struct yaml_node *node)
{
    struct yaml_walk walk;
    struct yaml_step step;
    int more;

    yaml_walk_open(&walk, node);
    while (builder->status == ATAMO_OK && (more = yaml_walk_next(&walk, &step)) != 0) {
        if (more < 0)
            builder->status = more;
        else
            compile_step(builder, &step);
    }
    yaml_walk_close(&walk);
}

static const struct template *finish(struct builder *builder)
{
    struct template *made = arena_alloc(builder->arena, sizeof *made);
    struct template_part *parts;

    if (builder->literal_size > 0)
        end_part(builder, (struct template_part){.hole = TEMPLATE_NO_HOLE});
    parts = arena_array(builder->arena, builder->count, sizeof *parts);
    if (made == NULL || parts == NULL)
        builder->status = ATAMO_NO_MEMORY;
    if (builder->status != ATAMO_OK)
        return NULL;
    assert(builder->count > 0); /* even an empty text has its quotes */
    memcpy(parts, builder->parts, builder->count * sizeof *parts);
    made->parts = parts;
    made->count = builder->count;
    made->whole = made->count == 1 && parts[0].hole == TEMPLATE_VALUE &&
                  parts[0].literal.size == 0 && parts[0].fallback.data == NULL &&
                  equals(parts[0].path, "data");
    return made;
}

int template_compile(struct arena *arena, struct field_plan *plan, const struct yaml_node *node,
                     struct problems *problems, const struct template **compiled)
{
    const size_t errors_before = problems->errors;
    struct builder builder = {.arena = arena, .plan = plan, .problems = problems};
    const struct template *made = NULL;

    if (node != NULL)
        compile_tree(&builder, node);
    else
        put(&builder, atamo_text("null"));
    if (builder.status == ATAMO_OK && problems->errors > errors_before)
        builder.status = problems->no_memory ? ATAMO_NO_MEMORY : ATAMO_INVALID;
    if (builder.status == ATAMO_OK)
        made = finish(&builder);
    if (builder.status == ATAMO_OK)
        *compiled = made;
    free(builder.literal);
    free(builder.parts);
    return builder.status;
}
