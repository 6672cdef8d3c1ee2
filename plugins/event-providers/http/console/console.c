/* console - the web console as files in memory.
 *
 * Happy path: a file is found by its path, by halving the generated table. It can fail in one way:
 * the path is not there. Nothing is opened or read.
 */
#include "console.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct console_file *)file)->path);
}

const struct console_file *console_find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    return bsearch(path, console_files, console_file_count, sizeof console_files[0], by_path);
}
