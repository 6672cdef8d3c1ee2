/* canonical - one text for JSON texts that mean the same, as a key to what was made of them.
 *
 * No white space; members sorted by name as RFC 8785 sorts them (by UTF-16 code units); texts with
 * as few escapes as JSON allows; numbers as in json/decimal.h: exact, unlike RFC 8785, which takes
 * 2^53 and 2^53+1 for the same. The result is JSON, at most as long as the text, and its own
 * canonical text.
 *
 * Texts that a reader could tell apart stay apart, because a key that merges them would answer one
 * with the other's result; if they mean the same after all, one answer is made twice. So members
 * that share a name are all kept, in their order: readers differ in which of them counts. And -0 is
 * not 0, and no text is normalized as Unicode.
 *
 * Thread: belongs to one thread at a time.
 */
#ifndef HUB_JSON_CANONICAL_H
#define HUB_JSON_CANONICAL_H

#include <atamo/status.h>

enum { CANONICAL_BYTES_MAX = 1 << 20 };

struct canonical;

/* ATAMO_NO_MEMORY. */
int canonical_open(struct canonical **canonical);
void canonical_close(struct canonical *canonical); /* NULL is fine */

/* Write the canonical text of `text` to `out`, which has room for text.size bytes and does not
 * overlap it; no NUL is added. `room` bytes from text.data may be read, as in json_parse().
 * ATAMO_INVALID: no JSON, or nested deeper than JSON_DEPTH_MAX; ATAMO_TOO_LARGE: over
 * CANONICAL_BYTES_MAX; ATAMO_NO_MEMORY. Then *size is left as it is; so is `out`. */
int canonical_write(struct canonical *canonical, atamo_bytes text, size_t room, char *out,
                    size_t *size);

#endif
