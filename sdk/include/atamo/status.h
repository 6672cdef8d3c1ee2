/* atamo/status.h - what a call says about itself.
 *
 * Every function that can fail returns an `int`: ATAMO_OK (0), or one of the negative values below.
 * Outputs are written only on success. The values never change; new ones are added at the end.
 */
#ifndef ATAMO_STATUS_H
#define ATAMO_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ATAMO_OK = 0,
    ATAMO_BUSY = -1,         /* a bounded queue is full: nothing was taken, try again later */
    ATAMO_INVALID = -2,      /* the caller's mistake: the same call will fail again */
    ATAMO_NOT_FOUND = -3,    /* no such thing */
    ATAMO_EXISTS = -4,       /* there is one already */
    ATAMO_DENIED = -5,       /* this user may not do that */
    ATAMO_GONE = -6,         /* it was, and has ended: cancelled, settled, expired */
    ATAMO_NO_MEMORY = -7,    /* an allocation failed: nothing was changed */
    ATAMO_IO = -8,           /* the operating system refused: file, socket, process */
    ATAMO_TIMEOUT = -9,      /* the time limit passed first */
    ATAMO_CLOSED = -10,      /* the hub is stopping and takes nothing new */
    ATAMO_UNSUPPORTED = -11, /* not by this plugin, this hub, or this version */
    ATAMO_TOO_LARGE = -12,   /* over a stated limit */
    ATAMO_CONFLICT = -13,    /* somebody else changed it meanwhile */
    ATAMO_FULL = -14,        /* no room is left: the disk, or a limit that was set */
    ATAMO_DAMAGED = -15      /* the bytes are not those that were written */
};

/* A short lower-case English text for any status; never NULL. Thread: any. */
static inline const char *atamo_status_text(int status)
{
    static const char *const texts[] = {
        "ok",        "busy",           "invalid",
        "not found", "exists already", "denied",
        "gone",      "no memory",      "input or output failed",
        "timed out", "closed",         "unsupported",
        "too large", "conflict",       "no room is left",
        "damaged",
    };
    const unsigned at = status <= 0 ? 0u - (unsigned)status : ~0u;

    return at < sizeof texts / sizeof texts[0] ? texts[at] : "unknown status";
}

/* Text or bytes that somebody else owns. Text that the hub hands out is UTF-8 and is followed by a
 * NUL that `size` does not count; `data` is never NULL there, though `size` may be 0. */
typedef struct atamo_bytes {
    const char *data;
    size_t size;
} atamo_bytes;

/* The bytes of a NUL-terminated text; NULL gives no bytes. */
static inline atamo_bytes atamo_text(const char *text)
{
    atamo_bytes bytes = {text, 0};

    if (text == NULL) {
        bytes.data = "";
        return bytes;
    }
    while (text[bytes.size] != '\0')
        bytes.size++;
    return bytes;
}

#ifdef __cplusplus
}
#endif

#endif
