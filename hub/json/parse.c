/* parse - from token starts to checked nodes.
 *
 * Happy path: scan.cc finds where tokens start; one loop over them checks the grammar with a small
 * stack of open containers and writes a node per key and value. A string's end is the last quote
 * before the next token, so no string is searched; whether it holds a backslash is known from one
 * memchr that runs ahead through the whole text.
 *
 * Measured figures, parse and extraction together, stand in rules/fields_extract.c.
 *
 * Fails on the first byte that is not JSON, with a reason and where known its offset; on nesting or
 * size over the limits; without memory. The parser keeps its buffers, so a warm one does not
 * malloc.
 */
#include "json/json.h"
#include "json/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)JSON_ROOM == (int)SCAN_PADDING, "room behind a text");

struct json_parser {
    struct scanner *scanner;
    struct json_node *nodes;
    size_t node_room;
    char *copy; /* of a text without room behind it */
    size_t copy_room;
    char *decoded;
    size_t decoded_room;
};

/* What the next token may be. */
enum expect {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* after [ */
    WANT_KEY,
    WANT_KEY_OR_END, /* after { */
    WANT_END,
    WANT_NOTHING,
};

struct walk {
    const char *text;
    size_t size;
    const uint32_t *starts;
    size_t count; /* of tokens */
    size_t token;
    struct json_node *nodes;
    uint32_t used;
    uint32_t open[JSON_DEPTH_MAX]; /* containers, outermost first */
    uint32_t depth;
    bool object;      /* the innermost open container is one */
    size_t backslash; /* the first at or behind the last string start looked at */
    char *decoded;
    enum expect expect;
    struct json_problem problem;
};

int json_parser_open(struct json_parser **parser)
{
    struct json_parser *p = calloc(1, sizeof *p);

    if (p == NULL)
        return ATAMO_NO_MEMORY;
    p->scanner = scanner_open();
    if (p->scanner == NULL) {
        free(p);
        return ATAMO_NO_MEMORY;
    }
    *parser = p;
    return ATAMO_OK;
}

void json_parser_close(struct json_parser *parser)
{
    if (parser == NULL)
        return;
    scanner_close(parser->scanner);
    free(parser->nodes);
    free(parser->copy);
    free(parser->decoded);
    free(parser);
}

/* A buffer of at least `need` bytes whose old contents are not kept. */
static int make_room(char **buffer, size_t *room, size_t need)
{
    char *grown;

    if (need <= *room)
        return ATAMO_OK;
    need += need / 2;
    grown = malloc(need);
    if (grown == NULL)
        return ATAMO_NO_MEMORY;
    free(*buffer);
    *buffer = grown;
    *room = need;
    return ATAMO_OK;
}

static bool refuse(struct walk *w, const char *reason, size_t at)
{
    w->problem = (struct json_problem){reason, at};
    return false;
}

static inline struct json_node *add_node(struct walk *w, enum json_kind kind, uint32_t at,
                                         uint32_t size)
{
    struct json_node *node = &w->nodes[w->used++];

    *node = (struct json_node){.at = at, .size = size, .next = w->used, .kind = kind & 15u};
    return node;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The end of a number or word must be the end of its token. */
static inline bool token_ends(const struct walk *w, size_t at)
{
    return at == w->size || is_space(w->text[at]) || at == w->starts[w->token + 1];
}

static bool add_escaped(struct walk *w, struct json_node *node)
{
    size_t bad = 0;
    const size_t size = json_unescape(w->text + node->at, node->size, w->decoded + node->at, &bad);

    if (size == JSON_NO_OFFSET)
        return refuse(w, "an escape is wrong or a surrogate stands alone", node->at + bad);
    node->escaped = 1;
    node->shrink = (node->size - (uint32_t)size) & 0xffffffu;
    return true;
}

static inline bool add_text(struct walk *w)
{
    const uint32_t at = w->starts[w->token] + 1;
    uint32_t end = w->starts[w->token + 1] - 1;
    struct json_node *node;

    while (w->text[end] != '"')
        end--;
    assert(end >= at);
    node = add_node(w, JSON_TEXT, at, end - at);
    if (w->backslash < at) {
        const char *found = memchr(w->text + at, '\\', w->size - at);

        w->backslash = found == NULL ? w->size : (size_t)(found - w->text);
    }
    return w->backslash >= end || add_escaped(w, node);
}

static bool add_word(struct walk *w, enum json_kind kind, const char *word, uint32_t size)
{
    const uint32_t at = w->starts[w->token];

    if (w->size - at < size || memcmp(w->text + at, word, size) != 0 || !token_ends(w, at + size))
        return refuse(w, "a value was expected", at);
    (void)add_node(w, kind, at, size);
    return true;
}

static bool add_number(struct walk *w)
{
    const uint32_t at = w->starts[w->token];
    const size_t size = json_number_size(w->text + at, w->size - at);

    if (size == 0 || !token_ends(w, at + size))
        return refuse(w, "a number is malformed", at);
    (void)add_node(w, JSON_NUMBER, at, (uint32_t)size);
    return true;
}

static bool open_container(struct walk *w, enum json_kind kind, enum expect expect)
{
    const uint32_t at = w->starts[w->token];

    if (w->depth == JSON_DEPTH_MAX)
        return refuse(w, "nested deeper than 64 levels", at);
    w->open[w->depth++] = w->used;
    w->object = kind == JSON_OBJECT;
    (void)add_node(w, kind, at, 0);
    w->expect = expect;
    return true;
}

/* Behind a value; a comma is taken with it, which saves a turn for most. */
static inline void after_value(struct walk *w)
{
    if (w->depth == 0) {
        w->expect = WANT_NOTHING;
    } else if (w->token + 1 < w->count && w->text[w->starts[w->token + 1]] == ',') {
        w->token++;
        w->expect = w->object ? WANT_KEY : WANT_VALUE;
    } else {
        w->expect = WANT_END;
    }
}

static bool close_container(struct walk *w)
{
    const uint32_t at = w->starts[w->token];
    struct json_node *node = &w->nodes[w->open[w->depth - 1]];

    if (w->text[at] != (w->object ? '}' : ']'))
        return refuse(w, w->object ? "',' or '}' was expected" : "',' or ']' was expected", at);
    node->size = at + 1 - node->at;
    node->next = w->used;
    w->depth--;
    w->object = w->depth > 0 && w->nodes[w->open[w->depth - 1]].kind == JSON_OBJECT;
    after_value(w);
    return true;
}

static inline bool take_value(struct walk *w)
{
    bool good;

    switch (w->text[w->starts[w->token]]) {
    case '"':
        good = add_text(w);
        break;
    case '{':
        return open_container(w, JSON_OBJECT, WANT_KEY_OR_END);
    case '[':
        return open_container(w, JSON_ARRAY, WANT_VALUE_OR_END);
    case 't':
        good = add_word(w, JSON_TRUE, "true", 4);
        break;
    case 'f':
        good = add_word(w, JSON_FALSE, "false", 5);
        break;
    case 'n':
        good = add_word(w, JSON_NULL, "null", 4);
        break;
    default:
        good = add_number(w);
        break;
    }
    after_value(w);
    return good;
}

static inline bool take_key(struct walk *w)
{
    const uint32_t at = w->starts[w->token];

    if (w->text[at] != '"')
        return refuse(w, "a name in quotes was expected", at);
    if (!add_text(w))
        return false;
    if (++w->token == w->count || w->text[w->starts[w->token]] != ':')
        return refuse(w, "':' was expected after the name", at);
    if (++w->token == w->count)
        return refuse(w, "a value was expected", w->size);
    return take_value(w);
}

static bool take_token(struct walk *w)
{
    const char c = w->text[w->starts[w->token]];

    switch (w->expect) {
    case WANT_VALUE:
        return take_value(w);
    case WANT_VALUE_OR_END:
        return c == ']' ? close_container(w) : take_value(w);
    case WANT_KEY:
        return take_key(w);
    case WANT_KEY_OR_END:
        return c == '}' ? close_container(w) : take_key(w);
    case WANT_END:
        return close_container(w);
    case WANT_NOTHING:
        break;
    }
    return refuse(w, "something follows the end of the value", w->starts[w->token]);
}

static bool walk_tokens(struct walk *w)
{
    for (w->token = 0; w->token < w->count; w->token++) {
        if (!take_token(w))
            return false;
    }
    if (w->expect != WANT_NOTHING)
        return refuse(w, "the text ends before the value does", w->size);
    return true;
}

static int scan_status(enum scan_result result, struct json_problem *problem)
{
    static const char *const reasons[] = {
        [SCAN_EMPTY] = "there is no value",
        [SCAN_NOT_UTF8] = "the text is not UTF-8",
        [SCAN_OPEN_STRING] = "a text in quotes does not end",
        [SCAN_CONTROL_BYTE] = "a control character stands in a text without an escape",
        [SCAN_TOO_LARGE] = "the text is too large",
        [SCAN_NO_MEMORY] = "no memory",
    };

    if (result == SCAN_OK)
        return ATAMO_OK;
    *problem = (struct json_problem){reasons[result], JSON_NO_OFFSET};
    if (result == SCAN_NO_MEMORY)
        return ATAMO_NO_MEMORY;
    return result == SCAN_TOO_LARGE ? ATAMO_TOO_LARGE : ATAMO_INVALID;
}

/* Text with room behind it: its own or a copy. */
static int with_room(struct json_parser *parser, atamo_bytes text, size_t room, const char **data)
{
    *data = text.data;
    if (room >= text.size + JSON_ROOM)
        return ATAMO_OK;
    if (make_room(&parser->copy, &parser->copy_room, text.size + JSON_ROOM) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    if (text.size > 0)
        memcpy(parser->copy, text.data, text.size);
    memset(parser->copy + text.size, 0, JSON_ROOM);
    *data = parser->copy;
    return ATAMO_OK;
}

static int prepare(struct json_parser *parser, struct walk *w)
{
    char *nodes = (char *)parser->nodes;
    size_t node_bytes = parser->node_room * sizeof *parser->nodes;

    if (w->count > parser->node_room) {
        if (make_room(&nodes, &node_bytes, w->count * sizeof *parser->nodes) != ATAMO_OK)
            return ATAMO_NO_MEMORY;
        parser->nodes = (struct json_node *)(void *)nodes;
        parser->node_room = node_bytes / sizeof *parser->nodes;
    }
    w->nodes = parser->nodes;
    if (make_room(&parser->decoded, &parser->decoded_room, w->size + JSON_ROOM) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    w->decoded = parser->decoded;
    return ATAMO_OK;
}

int json_parse(struct json_parser *parser, atamo_bytes text, size_t room,
               struct json_document *document, struct json_problem *problem)
{
    struct json_problem unused;
    struct walk w;
    int status;

    if (problem == NULL)
        problem = &unused;
    *problem = (struct json_problem){"no memory", JSON_NO_OFFSET};
    if (text.size > JSON_BYTES_MAX)
        return scan_status(SCAN_TOO_LARGE, problem);
    w.size = text.size;
    w.used = 0;
    w.depth = 0;
    w.object = false;
    w.backslash = 0;
    w.expect = WANT_VALUE;
    status = with_room(parser, text, room, &w.text);
    if (status != ATAMO_OK)
        return status;
    status =
        scan_status(scanner_run(parser->scanner, w.text, w.size, &w.starts, &w.count), problem);
    if (status != ATAMO_OK)
        return status;
    status = prepare(parser, &w);
    if (status != ATAMO_OK)
        return status;
    if (!walk_tokens(&w)) {
        *problem = w.problem;
        return ATAMO_INVALID;
    }
    *document = (struct json_document){w.text, w.decoded, w.nodes, w.used};
    return ATAMO_OK;
}
