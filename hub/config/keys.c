/* keys - reading a map by its table.
 *
 * Happy path: defaults first, then each pair of the map is looked up in the table, checked against
 * kind and bounds, and stored. What is wrong is said with its place and the way out: unknown keys
 * with the nearest known one, wrong kinds with what was expected, values out of bounds with the
 * bounds. The one failure is memory.
 */
#include "config/keys.h"

#include "config/units.h"
#include "model/text.h"
#include "plugin/quantity.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEYS_MAX = 32, SHOWN_MAX = 60 };

/* One value under way. */
struct reading {
    struct arena *arena;
    const struct key *key;
    const struct yaml_node *value;
    struct problems *problems;
    char *out; /* where the value goes */
};

static int shown(atamo_bytes text)
{
    return (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX);
}

/* "deadline" is text "10", expected a duration such as 10s or 250ms */
static void say_expected(const struct reading *reading, const char *expected)
{
    const struct yaml_node *value = reading->value;
    const struct place place = yaml_place(value);

    if (value->kind == YAML_TEXT || value->kind == YAML_NUMBER)
        (void)problems_add(reading->problems, place, "\"%s\" is %s%.*s%s, expected %s",
                           reading->key->name, value->kind == YAML_TEXT ? "\"" : "",
                           shown(value->text), value->text.data,
                           value->kind == YAML_TEXT ? "\"" : "", expected);
    else
        (void)problems_add(reading->problems, place, "\"%s\" is %s, expected %s",
                           reading->key->name, yaml_kind_name(value->kind), expected);
}

static bool in_bounds(const struct reading *reading, int64_t number)
{
    return number >= reading->key->min && number <= reading->key->max;
}

typedef const char *(*write_number)(int64_t number, char text[UNITS_TEXT_MAX]);

static void say_bounds(const struct reading *reading, write_number write)
{
    char low[UNITS_TEXT_MAX], high[UNITS_TEXT_MAX];
    const atamo_bytes text = reading->value->text;

    (void)problems_add(reading->problems, yaml_place(reading->value),
                       "\"%s\" is %.*s, expected %s to %s", reading->key->name, shown(text),
                       text.data, write(reading->key->min, low), write(reading->key->max, high));
}

static int read_count(struct reading *reading)
{
    const struct yaml_node *value = reading->value;
    uint32_t number;

    if (value->kind != YAML_NUMBER || !value->integral) {
        say_expected(reading, "a whole number");
        return ATAMO_OK;
    }
    if (!in_bounds(reading, value->integer)) {
        say_bounds(reading, units_count_text);
        return ATAMO_OK;
    }
    number = (uint32_t)value->integer;
    memcpy(reading->out, &number, sizeof number);
    return ATAMO_OK;
}

/* Sizes and durations: text with a unit, or digits alone. */
static int read_unit(struct reading *reading, int (*parse)(atamo_bytes text, int64_t *number),
                     write_number write, const char *expected)
{
    const struct yaml_node *value = reading->value;
    int64_t number;

    if ((value->kind != YAML_TEXT && value->kind != YAML_NUMBER) ||
        parse(value->text, &number) != ATAMO_OK) {
        say_expected(reading, expected);
        return ATAMO_OK;
    }
    if (!in_bounds(reading, number)) {
        say_bounds(reading, write);
        return ATAMO_OK;
    }
    memcpy(reading->out, &number, sizeof number);
    return ATAMO_OK;
}

/* A text that may stand in messages and be a name: clean, and of a size within the bounds. */
static bool good_text(const struct reading *reading, const struct yaml_node *node)
{
    if (node->kind != YAML_TEXT) {
        (void)problems_add(
            reading->problems, yaml_place(node), "\"%s\" is %s, expected text%s",
            reading->key->name, yaml_kind_name(node->kind),
            node->kind == YAML_NUMBER || node->kind == YAML_BOOL ? ": put it in quotes" : "");
        return false;
    }
    if (node->text.size == 0 || !text_is_clean(node->text)) {
        (void)problems_add(reading->problems, yaml_place(node), "\"%s\" %s", reading->key->name,
                           node->text.size == 0 ? "is empty" : "contains control characters");
        return false;
    }
    if (node->text.size > (size_t)reading->key->max) {
        (void)problems_add(reading->problems, yaml_place(node),
                           "\"%s\" has %zu bytes, at most %" PRId64 " are allowed",
                           reading->key->name, node->text.size, reading->key->max);
        return false;
    }
    return true;
}

