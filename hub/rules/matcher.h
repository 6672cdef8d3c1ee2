/* matcher - whether a compiled pattern holds for the values of one event.
 *
 * The reference for what a match is: the index only chooses which conjunctions to ask about, and
 * explain asks the same functions.
 */
#ifndef HUB_RULES_MATCHER_H
#define HUB_RULES_MATCHER_H

#include "rules/leaf.h"
#include "rules/pattern.h"

/* Values looked at in one event before matching gives up: large arrays times many rules. */
enum { MATCH_STEPS_MAX = 1 << 24 };

/* Whether a test holds for one value. TEST_ABSENT does not. */
bool test_holds(const struct test *test, const struct leaf *leaf);

/* Whether a clause holds by itself, leaving arrays aside. */
bool clause_holds(const struct clause *clause, const struct leaf_table *table);

/* Whether all clauses hold, with values from consistent array elements. Takes what it looked at off
 * *steps; at 0 it gives up and says false. */
bool conjunction_holds(const struct conjunction *conjunction, const struct leaf_table *table,
                       uint32_t *steps);

#endif
