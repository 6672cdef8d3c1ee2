/* rulebook - the rules that may be changed while the hub runs.
 *
 * Happy path of a change: the version is written into the history, then the rule's file is
 * replaced, each by a new file that is synced and renamed. A process that dies in between leaves a
 * version that never ran, and the rule as it was. Fails as the operating system does.
 */
#include "config/rulebook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSIONS_MAX = 999999 };

bool rulebook_is_id(const char *id)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const size_t size = strlen(id);

    return size > 0 && size <= RULEBOOK_ID_MAX && id[0] != '.' && strspn(id, allowed) == size;
}

bool rulebook_has(const char *folder, const char *file)
{
    const size_t size = folder == NULL ? 0 : strlen(folder);

    return size > 0 && file != NULL && strncmp(file, folder, size) == 0 && file[size] == '/';
}

const char *rulebook_path(struct arena *arena, const char *folder, const char *id)
{
    return arena_printf(arena, "%s/%s.yaml", folder, id);
}

static const char *version_path(struct arena *arena, const char *folder, const char *id,
                                uint32_t number)
{
    return arena_printf(arena, "%s/.history/%s/%06" PRIu32 ".yaml", folder, id, number);
}

static int status_of(int error)
{
    switch (error) {
    case ENOENT:
        return ATAMO_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return ATAMO_FULL;
    case ENOMEM:
        return ATAMO_NO_MEMORY;
    default:
        return ATAMO_IO;
    }
}

/* --- reading */

static int read_file(struct arena *arena, const char *path, atamo_bytes *content)
{
    FILE *file;
    char *data;
    size_t size;
    int status = ATAMO_OK;

    if (path == NULL)
        return ATAMO_NO_MEMORY;
    file = fopen(path, "re");
    if (file == NULL)
        return status_of(errno);
    data = malloc(RULEBOOK_TEXT_MAX + 1);
    size = data == NULL ? 0 : fread(data, 1, RULEBOOK_TEXT_MAX + 1, file);
    if (data == NULL)
        status = ATAMO_NO_MEMORY;
    else if (ferror(file) != 0)
        status = ATAMO_IO;
    else if (size > RULEBOOK_TEXT_MAX)
        status = ATAMO_TOO_LARGE;
    (void)fclose(file);
    if (status == ATAMO_OK) {
        *content = arena_copy(arena, (atamo_bytes){data, size});
        status = content->data == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
    }
    free(data);
    return status;
}

int rulebook_read(struct arena *arena, const char *folder, const char *id, atamo_bytes *source)
{
    return read_file(arena, rulebook_path(arena, folder, id), source);
}

