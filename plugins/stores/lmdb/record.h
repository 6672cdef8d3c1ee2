/* record - how a record stands in the database.
 *
 * Key: the space, a NUL, the key. Value: 8 bytes checksum, 8 bytes version, the value; integers are
 * little-endian. The checksum (XXH3, 64 bits) covers key, version and value, so that a record that
 * was changed, or that stands under another's key, is noticed.
 */
#ifndef STORES_LMDB_RECORD_H
#define STORES_LMDB_RECORD_H

#include <atamo/store.h>

enum { RECORD_HEAD = 16, RECORD_KEY_MAX = ATAMO_SPACE_MAX + 1 + ATAMO_KEY_MAX };

/* The key in the database, at most RECORD_KEY_MAX bytes. Returns its size. */
size_t record_key(char *out, atamo_bytes space, atamo_bytes key);

/* Fill in the head of `value`, which has RECORD_HEAD bytes and then the value's. */
void record_seal(atamo_bytes key, char *value, size_t size, uint64_t version);

/* Take a value apart; its status is ATAMO_DAMAGED if it is not as it was written. `record->key` is
 * the whole key in the database. */
atamo_record record_open(atamo_bytes key, atamo_bytes value);

#endif
