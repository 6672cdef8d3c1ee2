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

struct json_parser {
    struct scanner *scanner;
    struct json_node *nodes;
    size_t node_room;
    char *copy; /* of a text without room behind it */
    size_t copy_room;
    char *decoded;
    size_t decoded_room;
};

/* What the scanner has found. */
struct tokens {
    const char *text;
    size_t size;
    const uint32_t *starts; /* offsets, then the size of the text */
    size_t count;
};

/* Where the reading is. One local variable of one function, so that a compiler keeps it in
 * registers: every step below is inlined into read_tokens(), and what is rare gets copies. */
struct walk {
    const char *text;
    const uint32_t *token; /* the start of the token that is looked at */
    const uint32_t *last;  /* one behind the last token: the size of the text */
    struct json_node *nodes;
    char *decoded;
    uint32_t used; /* nodes */
    uint32_t size;
    uint32_t backslash; /* the first at or behind the last string start looked at */
    uint32_t depth;
    bool object;    /* the innermost open container is one */
    uint32_t *open; /* containers, outermost first */
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

#define STEP static inline __attribute__((always_inline))

STEP bool refuse(struct walk *w, const char *reason, size_t at)
{
    w->problem = (struct json_problem){reason, at};
    return false;
}

/* The first byte of the token; NUL, which no token has, behind the last one. */
STEP char token_byte(const struct walk *w)
{
    if (w->token == w->last)
        return '\0';
    return w->text[*w->token];
}

STEP struct json_node *add_node(struct walk *w, enum json_kind kind, uint32_t at, uint32_t size)
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
STEP bool token_ends(const struct walk *w, uint32_t at)
{
    return at == w->token[1] || is_space(w->text[at]);
}

/* Decode a text with escapes; false with *bad at the wrong one. */
static bool decode(const char *text, char *decoded, struct json_node *node, size_t *bad)
{
    const size_t size = json_unescape(text + node->at, node->size, decoded + node->at, bad);

    if (size == JSON_NO_OFFSET)
        return false;
    node->escaped = 1;
    node->shrink = (node->size - (uint32_t)size) & 0xffffffu;
    return true;
}

static uint32_t next_backslash(const char *text, uint32_t at, uint32_t size)
{
    const char *found = memchr(text + at, '\\', size - at);

    return found == NULL ? size : (uint32_t)(found - text);
}

STEP bool take_text(struct walk *w)
{
    const uint32_t at = w->token[0] + 1;
    uint32_t end = w->token[1] - 1;
    struct json_node *node;
    size_t bad = 0;

    while (w->text[end] != '"')
        end--;
    node = add_node(w, JSON_TEXT, at, end - at);
    w->token++;
    if (w->backslash < at)
        w->backslash = next_backslash(w->text, at, w->size);
    if (w->backslash >= end || decode(w->text, w->decoded, node, &bad))
        return true;
    return refuse(w, "an escape is wrong or a surrogate stands alone", at + bad);
}

STEP bool take_word(struct walk *w, enum json_kind kind, const char *word, uint32_t size)
{
    const uint32_t at = *w->token;

    if (w->size - at < size || memcmp(w->text + at, word, size) != 0 || !token_ends(w, at + size))
        return refuse(w, "a value was expected", at);
    (void)add_node(w, kind, at, size);
    w->token++;
    return true;
}

/* How many of eight bytes are digits before the first that is none; all are looked at together. */
STEP uint32_t digits_of_eight(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, text, sizeof word);
    word ^= ones * '0';
    word = (word | (word + ones * (0x80 - 10))) & ones * 0x80;
    return word == 0 ? 8 : (uint32_t)__builtin_ctzll(word) / 8;
}

/* json_number_size() for what most numbers are, up to seven digits and up to seven behind a point:
 * 0 if it is not one of those. It reads up to JSON_ROOM bytes past the text's end. */
STEP uint32_t short_number_size(const char *text)
{
    const uint32_t first = text[0] == '-';
    uint32_t digits = digits_of_eight(text + first);
    uint32_t end = first + digits;

    if (digits == 0 || digits == 8 || (text[first] == '0' && digits > 1))
        return 0;
    if (text[end] == '.') {
        digits = digits_of_eight(text + end + 1);
        if (digits == 0 || digits == 8)
            return 0;
        end += 1 + digits;
    }
    return text[end] == 'e' || text[end] == 'E' ? 0 : end;
}

STEP bool take_number(struct walk *w)
{
    const uint32_t at = *w->token;
    uint32_t size = short_number_size(w->text + at);

    if (size == 0 || size > w->size - at)
        size = (uint32_t)json_number_size(w->text + at, w->size - at);

    if (size == 0 || !token_ends(w, at + size))
        return refuse(w, "a number is malformed", at);
    (void)add_node(w, JSON_NUMBER, at, size);
    w->token++;
    return true;
}

/* A name and the colon behind it. */
STEP bool take_key(struct walk *w)
{
    if (token_byte(w) != '"')
        return refuse(w, "a name in quotes was expected", *w->token);
    if (!take_text(w))
        return false;
    if (token_byte(w) != ':')
        return refuse(w, "':' was expected after the name", *w->token);
    w->token++;
    return true;
}

