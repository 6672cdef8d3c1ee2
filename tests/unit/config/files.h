/* files - a folder of its own for each test, gone when it is over. */
#ifndef TESTS_UNIT_CONFIG_FILES_H
#define TESTS_UNIT_CONFIG_FILES_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct files {
    char folder[64];
    char path[256];
};

static inline bool files_open(struct files *files)
{
    (void)snprintf(files->folder, sizeof files->folder, "/tmp/atamo-config-XXXXXX");
    return mkdtemp(files->folder) != NULL;
}

/* Valid until the next call. */
static inline const char *files_path(struct files *files, const char *name)
{
    (void)snprintf(files->path, sizeof files->path, "%s/%s", files->folder, name);
    return files->path;
}

/* Write a file; folders in its name are made. */
static inline void files_write(struct files *files, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", files->folder, name);
    for (char *at = path + strlen(files->folder) + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

static inline int files_remove(const char *path, const struct stat *about, int kind,
                               struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void files_close(struct files *files)
{
    (void)nftw(files->folder, files_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
