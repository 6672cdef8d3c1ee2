/* rule_suite_find - the files of rule tests at or below a path.
 *
 * Happy path: folders are read one after the other, sorted by name; a folder in a folder is entered
 * when its turn comes, with a stack of what is open. Fails if a folder cannot be read, if folders
 * nest deeper than FOLDERS_MAX, or for want of memory.
 */
#include "config/rule_suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 32 };

/* A folder that is open. */
struct folder {
    char *path;
    struct dirent **entries;
    int count, next;
};

struct search {
    struct folder folders[FOLDERS_MAX];
    size_t depth;
    int (*fn)(void *user, const char *file);
    void *user;
};

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Takes the path over, also on failure. */
static int enter(struct search *search, char *path)
{
    struct folder *folder = &search->folders[search->depth];

    if (search->depth == FOLDERS_MAX) {
        free(path);
        return ATAMO_TOO_LARGE;
    }
    *folder = (struct folder){.path = path};
    folder->count = scandir(path, &folder->entries, is_visible, by_name);
    if (folder->count < 0) {
        const int error = errno;

        free(path);
        return error == ENOMEM ? ATAMO_NO_MEMORY : ATAMO_IO;
    }
    search->depth++;
    return ATAMO_OK;
}

static void leave(struct search *search)
{
    struct folder *folder = &search->folders[--search->depth];

    for (int i = 0; i < folder->count; i++)
        free(folder->entries[i]);
    free(folder->entries);
    free(folder->path);
}

static bool is_test(const char *name)
{
    static const char end[] = ".test.yaml";
    const size_t size = strlen(name);

    return size >= sizeof end && strcmp(name + size - (sizeof end - 1), end) == 0;
}

static int visit(struct search *search, const char *folder, const char *name)
{
    struct stat about;
    char *path = NULL;
    int status = ATAMO_OK;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return ATAMO_NO_MEMORY;
    if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return enter(search, path);
    if (is_test(name))
        status = search->fn(search->user, path);
    free(path);
    return status;
}

int rule_suite_find(const char *path, int (*fn)(void *user, const char *file), void *user)
{
    struct search search = {.fn = fn, .user = user};
    struct stat about;
    char *copy;
    int status;

    if (stat(path, &about) != 0)
        return errno == ENOENT || errno == ENOTDIR ? ATAMO_NOT_FOUND : ATAMO_IO;
    if (!S_ISDIR(about.st_mode))
        return fn(user, path);
    copy = strdup(path);
    if (copy == NULL)
        return ATAMO_NO_MEMORY;
    status = enter(&search, copy);
    while (search.depth > 0) {
        struct folder *folder = &search.folders[search.depth - 1];

        if (status != ATAMO_OK || folder->next == folder->count)
            leave(&search);
        else
            status = visit(&search, folder->path, folder->entries[folder->next++]->d_name);
    }
    return status;
}
