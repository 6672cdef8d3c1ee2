/* json - a JSON text, fully checked and taken apart into a flat list of nodes.
 *
 * Everything is refused that RFC 8259 does not allow, wherever it stands: invalid UTF-8, NUL, lone
 * surrogates, bad escapes, bad numbers, text after the value; also nesting deeper than
 * JSON_DEPTH_MAX. Numbers stay text until somebody asks, so none loses digits.
 *
 * Nodes lie in document order: the members of an object follow it as key, value, key, value; `next`
 * skips what is inside. Node 0 is the whole. A document borrows the text if it had room behind it,
 * otherwise the parser's copy; it lasts until the next parse with the same parser, or until the
 * text's memory goes.
 *
 * Thread: a parser belongs to one thread at a time.
 */
#ifndef HUB_JSON_JSON_H
#define HUB_JSON_JSON_H

#include <atamo/status.h>

#include <stdbool.h>
#include <stdint.h>

enum {
    JSON_DEPTH_MAX = 64,
    JSON_BYTES_MAX = 16 << 20,
    JSON_ROOM = 16, /* bytes behind a text that save copying it, if they may be read */
};

#define JSON_NO_OFFSET ((size_t)-1)

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_TEXT,
    JSON_OBJECT,
    JSON_ARRAY,
};

struct json_node {
    uint32_t at;   /* offset of the first byte, for text of the byte after the quote */
    uint32_t size; /* bytes as written, for text without the quotes */
    uint32_t next; /* number of the node after this one and all that is in it */
    uint32_t kind : 4;
    uint32_t escaped : 1; /* text with escapes: decoded is `shrink` bytes shorter than `size` */
    uint32_t shrink : 24;
};

struct json_document {
    const char *text;    /* as written */
    const char *decoded; /* texts with escapes, decoded, at the same offsets */
    const struct json_node *nodes;
    uint32_t count;
};

/* Why a text is not JSON. */
struct json_problem {
    const char *reason; /* static: "a comma or '}' was expected" */
    size_t at;          /* byte offset, or JSON_NO_OFFSET */
};

struct json_parser;

/* ATAMO_NO_MEMORY. */
int json_parser_open(struct json_parser **parser);
void json_parser_close(struct json_parser *parser); /* NULL is fine */

/* Parse `text`, of which `room` bytes (at least its size) may be read: with size + JSON_ROOM or
 * more it is not copied. ATAMO_INVALID with *problem set, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY.
 * `problem` may be NULL. */
int json_parse(struct json_parser *parser, atamo_bytes text, size_t room,
               struct json_document *document, struct json_problem *problem);

/* The text of a JSON_TEXT node (a key, too), escapes decoded. JSON_ROOM bytes from its start may be
 * read, so that short texts can be looked at in whole words. */
static inline atamo_bytes json_text(const struct json_document *document, uint32_t node)
{
    const struct json_node *n = &document->nodes[node];
    const char *base = n->escaped ? document->decoded : document->text;

    return (atamo_bytes){base + n->at, n->size - n->shrink};
}

/* Any value exactly as it was written, quotes included. */
static inline atamo_bytes json_raw(const struct json_document *document, uint32_t node)
{
    const struct json_node *n = &document->nodes[node];
    const uint32_t quote = n->kind == JSON_TEXT;

    return (atamo_bytes){document->text + n->at - quote, n->size + 2 * quote};
}

static inline enum json_kind json_kind_of(const struct json_document *document, uint32_t node)
{
    return (enum json_kind)document->nodes[node].kind;
}

/* Walking: the first key of an object or element of an array is node + 1, the value of a key is
 * key + 1, the following key or element is json_next() of the value; the end is json_next(node). */
static inline uint32_t json_next(const struct json_document *document, uint32_t node)
{
    return document->nodes[node].next;
}

/* The value of the last member with this name (the last wins, as in most readers), or 0 if there is
 * none or the node is no object. */
uint32_t json_member(const struct json_document *document, uint32_t object, atamo_bytes name);

/* Element `index` of an array, or 0 if there is none or the node is no array. */
uint32_t json_element(const struct json_document *document, uint32_t array, size_t index);

/* How many members or elements; 0 for other kinds. */
size_t json_count(const struct json_document *document, uint32_t node);

/* "an object", "text", ...: for messages. */
const char *json_kind_name(enum json_kind kind);

/* The size of the JSON number that `text` begins with, 0 if it does not begin with one. */
size_t json_number_size(const char *text, size_t size);

/* A JSON number as an integer; false if it has a fraction or exponent or does not fit. */
bool json_int64(atamo_bytes number, int64_t *value);
bool json_uint64(atamo_bytes number, uint64_t *value);

/* The nearest double; false if it is out of range. */
bool json_double(atamo_bytes number, double *value);

/* Decode the escapes of a JSON text (without quotes) into `out`, which has room for `size` bytes.
 * Returns the decoded size, or JSON_NO_OFFSET with *bad at the escape that is wrong. */
size_t json_unescape(const char *text, size_t size, char *out, size_t *bad);

#endif
