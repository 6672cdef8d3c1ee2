/* wildcard - the files whose names fit a pattern.
 *
 * Happy path: the folder is read, sorted by name, and each name that fits is kept. Hidden files fit
 * only a pattern that begins with a dot.
 */
#include "config/wildcard.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int keep(struct arena *arena, const char *folder, const char *name,
                struct wildcard_files *files)
{
    const char *path = arena_printf(arena, "%s%s", folder, name);

    if (path == NULL)
        return ATAMO_NO_MEMORY;
    files->paths[files->count++] = path;
    return ATAMO_OK;
}

/* `folder` ends with a '/', or is "". */
static int find_in(struct arena *arena, const char *folder, const char *pattern,
                   struct wildcard_files *files)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder[0] == '\0' ? "." : folder, &entries, NULL, by_name);
    int status = ATAMO_OK;

    if (count < 0)
        return errno == ENOMEM ? ATAMO_NO_MEMORY : errno == ENOENT ? ATAMO_NOT_FOUND : ATAMO_IO;
    if (count > WILDCARD_FILES_MAX)
        status = ATAMO_TOO_LARGE;
    if (status == ATAMO_OK) {
        files->paths = arena_array(arena, (size_t)count, sizeof(const char *));
        if (files->paths == NULL)
            status = ATAMO_NO_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        if (status == ATAMO_OK && fnmatch(pattern, entries[i]->d_name, FNM_PERIOD) == 0)
            status = keep(arena, folder, entries[i]->d_name, files);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int wildcard_find(struct arena *arena, const char *path, struct wildcard_files *files)
{
    const char *slash = strrchr(path, '/');
    const char *pattern = slash == NULL ? path : slash + 1;
    const char *folder = arena_printf(arena, "%.*s", (int)(pattern - path), path);
    struct wildcard_files found = {NULL, 0};
    int status;

    if (folder == NULL)
        return ATAMO_NO_MEMORY;
    if (strpbrk(pattern, "*?[") == NULL) {
        found.paths = arena_alloc(arena, sizeof(const char *));
        status = found.paths == NULL ? ATAMO_NO_MEMORY : keep(arena, folder, pattern, &found);
    } else {
        status = find_in(arena, folder, pattern, &found);
    }
    if (status != ATAMO_OK)
        return status;
    if (found.count == 0)
        return ATAMO_NOT_FOUND;
    *files = found;
    return ATAMO_OK;
}
