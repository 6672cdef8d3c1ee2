/* text - what texts of events must be: clean, well-named, well-timed. */
#ifndef HUB_MODEL_TEXT_H
#define HUB_MODEL_TEXT_H

#include <atamo/status.h>

#include <stdbool.h>
#include <stdint.h>

/* UTF-8 (RFC 3629) without control characters (CloudEvents 1.0.2, "Type System": String). */
bool text_is_clean(atamo_bytes text);

/* A CloudEvents attribute name: 1 to 20 lower-case ASCII letters and digits. */
bool text_is_attribute_name(atamo_bytes text);

enum { TEXT_TIME_SIZE = 32 };

/* Unix milliseconds as RFC 3339 in UTC, "2026-11-20T22:28:00.123Z", into `buffer`. */
atamo_bytes text_from_time(int64_t unix_ms, char buffer[TEXT_TIME_SIZE]);

/* RFC 3339 to Unix milliseconds; ATAMO_INVALID if it is not such a time. */
int text_to_time(atamo_bytes text, int64_t *unix_ms);

#endif
