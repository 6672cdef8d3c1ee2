/* index_keys - sealing: which key finds each entry, and the lists of candidates.
 *
 * Happy path: name every value an atom and count how often each is named; give each entry the
 * clause whose values are named least (or a range, or a path that must exist); then lay the
 * candidates of each atom out next to one another, by counting. Fails only without memory.
 */
#include "rules/index_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum key_kind { KEY_ALWAYS, KEY_VALUES, KEY_PAIR, KEY_RANGE, KEY_EXISTS };

struct key {
    uint16_t clause;
    uint16_t second; /* KEY_PAIR: the other clause */
    uint16_t kind;
    uint32_t atom; /* KEY_PAIR */
};

struct sealing {
    struct index *index;
    uint32_t *exists; /* by field: clauses that need a value there */
    struct key *keys; /* by entry */
    uint32_t *ranges; /* by field: entries whose key is a range */
    uint32_t *named;  /* by atom: tests that name it */
};

const struct test *clause_range(const struct clause *clause)
{
    return clause->count == 1 && clause->tests[0].kind == TEST_RANGE ? clause->tests : NULL;
}

static bool needs_value(const struct clause *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        if (clause->tests[i].kind == TEST_ABSENT)
            return false;
    }
    return true;
}

/* A prefix by which entries can be found. One that ends with a quote may reach past the text. */
static bool is_key_prefix(const struct test *test)
{
    return test->kind == TEST_PREFIX && test->of.text.size > 0 &&
           test->of.text.data[test->of.text.size - 1] != '"';
}

static int name_prefix(struct index *index, uint32_t field, const struct test *test)
{
    struct index_field *f = &index->fields[field];
    const uint32_t size = (uint32_t)test->of.text.size;
    uint32_t atom;
    int i = 0;

    while (i < f->prefix_count && f->prefixes[i] != size)
        i++;
    if (i == INDEX_PREFIXES_MAX)
        return ATAMO_OK; /* so this one is no key */
    if (i == f->prefix_count)
        f->prefixes[f->prefix_count++] = size;
    atom = index_intern(index, field, ATOM_PREFIX, test->of.text);
    if (atom == 0)
        return ATAMO_NO_MEMORY;
    index->atoms[atom].first++;
    return ATAMO_OK;
}

static int name_values(struct sealing *s, const struct clause *clause)
{
    struct index *index = s->index;

    s->exists[clause->field] += needs_value(clause);
    for (size_t i = 0; i < clause->count; i++) {
        struct test *test = &clause->tests[i];
        enum atom_kind kind;
        atamo_bytes text;
        uint64_t bits;

        if (index_test_atom(test, &bits, &kind, &text)) {
            test->atom = index_intern(index, clause->field, kind, text);
            if (test->atom == 0)
                return ATAMO_NO_MEMORY;
            index->atoms[test->atom].first++;
            index->fields[clause->field].has_atoms = true;
        } else if (is_key_prefix(test) && name_prefix(index, clause->field, test) != ATAMO_OK) {
            return ATAMO_NO_MEMORY;
        }
    }
    return ATAMO_OK;
}

/* The atom by which a test finds its entry, 0 if it cannot. */
static uint32_t key_atom(const struct index *index, uint32_t field, const struct test *test)
{
    if (test->atom != 0)
        return test->atom;
    if (!is_key_prefix(test))
        return 0;
    return index_find(index, field, ATOM_PREFIX, test->of.text,
                      index_hash(field, ATOM_PREFIX, test->of.text));
}

/* How many clauses share the values of this one; UINT64_MAX if it cannot be a key by values. */
static uint64_t values_cost(const struct index *index, const struct clause *clause)
{
    uint64_t cost = 0;

    for (size_t i = 0; i < clause->count; i++) {
        const uint32_t atom = key_atom(index, clause->field, &clause->tests[i]);

        if (atom == 0)
            return UINT64_MAX;
        cost += index->atoms[atom].first;
    }
    return cost;
}

