/* casing_table - data for casing.c only. */
#ifndef HUB_RULES_CASING_TABLE_H
#define HUB_RULES_CASING_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct casing_run {
    uint16_t first, last;
    uint16_t step;
    int32_t lower, upper; /* distances */
};

struct casing_special {
    uint16_t point;
    const char *lower, *upper; /* UTF-8 */
};

extern const struct casing_run casing_runs[]; /* by first, may overlap where step is 2 */
extern const size_t casing_run_count;
extern const struct casing_special casing_specials[]; /* by point */
extern const size_t casing_special_count;

#endif
