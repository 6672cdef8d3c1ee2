/* section - read one map of a configuration. Every getter either sets its output or adds a problem
 * or does nothing; only copies can fail for want of memory. */
#include "config/section.h"

#include "plugin/quantity.h"

#include <inttypes.h>
#include <string.h>

int section_unknown(struct problems *problems, const struct yaml_node *node, const char *kind,
                    const char *const *names, size_t count)
{
    const char *nearest = problems_nearest(node->text, names, count);

    return problems_add(problems, yaml_place(node), "unknown %s \"%s\"%s%s%s", kind,
                        node->text.data, nearest == NULL ? "" : ": did you mean \"",
                        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
}

static size_t count_names(const char *const *names)
{
    size_t count = 0;

    while (names[count] != NULL)
        count++;
    return count;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

struct section section_open(const struct yaml_node *node, const char *what, const char *const *keys,
                            struct problems *problems)
{
    struct section section = {.what = what, .problems = problems};

    if (node == NULL || node->kind == YAML_NULL)
        return section;
    if (node->kind != YAML_MAP) {
        (void)problems_add(problems, yaml_place(node), "%s is %s, expected a map", what,
                           yaml_kind_name(node->kind));
        return section;
    }
    section.map = node;
    for (size_t i = 0; keys != NULL && i < node->count; i++)
        if (!is_listed(keys, node->keys[i]->text.data))
            (void)section_unknown(problems, node->keys[i], "key", keys, count_names(keys));
    return section;
}

const struct yaml_node *section_get(const struct section *section, const char *key)
{
    const struct yaml_node *node = section->map == NULL ? NULL : yaml_get(section->map, key);

    return node == NULL || node->kind == YAML_NULL ? NULL : node;
}

static void expected(const struct section *section, const struct yaml_node *node, const char *key,
                     const char *what)
{
    (void)problems_add(section->problems, yaml_place(node), "\"%s\" of %s is %s, expected %s", key,
                       section->what, yaml_kind_name(node->kind), what);
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind == YAML_TEXT || node->kind == YAML_NUMBER || node->kind == YAML_BOOL;
}

void section_text(const struct section *section, const char *key, atamo_bytes *text)
{
    const struct yaml_node *node = section_get(section, key);

    if (node == NULL)
        return;
    if (!is_scalar(node))
        expected(section, node, key, "text");
    else
        *text = node->text;
}

void section_integer(const struct section *section, const char *key, int64_t min, int64_t max,
                     uint32_t *value)
{
    const struct yaml_node *node = section_get(section, key);

    if (node == NULL)
        return;
    if (node->kind != YAML_NUMBER || !node->integral)
        expected(section, node, key, "a whole number");
    else if (node->integer < min || node->integer > max)
        (void)problems_add(section->problems, yaml_place(node),
                           "\"%s\" of %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, key,
                           section->what, node->integer, min, max);
    else
        *value = (uint32_t)node->integer;
}

void section_boolean(const struct section *section, const char *key, bool *value)
{
    const struct yaml_node *node = section_get(section, key);

    if (node == NULL)
        return;
    if (node->kind != YAML_BOOL)
        expected(section, node, key, "true or false");
    else
        *value = node->truth;
}

void section_duration(const struct section *section, const char *key, uint64_t *ns)
{
    const struct yaml_node *node = section_get(section, key);
    int64_t value;

    if (node == NULL)
        return;
    if (!is_scalar(node) || quantity_duration(node->text, &value) != ATAMO_OK)
        expected(section, node, key, "a duration such as 250ms, 10s or 1h30m");
    else
        *ns = (uint64_t)value;
}

void section_size(const struct section *section, const char *key, uint64_t *bytes)
{
    const struct yaml_node *node = section_get(section, key);
    int64_t value;

    if (node == NULL)
        return;
    if (!is_scalar(node) || quantity_size(node->text, &value) != ATAMO_OK)
        expected(section, node, key, "a size such as 65536, 64KiB or 10MB");
    else
        *bytes = (uint64_t)value;
}

void section_choice(const struct section *section, const char *key, const char *const *choices,
                    uint32_t *index)
{
    const struct yaml_node *node = section_get(section, key);

    if (node == NULL)
        return;
    for (uint32_t i = 0; choices[i] != NULL; i++) {
        if (!is_scalar(node) || strcmp(node->text.data, choices[i]) != 0)
            continue;
        *index = i;
        return;
    }
    if (is_scalar(node))
        (void)section_unknown(section->problems, node, key, choices, count_names(choices));
    else
        expected(section, node, key, choices[0]);
}

int section_texts(const struct section *section, const char *key, struct arena *arena,
                  const atamo_bytes **list, size_t *count)
{
    const struct yaml_node *node = section_get(section, key);
    size_t items;
    atamo_bytes *texts;

    if (node == NULL)
        return ATAMO_OK;
    if (!is_scalar(node) && node->kind != YAML_LIST) {
        expected(section, node, key, "a text or a list of texts");
        return ATAMO_OK;
    }
    items = node->kind == YAML_LIST ? node->count : 1;
    texts = arena_array(arena, items, sizeof *texts);
    if (texts == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < items; i++) {
        const struct yaml_node *item = node->kind == YAML_LIST ? node->items[i] : node;

        if (!is_scalar(item)) {
            expected(section, item, key, "a list of texts");
            return ATAMO_OK;
        }
        texts[i] = arena_copy(arena, item->text);
        if (texts[i].data == NULL)
            return ATAMO_NO_MEMORY;
    }
    *list = texts;
    *count = items;
    return ATAMO_OK;
}