/* Go into a container. If it is empty, the token that closes it is next. */
STEP bool enter(struct walk *w, enum json_kind kind)
{
    const uint32_t at = *w->token;

    if (w->depth == JSON_DEPTH_MAX)
        return refuse(w, "nested deeper than 64 levels", at);
    w->open[w->depth++] = w->used;
    w->object = kind == JSON_OBJECT;
    (void)add_node(w, kind, at, 0);
    w->token++;
    return true;
}

static bool is_object(const struct json_node *nodes, const uint32_t *open, uint32_t depth)
{
    return depth > 0 && nodes[open[depth - 1]].kind == JSON_OBJECT;
}

STEP bool leave(struct walk *w)
{
    struct json_node *node = &w->nodes[w->open[w->depth - 1]];

    if (token_byte(w) != (w->object ? '}' : ']'))
        return refuse(w, w->object ? "',' or '}' was expected" : "',' or ']' was expected",
                      *w->token);
    node->size = *w->token + 1 - node->at;
    node->next = w->used;
    w->depth--;
    w->object = is_object(w->nodes, w->open, w->depth);
    w->token++;
    return true;
}

/* One value; of a container only the byte that opens it: then *inside is set. */
STEP bool take_value(struct walk *w, bool *inside)
{
    *inside = false;
    switch (token_byte(w)) {
    case '"':
        return take_text(w);
    case '{':
        *inside = true;
        return enter(w, JSON_OBJECT);
    case '[':
        *inside = true;
        return enter(w, JSON_ARRAY);
    case 't':
        return take_word(w, JSON_TRUE, "true", 4);
    case 'f':
        return take_word(w, JSON_FALSE, "false", 5);
    case 'n':
        return take_word(w, JSON_NULL, "null", 4);
    case '\0':
        return refuse(w, "a value was expected", *w->token);
    default:
        return take_number(w);
    }
}

/* Behind a value: leave what ends here, up to the comma before the next value or the end of all. */
STEP bool go_on(struct walk *w)
{
    while (w->depth > 0) {
        if (token_byte(w) == ',') {
            w->token++;
            return true;
        }
        if (!leave(w))
            return false;
    }
    return true;
}

STEP bool read_tokens(struct walk *w)
{
    bool inside;

    do {
        if (w->object && !take_key(w))
            return false;
        if (!take_value(w, &inside))
            return false;
        if (inside && token_byte(w) == (w->object ? '}' : ']'))
            inside = false;
        if (!inside && !go_on(w))
            return false;
    } while (w->depth > 0);
    return w->token == w->last || refuse(w, "something follows the end of the value", *w->token);
}

/* Check all tokens and write their nodes: the parser has room for one each. */
static bool read_document(const struct json_parser *parser, const struct tokens *tokens,
                          struct json_document *document, struct json_problem *problem)
{
    uint32_t open[JSON_DEPTH_MAX];
    struct walk w = {
        .text = tokens->text,
        .token = tokens->starts,
        .last = tokens->starts + tokens->count,
        .nodes = parser->nodes,
        .decoded = parser->decoded,
        .size = (uint32_t)tokens->size,
        .open = open,
    };

    if (!read_tokens(&w)) {
        *problem = w.problem;
        return false;
    }
    *document = (struct json_document){w.text, w.decoded, w.nodes, w.used};
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

/* Room for a node a token, and for every text decoded. */
static int make_rooms(struct json_parser *parser, const struct tokens *tokens)
{
    char *nodes = (char *)parser->nodes;
    size_t node_bytes = parser->node_room * sizeof *parser->nodes;

    if (tokens->count > parser->node_room) {
        if (make_room(&nodes, &node_bytes, tokens->count * sizeof *parser->nodes) != ATAMO_OK)
            return ATAMO_NO_MEMORY;
        parser->nodes = (struct json_node *)(void *)nodes;
        parser->node_room = node_bytes / sizeof *parser->nodes;
    }
    return make_room(&parser->decoded, &parser->decoded_room, tokens->size + JSON_ROOM);
}

int json_parse(struct json_parser *parser, atamo_bytes text, size_t room,
               struct json_document *document, struct json_problem *problem)
{
    struct json_problem unused;
    struct tokens tokens = {.size = text.size};
    int status;

    if (problem == NULL)
        problem = &unused;
    *problem = (struct json_problem){"no memory", JSON_NO_OFFSET};
    if (text.size > JSON_BYTES_MAX)
        return scan_status(SCAN_TOO_LARGE, problem);
    status = with_room(parser, text, room, &tokens.text);
    if (status != ATAMO_OK)
        return status;
    status = scan_status(
        scanner_run(parser->scanner, tokens.text, tokens.size, &tokens.starts, &tokens.count),
        problem);
    if (status != ATAMO_OK)
        return status;
    status = make_rooms(parser, &tokens);
    if (status != ATAMO_OK)
        return status;
    return read_document(parser, &tokens, document, problem) ? ATAMO_OK : ATAMO_INVALID;
}
