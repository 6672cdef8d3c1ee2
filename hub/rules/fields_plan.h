/* fields_plan - inside of a plan, shared by fields_plan.c and fields_extract.c only.
 *
 * Paths of patterns form a trie below "data"; its edges lie in one hash table by (node, key).
 */
#ifndef HUB_RULES_FIELDS_PLAN_H
#define HUB_RULES_FIELDS_PLAN_H

#include "rules/leaf.h"

#define FIELD_NOWHERE UINT32_MAX

struct plan_field {
    enum field_use use;
    bool extra;
    bool in_data;
    int attribute; /* enum atamo_attribute, or -1 */
    atamo_bytes name;
    atamo_bytes *steps; /* FIELD_WHOLE: as given; FIELD_LEAVES: split at dots */
    size_t depth;
};

struct trie_node {
    uint64_t sizes; /* bit (size & 63) of each child's key */
    uint32_t field; /* the FIELD_LEAVES field that ends here, or FIELD_NOWHERE */
};

struct trie_edge {
    uint32_t node, child; /* child 0: free */
    atamo_bytes key;
};

struct attribute_field {
    uint32_t attribute;
    uint32_t field;
};

struct field_plan {
    struct arena *arena;
    struct plan_field *fields;
    uint32_t count, room;
    uint32_t *names; /* hash table of field number + 1, by name and use */
    uint32_t name_room;
    struct trie_node *nodes; /* 0: unused, 1: data itself */
    uint32_t node_count;
    struct trie_edge *edges;
    uint32_t edge_mask;
    struct attribute_field *attributes;
    uint32_t attribute_count;
    uint32_t *extensions; /* fields that may be extension attributes */
    uint32_t extension_count;
    bool reads_data;     /* some field is at or below data */
    bool leaves_in_data; /* and is a FIELD_LEAVES */
    bool sealed;
};

/* The child of a trie node, 0 if there is none. */
uint32_t plan_child(const struct field_plan *plan, uint32_t node, atamo_bytes key);

#endif
