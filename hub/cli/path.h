/* path - the path and query of a request, escaped. */
#ifndef HUB_CLI_PATH_H
#define HUB_CLI_PATH_H

#include <stdbool.h>
#include <stddef.h>

enum { PATH_ROOM = 4096 };

struct path {
    char text[PATH_ROOM];
    size_t size;
    bool has_query;
    bool too_long; /* something was left out */
};

/* Begin with `start`, which is taken as it is: "/v1/events/". */
void path_begin(struct path *path, const char *start);

/* Add a part as it is. */
void path_add(struct path *path, const char *part);

/* Add a text that may have any bytes. */
void path_add_escaped(struct path *path, const char *text);

/* Add name=value to the query; not if the value is NULL. */
void path_query(struct path *path, const char *name, const char *value);

/* The text; false, and that is said, if something was left out. */
bool path_is_good(const struct path *path);

#endif