uint32_t rulebook_latest(struct arena *arena, const char *folder, const char *id)
{
    uint32_t low = 0;
    uint32_t high = 1;

    /* Versions have no gaps: find the first that is not there. */
    for (;;) {
        const char *path = version_path(arena, folder, id, high);

        if (path == NULL || high > VERSIONS_MAX || access(path, F_OK) != 0)
            break;
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        const char *path = version_path(arena, folder, id, middle);

        if (path != NULL && access(path, F_OK) == 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* "# name: value" at the beginning of *rest: the value, in the arena. */
static const char *take_note(struct arena *arena, atamo_bytes *rest, const char *name)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    char prefix[32];
    const int size = snprintf(prefix, sizeof prefix, "# %s: ", name);
    size_t line;
    const char *value;

    if (end == NULL)
        return "";
    line = (size_t)(end - rest->data);
    if (line < (size_t)size || memcmp(rest->data, prefix, (size_t)size) != 0)
        return "";
    value = arena_printf(arena, "%.*s", (int)(line - (size_t)size), rest->data + size);
    rest->data += line + 1;
    rest->size -= line + 1;
    return value == NULL ? "" : value;
}

int rulebook_version(struct arena *arena, const char *folder, const char *id, uint32_t number,
                     struct rulebook_version *version)
{
    atamo_bytes rest;
    int status = read_file(arena, version_path(arena, folder, id, number), &rest);

    if (status != ATAMO_OK)
        return status;
    version->number = number;
    version->time_us = strtoll(take_note(arena, &rest, "time_us"), NULL, 10);
    version->user = take_note(arena, &rest, "user");
    version->why = take_note(arena, &rest, "why");
    version->source = rest;
    return ATAMO_OK;
}

/* --- writing */

static int write_all(int fd, atamo_bytes bytes)
{
    while (bytes.size > 0) {
        const ssize_t count = write(fd, bytes.data, bytes.size);

        if (count < 0 && errno != EINTR)
            return status_of(errno);
        bytes.data += count > 0 ? count : 0;
        bytes.size -= count > 0 ? (size_t)count : 0;
    }
    return fsync(fd) == 0 ? ATAMO_OK : status_of(errno);
}

static int sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd < 0 ? status_of(errno) : ATAMO_OK;

    if (fd >= 0 && fsync(fd) != 0)
        status = status_of(errno);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* A file in `folder` becomes this text, or stays as it was. */
static int replace(struct arena *arena, const char *folder, const char *path, atamo_bytes head,
                   atamo_bytes text)
{
    const char *beside = arena_printf(arena, "%s.new", path == NULL ? "" : path);
    int status;
    int fd;

    if (beside == NULL || path == NULL)
        return ATAMO_NO_MEMORY;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return status_of(errno);
    status = write_all(fd, head);
    if (status == ATAMO_OK)
        status = write_all(fd, text);
    if (close(fd) != 0 && status == ATAMO_OK)
        status = status_of(errno);
    if (status == ATAMO_OK && rename(beside, path) != 0)
        status = status_of(errno);
    if (status != ATAMO_OK) {
        (void)unlink(beside);
        return status;
    }
    return sync_folder(folder);
}

/* A note is one line. */
static const char *one_line(struct arena *arena, const char *text)
{
    const atamo_bytes copy = arena_copy(arena, atamo_text(text));
    char *at = (char *)(uintptr_t)copy.data; /* ours: it was just made */

    for (size_t i = 0; i < copy.size; i++)
        if ((unsigned char)at[i] < ' ')
            at[i] = ' ';
    return copy.data == NULL ? "" : copy.data;
}

static int make_folder(const char *path)
{
    if (path == NULL)
        return ATAMO_NO_MEMORY;
    return mkdir(path, 0755) == 0 || errno == EEXIST ? ATAMO_OK : status_of(errno);
}

static int write_version(struct arena *arena, const char *folder, const char *id,
                         const struct rulebook_version *version)
{
    const char *history = arena_printf(arena, "%s/.history", folder);
    const char *own = arena_printf(arena, "%s/.history/%s", folder, id);
    const char *head =
        arena_printf(arena, "# time_us: %" PRId64 "\n# user: %s\n# why: %s\n", version->time_us,
                     one_line(arena, version->user), one_line(arena, version->why));
    int status = make_folder(folder);

    if (status == ATAMO_OK)
        status = make_folder(history);
    if (status == ATAMO_OK)
        status = make_folder(own);
    if (status == ATAMO_OK && head == NULL)
        status = ATAMO_NO_MEMORY;
    return status != ATAMO_OK
               ? status
               : replace(arena, own, version_path(arena, folder, id, version->number),
                         atamo_text(head), version->source);
}

/* What stands in the file already, if nobody has written it down. */
static int keep_first(struct arena *arena, const char *folder, const char *id, int64_t time_us)
{
    struct rulebook_version found = {
        .number = 1, .time_us = time_us, .user = "", .why = "as it was found"};
    const int status = rulebook_read(arena, folder, id, &found.source);

    if (status == ATAMO_NOT_FOUND)
        return ATAMO_OK;
    return status != ATAMO_OK ? status : write_version(arena, folder, id, &found);
}

int rulebook_write(struct arena *arena, const char *folder, const char *id,
                   struct rulebook_version *version)
{
    const char *path = rulebook_path(arena, folder, id);
    int status = ATAMO_OK;

    if (path == NULL)
        return ATAMO_NO_MEMORY;
    if (rulebook_latest(arena, folder, id) == 0)
        status = keep_first(arena, folder, id, version->time_us);
    version->number = rulebook_latest(arena, folder, id) + 1;
    if (status == ATAMO_OK)
        status = write_version(arena, folder, id, version);
    if (status != ATAMO_OK)
        return status;
    if (version->source.size > 0)
        return replace(arena, folder, path, atamo_text(""), version->source);
    return unlink(path) == 0 || errno == ENOENT ? sync_folder(folder) : status_of(errno);
}