static struct key choose_key(const struct sealing *s, const struct index_entry *entry)
{
    struct key best = {.kind = KEY_ALWAYS};
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < entry_clauses(entry); i++) {
        const struct clause *clause = entry_clause(entry, i);
        uint64_t cost = values_cost(s->index, clause);
        enum key_kind kind = KEY_VALUES;

        if (cost == UINT64_MAX && clause_range(clause) != NULL) {
            kind = KEY_RANGE;
            cost = s->exists[clause->field] / 4u;
        } else if (cost == UINT64_MAX && needs_value(clause)) {
            kind = KEY_EXISTS;
            cost = s->exists[clause->field];
        }
        if (cost < least) {
            least = cost;
            best = (struct key){.clause = (uint16_t)i, .kind = (uint16_t)kind};
        }
    }
    return best;
}

/* If too many share the key's value, add the clause whose one value the fewest others name. */
static int widen_key(struct sealing *s, const struct index_entry *entry, struct key *key)
{
    struct index *index = s->index;
    const struct clause *clause = entry_clause(entry, key->clause);
    const uint32_t first = clause->tests[0].atom;
    uint64_t least = UINT64_MAX;
    uint64_t pair;
    uint32_t second = 0;

    if (clause->count != 1 || first == 0 || index->atoms[first].first < INDEX_PAIR_MIN)
        return ATAMO_OK;
    for (uint32_t i = 0; i < entry_clauses(entry); i++) {
        const struct clause *other = entry_clause(entry, i);

        if (i == key->clause || other->count != 1 || other->tests[0].atom == 0 ||
            index->atoms[other->tests[0].atom].first >= least)
            continue;
        second = other->tests[0].atom;
        least = index->atoms[second].first;
        key->second = (uint16_t)i;
    }
    if (second == 0 || least > index->entry_count / 4)
        return ATAMO_OK;
    pair = index_pair(first, second);
    key->atom = index_intern(index, 0, ATOM_PAIR, (atamo_bytes){(const char *)&pair, sizeof pair});
    if (key->atom == 0)
        return ATAMO_NO_MEMORY;
    key->kind = KEY_PAIR;
    index->atoms[first].paired = 1;
    index->atoms[second].paired = 1;
    index->has_pairs = true;
    return ATAMO_OK;
}

/* Let a candidate be checked by this clause first. */
static void set_filter(struct candidate *candidate, const struct clause *clause)
{
    const struct test *test = &clause->tests[0];

    candidate->field = (uint16_t)clause->field;
    if (test->atom != 0) {
        candidate->filter = FILTER_ATOM;
        candidate->of.atom = test->atom;
        return;
    }
    candidate->filter = FILTER_RANGE;
    candidate->of.range.low = index_float(test->of.range.low);
    candidate->of.range.high = index_float(test->of.range.high);
}

/* What to check first of an entry that its key has found: the value that the fewest others name; a
 * range rather than a value that a quarter of all entries names, such as a common type. */
static struct candidate make_candidate(const struct sealing *s, uint32_t number)
{
    const struct index_entry *entry = &s->index->entries[number];
    const struct key key = s->keys[number];
    struct candidate made = {.entry = number};
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < entry_clauses(entry); i++) {
        const struct clause *clause = entry_clause(entry, i);
        uint64_t cost;

        if ((i == key.clause && key.kind != KEY_ALWAYS) ||
            (i == key.second && key.kind == KEY_PAIR) || clause->count != 1 ||
            clause->field > UINT16_MAX)
            continue;
        if (clause->tests[0].atom != 0)
            cost = s->named[clause->tests[0].atom];
        else if (clause_range(clause) != NULL)
            cost = s->index->entry_count / 4;
        else
            continue;
        if (cost < least) {
            least = cost;
            set_filter(&made, clause);
        }
    }
    return made;
}

static void place_candidate(struct index *index, uint32_t atom, const struct candidate *candidate,
                            bool place)
{
    struct atom *at = &index->atoms[atom];

    if (place)
        index->candidates[at->first + at->count] = *candidate;
    at->count = (at->count + 1) & 0x7ffffffu;
}

