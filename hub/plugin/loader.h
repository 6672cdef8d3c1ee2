/* loader - find a plugin, load it, and believe nothing of its table before it is checked.
 *
 * Libraries stay loaded until the process ends: code of theirs may still be on some stack. A file
 * that was replaced since it was loaded is loaded again, from a private copy, because dlopen()
 * would answer with the old code.
 */
#ifndef HUB_PLUGIN_LOADER_H
#define HUB_PLUGIN_LOADER_H

#include "base/problems.h"

#include <atamo/plugin.h>

#include <stdbool.h>

struct loaded_plugin {
    const atamo_plugin *plugin;
    uint64_t fingerprint; /* of the file's content */
};

/* Where plugins are looked for, in order: `first`, ATAMO_PLUGIN_PATH, the program's own
 * ../lib/atamo/plugins, the folder chosen at build time. Each may hold several folders with ':'
 * between them; `first` may be NULL. Written to `buffer`; false if it does not fit. */
bool loader_path(const char *first, char *buffer, size_t capacity);

/* Load by id ("exec": exec.so in one of the folders of `path`) or by file (any text with a '/').
 * Failures are problems at `place` that name the file and the remedy. */
int loader_load(const char *name, const char *path, struct place place, struct problems *problems,
                struct loaded_plugin *loaded);

/* Is this table one that the hub can work with? `file` is for messages. */
int loader_check(const atamo_plugin *plugin, const char *file, struct place place,
                 struct problems *problems);

/* Visit every *.so in the folders of `path`. */
int loader_list(const char *path, void (*fn)(void *user, const char *file), void *user);

#endif
