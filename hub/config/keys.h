/* keys - the keys that a map of the configuration may have, as tables, and the one reader of them.
 *
 * Each table is the only place that knows its keys: names, kinds, bounds, defaults and what they
 * are for. From the tables come the values, the messages ("did you mean"), and the JSON Schema for
 * editors; a test holds the manual page against them.
 */
#ifndef HUB_CONFIG_KEYS_H
#define HUB_CONFIG_KEYS_H

#include "yaml/yaml.h"

/* What a value must be, and what it becomes at its offset. */
enum key_kind {
    KEY_COUNT,    /* a whole number: uint32_t */
    KEY_SIZE,     /* "16MiB", or bytes: uint64_t */
    KEY_DURATION, /* "10s": uint64_t, nanoseconds */
    KEY_TEXT,     /* not empty, no control characters: atamo_bytes */
    KEY_CHOICE,   /* one of `choices`: uint32_t, which one, from 1; 0 if absent */
    KEY_TEXTS,    /* a list of texts, or one text: struct key_texts */
    KEY_MAP,      /* const struct yaml_node *, a map with the keys of `inside` */
    KEY_NAMED,    /* const struct yaml_node *, a map from names to things like `inside` */
    KEY_LIST,     /* const struct yaml_node *, a list of things like `inside` */
    KEY_ANY,      /* const struct yaml_node *, of any kind: its reader checks it */
};

struct key_texts {
    const atamo_bytes *list;
    size_t count;
    const struct yaml_node *node; /* NULL: absent */
};

struct key_table;

struct key {
    const char *name;
    enum key_kind kind;
    bool required;
    size_t offset;
    int64_t min, max;     /* of counts, sizes, durations (ns); max also of the bytes of texts */
    const char *choices;  /* KEY_CHOICE: "block|drop" */
    const char *fallback; /* as it would be written; NULL: none */
    const struct key_table *inside;
    const char *schema; /* JSON Schema of the value, where the kind does not say it all */
    const char *about;
};

struct key_table {
    const char *what; /* "an agent": for messages */
    const char *name; /* "agent": of its definition in the schema */
    const char *about;
    const struct key *keys;
    size_t count;
    size_t size; /* of the struct that is filled in */
    bool open;   /* other keys are allowed: somebody else reads them */
};

/* Read a map into *out, which is cleared first and gets defaults where keys are absent. Mistakes go
 * to `problems` and leave the default; the status is ATAMO_OK all the same, or ATAMO_NO_MEMORY.
 * Texts point into the tree. */
int keys_read(struct arena *arena, const struct key_table *table, const struct yaml_node *map,
              struct problems *problems, void *out);

/* Where a key stands, or the map if the key is absent. */
struct place keys_place(const struct yaml_node *map, const char *key);

/* Of `count` names the one nearest to `name`, or NULL; also NULL when the list of problems is full,
 * because nobody would read it and looking costs. */
const char *keys_nearest(const struct problems *problems, atamo_bytes name,
                         const char *const *names, size_t count);

/* Read one value by itself, as if it stood at `key`. */
int keys_read_value(struct arena *arena, const struct key *key, const struct yaml_node *value,
                    struct problems *problems, void *out);

#endif
