/* leaf - the value table of one event: every scalar at the paths that patterns ask for.
 *
 * A leaf knows in which array elements it stands (its *place*), because a rule may not take its
 * values from different elements of one array. Places form chains outwards; place 0 is none.
 * Filled by fields_attributes() and fields_data(), read by the matcher.
 */
#ifndef HUB_RULES_LEAF_H
#define HUB_RULES_LEAF_H

#include "rules/fields.h"

enum { LEAF_NONE = 0 };

struct leaf {
    atamo_bytes text; /* decoded text, or the number or word as written */
    double number;    /* if `comparable` */
    uint8_t kind;     /* enum field_kind, a scalar */
    bool comparable;  /* a number that number_comparable() accepts */
    uint32_t atom;    /* the index's number of this value; 0: no rule names it */
    uint32_t place;   /* innermost array element, 0: in no array */
    uint32_t next;    /* the next leaf of the same field, LEAF_NONE: none */
};

struct leaf_place {
    uint32_t array; /* number of the array within the event */
    uint32_t element;
    uint32_t outer; /* place around it, 0: none */
};

/* The leaves of one field: a list in document order. */
struct leaf_list {
    uint32_t first, last; /* LEAF_NONE: missing */
};

struct leaf_table {
    struct leaf *leaves; /* 0 is not used */
    uint32_t count;      /* one past the last */
    struct leaf_list *fields;
    struct leaf_place *places; /* 0 is not used */
    uint32_t *touched;         /* the fields that have leaves */
    uint32_t touched_count;
};

const struct leaf_table *fields_leaves(const struct field_scratch *scratch);

/* Add a text to an extra field of the event that was begun. ATAMO_NO_MEMORY. */
int fields_add_text(struct field_scratch *scratch, uint32_t field, atamo_bytes text);

/* How many LEAVES and extra fields a plan has: their numbers are below. */
uint32_t field_plan_count(const struct field_plan *plan);

/* Whether a field looks at or below "data". */
bool field_plan_in_data(const struct field_plan *plan, uint32_t field);

/* "data.customer.email"; an extra field has "". */
atamo_bytes field_plan_name(const struct field_plan *plan, uint32_t field);

#endif
