/* matcher - whether a compiled pattern holds for the values of one event.
 *
 * Happy path: each clause has one value, in no array; its few tests are tried in turn. Only if two
 * clauses have values inside arrays, or one asks for absence there, values are chosen clause by
 * clause, in event-ruler's order of paths, each from array elements that fit those chosen before,
 * going back when none fits.
 *
 * Two values fit if no array holds both in different elements; it is enough to check in pairs. When
 * a clause finds no value at all, the search goes back to the latest clause that could change that.
 * Cannot fail, but gives up when its steps are spent.
 */
#include "rules/matcher.h"

#include "rules/text_match.h"

#include <assert.h>
#include <string.h>

static bool same_text(atamo_bytes a, atamo_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool in_range(const struct test *test, const struct leaf *leaf)
{
    const double number = leaf->number;

    return leaf->comparable &&
           (test->low_open ? number > test->of.range.low : number >= test->of.range.low) &&
           (test->high_open ? number < test->of.range.high : number <= test->of.range.high);
}

static bool is_literal(const struct test *test, const struct leaf *leaf)
{
    return leaf->kind != FIELD_TEXT && !leaf->comparable && same_text(test->of.text, leaf->text);
}

static bool has_address(const struct test *test, const struct leaf *leaf)
{
    struct address address;

    return address_read(leaf->text, &address) && address_in_range(&address, test->of.addresses);
}

/* Tests of texts, on a text. */
static bool text_holds(const struct test *test, const struct leaf *leaf)
{
    switch ((enum test_kind)test->kind) {
    case TEST_TEXT:
        return same_text(test->of.text, leaf->text);
    case TEST_PREFIX:
        return text_has_prefix(leaf->text, test->of.text);
    case TEST_SUFFIX:
        return text_has_suffix(leaf->text, test->of.text);
    case TEST_WILDCARD:
        return text_fits_wildcard(leaf->text, test->of.text);
    case TEST_ANYCASE:
        return casing_covers(test->of.casing, leaf->text) == (long)leaf->text.size;
    case TEST_PREFIX_ANYCASE:
    case TEST_SUFFIX_ANYCASE:
        return casing_covers(test->of.casing, leaf->text) >= 0;
    case TEST_ADDRESS:
        return has_address(test, leaf);
    default:
        return false;
    }
}

/* All tests but TEST_NOT. */
static bool plain_holds(const struct test *test, const struct leaf *leaf)
{
    switch ((enum test_kind)test->kind) {
    case TEST_EXISTS:
        return true;
    case TEST_ABSENT:
    case TEST_NOT:
        return false;
    case TEST_NUMBER:
    case TEST_RANGE:
        return in_range(test, leaf);
    case TEST_LITERAL:
        return is_literal(test, leaf);
    default:
        return leaf->kind == FIELD_TEXT && text_holds(test, leaf);
    }
}

bool test_holds(const struct test *test, const struct leaf *leaf)
{
    if (test->atom != 0)
        return test->atom == leaf->atom;
    if (test->kind != TEST_NOT)
        return plain_holds(test, leaf);
    for (size_t i = 0; i < test->of.list.count; i++) {
        if (plain_holds(&test->of.list.tests[i], leaf))
            return false;
    }
    return true;
}

static bool leaf_holds(const struct clause *clause, const struct leaf *leaf)
{
    for (size_t i = 0; i < clause->count; i++) {
        if (test_holds(&clause->tests[i], leaf))
            return true;
    }
    return false;
}

static bool wants_absence(const struct clause *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        if (clause->tests[i].kind == TEST_ABSENT)
            return true;
    }
    return false;
}

/* How one clause stands by itself. */
struct standing {
    bool holds;
    bool placed; /* some value is inside an array */
    uint32_t looked_at;
};

static struct standing stand(const struct clause *clause, const struct leaf_table *table)
{
    struct standing standing = {0};
    uint32_t next = table->fields[clause->field].first;

    if (next == LEAF_NONE) {
        standing.holds = wants_absence(clause);
        return standing;
    }
    for (; next != LEAF_NONE; next = table->leaves[next].next) {
        const struct leaf *leaf = &table->leaves[next];

        standing.looked_at++;
        standing.placed |= leaf->place != 0;
        standing.holds = standing.holds || leaf_holds(clause, leaf);
    }
    return standing;
}

bool clause_holds(const struct clause *clause, const struct leaf_table *table)
{
    const struct standing standing = stand(clause, table);

    return standing.holds || (standing.placed && wants_absence(clause));
}

