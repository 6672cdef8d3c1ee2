/* names - every name that telemetry speaks of, as a number.
 *
 * Numbers begin at 1 and stay valid until the table is closed; 0 is "". Names are added while a
 * configuration is loaded or, bounded, on the hub's thread, and looked up from any thread: look-ups
 * take no lock, because entries never move and a slot is published only when it is complete.
 *
 * Adding is serialized by a mutex. When NAMES_MAX is reached, or without memory, adding answers 0.
 */
#ifndef HUB_BASE_NAMES_H
#define HUB_BASE_NAMES_H

#include <atamo/status.h>

#include <stdint.h>

enum { NAMES_MAX = 1 << 22 };

struct names;

/* A new table, or NULL without memory. */
struct names *names_open(void);
void names_close(struct names *names);

/* The number of a text, added if it is new; 0 for "" or if it cannot be added. [any] */
uint32_t names_add(struct names *names, atamo_bytes text);

/* The number of a text, or 0 if it was never added. [any] */
uint32_t names_find(const struct names *names, atamo_bytes text);

/* The text of a number; "" for 0 and numbers never given. NUL-terminated. [any] */
atamo_bytes names_text(const struct names *names, uint32_t name);

#endif
