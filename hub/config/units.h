/* units - rates as people write them, and durations and sizes written back for messages. Reading
 * durations and sizes is plugin/quantity.h: configuration and plugin options read the same.
 */
#ifndef HUB_CONFIG_UNITS_H
#define HUB_CONFIG_UNITS_H

#include <atamo/status.h>

#include <stdint.h>

/* A whole number and "/s". ATAMO_INVALID. */
int units_rate(atamo_bytes text, int64_t *per_second);

enum { UNITS_TEXT_MAX = 24 };

/* In the largest unit that divides; returns `text`. */
const char *units_duration_text(int64_t ns, char text[UNITS_TEXT_MAX]);
const char *units_size_text(int64_t bytes, char text[UNITS_TEXT_MAX]);
const char *units_count_text(int64_t count, char text[UNITS_TEXT_MAX]);

#endif
