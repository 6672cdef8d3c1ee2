/* index_inside - the parts of an index, for the files index_*.c and explain*.c only.
 *
 * An *entry* is one way to match a rule: scope clauses and one alternative of its pattern. An
 * *atom* is a value that some test names: (field, kind, value). Every entry is found through one of
 * its clauses: as a *candidate* in the list of each atom of that clause, in the ranges of its
 * field, or in the list that is always asked.
 */
#ifndef HUB_RULES_INDEX_INSIDE_H
#define HUB_RULES_INDEX_INSIDE_H

#include "rules/hash.h"
#include "rules/index.h"
#include "rules/leaf.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    INDEX_PREFIXES_MAX = 16, /* sizes of prefixes per field that can be keys */
    INDEX_BLOCK = 64,        /* ranges that are skipped together */
    INDEX_PAIR_MIN = 48,     /* entries of one value before pairs of values become keys */
};

struct index_entry {
    uint32_t rule;
    uint32_t scope_count;
    const struct clause *scope;
    const struct conjunction *when; /* NULL: nothing more */
};

enum atom_kind { ATOM_TEXT, ATOM_LITERAL, ATOM_NUMBER, ATOM_PREFIX, ATOM_EXISTS, ATOM_PAIR };

struct atom {
    union {
        const char *text;
        uint64_t number;
    } of;
    uint32_t size;
    uint32_t field;
    uint32_t first;      /* candidate; while building: how many tests name it */
    uint32_t count : 27; /* of candidates */
    uint32_t kind : 3;
    uint32_t paired : 1; /* part of some ATOM_PAIR */
    uint32_t data : 1;   /* a type with a rule that looks at data */
};

/* Hash table of atoms; atom 0: free. */
struct atom_slot {
    uint32_t hash;
    uint32_t atom;
};

/* What an entry wants besides its key, cheap to check before anything else. */
enum filter_kind { FILTER_NONE, FILTER_ATOM, FILTER_RANGE };

struct candidate {
    uint32_t entry;
    uint16_t field;
    uint16_t filter;
    union {
        uint32_t atom;
        struct {
            float low, high;
        } range;
    } of;
};

/* Entries found by a range, by lower bound; blocks with nothing high enough are skipped. */
struct range_list {
    uint32_t count;
    const float *low;
    const float *high;
    const float *block_high; /* the highest `high` of each INDEX_BLOCK */
    const float *super_high; /* of each INDEX_BLOCK blocks */
    const struct candidate *candidates;
};

struct index_field {
    bool has_atoms;
    uint8_t prefix_count;
    uint32_t prefixes[INDEX_PREFIXES_MAX]; /* sizes of ATOM_PREFIX */
    uint32_t exists;                       /* its ATOM_EXISTS, or 0 */
    struct range_list *ranges;
};

struct index {
    struct arena *arena;
    struct field_plan *plan;
    uint32_t type, user, tenant, group; /* fields */
    bool uses_who;
    bool has_pairs;
    struct index_entry *entries;
    uint32_t entry_count, entry_room;
    uint32_t expected; /* rules */
    uint32_t rule_count;
    uint32_t *first_entry; /* by rule, and one more */
    uint32_t rule_room;
    struct clause last[4]; /* scope clauses of the rule before: often the same */
    struct atom *atoms;    /* 0 is not used */
    uint32_t atom_count, atom_room;
    struct atom_slot *slots;
    uint32_t slot_mask;
    struct candidate *candidates;
    struct index_field *fields;
    uint32_t field_count;
    struct candidate *always;
    uint32_t always_count;
    bool reads_data;                   /* some rule does */
    bool any_type_data;                /* a rule for every type looks at data */
    const struct test **type_prefixes; /* rules for these look at data */
    uint32_t type_prefix_count;
};

/* Rounding that keeps order, also past the ends of a float. */
static inline float index_float(double number)
{
    if (number > (double)FLT_MAX)
        return INFINITY;
    return number < -(double)FLT_MAX ? -INFINITY : (float)number;
}

static inline uint32_t index_hash(uint32_t field, enum atom_kind kind, atamo_bytes text)
{
    const uint64_t hash = hash_bytes(text.data, text.size, (uint64_t)field << 3 | (uint64_t)kind);

    return (uint32_t)(hash ^ hash >> 32);
}

/* The atom, or 0. For ATOM_NUMBER the text is the eight bytes of the double. */
uint32_t index_find(const struct index *index, uint32_t field, enum atom_kind kind,
                    atamo_bytes text, uint32_t hash);

/* The same, made if it is new. 0 without memory. */
uint32_t index_intern(struct index *index, uint32_t field, enum atom_kind kind, atamo_bytes text);

static inline uint64_t index_pair(uint32_t a, uint32_t b)
{
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

/* The kind and text of the atom that a test names; false if it names none. */
bool index_test_atom(const struct test *test, uint64_t *bits, enum atom_kind *kind,
                     atamo_bytes *text);

/* Clause `i` of an entry: scope first. */
static inline const struct clause *entry_clause(const struct index_entry *entry, uint32_t i)
{
    return i < entry->scope_count ? &entry->scope[i]
                                  : &entry->when->clauses[i - entry->scope_count];
}

static inline uint32_t entry_clauses(const struct index_entry *entry)
{
    return entry->scope_count + (entry->when == NULL ? 0 : entry->when->count);
}

/* The range of a clause that is one TEST_RANGE, else NULL. */
const struct test *clause_range(const struct clause *clause);

/* The kind and text of the atom of a value of an event; the text may be the eight bytes at *bits.
 */
static inline enum atom_kind index_leaf_atom(const struct leaf *leaf, uint64_t *bits,
                                             atamo_bytes *text)
{
    *text = leaf->text;
    if (leaf->kind == FIELD_TEXT)
        return ATOM_TEXT;
    if (!leaf->comparable)
        return ATOM_LITERAL;
    memcpy(bits, &leaf->number, sizeof *bits);
    *text = (atamo_bytes){(const char *)bits, sizeof *bits};
    return ATOM_NUMBER;
}

/* Sort range entries: `keys[i]` is the range of candidates[i]. */
struct range_list *index_make_ranges(struct arena *arena, const struct test *const *keys,
                                     const struct candidate *candidates, uint32_t count);

/* Begin the event, fill the extra fields, parse the data if need be, set the leaves' atoms. */
int index_prepare(const struct index *index, struct field_scratch *fields,
                  const struct rule_event *event, const struct index_who *who,
                  const char **problem);

/* Whether an entry holds. Leaves have their atoms. */
bool index_entry_holds(const struct index_entry *entry, const struct leaf_table *table,
                       uint32_t *steps);

#endif
