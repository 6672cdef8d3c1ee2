/* loader - find a plugin, load it, and check its table.
 *
 * Happy path: the first folder that has NAME.so wins; the file's content is hashed, dlopen() loads
 * it, its table is checked. Fails, saying which file and what to do, if the file is not there, is
 * no library, misses another library or the symbol, or was built for another ABI.
 */
#include "plugin/loader.h"

#include "base/hash.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_LISTED = 128 };

/* The folder beside the program: PREFIX/bin/atamo -> PREFIX/lib/atamo/plugins. */
static void folder_beside_program(char folder[PATH_MAX])
{
    char program[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash;

    folder[0] = '\0';
    if (size <= 0)
        return;
    program[size] = '\0';
    for (int level = 0; level < 2; level++) {
        slash = strrchr(program, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
    (void)snprintf(folder, PATH_MAX, "%.*s/lib/atamo/plugins", PATH_MAX - 32, program);
}

bool loader_path(const char *first, char *buffer, size_t capacity)
{
    const char *variable = getenv("ATAMO_PLUGIN_PATH"); /* NOLINT(concurrency-mt-unsafe) */
    char beside[PATH_MAX];
    int size;

    folder_beside_program(beside);
    size = snprintf(buffer, capacity, "%s:%s:%s:%s", first == NULL ? "" : first,
                    variable == NULL ? "" : variable, beside, ATAMO_PLUGIN_DIR);
    return size >= 0 && (size_t)size < capacity;
}

/* The next folder of a path; false at its end. Empty ones are skipped. */
static bool next_folder(const char **path, char folder[PATH_MAX])
{
    while (**path != '\0') {
        const size_t size = strcspn(*path, ":");
        const char *at = *path;

        *path += size + (at[size] == ':');
        if (size == 0 || size >= PATH_MAX)
            continue;
        memcpy(folder, at, size);
        folder[size] = '\0';
        return true;
    }
    return false;
}

int loader_list(const char *path, void (*fn)(void *user, const char *file), void *user)
{
    char folder[PATH_MAX];

    while (next_folder(&path, folder)) {
        DIR *directory = opendir(folder);
        const struct dirent *entry;

        if (directory == NULL)
            continue;
        while ((entry = readdir(directory)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
            char file[PATH_MAX + NAME_MAX + 2];
            const size_t size = strlen(entry->d_name);

            if (size < 4 || strcmp(entry->d_name + size - 3, ".so") != 0)
                continue;
            (void)snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
            fn(user, file);
        }
        (void)closedir(directory);
    }
    return ATAMO_OK;
}

struct listing {
    char names[NAMES_LISTED][64];
    const char *list[NAMES_LISTED];
    size_t count;
};

static void list_name(void *user, const char *file)
{
    struct listing *listing = user;
    const char *name = strrchr(file, '/') + 1;

    if (listing->count == NAMES_LISTED)
        return;
    (void)snprintf(listing->names[listing->count], 64, "%.*s", (int)strlen(name) - 3, name);
    listing->list[listing->count] = listing->names[listing->count];
    listing->count++;
}

static int not_found(const char *name, const char *path, struct place place,
                     struct problems *problems)
{
    struct listing *listing = calloc(1, sizeof *listing);
    const char *nearest = NULL;

    if (listing != NULL) {
        (void)loader_list(path, list_name, listing);
        nearest = problems_nearest(atamo_text(name), listing->list, listing->count);
    }
    (void)problems_add(problems, place, "no plugin \"%s\"%s%s%s; looked for %s.so in %s", name,
                       nearest == NULL ? "" : ": did you mean \"", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "\"?", name, path);
    free(listing);
    return ATAMO_NOT_FOUND;
}

static bool find_file(const char *name, const char *path, char file[PATH_MAX])
{
    char folder[PATH_MAX];

    if (strchr(name, '/') != NULL) {
        (void)snprintf(file, PATH_MAX, "%s", name);
        return access(file, R_OK) == 0;
    }
    while (next_folder(&path, folder)) {
        const int size = snprintf(file, PATH_MAX, "%s/%s.so", folder, name);

        if (size > 0 && size < PATH_MAX && access(file, R_OK) == 0)
            return true;
    }
    return false;
}

/* Hash the file's content, so that a replaced file is noticed. */
static bool fingerprint_file(const char *file, uint64_t *fingerprint)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *content = MAP_FAILED;

    if (fd < 0)
        return false;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        content = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (content == MAP_FAILED)
        return false;
    *fingerprint = hash_bytes(1, (atamo_bytes){content, (size_t)info.st_size});
    (void)munmap(content, (size_t)info.st_size);
    return true;
}

static bool copy_file(const char *from, int to)
{
    const int fd = open(from, O_RDONLY | O_CLOEXEC);
    char buffer[65536];
    ssize_t size = -1;

    if (fd < 0)
        return false;
    do {
        size = read(fd, buffer, sizeof buffer);
        if (size > 0 && write(to, buffer, (size_t)size) != size)
            size = -1;
    } while (size > 0);
    (void)close(fd);
    return size == 0;
}

/* The library as it is on disk now, from a memory file. */
static void *open_copy(const char *file, uint64_t fingerprint)
{
    char name[64];
    char path[64];
    void *library = NULL;
    int fd;

    (void)snprintf(name, sizeof name, "atamo-%016llx", (unsigned long long)fingerprint);
    fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (copy_file(file, fd))
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    (void)close(fd);
    return library;
}

/* Is a file of this name loaded that is not the one on disk any more? */
static bool was_replaced(const char *file)
{
    char line[PATH_MAX + 256];
    char wanted[PATH_MAX];
    bool replaced = false;
    FILE *maps;

    if (realpath(file, wanted) == NULL)
        return false;
    maps = fopen("/proc/self/maps", "re");
    if (maps == NULL)
        return false;
    while (!replaced && fgets(line, sizeof line, maps) != NULL) {
        const char *at = strchr(line, '/');
        const size_t size = strlen(wanted);

        replaced = at != NULL && strncmp(at, wanted, size) == 0 &&
                   strncmp(at + size, " (deleted)", 10) == 0;
    }
    (void)fclose(maps);
    return replaced;
}

static int report_dlopen(const char *file, struct place place, struct problems *problems)
{
    const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe) */

    (void)problems_add(problems, place,
                       "cannot load %s: %s; is it a shared object for this machine, and are the "
                       "libraries that it needs installed?",
                       file, why == NULL ? "unknown error" : why);
    return ATAMO_INVALID;
}

int loader_load(const char *name, const char *path, struct place place, struct problems *problems,
                struct loaded_plugin *loaded)
{
    char file[PATH_MAX];
    uint64_t fingerprint = 0;
    const atamo_plugin *plugin;
    void *library;
    int status;

    if (!find_file(name, path, file)) {
        if (strchr(name, '/') != NULL) {
            (void)problems_add(problems, place, "no plugin file %s", name);
            return ATAMO_NOT_FOUND;
        }
        return not_found(name, path, place, problems);
    }
    if (!fingerprint_file(file, &fingerprint)) {
        (void)problems_add(problems, place, "cannot read %s", file);
        return ATAMO_IO;
    }
    library =
        was_replaced(file) ? open_copy(file, fingerprint) : dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return report_dlopen(file, place, problems);
    plugin = dlsym(library, ATAMO_PLUGIN_SYMBOL);
    if (plugin == NULL) {
        (void)problems_add(problems, place,
                           "%s is no plugin: it exports no symbol " ATAMO_PLUGIN_SYMBOL
                           "; define its table with ATAMO_PLUGIN",
                           file);
        return ATAMO_INVALID;
    }
    status = loader_check(plugin, file, place, problems);
    if (status != ATAMO_OK)
        return status;
    *loaded = (struct loaded_plugin){plugin, fingerprint};
    return ATAMO_OK;
}