/* Whether no array has the two places in different elements. */
static bool fit(const struct leaf_table *table, uint32_t a, uint32_t b)
{
    if (a == b)
        return true;
    for (uint32_t x = a; x != 0; x = table->places[x].outer) {
        for (uint32_t y = b; y != 0; y = table->places[y].outer) {
            if (table->places[x].array == table->places[y].array)
                return table->places[x].element == table->places[y].element;
        }
    }
    return true;
}

enum { CHOICE_NONE = LEAF_NONE };

#define CHOICE_ABSENT UINT32_MAX

struct search {
    const struct conjunction *conjunction;
    const struct leaf_table *table;
    uint32_t *steps;
    uint32_t chosen[PATTERN_CLAUSES_MAX]; /* a leaf, CHOICE_NONE yet, or CHOICE_ABSENT */
};

/* The first of the clauses before `at` whose choice does not fit this leaf; `at` if all fit. */
static size_t first_conflict(const struct search *s, size_t at, const struct leaf *leaf)
{
    if (leaf->place == 0)
        return at;
    for (size_t i = 0; i < at; i++) {
        const uint32_t chosen = s->chosen[i];

        if (chosen != CHOICE_ABSENT && s->table->leaves[chosen].place != 0 &&
            !fit(s->table, s->table->leaves[chosen].place, leaf->place))
            return i;
    }
    return at;
}

static bool is_absent(const struct search *s, size_t at)
{
    uint32_t next = s->table->fields[s->conjunction->clauses[at].field].first;

    for (; next != LEAF_NONE; next = s->table->leaves[next].next) {
        if (first_conflict(s, at, &s->table->leaves[next]) == at)
            return false;
    }
    return true;
}

/* The next choice of clause `at`. Without one, *back is the clause to go back to. */
static bool choose(struct search *s, size_t at, size_t *back)
{
    const struct clause *clause = &s->conjunction->clauses[at];
    const bool fresh = s->chosen[at] == CHOICE_NONE;
    uint32_t next;
    size_t latest = 0;

    if (s->chosen[at] == CHOICE_ABSENT)
        return false;
    next = fresh ? s->table->fields[clause->field].first : s->table->leaves[s->chosen[at]].next;
    for (; next != LEAF_NONE && *s->steps > 0; next = s->table->leaves[next].next, --*s->steps) {
        size_t conflict;

        if (!leaf_holds(clause, &s->table->leaves[next]))
            continue;
        conflict = first_conflict(s, at, &s->table->leaves[next]);
        if (conflict == at) {
            s->chosen[at] = next;
            return true;
        }
        latest = conflict > latest ? conflict : latest;
    }
    if (wants_absence(clause)) {
        s->chosen[at] = CHOICE_ABSENT;
        return is_absent(s, at);
    }
    if (fresh)
        *back = latest;
    return false;
}

static bool find_consistent(const struct conjunction *conjunction, const struct leaf_table *table,
                            uint32_t *steps)
{
    struct search s;
    size_t at = 0;

    s.conjunction = conjunction;
    s.table = table;
    s.steps = steps;
    s.chosen[0] = CHOICE_NONE;
    while (*steps > 0) {
        size_t back = at > 0 ? at - 1 : 0;

        if (choose(&s, at, &back)) {
            if (++at == conjunction->count)
                return true;
            s.chosen[at] = CHOICE_NONE;
        } else if (at == 0) {
            return false;
        } else {
            at = back;
        }
        --*steps;
    }
    return false;
}

bool conjunction_holds(const struct conjunction *conjunction, const struct leaf_table *table,
                       uint32_t *steps)
{
    size_t placed = 0;

    for (size_t i = 0; i < conjunction->count; i++) {
        const struct clause *clause = &conjunction->clauses[i];
        const uint32_t first = table->fields[clause->field].first;
        struct standing standing;

        if (first != LEAF_NONE && table->leaves[first].next == LEAF_NONE &&
            table->leaves[first].place == 0) {
            if (!leaf_holds(clause, &table->leaves[first]))
                return false;
            continue;
        }
        standing = stand(clause, table);
        *steps -= standing.looked_at < *steps ? standing.looked_at : *steps;
        placed += standing.placed;
        if (!standing.holds && !(standing.placed && wants_absence(clause)))
            return false;
    }
    if (placed == 0 || (placed == 1 && !conjunction->absence))
        return *steps > 0;
    return find_consistent(conjunction, table, steps);
}
