/* disk - a disk that forgets. See disk.h.
 *
 * The durable content is a buffer; writes that are not synced are a list of sectors. The store
 * writes on one thread at a time; other threads only read `watched`.
 */
#include "disk.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SECTOR = 512, FILE_MAX = 8 << 20, LOOSE_MAX = FILE_MAX / SECTOR, LOST_EVERY = 40 };

struct sector {
    size_t at; /* in the file */
    uint64_t write;
    char bytes[SECTOR];
};

static struct {
    char path[256];
    _Atomic bool watched;
    enum disk_plant plant;
    void (*step)(void);
    char *durable;
    size_t durable_size;
    struct sector *loose;
    size_t loose_count;
    size_t size; /* of the file */
    uint64_t calls, writes, syncs;
    enum disk_fault fault;
    uint64_t until_fault;
    bool lasting;
    char *image;
} disk;

/* The C library's own function of that name. */
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

void disk_watch(const char *path, enum disk_plant plant, void (*step)(void))
{
    assert(strlen(path) < sizeof disk.path);
    if (disk.durable == NULL) {
        disk.durable = must(malloc(FILE_MAX));
        disk.image = must(malloc(FILE_MAX));
        disk.loose = must(malloc(LOOSE_MAX * sizeof *disk.loose));
    }
    (void)snprintf(disk.path, sizeof disk.path, "%s", path);
    disk.plant = plant;
    disk.step = step;
    disk.durable_size = 0;
    disk.loose_count = 0;
    disk.size = 0;
    disk.calls = 0;
    disk.writes = 0;
    disk.syncs = 0;
    disk.fault = DISK_NO_FAULT;
    atomic_store(&disk.watched, true);
}

void disk_unwatch(void)
{
    atomic_store(&disk.watched, false);
}

void disk_fail(enum disk_fault fault, uint64_t nth, bool lasting)
{
    disk.fault = fault;
    disk.until_fault = nth;
    disk.lasting = lasting;
}

uint64_t disk_calls(void)
{
    return disk.calls;
}

uint64_t disk_syncs(void)
{
    return disk.syncs;
}

size_t disk_loose(void)
{
    return disk.loose_count;
}

/* --- what reaches the disk */

static void settle(const struct sector *sector)
{
    if (sector->at + SECTOR > disk.durable_size) {
        memset(disk.durable + disk.durable_size, 0, sector->at + SECTOR - disk.durable_size);
        disk.durable_size = sector->at + SECTOR;
    }
    memcpy(disk.durable + sector->at, sector->bytes, SECTOR);
}

static bool is_lost(const struct sector *sector)
{
    return disk.plant == DISK_LOSES_WRITES && sector->write % LOST_EVERY == LOST_EVERY - 1;
}

/* All but the writes from `from` on become durable. */
static void sync_all(uint64_t from)
{
    size_t left = 0;

    for (size_t i = 0; i < disk.loose_count; i++) {
        if (disk.loose[i].write >= from)
            disk.loose[left++] = disk.loose[i];
        else if (!is_lost(&disk.loose[i]))
            settle(&disk.loose[i]);
    }
    disk.loose_count = left;
}

/* What a whole sector is after this write: the rest of it is as it was. */
static void note_sector(size_t at, size_t from, const char *bytes, size_t size)
{
    struct sector *sector = &disk.loose[disk.loose_count];
    size_t i = disk.loose_count;

    assert(disk.loose_count < LOOSE_MAX && at + SECTOR <= FILE_MAX);
    sector->at = at;
    sector->write = disk.writes;
    memset(sector->bytes, 0, SECTOR);
    if (at < disk.durable_size)
        memcpy(sector->bytes, disk.durable + at, SECTOR);
    while (i > 0 && disk.loose[i - 1].at != at)
        i--;
    if (i > 0)
        memcpy(sector->bytes, disk.loose[i - 1].bytes, SECTOR);
    memcpy(sector->bytes + from, bytes, size);
    disk.loose_count++;
}

static void note_write(size_t at, const char *bytes, size_t size)
{
    while (size > 0) {
        const size_t from = at % SECTOR;
        const size_t part = SECTOR - from < size ? SECTOR - from : size;

        note_sector(at - from, from, bytes, part);
        at += part;
        bytes += part;
        size -= part;
    }
    disk.writes++;
}

size_t disk_image(bool (*reaches)(void *user), void *user, const char **image)
{
    size_t size = disk.durable_size;

    memcpy(disk.image, disk.durable, size);
    for (size_t i = 0; i < disk.loose_count; i++) {
        const struct sector *sector = &disk.loose[i];

        if (!reaches(user))
            continue;
        if (sector->at + SECTOR > size) {
            memset(disk.image + size, 0, sector->at + SECTOR - size);
            size = sector->at + SECTOR;
        }
        memcpy(disk.image + sector->at, sector->bytes, SECTOR);
    }
    *image = disk.image;
    return size;
}

