/* yaml_edges - what stands before and after the one document of an input.
 *
 * A cursor walks over lines that are blank, comments, directives or "...", and stops at the first
 * that is something else. Line breaks are those of libyaml: CR, LF, CR LF, NEL, LS and PS. The only
 * failure is finding what is refused.
 */
#include "yaml/yaml_edges.h"

#include <string.h>

struct cursor {
    const char *at, *end;
    uint32_t line, column; /* of `at`, from 1 */
};

static bool starts_with(const struct cursor *cursor, const char *word)
{
    const size_t size = strlen(word);

    return (size_t)(cursor->end - cursor->at) >= size && memcmp(cursor->at, word, size) == 0;
}

/* How many bytes the line break here has; 0: there is none. */
static size_t break_size(const struct cursor *cursor)
{
    if (starts_with(cursor, "\r\n") || starts_with(cursor, "\xc2\x85"))
        return 2;
    if (starts_with(cursor, "\xe2\x80\xa8") || starts_with(cursor, "\xe2\x80\xa9"))
        return 3;
    return starts_with(cursor, "\n") || starts_with(cursor, "\r");
}

/* One character on; a line break counts as one. */
static void step(struct cursor *cursor)
{
    const size_t size = break_size(cursor);

    if (size > 0) {
        cursor->at += size;
        cursor->line++;
        cursor->column = 1;
        return;
    }
    cursor->at++;
    while (cursor->at < cursor->end && ((unsigned char)*cursor->at & 0xc0) == 0x80)
        cursor->at++;
    cursor->column++;
}

static void skip_to_break(struct cursor *cursor)
{
    while (cursor->at < cursor->end && break_size(cursor) == 0)
        step(cursor);
}

/* Over spaces, line breaks and comments. */
static void skip_blank(struct cursor *cursor)
{
    while (cursor->at < cursor->end) {
        if (*cursor->at == '#')
            skip_to_break(cursor);
        else if (*cursor->at == ' ' || *cursor->at == '\t' || break_size(cursor) > 0)
            step(cursor);
        else
            return;
    }
}

static struct cursor cursor_at_start(atamo_bytes input)
{
    return (struct cursor){input.data, input.data + input.size, 1, 1};
}

static int refuse(const struct cursor *cursor, struct place *place, const char **sentence,
                  const char *text)
{
    place->line = cursor->line;
    place->column = cursor->column;
    *sentence = text;
    return ATAMO_INVALID;
}

int yaml_edges_before(atamo_bytes input, struct place *place, const char **sentence)
{
    struct cursor cursor = cursor_at_start(input);

    for (;;) {
        skip_blank(&cursor);
        if (starts_with(&cursor, "%TAG"))
            return refuse(&cursor, place, sentence, "%TAG directives are not used here");
        if (!starts_with(&cursor, "%"))
            return ATAMO_OK;
        skip_to_break(&cursor);
    }
}

int yaml_edges_after(atamo_bytes input, size_t characters, struct place *place,
                     const char **sentence)
{
    struct cursor cursor = cursor_at_start(input);

    /* libyaml counts CR LF as two characters */
    while (characters-- > 0 && cursor.at < cursor.end) {
        if (starts_with(&cursor, "\r\n"))
            cursor.at++;
        else
            step(&cursor);
    }
    cursor.line = place->line;
    cursor.column = place->column;
    for (;;) {
        skip_blank(&cursor);
        if (cursor.at == cursor.end)
            return ATAMO_OK;
        if (starts_with(&cursor, "---"))
            return refuse(&cursor, place, sentence,
                          "a second document starts here; only one is read from an input");
        if (!starts_with(&cursor, "...") || cursor.column != 1)
            return refuse(&cursor, place, sentence, "the document has ended, but text follows");
        for (int i = 0; i < 3; i++)
            step(&cursor);
    }
}

void yaml_edges_locate(atamo_bytes input, size_t offset, struct place *place)
{
    struct cursor cursor = cursor_at_start(input);
    const char *target = input.data + (offset < input.size ? offset : input.size);

    while (cursor.at < target)
        step(&cursor);
    place->line = cursor.line;
    place->column = cursor.column;
}
