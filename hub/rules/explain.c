/* explain - why a rule matches an event, or the first of its clauses that fails.
 *
 * Happy path: the event is prepared as for matching, and the entries of the rule are asked with the
 * same functions. If none holds, the one that gets furthest in written order is the one to tell
 * about: its first clause that fails by itself. If all hold by themselves, arrays are the reason.
 * Fails as index_match() does.
 */
#include "rules/explain_text.h"
#include "rules/matcher.h"

#include <assert.h>

/* Where an entry fails: a clause, after how many that hold. */
struct failure {
    const struct clause *clause; /* NULL: no clause fails by itself */
    size_t passed;
};

/* The clause of the pattern that was written as number `order` or next after it. */
static const struct clause *next_written(const struct conjunction *when, int order)
{
    const struct clause *found = NULL;

    for (size_t i = 0; i < when->count; i++) {
        if (when->clauses[i].order > order &&
            (found == NULL || when->clauses[i].order < found->order))
            found = &when->clauses[i];
    }
    return found;
}

static struct failure find_failure(const struct index_entry *entry, const struct leaf_table *table)
{
    struct failure failure = {NULL, 0};
    const struct clause *clause;
    int order = -1;

    for (uint32_t i = 0; i < entry->scope_count; i++, failure.passed++) {
        if (!clause_holds(&entry->scope[i], table)) {
            failure.clause = &entry->scope[i];
            return failure;
        }
    }
    while (entry->when != NULL && (clause = next_written(entry->when, order)) != NULL) {
        if (!clause_holds(clause, table)) {
            failure.clause = clause;
            return failure;
        }
        failure.passed++;
        order = clause->order;
    }
    return failure;
}

/* The clause of some entry of the rule about this field, or NULL. */
static const struct clause *scope_about(const struct index *index, uint32_t rule, uint32_t field)
{
    for (uint32_t i = index->first_entry[rule]; i < index->first_entry[rule + 1]; i++) {
        for (uint32_t j = 0; j < index->entries[i].scope_count; j++) {
            if (index->entries[i].scope[j].field == field)
                return &index->entries[i].scope[j];
        }
    }
    return NULL;
}

/* "user anna is not in users [bert] nor in groups [sales]". */
static void say_user(struct sentence *sentence, const struct index *index, uint32_t rule,
                     const struct index_who *who)
{
    const struct clause *users = scope_about(index, rule, index->user);
    const struct clause *groups = scope_about(index, rule, index->group);

    if (who->user.size == 0 && (users == NULL || groups == NULL)) {
        say(sentence, "nobody is named as user, wanted one ");
        say(sentence, users != NULL ? "of users " : "in groups ");
        say_names(sentence, users != NULL ? users : groups);
        return;
    }
    say(sentence, who->user.size == 0 ? "no user" : "user ");
    say_bytes(sentence, who->user);
    say(sentence, " is not in ");
    if (users != NULL) {
        say(sentence, "users ");
        say_names(sentence, users);
    }
    say(sentence, users != NULL && groups != NULL ? " nor in " : "");
    if (groups != NULL) {
        say(sentence, "groups ");
        say_names(sentence, groups);
    }
}

static void say_clause(struct sentence *sentence, const struct index *index,
                       const struct leaf_table *table, const struct clause *clause)
{
    const bool quotes = field_plan_in_data(index->plan, clause->field);

    say_bytes(sentence, field_plan_name(index->plan, clause->field));
    say(sentence, " is ");
    say_values(sentence, table, clause->field, quotes);
    say(sentence, ", wanted ");
    say_tests(sentence, clause, quotes);
}

static void say_arrays(struct sentence *sentence, const struct index *index,
                       const struct conjunction *when, const struct leaf_table *table)
{
    const char *between = "";

    say(sentence, "no single array element fits all of ");
    for (size_t i = 0; i < when->count; i++) {
        const uint32_t first = table->fields[when->clauses[i].field].first;

        if (first == LEAF_NONE ||
            table->leaves[table->fields[when->clauses[i].field].last].place == 0)
            continue;
        say(sentence, between);
        say_bytes(sentence, field_plan_name(index->plan, when->clauses[i].field));
        between = ", ";
    }
}

/* Which entry to tell about: the one that got furthest; the first of equals. */
static const struct index_entry *furthest(const struct index *index, uint32_t rule,
                                          const struct leaf_table *table, struct failure *failure)
{
    const struct index_entry *chosen = NULL;

    for (uint32_t i = index->first_entry[rule]; i < index->first_entry[rule + 1]; i++) {
        const struct failure found = find_failure(&index->entries[i], table);

        if (chosen == NULL ||
            (failure->clause != NULL && (found.clause == NULL || found.passed > failure->passed))) {
            chosen = &index->entries[i];
            *failure = found;
        }
    }
    return chosen;
}

static void say_failure(struct sentence *sentence, const struct index *index, uint32_t rule,
                        const struct leaf_table *table, const struct index_who *who)
{
    struct failure failure = {NULL, 0};
    const struct index_entry *entry = furthest(index, rule, table, &failure);

    assert(entry != NULL);
    if (failure.clause == NULL) {
        say_arrays(sentence, index, entry->when, table);
    } else if (failure.clause->field == index->user || failure.clause->field == index->group) {
        say_user(sentence, index, rule, who);
    } else if (failure.clause->field == index->tenant) {
        say(sentence, who->tenant.size == 0 ? "no tenant" : "tenant ");
        say_bytes(sentence, who->tenant);
        say(sentence, " is not in tenants ");
        say_names(sentence, failure.clause);
    } else {
        say_clause(sentence, index, table, failure.clause);
    }
    if (index->first_entry[rule + 1] - index->first_entry[rule] > 1 && entry->when != NULL &&
        failure.passed >= entry->scope_count)
        say(sentence, "; no other alternative of $or matches either");
}

int index_explain(const struct index *index, uint32_t rule, struct field_scratch *fields,
                  const struct rule_event *event, const struct index_who *who,
                  struct index_reason *reason)
{
    struct sentence sentence;
    uint32_t steps = MATCH_STEPS_MAX;
    const char *problem;
    bool matched = false;
    const int status = index_prepare(index, fields, event, who, &problem);

    assert(rule < index->rule_count);
    say_begin(&sentence, reason->text, sizeof reason->text);
    if (status != ATAMO_OK) {
        say(&sentence, problem);
        return status;
    }
    for (uint32_t i = index->first_entry[rule]; i < index->first_entry[rule + 1] && !matched; i++)
        matched = index_entry_holds(&index->entries[i], fields_leaves(fields), &steps);
    if (!matched && steps == 0) {
        say(&sentence, "too many array elements for the rules that look at them");
        return ATAMO_TOO_LARGE;
    }
    reason->matched = matched;
    if (matched)
        say(&sentence, "every condition holds");
    else
        say_failure(&sentence, index, rule, fields_leaves(fields), who);
    return ATAMO_OK;
}