/* --- the calls: defined for everybody in this process */

#define EVERYBODYS __attribute__((visibility("default")))

static bool is_watched(int fd)
{
    struct stat ours;
    struct stat file;
    const int before = errno;
    bool same = false;

    if (atomic_load(&disk.watched) && stat(disk.path, &ours) == 0 && fstat(fd, &file) == 0)
        same = ours.st_ino == file.st_ino && ours.st_dev == file.st_dev;
    errno = before;
    return same;
}

static void step(void)
{
    if (disk.step != NULL)
        disk.step();
}

/* Is it this call's turn to fail? */
static bool fails(enum disk_fault fault)
{
    if (disk.fault != fault)
        return false;
    if (disk.until_fault > 0) {
        disk.until_fault--;
        return false;
    }
    if (!disk.lasting)
        disk.fault = DISK_NO_FAULT;
    return true;
}

/* Before a write of the watched file: how much of it shall be taken; -1 with errno: none. */
static ssize_t admit(size_t size)
{
    disk.calls++;
    step();
    if (fails(DISK_WRITE_FAILS)) {
        errno = EIO;
        return -1;
    }
    if (fails(DISK_FULL)) {
        errno = ENOSPC;
        return -1;
    }
    return (ssize_t)(fails(DISK_SHORT) ? size / 2 : size);
}

/* What the last write wrote is durable, and nothing older can come over it; the rest stays loose.
 */
static void settle_last(void)
{
    size_t left = 0;

    for (size_t i = 0; i < disk.loose_count; i++) {
        const struct sector *sector = &disk.loose[i];
        bool over = false;

        for (size_t j = i; j < disk.loose_count && !over; j++)
            over = disk.loose[j].at == sector->at && disk.loose[j].write == disk.writes - 1;
        if (sector->write == disk.writes - 1)
            settle(sector);
        else if (!over)
            disk.loose[left++] = *sector;
    }
    disk.loose_count = left;
}

static void wrote(int fd, size_t at, const char *bytes, size_t size)
{
    note_write(at, bytes, size);
    step();
    if ((fcntl(fd, F_GETFL) & O_DSYNC) == 0 || disk.plant == DISK_NO_DSYNC)
        return;
    settle_last();
    step();
}

/* The C library's declarations name no parameters that anybody could use.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
EVERYBODYS ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t taken = (ssize_t)size;
    ssize_t result;

    if (!is_watched(fd))
        return REAL(pwrite)(fd, bytes, size, at);
    taken = admit(size);
    if (taken < 0)
        return -1;
    result = REAL(pwrite)(fd, bytes, (size_t)taken, at);
    if (result > 0)
        wrote(fd, (size_t)at, bytes, (size_t)result);
    return result;
}

EVERYBODYS ssize_t write(int fd, const void *bytes, size_t size)
{
    off_t at;
    ssize_t result;

    if (!is_watched(fd))
        return REAL(write)(fd, bytes, size);
    at = lseek(fd, 0, SEEK_CUR);
    result = admit(size);
    if (result < 0)
        return -1;
    result = REAL(write)(fd, bytes, (size_t)result);
    if (result > 0)
        wrote(fd, (size_t)at, bytes, (size_t)result);
    return result;
}

/* In one piece: the parts of a gathered write may reach the disk in any order all the same. */
EVERYBODYS ssize_t writev(int fd, const struct iovec *parts, int count)
{
    size_t size = 0;
    size_t done = 0;
    char *bytes;
    ssize_t result;

    if (!is_watched(fd))
        return REAL(writev)(fd, parts, count);
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    bytes = must(malloc(size + 1));
    for (int i = 0; i < count; i++) {
        memcpy(bytes + done, parts[i].iov_base, parts[i].iov_len);
        done += parts[i].iov_len;
    }
    result = write(fd, bytes, size);
    free(bytes);
    return result;
}

static int sync_file(int fd, int (*real)(int fd))
{
    if (!is_watched(fd))
        return real(fd);
    disk.calls++;
    step();
    if (fails(DISK_SYNC_FAILS)) {
        disk.loose_count = 0; /* the pages count as clean, and never reach the disk */
        errno = EIO;
        return -1;
    }
    if (disk.plant != DISK_NO_SYNC)
        sync_all(disk.plant == DISK_SYNC_MISSES ? disk.writes - 1 : disk.writes);
    disk.syncs++;
    step();
    return 0;
}

EVERYBODYS int fdatasync(int fd)
{
    return sync_file(fd, REAL(fdatasync));
}

EVERYBODYS int fsync(int fd)
{
    return sync_file(fd, REAL(fsync));
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
