/* hints - rules that can be read but hardly be meant.
 *
 * Happy path: every name is known, and nothing is said. The names are gathered once, sorted, so
 * that many rules cost little; the nearest name is looked for only while somebody will read it.
 */
#include "config/hints.h"

#include "model/text.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_known(const struct hint_names *known, const char *name)
{
    return known->count > 0 &&
           bsearch(&name, known->list, known->count, sizeof *known->list, by_text) != NULL;
}

static const char *nearest(const struct building *building, const struct hint_names *known,
                           atamo_bytes name)
{
    return keys_nearest(building->problems, name, known->list, known->count);
}

/* The keys of a map. */
static int gather_keys(struct building *building, const struct yaml_node *map,
                       struct hint_names *names)
{
    const size_t count = map == NULL ? 0 : map->count;

    names->list = arena_array(&building->scratch, count, sizeof *names->list);
    if (names->list == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        names->list[i] = map->keys[i]->text.data;
    names->count = count;
    qsort(names->list, count, sizeof *names->list, by_text);
    return ATAMO_OK;
}

static size_t count_groups(const struct yaml_node *users)
{
    size_t count = 0;

    for (size_t i = 0; users != NULL && i < users->count; i++) {
        const struct yaml_node *groups = yaml_get(users->items[i], "groups");

        count += groups == NULL ? 0 : groups->kind == YAML_LIST ? groups->count : 1;
    }
    return count;
}

static int gather_groups(struct building *building, const struct yaml_node *users,
                         struct hint_names *names)
{
    names->list = arena_array(&building->scratch, count_groups(users), sizeof *names->list);
    if (names->list == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; users != NULL && i < users->count; i++) {
        const struct yaml_node *groups = yaml_get(users->items[i], "groups");
        const bool list = groups != NULL && groups->kind == YAML_LIST;

        for (size_t j = 0; list && j < groups->count; j++)
            if (groups->items[j]->kind == YAML_TEXT)
                names->list[names->count++] = groups->items[j]->text.data;
        if (groups != NULL && groups->kind == YAML_TEXT)
            names->list[names->count++] = groups->text.data;
    }
    qsort(names->list, names->count, sizeof *names->list, by_text);
    return ATAMO_OK;
}

int hints_gather(struct building *building)
{
    struct hints *hints = &building->hints;
    int status = gather_keys(building, building->top.events, &hints->types);

    if (status == ATAMO_OK)
        status = gather_keys(building, building->top.users, &hints->users);
    if (status == ATAMO_OK)
        status = gather_groups(building, building->top.users, &hints->groups);
    return status;
}

/* Is there a type with this beginning? */
static bool begins_some(const struct hint_names *types, const char *beginning, size_t size)
{
    for (size_t i = 0; i < types->count; i++)
        if (strncmp(types->list[i], beginning, size) == 0)
            return true;
    return false;
}

void hints_types(struct building *building, const struct key_texts *on)
{
    const struct hint_names *types = &building->hints.types;

    if (event_types_open(building->generation->types))
        return;
    for (size_t i = 0; i < on->count; i++) {
        const atamo_bytes type = on->list[i];
        const bool prefix = type.data[type.size - 1] == '*';

        if (prefix ? begins_some(types, type.data, type.size - 1) : is_known(types, type.data))
            continue;
        build_unknown(building, yaml_place(on->node), "event type", type,
                      nearest(building, types, type));
    }
}

void hints_groups(struct building *building, const struct key_texts *groups)
{
    const struct hint_names *known = &building->hints.groups;

    for (size_t i = 0; i < groups->count; i++) {
        const char *meant;

        if (is_known(known, groups->list[i].data))
            continue;
        meant = nearest(building, known, groups->list[i]);
        problems_warn(building->problems, yaml_place(groups->node),
                      "nobody is in group \"%.200s\"%s%s%s", groups->list[i].data,
                      meant == NULL ? "" : "; did you mean \"", meant == NULL ? "" : meant,
                      meant == NULL ? "" : "\"?");
    }
}

void hints_user(struct building *building, struct place place, atamo_bytes user)
{
    const struct hint_names *known = &building->hints.users;
    const char *meant;

    if (user.size == 0 || is_known(known, user.data))
        return;
    meant = nearest(building, known, user);
    if (meant != NULL)
        problems_warn(building->problems, place,
                      "user \"%.200s\" is not listed; did you mean \"%s\"?", user.data, meant);
}

/* One key at the top of a pattern. */
static void hint_attribute(struct building *building, const struct yaml_node *key)
{
    const char *known[ATAMO_ATTRIBUTE_COUNT + 1];
    const char *meant;

    known[ATAMO_ATTRIBUTE_COUNT] = "data";
    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++)
        known[i] = atamo_attribute_name((atamo_attribute)i);
    meant = keys_nearest(building->problems, key->text, known, ATAMO_ATTRIBUTE_COUNT + 1);
    if (meant == NULL && text_is_attribute_name(key->text))
        return; /* an extension attribute */
    if (meant != NULL && strcmp(meant, key->text.data) == 0)
        return;
    problems_warn(building->problems, yaml_place(key), "no event has an attribute \"%.200s\"%s%s%s",
                  key->text.data,
                  meant == NULL ? ": 1 to 20 lower-case letters and digits"
                                : " of its own; did you mean \"",
                  meant == NULL ? "" : meant, meant == NULL ? "" : "\"?");
}

void hints_attributes(struct building *building, const struct yaml_node *when)
{
    if (when == NULL || when->kind != YAML_MAP)
        return;
    for (size_t i = 0; i < when->count; i++) {
        const struct yaml_node *value = when->items[i];

        if (strcmp(when->keys[i]->text.data, "$or") != 0) {
            hint_attribute(building, when->keys[i]);
            continue;
        }
        for (size_t j = 0; value->kind == YAML_LIST && j < value->count; j++)
            for (size_t k = 0; value->items[j]->kind == YAML_MAP && k < value->items[j]->count; k++)
                if (strcmp(value->items[j]->keys[k]->text.data, "$or") != 0)
                    hint_attribute(building, value->items[j]->keys[k]);
    }
}
