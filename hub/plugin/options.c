/* options - a plugin's configuration, checked against its table.
 *
 * Happy path: for each row of the table the value is looked up in the map and read by its type;
 * rows that are absent read their fallback as if it had been written. Then each key of the map must
 * be a row. Everything lives in one arena.
 */
#include "plugin/options.h"

#include "base/hash.h"
#include "plugin/quantity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct option_value {
    const char *name;
    atamo_bytes text;
    int64_t integer;
    double number;
    size_t count;
    const atamo_bytes *keys;
    const atamo_bytes *texts;
};

struct options {
    struct arena arena;
    size_t count;
    struct option_value *values;
    uint64_t fingerprint;
};

/* What a reader of one value works with. */
struct reading {
    struct arena *arena;
    const atamo_option *option;
    struct place place;
    struct problems *problems;
};

const atamo_option *options_row(const atamo_plugin *plugin, size_t index)
{
    return (const atamo_option *)(const void *)((const char *)plugin->options +
                                                index * plugin->option_stride);
}

static int wrong(const struct reading *reading, const char *expected, const struct yaml_node *node)
{
    return problems_add(reading->problems, reading->place, "option \"%s\" is %s, expected %s",
                        reading->option->name, yaml_kind_name(node->kind), expected);
}

static int check_bounds(const struct reading *reading, int64_t value)
{
    const atamo_option *option = reading->option;

    if ((option->min == 0 && option->max == 0) || (value >= option->min && value <= option->max))
        return ATAMO_OK;
    return problems_add(reading->problems, reading->place,
                        "option \"%s\" must be from %" PRId64 " to %" PRId64, option->name,
                        option->min, option->max);
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind == YAML_TEXT || node->kind == YAML_NUMBER || node->kind == YAML_BOOL;
}

static int read_integer(const struct reading *reading, const struct yaml_node *node,
                        struct option_value *value)
{
    if (node->kind != YAML_NUMBER || !node->integral)
        return wrong(reading, "a whole number", node);
    value->integer = node->integer;
    value->number = (double)node->integer;
    return check_bounds(reading, node->integer);
}

static int read_quantity(const struct reading *reading, const struct yaml_node *node,
                         struct option_value *value)
{
    const bool duration = reading->option->type == ATAMO_OPTION_DURATION;
    int64_t amount;

    if (!is_scalar(node) || (duration ? quantity_duration(node->text, &amount)
                                      : quantity_size(node->text, &amount)) != ATAMO_OK)
        return problems_add(reading->problems, reading->place, "option \"%s\": expected %s",
                            reading->option->name,
                            duration ? "a duration such as 250ms, 10s or 1h30m"
                                     : "a size such as 65536, 64KiB or 10MB");
    value->integer = duration ? amount / 1000000 : amount;
    return check_bounds(reading, value->integer);
}

static int read_choice(const struct reading *reading, const struct yaml_node *node,
                       struct option_value *value)
{
    const char *at = reading->option->choices;

    if (!is_scalar(node))
        return wrong(reading, "text", node);
    while (at != NULL && *at != '\0') {
        const size_t size = strcspn(at, "|");

        if (size == node->text.size && memcmp(at, node->text.data, size) == 0) {
            value->text = arena_copy(reading->arena, node->text);
            return value->text.data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
        }
        at += size + (at[size] == '|');
    }
    return problems_add(reading->problems, reading->place, "option \"%s\" must be one of %s",
                        reading->option->name, reading->option->choices);
}

static int read_items(const struct reading *reading, const struct yaml_node *node,
                      struct option_value *value)
{
    const bool map = reading->option->type == ATAMO_OPTION_MAP;
    const bool one = !map && is_scalar(node);
    const size_t count = one ? 1 : node->count;
    atamo_bytes *keys;
    atamo_bytes *texts;

