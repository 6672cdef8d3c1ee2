/* token_file - the file of tokens on the disk: read it, change it.
 *
 * Happy path of a change: the folder is locked, the list read and changed, written to FILE.new,
 * which nobody else can have opened, synced and renamed. What a killed change left behind there is
 * swept away by the next one. Fails if the operating system refuses any step, or if what is there
 * is damaged: then nothing was changed.
 */
#include "access/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20, PER_USER = 2 };

static int file_problem(const char *path, struct problems *problems, const char *what, int error)
{
    char text[128];

    (void)problems_add(problems, (struct place){path, 0, 0}, "cannot %s it: %s", what,
                       strerror_r(error, text, sizeof text));
    if (error == ENOMEM)
        return ATAMO_NO_MEMORY;
    return error == ENOENT ? ATAMO_NOT_FOUND : error == EACCES ? ATAMO_DENIED : ATAMO_IO;
}

/* --- reading */

/* Who could write it could let himself in. */
static int check_kind(const char *path, const struct stat *about, struct problems *problems)
{
    const struct place place = {path, 0, 0};

    if (!S_ISREG(about->st_mode)) {
        (void)problems_add(problems, place, "cannot read it: it is no file");
        return ATAMO_IO;
    }
    if ((about->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)problems_add(problems, place,
                           "others than its owner can write it: chmod go-w makes it safe");
        return ATAMO_DENIED;
    }
    if (about->st_size > FILE_MAX) {
        (void)problems_add(problems, place, "over %d bytes are too many for a file of tokens",
                           FILE_MAX);
        return ATAMO_TOO_LARGE;
    }
    return ATAMO_OK;
}

/* All that is there, as far as the room goes; it may have grown since. */
static int read_content(int fd, char *content, size_t room, size_t *size)
{
    *size = 0;
    while (*size < room) {
        const ssize_t got = read(fd, content + *size, room - *size);

        if (got == 0)
            return ATAMO_OK;
        if (got < 0 && errno != EINTR)
            return ATAMO_IO;
        *size += got > 0 ? (size_t)got : 0;
    }
    return ATAMO_OK;
}

static int read_open(int fd, const char *path, struct problems *problems, struct token_list *list,
                     struct stat *about)
{
    char *content;
    size_t size = 0;
    int status;

    if (fstat(fd, about) != 0)
        return file_problem(path, problems, "read", errno);
    status = check_kind(path, about, problems);
    if (status != ATAMO_OK)
        return status;
    content = malloc((size_t)about->st_size + 1);
    if (content == NULL)
        return ATAMO_NO_MEMORY;
    if (read_content(fd, content, (size_t)about->st_size + 1, &size) == ATAMO_OK)
        status = token_list_parse((atamo_bytes){content, size}, path, problems, list);
    else
        status = file_problem(path, problems, "read", errno);
    free(content);
    return status;
}

int token_file_read(const char *path, struct problems *problems, struct token_list *list,
                    struct stat *about)
{
    /* A pipe would keep us waiting for its other end. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int status;

    if (fd < 0)
        return file_problem(path, problems, "read", errno);
    status = read_open(fd, path, problems, list, about);
    (void)close(fd);
    return status;
}

/* --- changing */

struct change {
    const char *path;
    char *real;   /* where symbolic links lead */
    char *beside; /* where the new one is written */
    int folder;   /* locked */
    bool is_there;
    struct stat about; /* the one that is there */
    struct token_list list;
};

/* The path itself if nothing is there yet. */
static char *follow(const char *path)
{
    char *real = realpath(path, NULL);

    return real == NULL && errno == ENOENT ? strdup(path) : real;
}

static char *beside(const char *path)
{
    const size_t room = strlen(path) + sizeof ".new";
    char *name = malloc(room);

    if (name != NULL)
        (void)snprintf(name, room, "%s.new", path);
    return name;
}

static int lock_folder(struct change *change, struct problems *problems)
{
    char *folder = strdup(change->real);
    char *slash = folder == NULL ? NULL : strrchr(folder, '/');
    const char *name = slash == NULL ? "." : slash == folder ? "/" : folder;
    int error = 0;

    if (folder == NULL)
        return ATAMO_NO_MEMORY;
    if (slash != NULL && slash != folder)
        *slash = '\0';
    change->folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (change->folder >= 0 && error == 0 && flock(change->folder, LOCK_EX) != 0)
        error = errno == EINTR ? 0 : errno;
    if (change->folder < 0)
        error = errno;
    free(folder);
    return error == 0 ? ATAMO_OK
                      : file_problem(change->path, problems, "lock the folder of", error);
}

static void end_change(struct change *change)
{
    token_list_free(&change->list);
    free(change->real);
    free(change->beside);
    if (change->folder >= 0)
        (void)close(change->folder); /* and the lock with it */
}

static int begin_change(const char *path, bool makes, struct problems *problems,
                        struct change *change)
{
    int status;

