/* template_path - the path in `${path}`, taken apart. */
#ifndef HUB_RULES_TEMPLATE_PATH_H
#define HUB_RULES_TEMPLATE_PATH_H

#include "base/arena.h"

enum { TEMPLATE_PATH_DEPTH = 32 };

struct template_path {
    atamo_bytes steps[TEMPLATE_PATH_DEPTH];
    size_t depth;
};

/* Take a path from the beginning of `text` as far as it goes; *used says how far. ATAMO_INVALID
 * with *reason, or ATAMO_NO_MEMORY. Steps point into the text or the arena. */
int template_path_parse(struct arena *arena, atamo_bytes text, struct template_path *path,
                        size_t *used, const char **reason);

#endif