    if (!one && node->kind != (map ? YAML_MAP : YAML_LIST))
        return wrong(reading, map ? "a map of texts" : "a list of texts", node);
    keys = arena_array(reading->arena, count, sizeof *keys);
    texts = arena_array(reading->arena, count, sizeof *texts);
    if (keys == NULL || texts == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *item = one ? node : node->items[i];

        if (!is_scalar(item))
            return wrong(reading, "made of texts", item);
        texts[i] = arena_copy(reading->arena, item->text);
        keys[i] = arena_copy(reading->arena, map ? node->keys[i]->text : (atamo_bytes){"", 0});
        if (texts[i].data == NULL || keys[i].data == NULL)
            return ATAMO_NO_MEMORY;
    }
    value->count = count;
    value->keys = keys;
    value->texts = texts;
    return ATAMO_OK;
}

static int read_copy(const struct reading *reading, const struct yaml_node *node,
                     struct option_value *value)
{
    if (reading->option->type == ATAMO_OPTION_JSON)
        value->text = yaml_to_json(reading->arena, node);
    else if (is_scalar(node))
        value->text = arena_copy(reading->arena, node->text);
    else
        return wrong(reading, "text", node);
    return value->text.data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static int read_value(const struct reading *reading, const struct yaml_node *node,
                      struct option_value *value)
{
    switch (reading->option->type) {
    case ATAMO_OPTION_INTEGER:
        return read_integer(reading, node, value);
    case ATAMO_OPTION_NUMBER:
        if (node->kind != YAML_NUMBER)
            return wrong(reading, "a number", node);
        value->number = node->number;
        return ATAMO_OK;
    case ATAMO_OPTION_BOOLEAN:
        if (node->kind != YAML_BOOL)
            return wrong(reading, "true or false", node);
        value->integer = node->truth;
        return ATAMO_OK;
    case ATAMO_OPTION_DURATION:
    case ATAMO_OPTION_SIZE:
        return read_quantity(reading, node, value);
    case ATAMO_OPTION_CHOICE:
        return read_choice(reading, node, value);
    case ATAMO_OPTION_LIST:
    case ATAMO_OPTION_MAP:
        return read_items(reading, node, value);
    default:
        return read_copy(reading, node, value);
    }
}

/* A fallback reads as if it had been written in the configuration. */
static int read_fallback(const struct reading *reading, struct option_value *value)
{
    const struct yaml_options yaml = {.file = "the plugin's fallback"};
    const struct yaml_node *node = NULL;
    const int status = yaml_parse(reading->arena, atamo_text(reading->option->fallback), &yaml,
                                  reading->problems, &node);

    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_INVALID;
    if (node == NULL) {
        value->text = (atamo_bytes){"", 0};
        return ATAMO_OK;
    }
    return read_value(reading, node, value);
}

int options_check_fallbacks(const atamo_plugin *plugin, struct place place,
                            struct problems *problems)
{
    struct arena arena;
    struct reading reading = {.arena = &arena, .place = place, .problems = problems};
    int status = ATAMO_OK;

    arena_init(&arena);
    for (size_t i = 0; i < plugin->option_count; i++) {
        struct option_value value = {.name = NULL};
        int row;

        reading.option = options_row(plugin, i);
        if (reading.option->fallback == NULL)
            continue;
        row = read_fallback(&reading, &value);
        if (row != ATAMO_OK)
            status = problems_add(problems, place, "the fallback of option \"%s\" is \"%s\"",
                                  reading.option->name, reading.option->fallback);
    }
    arena_close(&arena);
    return status;
}

static int read_row(struct reading *reading, const struct yaml_node *map,
                    struct option_value *value)
{
    const atamo_option *option = reading->option;
    const struct yaml_node *node = map == NULL ? NULL : yaml_get(map, option->name);

    value->name = option->name;
    value->text = (atamo_bytes){"", 0};
    if (node != NULL && node->kind != YAML_NULL) {
        const struct place before = reading->place;
        int status;

        reading->place = yaml_place(node);
        status = read_value(reading, node, value);
        reading->place = before;
        return status;
    }
    if ((option->flags & ATAMO_OPTION_REQUIRED) != 0)
        return problems_add(reading->problems, reading->place, "option \"%s\" is required: %s",
                            option->name, option->about);
    return option->fallback == NULL ? ATAMO_OK : read_fallback(reading, value);
}

static void check_keys(const atamo_plugin *plugin, const struct yaml_node *map,
                       struct problems *problems)
{
    const char *names[256];
    size_t count = plugin->option_count < 256 ? plugin->option_count : 256;

