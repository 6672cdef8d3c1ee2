/* rule_suite_compare - is a JSON value what a test expects?
 *
 * Happy path: both trees are walked together, depth first, with a stack of what is open; scalars
 * are compared, maps by the expected keys, lists item by item. The first difference ends it, and
 * the stack is its path. It cannot go deeper than the expected tree, which YAML's limits bound.
 */
#include "config/rule_suite_compare.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64, SHOWN_MAX = 200, PATH_MAX_SIZE = 512 };

/* A map or list that is open: which child is compared just now. */
struct level {
    const struct yaml_node *expected;
    uint32_t actual;
    size_t child; /* counts from 1 while it is compared */
};

struct comparison {
    struct arena *arena;
    const char *name;
    struct json_document document;
    struct level levels[DEPTH_MAX];
    size_t depth;
    const char *difference;
};

/* "body.items[0].price" */
static void write_path(const struct comparison *comparison, char path[PATH_MAX_SIZE])
{
    size_t used = (size_t)snprintf(path, PATH_MAX_SIZE, "%s", comparison->name);

    for (size_t i = 0; i < comparison->depth && used < PATH_MAX_SIZE; i++) {
        const struct level *level = &comparison->levels[i];

        if (level->child == 0)
            continue;
        if (level->expected->kind == YAML_MAP)
            used += (size_t)snprintf(path + used, PATH_MAX_SIZE - used, ".%s",
                                     level->expected->keys[level->child - 1]->text.data);
        else
            used += (size_t)snprintf(path + used, PATH_MAX_SIZE - used, "[%zu]", level->child - 1);
    }
}

static int cut(size_t size)
{
    return (int)(size < SHOWN_MAX ? size : SHOWN_MAX);
}

static int differ(struct comparison *comparison, const struct yaml_node *expected, uint32_t actual,
                  const char *instead)
{
    const atamo_bytes wanted = yaml_to_json(comparison->arena, expected);
    atamo_bytes seen = atamo_text(instead);
    char path[PATH_MAX_SIZE];

    if (wanted.data == NULL)
        return ATAMO_NO_MEMORY;
    if (instead == NULL)
        seen = json_raw(&comparison->document, actual);
    write_path(comparison, path);
    comparison->difference = arena_printf(comparison->arena, "%s is %.*s, expected %.*s", path,
                                          cut(seen.size), seen.data, cut(wanted.size), wanted.data);
    return comparison->difference == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static bool is_same_number(const struct yaml_node *expected, atamo_bytes number)
{
    int64_t integer;
    double real;

    if (expected->integral && json_int64(number, &integer))
        return integer == expected->integer;
    return json_double(number, &real) && real == expected->number;
}

/* Scalars, and whether maps and lists meet their like. */
static bool is_same(const struct comparison *comparison, const struct yaml_node *expected,
                    uint32_t actual)
{
    const struct json_document *document = &comparison->document;
    const enum json_kind kind = json_kind_of(document, actual);
    atamo_bytes text;

    switch (expected->kind) {
    case YAML_NULL:
        return kind == JSON_NULL;
    case YAML_BOOL:
        return kind == (expected->truth ? JSON_TRUE : JSON_FALSE);
    case YAML_NUMBER:
        return kind == JSON_NUMBER && is_same_number(expected, json_raw(document, actual));
    case YAML_TEXT:
        if (kind != JSON_TEXT)
            return false;
        text = json_text(document, actual);
        return text.size == expected->text.size &&
               memcmp(text.data, expected->text.data, text.size) == 0;
    case YAML_LIST:
        return kind == JSON_ARRAY && json_count(document, actual) == expected->count;
    case YAML_MAP:
        break;
    }
    return kind == JSON_OBJECT;
}

/* The value that the level's child is compared with; 0: there is none. */
static uint32_t child_of(const struct comparison *comparison, const struct level *level)
{
    if (level->expected->kind == YAML_MAP)
        return json_member(&comparison->document, level->actual,
                           level->expected->keys[level->child - 1]->text);
    return json_element(&comparison->document, level->actual, level->child - 1);
}

/* Compare one value; a map or list is opened for its children to follow. */
static int step(struct comparison *comparison, const struct yaml_node *expected, uint32_t actual)
{
    if (!is_same(comparison, expected, actual))
        return differ(comparison, expected, actual, NULL);
    if (expected->kind == YAML_MAP || expected->kind == YAML_LIST) {
        assert(comparison->depth < DEPTH_MAX);
        comparison->levels[comparison->depth++] = (struct level){expected, actual, 0};
    }
    return ATAMO_OK;
}

static int walk(struct comparison *comparison, const struct yaml_node *expected)
{
    int status = step(comparison, expected, 0);

    while (status == ATAMO_OK && comparison->difference == NULL && comparison->depth > 0) {
        struct level *level = &comparison->levels[comparison->depth - 1];
        uint32_t actual;

        if (level->child == level->expected->count) {
            comparison->depth--;
            continue;
        }
        level->child++;
        actual = child_of(comparison, level);
        status = actual == 0
                     ? differ(comparison, level->expected->items[level->child - 1], 0, "missing")
                     : step(comparison, level->expected->items[level->child - 1], actual);
    }
    return status;
}

int rule_suite_compare(struct arena *arena, struct json_parser *parser, const char *name,
                       const struct yaml_node *expected, atamo_bytes json, const char **difference)
{
    struct comparison comparison = {.arena = arena, .name = name};
    struct json_problem problem;
    int status = json_parse(parser, json, json.size, &comparison.document, &problem);

    if (status == ATAMO_NO_MEMORY)
        return status;
    if (status != ATAMO_OK) {
        *difference = arena_printf(arena, "%s is not JSON", name);
        return *difference == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
    }
    status = walk(&comparison, expected);
    *difference = comparison.difference;
    return status;
}
