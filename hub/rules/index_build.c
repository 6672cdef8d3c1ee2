/* index_build - taking rules into an index, before it is sealed.
 *
 * Happy path: a rule becomes one entry per alternative of its pattern, twice if it names users and
 * groups (either will do). Types, users and groups become clauses like those of a pattern; rules
 * often share them with the rule before, so that one copy serves many.
 * Fails only without memory; the index is then good for nothing but being dropped with its arena.
 */
#include "rules/index_inside.h"

#include <assert.h>
#include <string.h>

enum { ROOM_MIN = 16 };

enum { SCOPE_TYPES, SCOPE_USERS, SCOPE_GROUPS, SCOPE_TENANTS, SCOPE_COUNT };

int index_new(struct arena *arena, struct field_plan *plan, uint32_t expected, struct index **index)
{
    const atamo_bytes type = atamo_text("type");
    struct index *made = arena_alloc(arena, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->arena = arena;
    made->plan = plan;
    made->expected = expected < ROOM_MIN ? ROOM_MIN : expected;
    if (field_plan_add(plan, &type, 1, FIELD_LEAVES, &made->type) != ATAMO_OK ||
        field_plan_add_extra(plan, &made->user) != ATAMO_OK ||
        field_plan_add_extra(plan, &made->group) != ATAMO_OK ||
        field_plan_add_extra(plan, &made->tenant) != ATAMO_OK)
        return ATAMO_NO_MEMORY;
    *index = made;
    return ATAMO_OK;
}

static bool is_prefix(atamo_bytes name)
{
    return name.size > 0 && name.data[name.size - 1] == '*';
}

static bool same_names(const struct clause *clause, const struct index_names *names)
{
    if (clause->count != names->count)
        return false;
    for (size_t i = 0; i < names->count; i++) {
        const struct test *test = &clause->tests[i];
        const size_t star = test->kind == TEST_PREFIX;

        if (test->of.text.size + star != names->names[i].size ||
            (star == 1) != is_prefix(names->names[i]) ||
            memcmp(test->of.text.data, names->names[i].data, test->of.text.size) != 0)
            return false;
    }
    return true;
}

/* A clause that one of the names is there, in index->last[which]. */
static int make_clause(struct index *index, int which, const struct index_names *names)
{
    const uint32_t fields[] = {index->type, index->user, index->group, index->tenant};
    struct clause *clause = &index->last[which];
    struct test *tests;

    if (names->count == 0 || same_names(clause, names))
        return ATAMO_OK;
    if (names->count > UINT16_MAX)
        return ATAMO_TOO_LARGE;
    tests = arena_array(index->arena, names->count, sizeof *tests);
    if (tests == NULL)
        return ATAMO_NO_MEMORY;
    for (size_t i = 0; i < names->count; i++) {
        atamo_bytes text = arena_copy(index->arena, names->names[i]);

        if (text.data == NULL)
            return ATAMO_NO_MEMORY;
        tests[i].kind = TEST_TEXT;
        if (which == SCOPE_TYPES && is_prefix(text)) {
            tests[i].kind = TEST_PREFIX;
            text.size--;
        }
        tests[i].of.text = text;
    }
    *clause = (struct clause){fields[which], (uint16_t)names->count, 0, tests};
    return ATAMO_OK;
}

static void *grow(struct arena *arena, void *old, size_t used, size_t room, size_t size)
{
    void *grown = arena_array(arena, room, size);

    if (grown != NULL && used > 0)
        memcpy(grown, old, used * size);
    return grown;
}

static int add_entry(struct index *index, const struct clause *scope, uint32_t scope_count,
                     const struct conjunction *when)
{
    if (index->entry_count == index->entry_room) {
        const uint32_t room = index->entry_room == 0 ? index->expected : index->entry_room * 2;
        void *grown =
            grow(index->arena, index->entries, index->entry_count, room, sizeof *index->entries);

        if (grown == NULL)
            return ATAMO_NO_MEMORY;
        index->entries = grown;
        index->entry_room = room;
    }
    index->entries[index->entry_count++] =
        (struct index_entry){index->rule_count, scope_count, scope, when};
    return ATAMO_OK;
}

/* One entry per alternative, with the scope clauses of the bits in `which`. */
static int add_entries(struct index *index, const struct pattern *pattern, unsigned which)
{
    const struct clause *scope;
    struct clause clauses[SCOPE_COUNT];
    uint32_t count = 0;
    int status = ATAMO_OK;

    for (int i = 0; i < SCOPE_COUNT; i++) {
        if (which >> i & 1)
            clauses[count++] = index->last[i];
    }
    scope = index->entry_count > 0 ? index->entries[index->entry_count - 1].scope : NULL;
    if (count > 0 &&
        (scope == NULL || index->entries[index->entry_count - 1].scope_count != count ||
         memcmp(scope, clauses, count * sizeof *clauses) != 0)) {
        struct clause *copy = arena_array(index->arena, count, sizeof *copy);

        if (copy == NULL)
            return ATAMO_NO_MEMORY;
        memcpy(copy, clauses, count * sizeof *copy);
        scope = copy;
    }
    if (pattern == NULL)
        return add_entry(index, scope, count, NULL);
    for (size_t i = 0; i < pattern->count && status == ATAMO_OK; i++)
        status = add_entry(index, scope, count, pattern->alternatives[i]);
    return status;
}

static bool is_every_type(const struct index_names *types)
{
    for (size_t i = 0; i < types->count; i++) {
        if (types->names[i].size == 1 && types->names[i].data[0] == '*')
            return true;
    }
    return types->count == 0;
}

static int begin_rule(struct index *index)
{
    if (index->rule_count + 1 >= index->rule_room) {
        const uint32_t room = index->rule_room == 0 ? index->expected + 1 : index->rule_room * 2;
        void *grown = grow(index->arena, index->first_entry, index->rule_count, room,
                           sizeof *index->first_entry);

        if (grown == NULL)
            return ATAMO_NO_MEMORY;
        index->first_entry = grown;
        index->rule_room = room;
    }
    index->first_entry[index->rule_count] = index->entry_count;
    return ATAMO_OK;
}

int index_add(struct index *index, const struct index_rule *rule)
{
    const struct index_names *names[SCOPE_COUNT] = {&rule->types, &rule->users, &rule->groups,
                                                    &rule->tenants};
    const unsigned either = 1u << SCOPE_USERS | 1u << SCOPE_GROUPS;
    unsigned which = 0;
    int status = begin_rule(index);

    for (int i = 0; i < SCOPE_COUNT && status == ATAMO_OK; i++) {
        status = make_clause(index, i, names[i]);
        if (names[i]->count > 0)
            which |= 1u << i;
    }
    if (status != ATAMO_OK)
        return status;
    index->uses_who |= which > 1u << SCOPE_TYPES;
    if (is_every_type(&rule->types))
        which &= ~(1u << SCOPE_TYPES);
    if ((which & either) == either) {
        status = add_entries(index, rule->pattern, which & ~(1u << SCOPE_GROUPS));
        which &= ~(1u << SCOPE_USERS);
    }
    if (status == ATAMO_OK)
        status = add_entries(index, rule->pattern, which);
    index->rule_count++;
    index->first_entry[index->rule_count] = index->entry_count;
    return status;
}
