/* yaml - a YAML document as a tree that remembers where everything stood.
 *
 * Parsing is by libyaml; this module adds what a configuration needs: positions on every node,
 * scalar types by YAML 1.2's core schema, no duplicate keys, limits on size, nesting and node count
 * that are checked on parser *events* (libyaml alone takes seconds on hostile nesting), anchors,
 * aliases, merge keys and foreign tags refused, and `${env:NAME}` / `${env:NAME:-default}` replaced
 * in plain and quoted values when asked. A plain value is typed after that: `port: ${env:PORT}` is
 * a number. `$${env:` is left alone, so are block texts.
 *
 * JSON is YAML: the same call reads both, except (libyaml's limits) keys over 1024 bytes and `\u`
 * escapes of surrogate pairs.
 *
 * The tree lives in the caller's arena and is never changed after parsing.
 */
#ifndef HUB_YAML_YAML_H
#define HUB_YAML_YAML_H

#include "base/arena.h"
#include "base/problems.h"

#include <stdbool.h>
#include <stdint.h>

enum yaml_kind {
    YAML_NULL,
    YAML_BOOL,
    YAML_NUMBER, /* integer or float: see `integral` */
    YAML_TEXT,   /* quoted, block, or plain text that is nothing else */
    YAML_LIST,
    YAML_MAP,
};

struct yaml_node {
    enum yaml_kind kind;
    uint32_t line, column; /* from 1 */
    const char *file;      /* as named to yaml_parse(); nodes of included files name theirs */
    atamo_bytes text;      /* a scalar as written (after unquoting), NUL-terminated */
    bool truth;            /* YAML_BOOL */
    bool integral;         /* YAML_NUMBER: fits int64 and has no fraction or exponent */
    int64_t integer;       /* YAML_NUMBER, if integral */
    double number;         /* YAML_NUMBER */
    size_t count;          /* YAML_LIST: items; YAML_MAP: pairs */
    const struct yaml_node **items; /* YAML_LIST: count; YAML_MAP: the values */
    const struct yaml_node **keys;  /* YAML_MAP: the keys, always YAML_TEXT, in written order */
};

struct yaml_limits {
    size_t bytes; /* of the input; 0: 16 MiB */
    size_t depth; /* of nesting; 0: 32 */
    size_t nodes; /* in all; 0: 4,000,000 */
};

/* An environment to substitute from: the value of a name or NULL. NULL function: `${env:` stays. */
typedef const char *(*yaml_environment)(void *context, const char *name);

struct yaml_options {
    const char *file; /* for positions; copied into the arena */
    struct yaml_limits limits;
    yaml_environment environment;
    void *context;
};

/* Parse one document. On success *root is the tree, or NULL for an empty document. On failure every
 * problem found is in `problems` and the status is ATAMO_INVALID, ATAMO_TOO_LARGE or
 * ATAMO_NO_MEMORY. */
int yaml_parse(struct arena *arena, atamo_bytes input, const struct yaml_options *options,
               struct problems *problems, const struct yaml_node **root);

/* The value of a key, or NULL if the node is not a map or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* Where the node stands. */
struct place yaml_place(const struct yaml_node *node);

/* "a map", "a list", "text", "a number", ...: for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

/* The node as compact JSON text, in the arena; numbers as they were written where JSON allows it.
 * `data` is NULL without memory. */
atamo_bytes yaml_to_json(struct arena *arena, const struct yaml_node *node);

#endif