    for (size_t i = 0; i < count; i++)
        names[i] = options_row(plugin, i)->name;
    for (size_t i = 0; i < map->count; i++) {
        const atamo_bytes key = map->keys[i]->text;
        const char *nearest = problems_nearest(key, names, count);

        if (nearest != NULL && strcmp(nearest, key.data) == 0)
            continue;
        (void)problems_add(problems, yaml_place(map->keys[i]),
                           "plugin \"%s\" has no option \"%s\"%s%s%s", plugin->id, key.data,
                           nearest == NULL ? "" : ": did you mean \"",
                           nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
    }
}

static void add_to_fingerprint(struct options *options, atamo_bytes bytes)
{
    options->fingerprint = hash_bytes(options->fingerprint, bytes);
}

static void take_fingerprint(struct options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option_value *value = &options->values[i];

        add_to_fingerprint(options, value->text);
        add_to_fingerprint(options, (atamo_bytes){(const char *)&value->integer, 8});
        add_to_fingerprint(options, (atamo_bytes){(const char *)&value->number, 8});
        for (size_t j = 0; j < value->count; j++) {
            add_to_fingerprint(options, value->keys[j]);
            add_to_fingerprint(options, value->texts[j]);
        }
    }
}

static int fill(struct options *options, const atamo_plugin *plugin, const struct yaml_node *node,
                struct reading *reading)
{
    int status = ATAMO_OK;

    options->values = arena_array(&options->arena, plugin->option_count, sizeof *options->values);
    if (options->values == NULL)
        return ATAMO_NO_MEMORY;
    options->count = plugin->option_count;
    for (size_t i = 0; i < options->count; i++) {
        int row;

        reading->option = options_row(plugin, i);
        row = read_row(reading, node, &options->values[i]);
        if (status == ATAMO_OK || row == ATAMO_NO_MEMORY)
            status = row;
    }
    if (node != NULL)
        check_keys(plugin, node, reading->problems);
    return status;
}

int options_build(const atamo_plugin *plugin, const struct yaml_node *node, struct place place,
                  struct problems *problems, struct options **options)
{
    const size_t errors = problems->errors;
    struct options *made;
    struct reading reading = {.place = place, .problems = problems};
    int status;

    if (node != NULL && node->kind == YAML_NULL)
        node = NULL;
    if (node != NULL && node->kind != YAML_MAP)
        return problems_add(problems, yaml_place(node), "config of plugin \"%s\" must be a map",
                            plugin->id);
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    arena_init(&made->arena);
    reading.arena = &made->arena;
    status = fill(made, plugin, node, &reading);
    if (status == ATAMO_OK && problems->errors > errors)
        status = ATAMO_INVALID;
    if (status != ATAMO_OK) {
        options_free(made);
        return status;
    }
    take_fingerprint(made);
    *options = made;
    return ATAMO_OK;
}

void options_free(struct options *options)
{
    if (options == NULL)
        return;
    arena_close(&options->arena);
    free(options);
}

static const struct option_value *find(const struct options *options, const char *name)
{
    static const struct option_value none = {.text = {"", 0}};

    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->values[i].name, name) == 0)
            return &options->values[i];
    return &none;
}

atamo_bytes options_text(const struct options *options, const char *name)
{
    return find(options, name)->text;
}

int64_t options_integer(const struct options *options, const char *name)
{
    return find(options, name)->integer;
}

double options_number(const struct options *options, const char *name)
{
    return find(options, name)->number;
}

size_t options_count(const struct options *options, const char *name)
{
    return find(options, name)->count;
}

atamo_bytes options_key_at(const struct options *options, const char *name, size_t index)
{
    const struct option_value *value = find(options, name);

    return index < value->count ? value->keys[index] : (atamo_bytes){"", 0};
}

atamo_bytes options_text_at(const struct options *options, const char *name, size_t index)
{
    const struct option_value *value = find(options, name);

    return index < value->count ? value->texts[index] : (atamo_bytes){"", 0};
}

uint64_t options_fingerprint(const struct options *options)
{
    return options->fingerprint;
}
