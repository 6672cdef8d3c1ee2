/* fields_scratch - inside of a scratch, shared by fields_extract.c and fields_whole.c only. */
#ifndef HUB_RULES_FIELDS_SCRATCH_H
#define HUB_RULES_FIELDS_SCRATCH_H

#include "rules/fields_plan.h"

#include "json/json.h"

enum data_state { DATA_UNREAD, DATA_READ, DATA_BAD };

/* A whole value that was asked for, so that asking again costs nothing. */
struct whole_slot {
    uint64_t event_number;
    struct field_whole value;
};

struct whole_cache {
    struct whole_slot *slots; /* by field */
    char *escaped;            /* attributes as JSON text */
    size_t escaped_size, escaped_room;
};

struct field_scratch {
    const struct field_plan *plan;
    struct rule_event event;
    struct json_parser *parser;
    struct json_document document;
    enum data_state data_state;
    struct leaf_table table;
    uint32_t leaf_room, place_room, field_room;
    uint32_t place_count; /* one past the last */
    uint32_t array_count;
    struct whole_cache
        *cache; /* its own block, so that asking for values leaves the scratch const */
    uint64_t event_number;
    char problem[160];
};

static inline enum field_kind scratch_kind(enum json_kind kind)
{
    static const enum field_kind kinds[] = {
        [JSON_NULL] = FIELD_NULL,     [JSON_FALSE] = FIELD_FALSE, [JSON_TRUE] = FIELD_TRUE,
        [JSON_NUMBER] = FIELD_NUMBER, [JSON_TEXT] = FIELD_TEXT,   [JSON_OBJECT] = FIELD_OBJECT,
        [JSON_ARRAY] = FIELD_ARRAY,
    };

    return kinds[kind];
}

#endif
