/* pattern_inside - shared by the files that compile patterns, by nobody else. */
#ifndef HUB_RULES_PATTERN_INSIDE_H
#define HUB_RULES_PATTERN_INSIDE_H

#include "rules/pattern.h"

struct pattern_maker {
    struct arena *arena;
    struct field_plan *plan;
    struct problems *problems;
    bool or_is_a_name; /* "$or" is a field here: event-ruler then reads the older language */
    int status;        /* ATAMO_NO_MEMORY sticks; mistakes are counted in `problems` */
};

/* A list of values and match expressions. False after a mistake or without memory. */
bool pattern_tests(struct pattern_maker *maker, const struct yaml_node *list, struct test **tests,
                   size_t *count);

/* The value of {numeric: [...]}. */
bool pattern_numeric(struct pattern_maker *maker, const struct yaml_node *list, struct test *test);

/* A comparable number; a mistake otherwise. */
bool pattern_number(struct pattern_maker *maker, const struct yaml_node *node, double *value);

/* A number in JSON's spelling. */
atamo_bytes pattern_number_text(struct pattern_maker *maker, const struct yaml_node *node);

/* Add a mistake; always false. */
__attribute__((format(printf, 3, 4))) bool pattern_wrong(struct pattern_maker *maker,
                                                         const struct yaml_node *node,
                                                         const char *format, ...);

#endif
