/* program - find the file that a command names, as execvp() would, but before it is needed. */
#ifndef EXEC_PROGRAM_H
#define EXEC_PROGRAM_H

#include <atamo/status.h>

#include <stdbool.h>

/* A name with a slash is a file, below `directory` if it is relative and that is not ""; else each
 * folder of `path` (separated by ':') is tried. *program is malloc'd. ATAMO_NOT_FOUND;
 * ATAMO_DENIED: found, but not to be executed; ATAMO_NO_MEMORY. */
int program_find(const char *name, const char *path, const char *directory, char **program);

bool program_is_folder(const char *path);

#endif
