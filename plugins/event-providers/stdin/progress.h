/* progress - a bar on standard error for reading a large file, if that is a terminal. */
#ifndef STDIN_PROGRESS_H
#define STDIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;
    const char *what;
    uint64_t total, done;
    int64_t started, drawn; /* monotonic ms */
};

/* Files under 1 MiB, and streams that are no terminal, get none. */
void progress_begin(struct progress *progress, const char *what, uint64_t total);
void progress_add(struct progress *progress, uint64_t bytes);

/* Take the bar away. */
void progress_end(struct progress *progress);

#endif
