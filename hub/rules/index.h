/* index - which rules of a set match an event.
 *
 * A rule is added once with its event types, the users it is for, and its pattern; its number is
 * how many were added before. Sealing chooses for each rule the part that the fewest others share
 * as its key (a value, the beginning of a text, a numeric range, or at least a path that must be
 * there); matching looks up the event's values and asks only the rules found that way. So the cost
 * follows what an event finds, not how many rules there are.
 *
 * Order of use: index_new(), index_add() ..., field_plan_seal(), index_seal(). The sealed index is
 * immutable and may be read by many threads, each with its own scratches; it lives in the arena.
 * Patterns that were added belong to this index alone.
 */
#ifndef HUB_RULES_INDEX_H
#define HUB_RULES_INDEX_H

#include "rules/pattern.h"

struct index;
struct index_scratch;

/* Texts of a scope or of event types; borrowed during the call. */
struct index_names {
    const atamo_bytes *names;
    size_t count;
};

/* A rule is for an event if (there are no users and no groups, or the user is listed, or one of the
 * user's groups is) and (there are no tenants, or the tenant is listed). */
struct index_rule {
    struct index_names types; /* exact, or a prefix and '*': "order.*", "*"; none: every type */
    struct index_names users, groups, tenants;
    const struct pattern *pattern; /* NULL: every event */
};

/* On whose behalf an event is. */
struct index_who {
    atamo_bytes user;   /* empty: nobody */
    atamo_bytes tenant; /* empty: none */
    const atamo_bytes *groups;
    size_t group_count;
};

struct index_result {
    const uint32_t *rules; /* ascending; until the next match with the same scratch */
    size_t count;
    const char *problem; /* why the status is not ATAMO_OK */
};

/* An index whose plan is not sealed yet. `expected` rules spare memory, more are fine.
 * ATAMO_NO_MEMORY. */
int index_new(struct arena *arena, struct field_plan *plan, uint32_t expected,
              struct index **index);
int index_add(struct index *index, const struct index_rule *rule);

/* The plan is sealed by now. ATAMO_NO_MEMORY. */
int index_seal(struct index *index);

/* Whether events of this type must have their data parsed for matching. */
bool index_needs_data(const struct index *index, atamo_bytes type);

/* One per thread, for any index; grows to the largest it sees. */
int index_scratch_open(struct index_scratch **scratch);
void index_scratch_close(struct index_scratch *scratch);

/* The rules that match. Begins the event in `fields` (fields_attributes()) and parses its data only
 * if index_needs_data(); the event must last as long as its fields are asked for.
 * ATAMO_INVALID: the data is not JSON. ATAMO_TOO_LARGE: MATCH_STEPS_MAX was not enough.
 * ATAMO_NO_MEMORY. */
int index_match(const struct index *index, struct index_scratch *scratch,
                struct field_scratch *fields, const struct rule_event *event,
                const struct index_who *who, struct index_result *result);

/* Why one rule matches or not: "data.total is 80, wanted numeric >= 100". */
struct index_reason {
    bool matched;
    char text[512]; /* NUL-terminated, cut if longer */
};

/* The first clause of the rule, in written order, that fails, with the value seen and what was
 * wanted. Always agrees with index_match(). On the same errors as there the text says which. */
int index_explain(const struct index *index, uint32_t rule, struct field_scratch *fields,
                  const struct rule_event *event, const struct index_who *who,
                  struct index_reason *reason);

#endif
