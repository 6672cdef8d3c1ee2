/* yaml - a YAML document as a tree that remembers where everything stood.
 *
 * Happy path: libyaml's events are taken one by one. A start of a list or map pushes a frame, every
 * finished node goes onto the `pending` vector, and an end pops the frame and moves the nodes that
 * came since its start into one array of the arena. Nothing recurses. At the end of the document
 * the rest of the input is looked at, not parsed.
 *
 * What fails: a syntax error, a limit and a lack of memory end the run. Everything else (duplicate
 * keys, anchors, tags, numbers, the environment) is a problem that is noted, and parsing goes on,
 * so that one run shows as many as can be seen.
 *
 * Time: limits are checked on events, so libyaml is stopped as soon as it has delivered one node
 * too deep. Of some 150 hostile inputs of 256 KiB (tests/unit/yaml/test_yaml_hostile.c) the worst,
 * 131,072 times "?" and a line break, takes 37 ms of CPU in an optimised build; next is "a," inside
 * 30 open lists with 33 ms. `[` alone takes 0.9 ms, where libyaml left to itself needs 3.8 s for a
 * quarter.
 */
#include "yaml/yaml.h"

#include "yaml/yaml_edges.h"
#include "yaml/yaml_env.h"
#include "yaml/yaml_keys.h"
#include "yaml/yaml_scalar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEFAULT_BYTES = 16 << 20, DEFAULT_DEPTH = 32, DEFAULT_NODES = 4000000 };

#define CORE_TAG "tag:yaml.org,2002:"

struct frame {
    struct yaml_node *node;
    size_t first; /* where its children begin in `pending` */
};

struct reader {
    struct arena *arena;
    const struct yaml_options *options;
    struct problems *problems;
    atamo_bytes input;
    struct yaml_limits limits;
    const char *file;
    locale_t c_locale;
    yaml_parser_t parser;
    struct frame *frames; /* limits.depth of them */
    size_t depth;
    const struct yaml_node **pending;
    size_t pending_count, pending_room;
    size_t nodes, expanded;
    const struct yaml_node *root;
    bool done;
};

static struct place place_at(const struct reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (uint32_t)(mark.line + 1), (uint32_t)(mark.column + 1)};
}

static int too_large(struct reader *reader, struct place place, const char *what, size_t limit)
{
    (void)problems_add(reader->problems, place, "%s: the limit is %zu", what, limit);
    return ATAMO_TOO_LARGE;
}

/* Whether the next node is a key of the map that is open. */
static bool is_key(const struct reader *reader)
{
    const struct frame *top = reader->depth > 0 ? &reader->frames[reader->depth - 1] : NULL;

    return top != NULL && top->node->kind == YAML_MAP &&
           (reader->pending_count - top->first) % 2 == 0;
}

static int push_pending(struct reader *reader, const struct yaml_node *node)
{
    if (reader->pending_count == reader->pending_room) {
        const size_t room = reader->pending_room > 0 ? reader->pending_room * 2 : 64;
        void *grown = realloc(reader->pending, room * sizeof(void *));

        if (grown == NULL)
            return ATAMO_NO_MEMORY;
        reader->pending = grown;
        reader->pending_room = room;
    }
    reader->pending[reader->pending_count++] = node;
    return ATAMO_OK;
}

/* A finished node: the root, or one more child of what is open. */
static int add_node(struct reader *reader, const struct yaml_node *node)
{
    if (reader->depth > 0)
        return push_pending(reader, node);
    reader->root = node;
    return ATAMO_OK;
}

static int new_node(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark,
                    struct yaml_node **made)
{
    const struct place place = place_at(reader, mark);
    struct yaml_node *node;

    if (reader->nodes >= reader->limits.nodes)
        return too_large(reader, place, "too many values", reader->limits.nodes);
    node = arena_alloc(reader->arena, sizeof *node);
    if (node == NULL)
        return ATAMO_NO_MEMORY;
    reader->nodes++;
    node->kind = kind;
    node->file = place.file;
    node->line = place.line;
    node->column = place.column;
    node->text = atamo_text("");
    *made = node;
    return ATAMO_OK;
}

