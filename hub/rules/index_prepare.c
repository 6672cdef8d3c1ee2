/* index_prepare - an event's value table, made ready for one index.
 *
 * Happy path: attributes are taken, then who submitted, then the data if a rule of this type looks
 * inside; and each value gets the number of its atom, so that tests compare numbers. Hashes come
 * first, so that the table is on its way from memory while the next is computed.
 * Fails if the data is needed and is not JSON, or without memory.
 */
#include "rules/index_inside.h"

#include "rules/matcher.h"

static int add_who(const struct index *index, struct field_scratch *fields,
                   const struct index_who *who)
{
    int status = ATAMO_OK;

    if (!index->uses_who)
        return ATAMO_OK;
    if (who->user.size > 0)
        status = fields_add_text(fields, index->user, who->user);
    if (who->tenant.size > 0 && status == ATAMO_OK)
        status = fields_add_text(fields, index->tenant, who->tenant);
    for (size_t i = 0; i < who->group_count && status == ATAMO_OK; i++)
        status = fields_add_text(fields, index->group, who->groups[i]);
    return status;
}

bool index_needs_data(const struct index *index, atamo_bytes type)
{
    const struct leaf leaf = {.text = type, .kind = FIELD_TEXT};
    uint32_t atom;

    if (!index->reads_data || index->any_type_data)
        return index->reads_data;
    atom =
        index_find(index, index->type, ATOM_TEXT, type, index_hash(index->type, ATOM_TEXT, type));
    if (atom != 0 && index->atoms[atom].data)
        return true;
    for (uint32_t i = 0; i < index->type_prefix_count; i++) {
        if (test_holds(index->type_prefixes[i], &leaf))
            return true;
    }
    return false;
}

/* Start fetching where the field's atoms may be; a leaf keeps its hash in `atom` meanwhile. */
static void hash_leaves(const struct index *index, const struct leaf_table *table, uint32_t field)
{
    atamo_bytes text;
    uint64_t bits;

    for (uint32_t at = table->fields[field].first; at != LEAF_NONE; at = table->leaves[at].next) {
        struct leaf *leaf = &table->leaves[at];
        const enum atom_kind kind = index_leaf_atom(leaf, &bits, &text);

        leaf->atom = index_hash(field, kind, text);
        __builtin_prefetch(&index->slots[leaf->atom & index->slot_mask]);
    }
}

static void find_leaves(const struct index *index, const struct leaf_table *table, uint32_t field)
{
    atamo_bytes text;
    uint64_t bits;

    for (uint32_t at = table->fields[field].first; at != LEAF_NONE; at = table->leaves[at].next) {
        struct leaf *leaf = &table->leaves[at];
        const enum atom_kind kind = index_leaf_atom(leaf, &bits, &text);

        leaf->atom = index_find(index, field, kind, text, leaf->atom);
        if (leaf->atom != 0)
            __builtin_prefetch(&index->candidates[index->atoms[leaf->atom].first]);
    }
}

/* Every leaf's atom. */
static void find_atoms(const struct index *index, const struct leaf_table *table)
{
    for (uint32_t i = 0; i < table->touched_count; i++) {
        if (index->fields[table->touched[i]].has_atoms)
            hash_leaves(index, table, table->touched[i]);
    }
    for (uint32_t i = 0; i < table->touched_count; i++) {
        if (index->fields[table->touched[i]].has_atoms)
            find_leaves(index, table, table->touched[i]);
    }
}

int index_prepare(const struct index *index, struct field_scratch *fields,
                  const struct rule_event *event, const struct index_who *who, const char **problem)
{
    int status;

    *problem = "no memory";
    status = fields_attributes(index->plan, fields, event);
    if (status == ATAMO_OK)
        status = add_who(index, fields, who);
    if (status == ATAMO_OK && event->data.size > 0 &&
        index_needs_data(index, event->attributes[ATAMO_TYPE]))
        status = fields_data(fields, problem);
    if (status == ATAMO_OK)
        find_atoms(index, fields_leaves(fields));
    return status;
}

bool index_entry_holds(const struct index_entry *entry, const struct leaf_table *table,
                       uint32_t *steps)
{
    for (uint32_t i = 0; i < entry->scope_count; i++) {
        if (!clause_holds(&entry->scope[i], table))
            return false;
    }
    return entry->when == NULL || conjunction_holds(entry->when, table, steps);
}
