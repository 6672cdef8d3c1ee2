/* program - find the file that a command names.
 *
 * Happy path: a name with a slash is looked at, any other is tried in each folder of PATH. The
 * first that may be executed is it; if none may, one that is there at least makes a better error.
 */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool program_is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static int look_at(const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0)
        return ATAMO_NOT_FOUND;
    return S_ISREG(about.st_mode) && access(path, X_OK) == 0 ? ATAMO_OK : ATAMO_DENIED;
}

/* "folder/name", or "./name" for an empty folder, as PATH means it. */
static char *join(const char *folder, size_t size, const char *name)
{
    const size_t length = strlen(name);
    char *path = malloc(size + length + 3);
    size_t at = 0;

    if (path == NULL)
        return NULL;
    if (size == 0)
        path[at++] = '.';
    memcpy(path + at, folder, size);
    at += size;
    path[at++] = '/';
    memcpy(path + at, name, length + 1);
    return path;
}

static int take(char *path, char **program)
{
    int status;

    if (path == NULL)
        return ATAMO_NO_MEMORY;
    status = look_at(path);
    if (status == ATAMO_OK)
        *program = path;
    else
        free(path);
    return status;
}

int program_find(const char *name, const char *path, const char *directory, char **program)
{
    int found = ATAMO_NOT_FOUND;

    if (strchr(name, '/') != NULL)
        return take(name[0] == '/' || directory[0] == '\0'
                        ? strdup(name)
                        : join(directory, strlen(directory), name),
                    program);
    for (;;) {
        const size_t size = strcspn(path, ":");
        const int status = take(join(path, size, name), program);

        if (status == ATAMO_OK || status == ATAMO_NO_MEMORY)
            return status;
        if (status == ATAMO_DENIED)
            found = ATAMO_DENIED;
        if (path[size] == '\0')
            return found;
        path += size + 1;
    }
}