static void refuse_anchor(struct reader *reader, const struct yaml_node *node,
                          const yaml_char_t *anchor)
{
    if (anchor != NULL)
        (void)problems_add(reader->problems, yaml_place(node),
                           "the anchor &%s cannot be used here: write values out where they are "
                           "needed",
                           (const char *)anchor);
}

static void refuse_tag(struct reader *reader, const struct yaml_node *node, const yaml_char_t *tag)
{
    (void)problems_add(reader->problems, yaml_place(node),
                       "the tag %s does not fit %s here; known tags are !!str, !!int, !!float, "
                       "!!bool, !!null, !!seq and !!map",
                       (const char *)tag, yaml_kind_name(node->kind));
}

/* Whether a scalar's tag says what the scalar is anyway. */
static bool tag_fits(const struct yaml_node *node, const char *tag)
{
    switch (node->kind) {
    case YAML_NULL:
        return strcmp(tag, CORE_TAG "null") == 0;
    case YAML_BOOL:
        return strcmp(tag, CORE_TAG "bool") == 0;
    case YAML_NUMBER:
        return strcmp(tag, CORE_TAG "float") == 0 ||
               (node->integral && strcmp(tag, CORE_TAG "int") == 0);
    default:
        return strcmp(tag, CORE_TAG "str") == 0;
    }
}

static int expand_environment(struct reader *reader, struct yaml_node *node)
{
    int status;

    if (reader->options->environment == NULL || !yaml_env_used(node->text))
        return ATAMO_OK;
    status = yaml_env_expand(reader->arena, reader->options,
                             reader->limits.bytes - reader->expanded, reader->problems, node);
    if (status == ATAMO_OK)
        reader->expanded += node->text.size;
    return status == ATAMO_INVALID ? ATAMO_OK : status; /* noted: go on */
}

/* What the text of a value means. */
static int resolve(struct reader *reader, struct yaml_node *node, const yaml_event_t *event)
{
    const yaml_scalar_style_t style = event->data.scalar.style;
    const char *tag = (const char *)event->data.scalar.tag;
    const char *reason = NULL;
    int status = ATAMO_OK;

    if (style != YAML_LITERAL_SCALAR_STYLE && style != YAML_FOLDED_SCALAR_STYLE)
        status = expand_environment(reader, node);
    if (status != ATAMO_OK)
        return status;
    if (tag != NULL && (strcmp(tag, "!") == 0 || strcmp(tag, CORE_TAG "str") == 0))
        return ATAMO_OK;
    if (style == YAML_PLAIN_SCALAR_STYLE || tag != NULL)
        status = yaml_scalar_resolve(node, reader->c_locale, &reason);
    if (status != ATAMO_OK)
        (void)problems_add(reader->problems, yaml_place(node), "%s", reason);
    else if (tag != NULL && !tag_fits(node, tag))
        refuse_tag(reader, node, event->data.scalar.tag);
    return ATAMO_OK;
}

static void check_key(struct reader *reader, const struct yaml_node *key, const yaml_event_t *event)
{
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(key->text.data, "<<") == 0)
        (void)problems_add(reader->problems, yaml_place(key),
                           "merge keys (<<) cannot be used here: write the keys out");
    if (event->data.scalar.tag != NULL)
        (void)problems_add(reader->problems, yaml_place(key), "a key cannot have a tag");
    if (reader->options->environment != NULL && yaml_env_used(key->text))
        (void)problems_add(reader->problems, yaml_place(key),
                           "the environment is replaced in values, not in keys");
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
    const atamo_bytes text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    struct yaml_node *node = NULL;
    int status = new_node(reader, YAML_TEXT, event->start_mark, &node);

    if (status != ATAMO_OK)
        return status;
    node->text = arena_copy(reader->arena, text);
    if (node->text.data == NULL)
        return ATAMO_NO_MEMORY;
    refuse_anchor(reader, node, event->data.scalar.anchor);
    if (is_key(reader))
        check_key(reader, node, event);
    else
        status = resolve(reader, node, event);
    return status == ATAMO_OK ? add_node(reader, node) : status;
}

/* An alias is refused; a null stands in its place so that the rest can be checked. */
static int take_alias(struct reader *reader, const yaml_event_t *event)
{
    struct yaml_node *node = NULL;
    const int status = new_node(reader, YAML_NULL, event->start_mark, &node);

    if (status != ATAMO_OK)
        return status;
    (void)problems_add(reader->problems, yaml_place(node),
                       "the alias *%s cannot be used here: write the value out",
                       (const char *)event->data.alias.anchor);
    return add_node(reader, node);
}

