/* decimal - one text for all spellings of a number: 1.0, 10e-1 and 1 are 1.
 *
 * Exact: the digits are looked at as text, no double is made, so different numbers never get the
 * same text. Of a number's spellings it is one of the shortest (1000 is 1e3), so never longer than
 * the one that is given. Negative zero stays -0, which many programs can tell from 0.
 *
 * An exponent of more than 18 digits, leading zeros not counted, is left as it is written, with all
 * of its number, unless that is zero: then two spellings of one number can stay two texts.
 */
#ifndef HUB_JSON_DECIMAL_H
#define HUB_JSON_DECIMAL_H

#include <atamo/status.h>

/* Write the text of a JSON number (checked by the caller) to `out`, which has room for
 * `number.size` bytes and does not overlap it. Returns the size. */
size_t decimal_shortest(atamo_bytes number, char *out);

#endif
