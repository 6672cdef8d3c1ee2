/* wildcard - the files whose names fit a pattern, in the order of their names. */
#ifndef HUB_CONFIG_WILDCARD_H
#define HUB_CONFIG_WILDCARD_H

#include "base/arena.h"

enum { WILDCARD_FILES_MAX = 100000 };

struct wildcard_files {
    const char **paths;
    size_t count;
};

/* Find them. In the last part of the path '*', '?' and '[...]' stand for what they do in the shell;
 * folders are taken as they are written. A path without any of these is its own answer, whether
 * there is such a file or not. ATAMO_NOT_FOUND: no file fits; ATAMO_IO: the folder cannot be read;
 * ATAMO_TOO_LARGE; ATAMO_NO_MEMORY. */
int wildcard_find(struct arena *arena, const char *path, struct wildcard_files *files);

#endif
