/* pattern - a `when:`, compiled: the event pattern language of Amazon EventBridge.
 *
 * Semantics are those of event-ruler 2.0 (https://github.com/aws/event-ruler), exactly. A pattern
 * becomes alternatives (`$or` multiplied out); each is a conjunction of clauses, one per path; a
 * clause holds if one of its tests holds for one value at its path. A path given twice in one
 * alternative keeps the later tests.
 *
 * Compiled patterns are immutable and live in the arena.
 */
#ifndef HUB_RULES_PATTERN_H
#define HUB_RULES_PATTERN_H

#include "base/problems.h"
#include "rules/address.h"
#include "rules/casing.h"
#include "rules/fields.h"
#include "yaml/yaml.h"

enum {
    PATTERN_ALTERNATIVES_MAX = 1024, /* of one pattern, after multiplying out `$or` */
    PATTERN_CLAUSES_MAX = 256,       /* paths of one alternative */
};

enum test_kind {
    TEST_TEXT,    /* exactly this text */
    TEST_NUMBER,  /* equal to this comparable number */
    TEST_LITERAL, /* null, true, false, or a number that is not comparable, as written */
    TEST_EXISTS,  /* there is a value */
    TEST_ABSENT,  /* there is none; holds for a clause, never for a value */
    TEST_RANGE,   /* a comparable number from `low` to `high` */
    TEST_PREFIX,
    TEST_SUFFIX,
    TEST_WILDCARD,
    TEST_ANYCASE, /* equals-ignore-case */
    TEST_PREFIX_ANYCASE,
    TEST_SUFFIX_ANYCASE,
    TEST_ADDRESS, /* an IP address in a range */
    TEST_NOT,     /* there is a value, and none of the listed tests holds for it */
};

struct test;

struct test_list {
    size_t count;
    const struct test *tests;
};

struct test {
    uint8_t kind;  /* enum test_kind */
    bool low_open; /* TEST_RANGE: `low` itself is not in it */
    bool high_open;
    uint32_t atom; /* set by the index for tests that are one value; 0: not known */
    union {
        atamo_bytes text; /* TEST_TEXT, _LITERAL, _PREFIX, _SUFFIX, _WILDCARD */
        struct {
            double low, high; /* TEST_NUMBER: both are the number */
        } range;
        const struct casing *casing;
        const struct address_range *addresses;
        struct test_list list; /* TEST_NOT */
    } of;
};

struct clause {
    uint32_t field;
    uint16_t count; /* of tests */
    uint16_t order; /* among the clauses as they were written */
    struct test *tests;
};

/* All clauses must hold, with values from consistent array elements. */
struct conjunction {
    uint16_t count;
    bool absence;            /* some clause has a TEST_ABSENT */
    struct clause clauses[]; /* by path, as event-ruler orders them (UTF-16) */
};

struct pattern {
    size_t count;
    const struct conjunction **alternatives;
    bool in_data; /* some clause looks at or below "data" */
};

/* Compile a pattern. Its paths are added to the plan. ATAMO_INVALID with every mistake in
 * `problems`, or ATAMO_NO_MEMORY. */
int pattern_compile(struct arena *arena, struct field_plan *plan, const struct yaml_node *when,
                    struct problems *problems, const struct pattern **pattern);

#endif