/* Count, or with `place` put, the candidates of one entry. */
static void place_entry(struct sealing *s, uint32_t number, bool place)
{
    struct index *index = s->index;
    const struct key key = s->keys[number];
    const struct clause *clause =
        key.kind == KEY_ALWAYS ? NULL : entry_clause(&index->entries[number], key.clause);
    const struct candidate candidate =
        place ? make_candidate(s, number) : (struct candidate){.entry = number};

    if (clause == NULL) {
        if (place)
            index->always[index->always_count] = candidate;
        index->always_count++;
        return;
    }
    if (key.kind == KEY_RANGE) {
        s->ranges[clause->field]++;
        return;
    }
    if (key.kind == KEY_PAIR) {
        place_candidate(index, key.atom, &candidate, place);
    } else if (key.kind == KEY_EXISTS) {
        place_candidate(index, index->fields[clause->field].exists, &candidate, place);
    } else {
        for (size_t i = 0; i < clause->count; i++)
            place_candidate(index, key_atom(index, clause->field, &clause->tests[i]), &candidate,
                            place);
    }
}

static int choose_keys(struct sealing *s)
{
    struct index *index = s->index;

    for (uint32_t i = 0; i < index->entry_count; i++) {
        uint32_t field;

        s->keys[i] = choose_key(s, &index->entries[i]);
        if (s->keys[i].kind == KEY_VALUES &&
            widen_key(s, &index->entries[i], &s->keys[i]) != ATAMO_OK)
            return ATAMO_NO_MEMORY;
        if (s->keys[i].kind != KEY_EXISTS)
            continue;
        field = entry_clause(&index->entries[i], s->keys[i].clause)->field;
        if (index->fields[field].exists == 0)
            index->fields[field].exists =
                index_intern(index, field, ATOM_EXISTS, (atamo_bytes){"", 0});
        if (index->fields[field].exists == 0)
            return ATAMO_NO_MEMORY;
    }
    return ATAMO_OK;
}

static int place_values(struct sealing *s)
{
    struct index *index = s->index;
    uint32_t total = 0;

    for (uint32_t i = 0; i < index->entry_count; i++)
        place_entry(s, i, false);
    for (uint32_t i = 1; i < index->atom_count; i++)
        total += index->atoms[i].count;
    index->candidates = arena_array(index->arena, total + 1u, sizeof *index->candidates);
    index->always = arena_array(index->arena, index->always_count + 1u, sizeof *index->always);
    if (index->candidates == NULL || index->always == NULL)
        return ATAMO_NO_MEMORY;
    total = 0;
    for (uint32_t i = 1; i < index->atom_count; i++) {
        s->named[i] = index->atoms[i].first;
        index->atoms[i].first = total;
        total += index->atoms[i].count;
        index->atoms[i].count = 0;
    }
    index->always_count = 0;
    memset(s->ranges, 0, index->field_count * sizeof *s->ranges);
    for (uint32_t i = 0; i < index->entry_count; i++)
        place_entry(s, i, true);
    return ATAMO_OK;
}

/* The range entries of one field, gathered and sorted. */
static int place_ranges(struct sealing *s, uint32_t field, const uint32_t *entries)
{
    const uint32_t count = s->ranges[field];
    const struct test **keys = calloc(count, sizeof(struct test *));
    struct candidate *candidates = calloc(count, sizeof *candidates);
    int status = ATAMO_NO_MEMORY;

    if (keys != NULL && candidates != NULL) {
        for (uint32_t i = 0; i < count; i++) {
            const struct key key = s->keys[entries[i]];

            keys[i] = entry_clause(&s->index->entries[entries[i]], key.clause)->tests;
            candidates[i] = make_candidate(s, entries[i]);
        }
        s->index->fields[field].ranges =
            index_make_ranges(s->index->arena, keys, candidates, count);
        if (s->index->fields[field].ranges != NULL)
            status = ATAMO_OK;
    }
    free(keys);
    free(candidates);
    return status;
}