static int read_text(struct reading *reading)
{
    if (good_text(reading, reading->value))
        memcpy(reading->out, &reading->value->text, sizeof reading->value->text);
    return ATAMO_OK;
}

/* The next of the choices "a|b|c"; empty at the end. */
static atamo_bytes next_choice(const char **at)
{
    atamo_bytes choice = {*at, strcspn(*at, "|")};

    *at += choice.size + ((*at)[choice.size] == '|');
    return choice;
}

static int read_choice(struct reading *reading)
{
    const struct yaml_node *value = reading->value;
    const char *at = reading->key->choices;
    char expected[128] = "";
    size_t used = 0;
    uint32_t number = 1;

    for (atamo_bytes choice = next_choice(&at); choice.size > 0; choice = next_choice(&at)) {
        if (value->kind == YAML_TEXT && value->text.size == choice.size &&
            memcmp(value->text.data, choice.data, choice.size) == 0) {
            memcpy(reading->out, &number, sizeof number);
            return ATAMO_OK;
        }
        used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%.*s",
                                 number == 1   ? ""
                                 : *at == '\0' ? " or "
                                               : ", ",
                                 (int)choice.size, choice.data);
        assert(used < sizeof expected);
        number++;
    }
    say_expected(reading, expected);
    return ATAMO_OK;
}

static int read_texts(struct reading *reading)
{
    const struct yaml_node *value = reading->value;
    const struct yaml_node *const *items =
        value->kind == YAML_LIST ? (const struct yaml_node *const *)value->items : &value;
    const size_t count = value->kind == YAML_LIST ? value->count : 1;
    struct key_texts texts = {NULL, 0, value};
    atamo_bytes *list = arena_array(reading->arena, count, sizeof *list);

    if (list == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (good_text(reading, items[i]))
            list[texts.count++] = items[i]->text;
    texts.list = list;
    memcpy(reading->out, &texts, sizeof texts);
    return ATAMO_OK;
}

static void store_node(struct reading *reading)
{
    *(const struct yaml_node **)(void *)reading->out = reading->value;
}

/* A key without a value ("retry:") is as good as none. */
static int read_node(struct reading *reading, enum yaml_kind kind)
{
    if (reading->value->kind == kind)
        store_node(reading);
    else if (reading->value->kind != YAML_NULL)
        say_expected(reading, yaml_kind_name(kind));
    return ATAMO_OK;
}

static int read_any(struct reading *reading)
{
    store_node(reading);
    return ATAMO_OK;
}

static int read_value(struct reading *reading)
{
    switch (reading->key->kind) {
    case KEY_COUNT:
        return read_count(reading);
    case KEY_SIZE:
        return read_unit(reading, quantity_size, units_size_text, "a size such as 64KiB or 16MB");
    case KEY_DURATION:
        return read_unit(reading, quantity_duration, units_duration_text,
                         "a duration such as 10s or 250ms");
    case KEY_TEXT:
        return read_text(reading);
    case KEY_CHOICE:
        return read_choice(reading);
    case KEY_TEXTS:
        return read_texts(reading);
    case KEY_MAP:
    case KEY_NAMED:
        return read_node(reading, YAML_MAP);
    case KEY_LIST:
        return read_node(reading, YAML_LIST);
    case KEY_ANY:
        break;
    }
    return read_any(reading);
}

static const struct key *find_key(const struct key_table *table, atamo_bytes name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].name, name.data) == 0)
            return &table->keys[i];
    return NULL;
}

