/* canonical - one text for JSON texts that mean the same.
 *
 * Happy path: the parser checks the text and lays it out as nodes; one loop writes them, with a
 * frame for each open container. The keys of an object are gathered when it is opened, on top of
 * those of the objects around it, and sorted unless they are in order: most comparisons are of the
 * first eight bytes as one number. Texts without escapes and most numbers are copied as they are.
 *
 * Half a kilobyte of twenty members takes some 0.4 us, a third of that for the parser; twice as
 * long if every text has escapes or every number is rewritten.
 *
 * Nothing that is written is longer than what was read, so the room needs no checks. Fails only
 * before the first byte is written: on what the parser refuses, and without memory for the keys.
 */
#include "json/canonical.h"

#include "json/decimal.h"
#include "json/json.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN = 12,                /* keys that are sorted by insertion */
    ABOVE_SURROGATES = 0xee, /* the first byte of U+E000 in UTF-8 */
    BEYOND_16_BITS = 0xf0,   /* the first byte of U+10000 */
};

struct key {
    uint64_t prefix; /* the first bytes of the name, in an order as that of the names */
    uint32_t node;
};

struct canonical {
    struct json_parser *parser;
    struct key *keys; /* for all names of a document, and behind them as many for sorting */
    size_t key_room;
};

/* An open container: the next of its keys or nodes, and where they end. */
struct frame {
    uint32_t at, end;
    uint32_t first_key; /* of an object */
    bool object;
    bool comma; /* the next one needs one before it */
};

struct pen {
    const struct json_document *document;
    struct key *keys;
    struct key *spare; /* for sorting */
    uint32_t used;     /* keys */
    uint32_t depth;
    char *out;
    struct frame frames[JSON_DEPTH_MAX];
};

int canonical_open(struct canonical **canonical)
{
    struct canonical *c = calloc(1, sizeof *c);

    if (c == NULL)
        return ATAMO_NO_MEMORY;
    if (json_parser_open(&c->parser) != ATAMO_OK) {
        free(c);
        return ATAMO_NO_MEMORY;
    }
    *canonical = c;
    return ATAMO_OK;
}

void canonical_close(struct canonical *canonical)
{
    if (canonical == NULL)
        return;
    json_parser_close(canonical->parser);
    free(canonical->keys);
    free(canonical);
}

/* The order of names. */

/* UTF-8 sorts like UTF-16 but for surrogates: what is beyond 16 bits comes before U+E000. */
static unsigned char order_of(unsigned char byte)
{
    return byte >= ABOVE_SURROGATES && byte < BEYOND_16_BITS ? (unsigned char)(byte + 0x10) : byte;
}

static uint64_t prefix_of(atamo_bytes name)
{
    uint64_t word;

    if (name.size == 0)
        return 0;
    memcpy(&word, name.data, sizeof word); /* JSON_ROOM bytes may be read */
    word = be64toh(word);
    if (name.size < sizeof word)
        word &= ~UINT64_C(0) << (8 * (sizeof word - name.size));
    if ((word & UINT64_C(0x8080808080808080)) == 0)
        return word;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const unsigned char byte = (unsigned char)(word >> shift);

        word += (uint64_t)(unsigned char)(order_of(byte) - byte) << shift;
    }
    return word;
}

