/* lines - what a process writes, cut into lines.
 *
 * Happy path: one read takes many lines; each is looked at where it lies and then dropped. A byte
 * is searched for a line feed only once, however slowly a line comes. A line over the limit is
 * reported once, by its beginning, and its rest is thrown away as it comes, so that a process
 * without line feeds costs no more memory than the limit.
 */
#include "lines.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 128 * 1024 };

void lines_init(struct lines *lines, size_t limit)
{
    assert(limit > 0);
    *lines = (struct lines){.limit = limit};
}

void lines_close(struct lines *lines)
{
    buffer_close(&lines->bytes);
    lines_init(lines, lines->limit);
}

enum lines_read lines_read(struct lines *lines, int fd)
{
    ssize_t got;

    if (buffer_reserve(&lines->bytes, READ_SIZE) != ATAMO_OK)
        return LINES_END;
    do {
        got = read(fd, lines->bytes.data + lines->bytes.tail, READ_SIZE);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? LINES_LATER : LINES_END;
    lines->bytes.tail += (size_t)got;
    return got == 0 ? LINES_END : LINES_READ;
}

/* Throw away the rest of a line that was too long; false if it has not ended yet. */
static bool skip(struct lines *lines)
{
    const char *from = lines->bytes.data + lines->bytes.head;
    const size_t size = buffer_size(&lines->bytes);
    const char *end = size == 0 ? NULL : memchr(from, '\n', size);

    buffer_drop(&lines->bytes, end == NULL ? size : (size_t)(end - from) + 1);
    lines->skipping = end == NULL;
    return !lines->skipping;
}

enum lines_next lines_peek(struct lines *lines, atamo_bytes *line)
{
    const char *from;
    const char *end = NULL;
    size_t size;

    if (lines->skipping && !skip(lines))
        return LINES_NONE;
    size = buffer_size(&lines->bytes);
    if (size == 0)
        return LINES_NONE;
    from = lines->bytes.data + lines->bytes.head;
    if (size > lines->scanned)
        end = memchr(from + lines->scanned, '\n', size - lines->scanned);
    lines->scanned = end == NULL ? size : (size_t)(end - from);
    *line = (atamo_bytes){from, lines->scanned};
    if (lines->scanned > lines->limit) {
        line->size = lines->limit;
        return LINES_TOO_LONG;
    }
    return end == NULL ? LINES_NONE : LINES_WHOLE;
}

void lines_take(struct lines *lines, atamo_bytes line)
{
    const bool whole = lines->scanned == line.size;

    assert(line.data == lines->bytes.data + lines->bytes.head);
    buffer_drop(&lines->bytes, line.size + (whole ? 1 : 0));
    lines->scanned = 0;
    lines->skipping = !whole;
}

atamo_bytes lines_rest(const struct lines *lines)
{
    if (lines->skipping || buffer_size(&lines->bytes) == 0)
        return (atamo_bytes){"", 0};
    return (atamo_bytes){lines->bytes.data + lines->bytes.head, buffer_size(&lines->bytes)};
}