static int take_start(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind)
{
    const bool list = kind == YAML_LIST;
    const yaml_char_t *tag = list ? event->data.sequence_start.tag : event->data.mapping_start.tag;
    const bool as_key = is_key(reader);
    struct yaml_node *node = NULL;
    int status;

    if (reader->depth == reader->limits.depth)
        return too_large(reader, place_at(reader, event->start_mark), "too deeply nested",
                         reader->limits.depth);
    status = new_node(reader, kind, event->start_mark, &node);
    if (status != ATAMO_OK)
        return status;
    refuse_anchor(reader, node,
                  list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor);
    if (tag != NULL && strcmp((const char *)tag, list ? CORE_TAG "seq" : CORE_TAG "map") != 0)
        refuse_tag(reader, node, tag);
    if (as_key)
        (void)problems_add(reader->problems, yaml_place(node), "a key is text, this is %s",
                           yaml_kind_name(kind));
    reader->frames[reader->depth++] = (struct frame){node, reader->pending_count};
    return ATAMO_OK;
}

static int fill_map(struct reader *reader, struct yaml_node *map,
                    const struct yaml_node *const *children, size_t count)
{
    assert(count % 2 == 0);
    map->count = count / 2;
    map->keys = arena_array(reader->arena, map->count, sizeof(void *));
    map->items = arena_array(reader->arena, map->count, sizeof(void *));
    if (map->keys == NULL || map->items == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < map->count; i++) {
        map->keys[i] = children[2 * i];
        map->items[i] = children[2 * i + 1];
    }
    return yaml_keys_check(map, reader->problems);
}

static int fill_list(struct reader *reader, struct yaml_node *list,
                     const struct yaml_node *const *children, size_t count)
{
    list->count = count;
    list->items = arena_array(reader->arena, count, sizeof(void *));
    if (list->items == NULL)
        return ATAMO_NO_MEMORY;
    if (count > 0)
        memcpy(list->items, children, count * sizeof(void *));
    return ATAMO_OK;
}

static int take_end(struct reader *reader)
{
    const struct frame frame = reader->frames[reader->depth - 1];
    const size_t count = reader->pending_count - frame.first;
    const struct yaml_node *const *children = count == 0 ? NULL : reader->pending + frame.first;
    int status;

    assert(reader->depth > 0);
    if (frame.node->kind == YAML_MAP)
        status = fill_map(reader, frame.node, children, count);
    else
        status = fill_list(reader, frame.node, children, count);
    if (status != ATAMO_OK)
        return status;
    reader->pending_count = frame.first;
    reader->depth--;
    return add_node(reader, frame.node);
}

static int take_document_end(struct reader *reader, const yaml_event_t *event)
{
    const struct yaml_node *root = reader->root;
    struct place place = place_at(reader, event->end_mark);
    const char *sentence = NULL;

    reader->done = true;
    if (root != NULL && root->kind == YAML_NULL && root->text.size == 0)
        reader->root = NULL;
    if (yaml_edges_after(reader->input, event->end_mark.index, &place, &sentence) != ATAMO_OK)
        (void)problems_add(reader->problems, place, "%s", sentence);
    return ATAMO_OK;
}

