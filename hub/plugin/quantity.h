/* quantity - durations and sizes as people write them: "250ms", "1h30m", "64KiB". */
#ifndef HUB_PLUGIN_QUANTITY_H
#define HUB_PLUGIN_QUANTITY_H

#include <atamo/status.h>

#include <stdint.h>

/* One or more numbers with units ns, us, ms, s, m, h, d; to nanoseconds. "0" needs no unit.
 * ATAMO_INVALID if it is no duration, or over 292 years. */
int quantity_duration(atamo_bytes text, int64_t *ns);

/* A number, with B, KB, MB, GB (powers of 1000) or KiB, MiB, GiB (of 1024), or none; to bytes. */
int quantity_size(atamo_bytes text, int64_t *bytes);

#endif
