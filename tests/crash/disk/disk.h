/* disk - a disk that forgets: what a file looks like if the power goes now.
 *
 * The C library's calls that write and sync are defined here and forwarded, so the store's own code
 * and LMDB's run unchanged. Of one file everything that is written is noted in sectors of 512
 * bytes. What was synced stays; of the rest any subset may have reached the disk.
 *
 * A write through a descriptor with O_DSYNC is synced when it returns. A sync that fails drops what
 * it should have written, as Linux does since 4.13: the pages count as clean.
 */
#ifndef TESTS_CRASH_DISK_H
#define TESTS_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of the disk's promises are broken on purpose. */
enum disk_plant {
    DISK_HONEST,
    DISK_NO_SYNC,      /* fdatasync() does nothing */
    DISK_NO_DSYNC,     /* O_DSYNC does nothing */
    DISK_SYNC_MISSES,  /* a sync leaves the last write out */
    DISK_LOSES_WRITES, /* every 40th write never reaches the disk */
};

/* What the next call of a kind shall come to. */
enum disk_fault {
    DISK_NO_FAULT,
    DISK_SYNC_FAILS,  /* fdatasync() says EIO */
    DISK_WRITE_FAILS, /* a write says EIO */
    DISK_FULL,        /* a write says ENOSPC */
    DISK_SHORT,       /* a write takes half */
};

/* Note what happens to the file at `path`, which is to be made, from now on. `step` is called
 * before and after each write and sync of it, on the thread that makes it. */
void disk_watch(const char *path, enum disk_plant plant, void (*step)(void));
void disk_unwatch(void);

/* The n-th call from now on (from 0) that the fault is about fails; with `lasting` all after it,
 * too, until the next disk_fail(). */
void disk_fail(enum disk_fault fault, uint64_t nth, bool lasting);

/* How many writes and syncs the file has seen. */
uint64_t disk_calls(void);

/* How many syncs by fdatasync() or fsync() have ended well. */
uint64_t disk_syncs(void);

/* How many sectors are written and not synced. */
size_t disk_loose(void);

/* The file as it is if the power goes now: `reaches(user)` is asked for each loose sector, in the
 * order of writing. Returns the size; *image is valid until the next call. */
size_t disk_image(bool (*reaches)(void *user), void *user, const char **image);

#endif
