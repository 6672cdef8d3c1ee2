/* section - read one map of a configuration: known keys only, each of its type.
 *
 * A section is a map and the table of keys that it may have. Unknown keys are problems that name
 * the nearest known one. Getters leave their output alone when the key is absent, so that defaults
 * are set before; a value of the wrong type or out of bounds is a problem.
 */
#ifndef HUB_CONFIG_SECTION_H
#define HUB_CONFIG_SECTION_H

#include "base/problems.h"
#include "yaml/yaml.h"

struct section {
    const struct yaml_node *map; /* NULL: the section is empty */
    const char *what;            /* "agent \"mail\"": for messages */
    struct problems *problems;
};

/* Check that `node` (NULL or null: empty) is a map with only these keys (NULL-terminated list). */
struct section section_open(const struct yaml_node *node, const char *what, const char *const *keys,
                            struct problems *problems);

/* The value of a key, NULL if it is absent or null. */
const struct yaml_node *section_get(const struct section *section, const char *key);

/* Text, borrowed from the tree. */
void section_text(const struct section *section, const char *key, atamo_bytes *text);

void section_integer(const struct section *section, const char *key, int64_t min, int64_t max,
                     uint32_t *value);
void section_boolean(const struct section *section, const char *key, bool *value);
void section_duration(const struct section *section, const char *key, uint64_t *ns);
void section_size(const struct section *section, const char *key, uint64_t *bytes);

/* One of the choices (NULL-terminated); *index is which. */
void section_choice(const struct section *section, const char *key, const char *const *choices,
                    uint32_t *index);

/* A text, or a list of texts, copied into the arena. ATAMO_NO_MEMORY. */
int section_texts(const struct section *section, const char *key, struct arena *arena,
                  const atamo_bytes **list, size_t *count);

/* "key" with its quotes, for messages about names that are not known: adds the nearest one. */
int section_unknown(struct problems *problems, const struct yaml_node *node, const char *kind,
                    const char *const *names, size_t count);

#endif
