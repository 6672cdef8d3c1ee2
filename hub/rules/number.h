/* number - numbers as event-ruler compares them.
 *
 * A number is *comparable* if a double holds it without loss, that is if it equals the shortest
 * decimal text of its nearest double: 300, 300.0 and 3.0e2 are one comparable number; 0.1 is
 * comparable; 2^53 + 1 and 1e400 are not. Numbers that are not comparable equal only a number
 * written with the same characters, and are in no range. (event-ruler 2.0, ComparableNumber.)
 */
#ifndef HUB_RULES_NUMBER_H
#define HUB_RULES_NUMBER_H

#include <atamo/status.h>

#include <stdbool.h>

/* True with the value if `text`, a number by JSON's grammar, is comparable. Zero has no sign. */
bool number_comparable(atamo_bytes text, double *value);

#endif
