/* quota - so many lines a second of one kind, so that a worker cannot flood the log. */
#ifndef EXEC_QUOTA_H
#define EXEC_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
    int64_t began; /* monotonic ns: this second */
    uint32_t limit;
    uint32_t used;
    uint64_t left_out; /* since the last line that was let through */
};

/* May there be one more? *left_out is how many were left out before this one. */
static inline bool quota_take(struct quota *quota, int64_t now, uint64_t *left_out)
{
    *left_out = 0;
    if (now - quota->began >= 1000000000) {
        quota->began = now;
        quota->used = 0;
    }
    if (quota->used >= quota->limit) {
        quota->left_out++;
        return false;
    }
    quota->used++;
    *left_out = quota->left_out;
    quota->left_out = 0;
    return true;
}

#endif
