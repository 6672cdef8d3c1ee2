/* casing - text compared without regard to case, character by character, as event-ruler does it.
 *
 * A character of the pattern stands for its lower case and its upper case in any mix, each of which
 * may be several characters ("ß" is "ß" or "SS"). event-ruler takes text apart into UTF-16 units,
 * and the halves of a character above U+FFFF become question marks: such a pattern matches "??".
 * That is kept here, so that both engines agree.
 */
#ifndef HUB_RULES_CASING_H
#define HUB_RULES_CASING_H

#include "base/arena.h"

#include <stdbool.h>

/* A compiled text. */
struct casing {
    atamo_bytes original;
    atamo_bytes forms; /* per character: size and bytes of its lower, then of its upper case */
    bool backward;     /* last character first: for suffixes */
};

/* NULL without memory. The original is not copied. */
const struct casing *casing_compile(struct arena *arena, atamo_bytes text, bool backward);

/* The bytes of `text` that the pattern covers from its start (or, backward, from its end); -1 if it
 * does not match there. */
long casing_covers(const struct casing *casing, atamo_bytes text);

#endif