const char *keys_nearest(const struct problems *problems, atamo_bytes name,
                         const char *const *names, size_t count)
{
    return problems->count == PROBLEMS_MAX ? NULL : problems_nearest(name, names, count);
}

static void say_unknown(const struct key_table *table, const struct yaml_node *key,
                        struct problems *problems)
{
    const char *names[KEYS_MAX];
    const char *nearest;
    char known[512] = "";
    size_t used = 0;

    assert(table->count <= KEYS_MAX);
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->keys[i].name;
    nearest = keys_nearest(problems, key->text, names, table->count);
    if (nearest != NULL) {
        (void)problems_add(problems, yaml_place(key),
                           "unknown key \"%.*s\" in %s; did you mean \"%s\"?", shown(key->text),
                           key->text.data, table->what, nearest);
        return;
    }
    for (size_t i = 0; i < table->count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 names[i]);
    (void)problems_add(problems, yaml_place(key), "unknown key \"%.*s\" in %s; there is %s",
                       shown(key->text), key->text.data, table->what, known);
}

/* Defaults are written in the tables as in YAML; they are right, or the tables' test fails. */
static void set_fallback(const struct key *key, char *out)
{
    int64_t number = 0;
    uint32_t count = 1;
    const char *at = key->choices;
    int status = ATAMO_OK;

    switch (key->kind) {
    case KEY_CHOICE:
        while (strncmp(key->fallback, at, strcspn(at, "|")) != 0) {
            (void)next_choice(&at);
            assert(*at != '\0');
            count++;
        }
        memcpy(out, &count, sizeof count);
        return;
    case KEY_DURATION:
        status = quantity_duration(atamo_text(key->fallback), &number);
        memcpy(out, &number, sizeof number);
        break;
    case KEY_SIZE:
    case KEY_COUNT:
        status = quantity_size(atamo_text(key->fallback), &number);
        count = (uint32_t)number;
        memcpy(out, key->kind == KEY_SIZE ? (const void *)&number : (const void *)&count,
               key->kind == KEY_SIZE ? sizeof number : sizeof count);
        break;
    default:
        assert(false && "no default for this kind");
    }
    assert(status == ATAMO_OK);
}

struct place keys_place(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; i < map->count && map->kind == YAML_MAP; i++)
        if (strcmp(map->keys[i]->text.data, key) == 0)
            return yaml_place(map->keys[i]);
    return yaml_place(map);
}

int keys_read_value(struct arena *arena, const struct key *key, const struct yaml_node *value,
                    struct problems *problems, void *out)
{
    struct reading reading = {arena, key, value, problems, out};

    return read_value(&reading);
}

static void check_required(const struct key_table *table, const struct yaml_node *map,
                           struct problems *problems)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->keys[i].required && yaml_get(map, table->keys[i].name) == NULL)
            (void)problems_add(problems, yaml_place(map), "%s needs the key \"%s\"", table->what,
                               table->keys[i].name);
}

int keys_read(struct arena *arena, const struct key_table *table, const struct yaml_node *map,
              struct problems *problems, void *out)
{
    memset(out, 0, table->size);
    for (size_t i = 0; i < table->count; i++)
        if (table->keys[i].fallback != NULL)
            set_fallback(&table->keys[i], (char *)out + table->keys[i].offset);
    if (map == NULL)
        return ATAMO_OK;
    if (map->kind != YAML_MAP && map->kind != YAML_NULL) {
        (void)problems_add(problems, yaml_place(map), "%s is a map, not %s", table->what,
                           yaml_kind_name(map->kind));
        return ATAMO_OK;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct key *key = find_key(table, map->keys[i]->text);
        int status = ATAMO_OK;

        if (key != NULL)
            status =
                keys_read_value(arena, key, map->items[i], problems, (char *)out + key->offset);
        else if (!table->open)
            say_unknown(table, map->keys[i], problems);
        if (status != ATAMO_OK)
            return status;
    }
    check_required(table, map, problems);
    return ATAMO_OK;
}