    *change = (struct change){.path = path, .folder = -1};
    change->real = follow(path);
    if (change->real == NULL)
        return file_problem(path, problems, "find", errno);
    change->beside = beside(change->real);
    if (change->beside == NULL)
        return ATAMO_NO_MEMORY;
    status = lock_folder(change, problems);
    if (status != ATAMO_OK)
        return status;
    change->is_there = access(change->real, F_OK) == 0 || errno != ENOENT;
    if (!change->is_there && makes)
        return ATAMO_OK;
    return token_file_read(change->real, problems, &change->list, &change->about);
}

/* Its owner is to be that of the one it replaces; its group may read it if it could. */
static bool take_over(int fd, const struct change *change)
{
    const struct stat *before = &change->about;
    struct stat now;

    if (!change->is_there)
        return true;
    if (fstat(fd, &now) != 0)
        return false;
    if ((now.st_uid != before->st_uid || now.st_gid != before->st_gid) &&
        fchown(fd, before->st_uid, before->st_gid) != 0)
        return false;
    return fchmod(fd, (before->st_mode & S_IRGRP) | S_IRUSR | S_IWUSR) == 0;
}

static bool write_content(int fd, const char *content, size_t size)
{
    while (size > 0) {
        const ssize_t wrote = write(fd, content, size);

        if (wrote < 0 && errno != EINTR)
            return false;
        content += wrote > 0 ? wrote : 0;
        size -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

/* Write the new file and give it its name; the folder is synced, so that it keeps it. */
static bool replace(const struct change *change, const char *content, size_t size)
{
    int fd;
    bool good;

    if (unlink(change->beside) != 0 && errno != ENOENT)
        return false;
    fd = open(change->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
              S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    good = take_over(fd, change) && write_content(fd, content, size) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && rename(change->beside, change->real) == 0;
    if (!good) {
        const int error = errno;

        (void)unlink(change->beside);
        errno = error;
        return false;
    }
    return fsync(change->folder) == 0;
}

static int write_change(const struct change *change, struct problems *problems)
{
    const size_t size = token_list_write(&change->list, NULL, 0);
    char *content;
    int status = ATAMO_OK;

    if (size > FILE_MAX)
        return ATAMO_TOO_LARGE;
    content = malloc(size);
    if (content == NULL)
        return ATAMO_NO_MEMORY;
    (void)token_list_write(&change->list, content, size);
    if (!replace(change, content, size))
        status = file_problem(change->path, problems, "write", errno);
    free(content);
    return status;
}

/* For a rotation there are two at a time, not more. */
static int check_user(const struct change *change, const struct token *token,
                      struct problems *problems)
{
    const struct token *live[PER_USER];
    size_t count = 0;

    for (size_t i = 0; i < change->list.count && count < PER_USER; i++) {
        const struct token *other = &change->list.items[i];

        if (strcmp(other->user, token->user) == 0 && !token_is_over(other, token->created_ns))
            live[count++] = other;
    }
    if (count < PER_USER)
        return ATAMO_OK;
    (void)problems_add(problems, (struct place){change->path, 0, 0},
                       "%s has two tokens that have not expired, %s and %s: revoke one of them "
                       "first",
                       token->user, live[0]->id, live[1]->id);
    return ATAMO_EXISTS;
}

static int add(struct change *change, struct token *token, struct problems *problems,
               char text[TOKEN_TEXT_SIZE + 1])
{
    int status = check_user(change, token, problems);

    if (status != ATAMO_OK)
        return status;
    do
        token_make(token, text);
    while (token_list_find(&change->list, token->id) != NULL);
    status = token_list_add(&change->list, token);
    if (status == ATAMO_OK)
        status = write_change(change, problems);
    if (status == ATAMO_TOO_LARGE)
        (void)problems_add(problems, (struct place){change->path, 0, 0},
                           "there is no room for one more token: revoke some");
    if (status != ATAMO_OK)
        sodium_memzero(text, TOKEN_TEXT_SIZE + 1);
    return status;
}

int token_file_add(const char *path, struct token *token, struct problems *problems,
                   char text[TOKEN_TEXT_SIZE + 1])
{
    struct change change;
    int status = token_ready();

    if (status != ATAMO_OK)
        return status;
    status = begin_change(path, true, problems, &change);
    if (status == ATAMO_OK)
        status = add(&change, token, problems, text);
    end_change(&change);
    return status;
}

int token_file_remove(const char *path, const char *id, struct problems *problems,
                      struct token *removed)
{
    struct change change;
    struct token *found = NULL;
    int status = begin_change(path, false, problems, &change);

    if (status == ATAMO_OK && token_is_id(atamo_text(id)))
        found = token_list_find(&change.list, id);
    if (status == ATAMO_OK && found == NULL) {
        (void)problems_add(problems, (struct place){path, 0, 0}, "no token has the id %.40s", id);
        status = ATAMO_NOT_FOUND;
    }
    if (status == ATAMO_OK) {
        *removed = *found;
        token_list_remove(&change.list, found);
        status = write_change(&change, problems);
    }
    end_change(&change);
    return status;
}