static int compare_names(atamo_bytes a, atamo_bytes b)
{
    const size_t size = a.size < b.size ? a.size : b.size;

    for (size_t i = 0; i < size; i++) {
        if (a.data[i] != b.data[i])
            return order_of((unsigned char)a.data[i]) - order_of((unsigned char)b.data[i]);
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* Whether `a` must stand behind `b`; not if they are equal, so that their order is kept. */
static bool is_behind(const struct json_document *document, struct key a, struct key b)
{
    if (a.prefix != b.prefix)
        return a.prefix > b.prefix;
    return compare_names(json_text(document, a.node), json_text(document, b.node)) > 0;
}

static void sort_run(const struct json_document *document, struct key *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct key key = keys[i];
        size_t at = i;

        for (; at > 0 && is_behind(document, keys[at - 1], key); at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static void merge(const struct json_document *document, const struct key *keys, size_t middle,
                  size_t count, struct key *to)
{
    size_t left = 0;
    size_t right = middle;

    for (size_t i = 0; i < count; i++) {
        if (right == count || (left < middle && !is_behind(document, keys[left], keys[right])))
            to[i] = keys[left++];
        else
            to[i] = keys[right++];
    }
}

/* Merge sort from short runs, so that no object takes long. `spare` has room for all keys. */
static void sort_keys(const struct json_document *document, struct key *keys, size_t count,
                      struct key *spare)
{
    struct key *from = keys;
    struct key *to = spare;

    for (size_t at = 0; at < count; at += RUN)
        sort_run(document, keys + at, count - at < RUN ? count - at : RUN);
    for (size_t run = RUN; run < count; run *= 2) {
        struct key *swap = from;

        for (size_t at = 0; at < count; at += 2 * run) {
            const size_t left = count - at;

            merge(document, from + at, left < run ? left : run, left < 2 * run ? left : 2 * run,
                  to + at);
        }
        from = to;
        to = swap;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof *keys);
}

/* Gather an object's keys in their order. */
static void take_keys(struct pen *pen, uint32_t object, struct frame *frame)
{
    const struct json_document *document = pen->document;
    const uint32_t end = json_next(document, object);
    struct key *keys = pen->keys + pen->used;
    bool sorted = true;
    uint32_t count = 0;

    for (uint32_t node = object + 1; node < end; node = json_next(document, node + 1)) {
        keys[count] = (struct key){prefix_of(json_text(document, node)), node};
        if (count > 0 && sorted)
            sorted = !is_behind(document, keys[count - 1], keys[count]);
        count++;
    }
    if (!sorted)
        sort_keys(document, keys, count, pen->spare);
    frame->first_key = pen->used;
    frame->at = pen->used;
    pen->used += count;
    frame->end = pen->used;
}

/* Writing. */

static void put_byte(struct pen *pen, char byte)
{
    *pen->out++ = byte;
}

static void put_bytes(struct pen *pen, atamo_bytes bytes)
{
    memcpy(pen->out, bytes.data, bytes.size);
    pen->out += bytes.size;
}

/* A byte of a text, escaped if it must be. */
static void put_escaped(struct pen *pen, char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn?fr"; /* 0x08 to 0x0d; 0x0b has no letter */
    const unsigned char c = (unsigned char)byte;

    if (c >= 0x20) {
        if (c == '"' || c == '\\')
            put_byte(pen, '\\');
        put_byte(pen, byte);
    } else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        put_byte(pen, '\\');
        put_byte(pen, letters[c - 0x08]);
    } else {
        put_bytes(pen, (atamo_bytes){"\\u00", 4});
        put_byte(pen, hex[c >> 4]);
        put_byte(pen, hex[c & 15]);
    }
}

static void put_text(struct pen *pen, uint32_t node)
{
    atamo_bytes text;

    if (!pen->document->nodes[node].escaped) { /* then nothing in it needs one */
        put_bytes(pen, json_raw(pen->document, node));
        return;
    }
    text = json_text(pen->document, node);
    put_byte(pen, '"');
    for (size_t i = 0; i < text.size; i++)
        put_escaped(pen, text.data[i]);
    put_byte(pen, '"');
}

static void open_container(struct pen *pen, uint32_t node, bool object)
{
    struct frame *frame = &pen->frames[pen->depth++];

    assert(pen->depth <= JSON_DEPTH_MAX);
    *frame =
        (struct frame){.at = node + 1, .end = json_next(pen->document, node), .object = object};
    if (object)
        take_keys(pen, node, frame);
    put_byte(pen, object ? '{' : '[');
}

/* A value; of a container only the start. */
static void put_value(struct pen *pen, uint32_t node)
{
    switch (json_kind_of(pen->document, node)) {
    case JSON_OBJECT:
        open_container(pen, node, true);
        break;
    case JSON_ARRAY:
        open_container(pen, node, false);
        break;
    case JSON_TEXT:
        put_text(pen, node);
        break;
    case JSON_NUMBER:
        pen->out += decimal_shortest(json_raw(pen->document, node), pen->out);
        break;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        put_bytes(pen, json_raw(pen->document, node));
        break;
    }
}

/* The next member or element of the innermost container, or its end. */
static void go_on(struct pen *pen)
{
    struct frame *frame = &pen->frames[pen->depth - 1];
    uint32_t node = frame->at;

    if (frame->at == frame->end) {
        put_byte(pen, frame->object ? '}' : ']');
        if (frame->object)
            pen->used = frame->first_key;
        pen->depth--;
        return;
    }
    if (frame->comma)
        put_byte(pen, ',');
    frame->comma = true;
    if (frame->object) {
        node = pen->keys[frame->at++].node;
        put_text(pen, node);
        put_byte(pen, ':');
        put_value(pen, node + 1);
    } else {
        frame->at = json_next(pen->document, node);
        put_value(pen, node);
    }
}

/* Keys for all names, of which there are at most half as many as nodes, and as many to sort. */
static int make_room(struct canonical *canonical, uint32_t nodes)
{
    struct key *keys;

    if (nodes <= canonical->key_room)
        return ATAMO_OK;
    keys = malloc((nodes + nodes / 2) * sizeof *keys);
    if (keys == NULL)
        return ATAMO_NO_MEMORY;
    free(canonical->keys);
    canonical->keys = keys;
    canonical->key_room = nodes + nodes / 2;
    return ATAMO_OK;
}

int canonical_write(struct canonical *canonical, atamo_bytes text, size_t room, char *out,
                    size_t *size)
{
    struct json_document document;
    struct pen pen;
    int status;

    if (text.size > CANONICAL_BYTES_MAX)
        return ATAMO_TOO_LARGE;
    status = json_parse(canonical->parser, text, room, &document, NULL);
    if (status == ATAMO_OK)
        status = make_room(canonical, document.count);
    if (status != ATAMO_OK)
        return status;
    pen.document = &document;
    pen.keys = canonical->keys;
    pen.spare = canonical->keys + document.count / 2;
    pen.used = 0;
    pen.depth = 0;
    pen.out = out;
    put_value(&pen, 0);
    while (pen.depth > 0)
        go_on(&pen);
    *size = (size_t)(pen.out - out);
    assert(*size <= text.size);
    return ATAMO_OK;
}
