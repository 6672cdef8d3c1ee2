/* series - rows that are only ever appended, and let go from the front by age and size.
 *
 * A series is a space of the store whose keys are numbers (8 bytes, big-endian); each row begins
 * like a chunk, with a format and the time of its newest entry. Where it begins and ends is in the
 * row "series" of the hub's own space, so that nothing has to be searched at the start.
 */
#ifndef HUB_FLOW_SERIES_H
#define HUB_FLOW_SERIES_H

#include "flow/commit_inside.h"

struct series {
    enum space space;
    uint64_t first, next; /* rows [first, next) are there */
    uint64_t bytes;       /* of all of them */
    uint64_t first_size;  /* of the oldest; 0: not known */
    int64_t first_time;
};

/* Room for one more row of `size` bytes in the commit that gathers; NULL without memory. */
char *series_append(struct commit *commit, struct series *series, size_t size);

/* Let go of what is older than `before`, or too much: at most a few rows at a time, so that a
 * commit never stalls. */
void series_trim(struct commit *commit, struct series *series, int64_t before, uint64_t max_bytes);

/* What a series is, as 24 bytes. */
enum { SERIES_SIZE = 24 };
void series_store(const struct series *series, char out[SERIES_SIZE]);
void series_restore(struct series *series, const char in[SERIES_SIZE]);

#endif
