/* event_type - the kinds of event that a hub takes, each with its template.
 *
 * A registered type says which attributes and data fields an event must have, and who may submit
 * it. The table is built with a configuration and never changed afterwards; finding a type is one
 * hash look-up. Field paths are text here ("data.order.id"); the rules floor turns them into
 * fields.
 */
#ifndef HUB_MODEL_EVENT_TYPE_H
#define HUB_MODEL_EVENT_TYPE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* What a required field must be. */
enum field_need { NEED_ANY, NEED_TEXT, NEED_NUMBER, NEED_BOOL, NEED_OBJECT, NEED_ARRAY };

struct required_field {
    atamo_bytes path; /* as written */
    uint32_t field;   /* number in the field plan (FIELD_WHOLE) */
    bool in_data;     /* below "data": the data must be parsed */
    enum field_need need;
};

struct event_type {
    atamo_bytes name;
    uint32_t name_id;
    const struct required_field *required;
    size_t required_count;
    bool needs_data;          /* some required field is below "data" */
    const atamo_bytes *users; /* who may submit it; both empty: everybody */
    size_t user_count;
    const atamo_bytes *groups;
    size_t group_count;
};

struct event_types;

/* A table of `count` types, in the arena; the types are copied. `open`: types that are not in the
 * table are taken too. ATAMO_NO_MEMORY. */
int event_types_build(struct arena *arena, const struct event_type *types, size_t count, bool open,
                      const struct event_types **table);

/* The type of that name, or NULL. */
const struct event_type *event_types_find(const struct event_types *table, atamo_bytes name);

/* Are types that are not in the table taken? */
bool event_types_open(const struct event_types *table);

#endif