static int place_all_ranges(struct sealing *s)
{
    struct index *index = s->index;
    uint32_t *starts = calloc(index->field_count + 1u, sizeof *starts);
    uint32_t *entries = calloc(index->entry_count + 1u, sizeof *entries);
    int status = starts == NULL || entries == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;

    for (uint32_t i = 0; status == ATAMO_OK && i < index->field_count; i++)
        starts[i + 1] = starts[i] + s->ranges[i];
    for (uint32_t i = 0; status == ATAMO_OK && i < index->entry_count; i++) {
        if (s->keys[i].kind == KEY_RANGE)
            entries[starts[entry_clause(&index->entries[i], s->keys[i].clause)->field]++] = i;
    }
    for (uint32_t i = 0; status == ATAMO_OK && i < index->field_count; i++) {
        if (s->ranges[i] > 0)
            status = place_ranges(s, i, entries + starts[i] - s->ranges[i]);
    }
    free(starts);
    free(entries);
    return status;
}

/* Which event types need their data parsed. */
static int note_data(struct index *index, const struct index_entry *entry)
{
    const struct clause *types =
        entry->scope_count > 0 && entry->scope[0].field == index->type ? entry->scope : NULL;
    bool in_data = false;

    for (uint32_t i = 0; entry->when != NULL && i < entry->when->count; i++)
        in_data |= field_plan_in_data(index->plan, entry->when->clauses[i].field);
    if (!in_data)
        return ATAMO_OK;
    index->reads_data = true;
    if (types == NULL) {
        index->any_type_data = true;
        return ATAMO_OK;
    }
    for (size_t i = 0; i < types->count; i++) {
        const struct test *test = &types->tests[i];
        const uint32_t last = index->type_prefix_count;

        if (test->atom != 0) {
            index->atoms[test->atom].data = 1;
        } else if (last == 0 || index->type_prefixes[last - 1] != test) {
            if ((last & (last - 1)) == 0) {
                const struct test **grown =
                    arena_array(index->arena, last == 0 ? 1 : last * 2, sizeof(struct test *));

                if (grown == NULL)
                    return ATAMO_NO_MEMORY;
                if (last > 0)
                    memcpy(grown, index->type_prefixes, last * sizeof(struct test *));
                index->type_prefixes = grown;
            }
            index->type_prefixes[index->type_prefix_count++] = test;
        }
    }
    return ATAMO_OK;
}

static int seal(struct sealing *s)
{
    struct index *index = s->index;
    int status = ATAMO_OK;

    /* the empty text as an atom nobody finds makes the tables exist */
    if (index_intern(index, UINT32_MAX, ATOM_EXISTS, (atamo_bytes){"", 0}) == 0)
        return ATAMO_NO_MEMORY;
    for (uint32_t i = 0; i < index->entry_count; i++) {
        const struct index_entry *entry = &index->entries[i];

        for (uint32_t j = 0; j < entry_clauses(entry) && status == ATAMO_OK; j++)
            status = name_values(s, entry_clause(entry, j));
    }
    for (uint32_t i = 0; i < index->entry_count && status == ATAMO_OK; i++)
        status = note_data(index, &index->entries[i]);
    if (status == ATAMO_OK)
        status = choose_keys(s);
    if (status == ATAMO_OK) {
        s->named = calloc(index->atom_count, sizeof *s->named);
        status = s->named == NULL ? ATAMO_NO_MEMORY : place_values(s);
    }
    return status == ATAMO_OK ? place_all_ranges(s) : status;
}

int index_seal(struct index *index)
{
    struct sealing s = {.index = index};
    int status = ATAMO_NO_MEMORY;

    index->field_count = field_plan_count(index->plan);
    index->fields = arena_array(index->arena, index->field_count, sizeof *index->fields);
    s.exists = calloc(index->field_count, sizeof *s.exists);
    s.ranges = calloc(index->field_count, sizeof *s.ranges);
    s.keys = calloc(index->entry_count + 1u, sizeof *s.keys);
    if (index->fields != NULL && s.exists != NULL && s.ranges != NULL && s.keys != NULL)
        status = seal(&s);
    free(s.exists);
    free(s.ranges);
    free(s.keys);
    free(s.named);
    return status;
}
