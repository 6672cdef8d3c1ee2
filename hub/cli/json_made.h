/* json_made - JSON of the size that it needs. */
#ifndef HUB_CLI_JSON_MADE_H
#define HUB_CLI_JSON_MADE_H

#include "json/write.h"

/* What `write` writes, malloc'd, with a NUL behind it: it is called twice, for the size and for the
 * text, and must do the same both times. `data` is NULL without memory. */
atamo_bytes json_made(void (*write)(struct json_writer *writer, const void *user),
                      const void *user);

#endif