static int take_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return take_alias(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return take_start(reader, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return take_start(reader, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return take_end(reader);
    case YAML_DOCUMENT_END_EVENT:
        return take_document_end(reader, event);
    case YAML_STREAM_END_EVENT:
        reader->done = true;
        return ATAMO_OK;
    default:
        return ATAMO_OK;
    }
}

/* The line where a place is, without its end. */
static atamo_bytes line_at(atamo_bytes input, struct place place)
{
    const char *at = input.data;
    const char *end = at + input.size;
    const char *stop;

    for (uint32_t i = 1; i < place.line; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            return atamo_text("");
        at++;
    }
    stop = memchr(at, '\n', (size_t)(end - at));
    return (atamo_bytes){at, (size_t)((stop != NULL ? stop : end) - at)};
}

/* One more sentence for mistakes that people make and libyaml describes in its own words. */
static const char *hint_at(const struct reader *reader, struct place place)
{
    const atamo_bytes line = line_at(reader->input, place);

    if (memmem(line.data, line.size, "${", 2) != NULL)
        return "; text with ${...} inside [] or {} needs quotes";
    if (memchr(line.data, '\t', line.size) != NULL)
        return "; indent with spaces, not with tabs";
    return "";
}

static int syntax_problem(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct place place = place_at(reader, parser->problem_mark);

    if (parser->error == YAML_MEMORY_ERROR)
        return ATAMO_NO_MEMORY;
    if (parser->error == YAML_READER_ERROR) {
        yaml_edges_locate(reader->input, parser->problem_offset, &place);
        return problems_add(reader->problems, place, "%s", parser->problem);
    }
    if (parser->context == NULL)
        return problems_add(reader->problems, place, "%s%s", parser->problem,
                            hint_at(reader, place));
    return problems_add(reader->problems, place, "%s, %s that begins at line %zu, column %zu%s",
                        parser->problem, parser->context, parser->context_mark.line + 1,
                        parser->context_mark.column + 1, hint_at(reader, place));
}

static int read_document(struct reader *reader)
{
    struct place place = {.file = reader->file};
    const char *sentence = NULL;

    if (reader->input.size > reader->limits.bytes)
        return too_large(reader, place, "too many bytes", reader->limits.bytes);
    if (yaml_edges_before(reader->input, &place, &sentence) != ATAMO_OK)
        return problems_add(reader->problems, place, "%s", sentence);
    while (!reader->done) {
        yaml_event_t event;
        int status;

        if (!yaml_parser_parse(&reader->parser, &event))
            return syntax_problem(reader);
        status = take_event(reader, &event);
        yaml_event_delete(&event);
        if (status != ATAMO_OK)
            return status;
    }
    return ATAMO_OK;
}

static struct yaml_limits limits_of(const struct yaml_options *options)
{
    struct yaml_limits limits = options->limits;

    limits.bytes = limits.bytes > 0 ? limits.bytes : DEFAULT_BYTES;
    limits.depth = limits.depth > 0 ? limits.depth : DEFAULT_DEPTH;
    limits.nodes = limits.nodes > 0 ? limits.nodes : DEFAULT_NODES;
    return limits;
}

/* The byte order mark is not part of the text. */
static atamo_bytes without_mark(atamo_bytes input)
{
    if (input.size >= 3 && memcmp(input.data, "\xef\xbb\xbf", 3) == 0)
        return (atamo_bytes){input.data + 3, input.size - 3};
    return input.size > 0 ? input : atamo_text("");
}

static void reader_close(struct reader *reader)
{
    yaml_parser_delete(&reader->parser);
    free(reader->frames);
    free(reader->pending);
    if (reader->c_locale != (locale_t)0)
        freelocale(reader->c_locale);
}

/* Whatever the result, reader_close() undoes it. */
static int reader_open(struct reader *reader)
{
    const char *file = reader->options->file;

    if (!yaml_parser_initialize(&reader->parser))
        return ATAMO_NO_MEMORY;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->input.data,
                                 reader->input.size);
    reader->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    reader->frames = calloc(reader->limits.depth, sizeof *reader->frames);
    if (reader->c_locale == (locale_t)0 || reader->frames == NULL)
        return ATAMO_NO_MEMORY;
    if (file != NULL) {
        reader->file = arena_copy(reader->arena, atamo_text(file)).data;
        if (reader->file == NULL)
            return ATAMO_NO_MEMORY;
    }
    return ATAMO_OK;
}

int yaml_parse(struct arena *arena, atamo_bytes input, const struct yaml_options *options,
               struct problems *problems, const struct yaml_node **root)
{
    const size_t errors_before = problems->errors;
    struct reader reader = {.arena = arena,
                            .options = options,
                            .problems = problems,
                            .input = without_mark(input),
                            .limits = limits_of(options)};
    int status = reader_open(&reader);

    if (status == ATAMO_OK)
        status = read_document(&reader);
    if (status == ATAMO_OK && problems->errors > errors_before)
        status = ATAMO_INVALID;
    if (status == ATAMO_INVALID && problems->no_memory)
        status = ATAMO_NO_MEMORY; /* not every problem could be noted */
    if (status == ATAMO_OK)
        *root = reader.root;
    reader_close(&reader);
    return status;
}
