/* config_inside - what the files of this folder share: the parsed tree and a build under way. */
#ifndef HUB_CONFIG_CONFIG_INSIDE_H
#define HUB_CONFIG_CONFIG_INSIDE_H

#include "config/config.h"
#include "config/format.h"
#include "rules/index.h"

struct config {
    struct arena arena;
    char *folder;                   /* of the file, with a '/' at its end, or "" */
    const char *folder_name;        /* the same without the '/', or "." */
    const struct yaml_node *root;   /* NULL: empty */
    const struct yaml_node **rules; /* each a rule, includes followed */
    size_t rule_count;
    const char *rules_folder; /* NULL: none */
};

/* Names that rules may use, sorted: for hints.h. */
struct hint_names {
    const char **list;
    size_t count;
};

struct hints {
    struct hint_names types, users, groups;
};

struct building {
    const struct config *config;
    const struct config_context *context;
    struct problems *problems;
    struct generation *generation;
    struct arena *arena;  /* the generation's */
    struct arena scratch; /* what keys were read into */
    struct index *index;
    struct format_top top;
    struct hints hints;
    bool durable;          /* hub: {mode: durable} */
    struct opened *opened; /* instances that wait to be created; see instance_build.h */
    char path[8192];       /* plugin path */
};

/* Sections, each into the generation. All return ATAMO_OK or ATAMO_NO_MEMORY; what is wrong is in
 * `problems`. */
int build_hub(struct building *building);
int build_types(struct building *building);
int build_users(struct building *building);
int build_access(struct building *building);
int build_instances(struct building *building);
int build_store_alone(struct building *building);
int build_rules(struct building *building);

/* Find each rule in the generation before: its counters go on. */
void carry_counters(struct building *building);

/* A copy of a text in the generation's arena. `data` is NULL without memory. */
atamo_bytes build_copy(struct building *building, atamo_bytes text);

/* Read a map by its table (keys.h), with the building's scratch and problems. */
int build_read(struct building *building, const struct key_table *table,
               const struct yaml_node *map, void *out);

/* Copies of texts. ATAMO_NO_MEMORY. */
int build_texts(struct building *building, const struct key_texts *texts, const atamo_bytes **list,
                size_t *count);

/* A name that stands for nothing: unknown agent "mial"; did you mean "mail"? */
void build_unknown(struct building *building, struct place place, const char *kind,
                   atamo_bytes name, const char *nearest);

#endif
