/* store_file - the store of a configuration, opened by a command: beside a hub that runs, to read;
 * or instead of one, to write. */
#ifndef HUB_CLI_STORE_FILE_H
#define HUB_CLI_STORE_FILE_H

#include "config/config.h"

#include <atamo/store.h>

enum store_use { STORE_READ, STORE_WRITE };

struct store_file {
    const struct atamo_store *store;
    void *self;
    uint64_t node;         /* of the hub's UUIDs */
    struct setting *inner; /* what has to be closed */
};

/* Open the store of the configuration at `config`; `path`, if not NULL, is opened instead of the
 * one that is configured. What is wrong is said on stderr. ATAMO_INVALID, ATAMO_NO_MEMORY... */
int store_file_open(struct store_file *file, const char *config, const char *path,
                    enum store_use use);
/* The path of the configured store, which need not be there. */
enum { STORE_PATH_MAX = 4096 };
int store_file_path(const char *config, char path[STORE_PATH_MAX]);

void store_file_close(struct store_file *file);

/* Write and wait until it is safe. */
int store_file_write(const struct store_file *file, const atamo_write *writes, size_t count);

#endif
