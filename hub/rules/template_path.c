/* template_path - the path in `${path}`, taken apart.
 *
 * One pass: a word, then any number of `.word`, `[digits]` and `["quoted name"]`. It stops at the
 * first byte that goes on with none of these. It fails if a step is empty or not closed, if there
 * are too many, or if the first step cannot be part of an event.
 */
#include "rules/template_path.h"

#include <atamo/event.h>

#include <stdbool.h>
#include <string.h>

enum { EXTENSION_NAME_MAX = 20 };

struct scan {
    const char *at, *end;
    const char *reason;
};

static bool is_word(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || byte >= 0x80 || byte == '_' || byte == '-' ||
           byte == '@' || byte == '$' || byte == '/';
}

static int fail(struct scan *scan, const char *reason)
{
    scan->reason = reason;
    return ATAMO_INVALID;
}

static int take_word(struct scan *scan, atamo_bytes *step)
{
    const char *begin = scan->at;

    while (scan->at < scan->end && is_word((unsigned char)*scan->at))
        scan->at++;
    if (scan->at == begin)
        return fail(scan, "a name was expected; odd names are written as data[\"odd name\"]");
    *step = (atamo_bytes){begin, (size_t)(scan->at - begin)};
    return ATAMO_OK;
}

/* A name in quotes of either kind; a backslash makes the next byte literal. */
static int take_quoted(struct arena *arena, struct scan *scan, atamo_bytes *step)
{
    const char quote = *scan->at++;
    char *name = arena_alloc(arena, (size_t)(scan->end - scan->at) + 1);
    size_t size = 0;

    if (name == NULL)
        return ATAMO_NO_MEMORY;
    while (scan->at < scan->end && *scan->at != quote) {
        if (*scan->at == '\\' && scan->end - scan->at > 1)
            scan->at++;
        name[size++] = *scan->at++;
    }
    if (scan->at == scan->end)
        return fail(scan, "a quote is not closed");
    if (memchr(name, '\0', size) != NULL)
        return fail(scan, "a name cannot hold a NUL");
    scan->at++;
    *step = (atamo_bytes){name, size};
    return ATAMO_OK;
}

static int take_index(struct scan *scan, atamo_bytes *step)
{
    const char *begin = scan->at;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    if (scan->at == begin)
        return fail(scan, "inside [] a number or a quoted name was expected");
    *step = (atamo_bytes){begin, (size_t)(scan->at - begin)};
    return ATAMO_OK;
}

static int take_bracket(struct arena *arena, struct scan *scan, atamo_bytes *step)
{
    int status;

    scan->at++;
    if (scan->at < scan->end && (*scan->at == '"' || *scan->at == '\''))
        status = take_quoted(arena, scan, step);
    else
        status = take_index(scan, step);
    if (status != ATAMO_OK)
        return status;
    if (scan->at == scan->end || *scan->at != ']')
        return fail(scan, "a ] was expected");
    scan->at++;
    return ATAMO_OK;
}

static int take_steps(struct arena *arena, struct scan *scan, struct template_path *path)
{
    int status = take_word(scan, &path->steps[0]);

    path->depth = 1;
    while (status == ATAMO_OK && scan->at < scan->end && (*scan->at == '.' || *scan->at == '[')) {
        atamo_bytes *step = &path->steps[path->depth];

        if (path->depth == TEMPLATE_PATH_DEPTH)
            return fail(scan, "a path has at most 32 steps");
        if (*scan->at == '.') {
            scan->at++;
            status = take_word(scan, step);
        } else {
            status = take_bracket(arena, scan, step);
        }
        path->depth++;
    }
    return status;
}

/* Attributes of CloudEvents are lower-case letters and digits, and plain text inside. */
static int check_first(struct scan *scan, const struct template_path *path)
{
    const atamo_bytes first = path->steps[0];

    if (first.size == 4 && memcmp(first.data, "data", 4) == 0)
        return ATAMO_OK;
    if (path->depth > 1)
        return fail(scan, "only data has parts; a path begins with data or is an attribute's name");
    for (size_t i = 0; i < first.size; i++) {
        const char byte = first.data[i];

        if (first.size > EXTENSION_NAME_MAX ||
            !((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')))
            return fail(scan, "a path begins with data or is an attribute's name");
    }
    return ATAMO_OK;
}

int template_path_parse(struct arena *arena, atamo_bytes text, struct template_path *path,
                        size_t *used, const char **reason)
{
    struct scan scan = {.at = text.data, .end = text.data + text.size};
    struct template_path taken;
    int status = take_steps(arena, &scan, &taken);

    if (status == ATAMO_OK)
        status = check_first(&scan, &taken);
    if (status == ATAMO_OK) {
        *path = taken;
        *used = (size_t)(scan.at - text.data);
    } else {
        *reason = scan.reason;
    }
    return status;
}
