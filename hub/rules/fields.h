/* fields - the parts of an event that rules look at, taken out in one pass.
 *
 * While a rule set is built, patterns and templates ask a *plan* for the paths they need and get
 * field numbers; a path asked for twice is one field. Once sealed the plan is immutable. For each
 * event the plan is run once over the attributes and, only if some field needs it, over the JSON
 * data; the result is a table of values by field number, valid until the next extraction with the
 * same scratch.
 *
 * An event's document is {"id": ..., "source": ..., "type": ..., every other attribute and
 * extension attribute that is present..., "data": the JSON data, or text if the data is not JSON}.
 */
#ifndef HUB_RULES_FIELDS_H
#define HUB_RULES_FIELDS_H

#include "base/arena.h"

#include <atamo/event.h>

#include <stdbool.h>
#include <stdint.h>

/* The event as the rules floor sees it. Borrowed for the time of a call. */
struct rule_event {
    atamo_bytes attributes[ATAMO_ATTRIBUTE_COUNT]; /* size 0: absent */
    const atamo_extension_attribute *extensions;
    size_t extension_count;
    atamo_bytes data;
    size_t data_room; /* readable bytes at data.data, at least data.size; parsers like slack */
    bool data_is_json;
};

enum field_use {
    FIELD_LEAVES, /* for patterns: every scalar at the path, arrays taken apart, each with the array
                     elements it came from; also whether the path exists at all */
    FIELD_WHOLE,  /* for templates: the one value at the path, of whatever kind, as raw JSON. A path
                     step of digits ("0") picks an array element. */
};

enum field_kind {
    FIELD_MISSING = 0,
    FIELD_NULL,
    FIELD_FALSE,
    FIELD_TRUE,
    FIELD_NUMBER,
    FIELD_TEXT,
    FIELD_OBJECT,
    FIELD_ARRAY,
};

/* The value of a FIELD_WHOLE field. */
struct field_whole {
    enum field_kind kind;
    atamo_bytes json; /* JSON text of the value, quotes included; attributes are escaped already */
};

struct field_plan;
struct field_scratch; /* parser and value table of one thread */

/* A new plan in the arena, or NULL. */
struct field_plan *field_plan_new(struct arena *arena);

/* Ask for a path ("data", "customer", "email"). The number is the same for the same path and use.
 * ATAMO_NO_MEMORY, or ATAMO_INVALID for an empty path. */
int field_plan_add(struct field_plan *plan, const atamo_bytes *path, size_t depth,
                   enum field_use use, uint32_t *field);

/* A field that no path names: the rules floor fills it itself (who submitted, its groups). */
int field_plan_add_extra(struct field_plan *plan, uint32_t *field);

/* No more fields: build what extraction needs. */
int field_plan_seal(struct field_plan *plan);

/* Scratch for any plan; one per thread, grows to what it sees. */
int field_scratch_open(struct field_scratch **scratch);
void field_scratch_close(struct field_scratch *scratch);

/* The same in two steps, for a caller that looks at the data only when it must. fields_attributes()
 * begins an event, which must last until the next one begins; ATAMO_NO_MEMORY. fields_data() parses
 * its data, once however often it is called. */
int fields_attributes(const struct field_plan *plan, struct field_scratch *scratch,
                      const struct rule_event *event);
int fields_data(struct field_scratch *scratch, const char **problem);

/* Take all fields of the plan out of the event. ATAMO_INVALID if the data says it is JSON and is
 * not; *problem then says why and where (static or scratch memory, until the next call). Data is
 * parsed only if the plan has a field at or below "data". */
int fields_extract(const struct field_plan *plan, struct field_scratch *scratch,
                   const struct rule_event *event, const char **problem);

/* The value of a FIELD_WHOLE field after fields_extract(). Valid until the next extraction with
 * this scratch, or until the event's memory goes. */
struct field_whole fields_whole(const struct field_scratch *scratch, uint32_t field);

#endif
