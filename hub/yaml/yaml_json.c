/* yaml_json - a tree as compact JSON text.
 *
 * The tree is walked twice by the same writer: once to count the bytes, once to write them. Numbers
 * keep the digits they were written with, brought into the shape that JSON allows, so that nothing
 * is lost in a double. It fails only without memory.
 */
#include "yaml/yaml.h"

#include "yaml/yaml_walk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How a byte is written after a backslash; 0: not so. */
static char short_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static size_t escape_byte(char escaped[6], unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char letter = short_escape(byte);

    escaped[0] = '\\';
    escaped[1] = letter;
    if (letter != 0)
        return 2;
    escaped[0] = (char)byte;
    if (byte >= 0x20)
        return 1;
    escaped[0] = '\\';
    escaped[1] = 'u';
    escaped[2] = '0';
    escaped[3] = '0';
    escaped[4] = digits[byte >> 4];
    escaped[5] = digits[byte & 15];
    return 6;
}

struct writer {
    char *out; /* NULL: only count */
    size_t size;
};

static void put(struct writer *writer, const char *data, size_t size)
{
    if (writer->out != NULL)
        memcpy(writer->out + writer->size, data, size);
    writer->size += size;
}

/* Characters that YAML takes for line breaks inside quotes, and JSON does not: U+0085, U+2028,
 * U+2029. Escaped, the text means the same to both. Returns the bytes that were taken, 0: it is
 * none of them. */
static size_t put_break(struct writer *writer, const char *at, size_t left)
{
    if (left >= 2 && memcmp(at, "\xc2\x85", 2) == 0) {
        put(writer, "\\u0085", 6);
        return 2;
    }
    if (left >= 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0)) {
        put(writer, at[2] == (char)0xa8 ? "\\u2028" : "\\u2029", 6);
        return 3;
    }
    return 0;
}

static void put_quoted(struct writer *writer, atamo_bytes text)
{
    put(writer, "\"", 1);
    for (size_t i = 0; i < text.size;) {
        char escaped[6];
        const size_t taken = put_break(writer, text.data + i, text.size - i);

        if (taken == 0)
            put(writer, escaped, escape_byte(escaped, (unsigned char)text.data[i]));
        i += taken == 0 ? 1 : taken;
    }
    put(writer, "\"", 1);
}

/* YAML allows +1, 007, .5 and 5. where JSON does not. */
static void put_decimal(struct writer *writer, const char *text)
{
    size_t whole;

    if (*text == '-')
        put(writer, "-", 1);
    text += *text == '-' || *text == '+';
    while (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
        text++;
    whole = strspn(text, "0123456789");
    put(writer, whole > 0 ? text : "0", whole > 0 ? whole : 1);
    text += whole;
    if (*text == '.') {
        const size_t fraction = strspn(text + 1, "0123456789");

        if (fraction > 0)
            put(writer, text, fraction + 1);
        text += fraction + 1;
    }
    put(writer, text, strlen(text));
}

static void put_number(struct writer *writer, const struct yaml_node *node)
{
    char digits[32];
    int size;

    if (node->text.size < 2 || (node->text.data[1] != 'x' && node->text.data[1] != 'o')) {
        put_decimal(writer, node->text.data);
        return;
    }
    size = snprintf(digits, sizeof digits, "%" PRId64, node->integer);
    assert(size > 0);
    put(writer, digits, (size_t)size);
}

static void put_scalar(struct writer *writer, const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_NULL:
        put(writer, "null", 4);
        break;
    case YAML_BOOL:
        put(writer, node->truth ? "true" : "false", node->truth ? 4 : 5);
        break;
    case YAML_NUMBER:
        put_number(writer, node);
        break;
    default:
        put_quoted(writer, node->text);
        break;
    }
}

static void put_step(struct writer *writer, const struct yaml_step *step)
{
    const bool map = step->node->kind == YAML_MAP;

    if (step->kind == YAML_STEP_LEAVE) {
        put(writer, map ? "}" : "]", 1);
        return;
    }
    if (step->index > 0)
        put(writer, ",", 1);
    if (step->key != NULL) {
        put_quoted(writer, step->key->text);
        put(writer, ":", 1);
    }
    if (step->kind == YAML_STEP_ENTER)
        put(writer, map ? "{" : "[", 1);
    else
        put_scalar(writer, step->node);
}

static int put_tree(struct writer *writer, const struct yaml_node *node)
{
    struct yaml_walk walk;
    struct yaml_step step;
    int status;

    yaml_walk_open(&walk, node);
    while ((status = yaml_walk_next(&walk, &step)) > 0)
        put_step(writer, &step);
    yaml_walk_close(&walk);
    return status;
}

atamo_bytes yaml_to_json(struct arena *arena, const struct yaml_node *node)
{
    const atamo_bytes none = {NULL, 0};
    struct writer writer = {0};
    char *out;

    if (put_tree(&writer, node) != ATAMO_OK)
        return none;
    out = arena_alloc(arena, writer.size + 1);
    if (out == NULL)
        return none;
    writer = (struct writer){out, 0};
    if (put_tree(&writer, node) != ATAMO_OK)
        return none;
    return (atamo_bytes){out, writer.size};
}
