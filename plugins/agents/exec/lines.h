/* lines - what a process writes, cut into lines. Belongs to one thread. */
#ifndef EXEC_LINES_H
#define EXEC_LINES_H

#include "buffer.h"

#include <stdbool.h>

enum lines_next {
    LINES_NONE,    /* no whole line yet */
    LINES_WHOLE,   /* a line, without its line feed */
    LINES_TOO_LONG /* the beginning of a line over the limit; the rest of it will be skipped */
};

enum lines_read {
    LINES_READ,  /* something came */
    LINES_LATER, /* nothing there now */
    LINES_END    /* end of file, or the descriptor is broken */
};

struct lines {
    struct buffer bytes;
    size_t limit;   /* bytes a line may have */
    size_t scanned; /* bytes behind bytes.head without a line feed */
    bool skipping;  /* within the rest of a line that was too long */
};

void lines_init(struct lines *lines, size_t limit);

void lines_close(struct lines *lines);

/* Read once from a descriptor that does not block. Without memory: LINES_END. */
enum lines_read lines_read(struct lines *lines, int fd);

/* Look at the next line; *line is valid until the next call that is not lines_peek(). */
enum lines_next lines_peek(struct lines *lines, atamo_bytes *line);

/* Done with what lines_peek() showed. */
void lines_take(struct lines *lines, atamo_bytes line);

/* What is left at the end of the file: a last line without a line feed. */
atamo_bytes lines_rest(const struct lines *lines);

#endif
