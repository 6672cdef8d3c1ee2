/* config - from YAML to a generation that a hub can run.
 *
 * Two steps: reading makes trees of all files; building checks them, loads plugins, checks their
 * options, compiles rules and makes instances. Both find all problems they can in one run; on any
 * error nothing stays behind. In the files ${env:NAME} stands for NAME in the environment, and
 * ${env:ATAMO_CONFIG_DIR} for the folder of the configuration.
 */
#ifndef HUB_CONFIG_CONFIG_H
#define HUB_CONFIG_CONFIG_H

#include "base/names.h"
#include "base/problems.h"
#include "flow/generation.h"
#include "yaml/yaml.h"

#include <atamo/hub.h>

struct config;

/* A rule of the folder `rules_folder` as it shall be, whatever its file says. */
struct config_change {
    const char *id;
    atamo_bytes rule; /* YAML; empty: it goes */
};

struct config_source {
    const char *path; /* a file; or NULL and */
    atamo_bytes text;
    const struct config_change *change; /* NULL: none */
    atamo_bytes rules; /* a list of rules, YAML, instead of all others; data NULL: the files' */
    yaml_environment environment; /* for ${env:NAME}; NULL: getenv() */
    void *environment_context;
};

/* Read the text and the files it includes. ATAMO_INVALID (no YAML, or no map), ATAMO_NOT_FOUND (no
 * such file), ATAMO_IO, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY; `problems` says what and where. Mistakes
 * in included files do not end it: with the same `problems` building finds the rest, and fails. */
int config_read(const struct config_source *source, struct problems *problems,
                struct config **config);
void config_free(struct config *config); /* NULL is fine */

/* The text of one of its files, in the arena. ATAMO_NOT_FOUND and ATAMO_IO with the reason in
 * `problems`, ATAMO_NO_MEMORY. */
int config_read_text(struct arena *arena, const char *path, struct problems *problems,
                     atamo_bytes *content);

/* The file of tokens that it names, which need not be there; in the arena. ATAMO_INVALID if it
 * names none or is wrong at its top, which `problems` says; ATAMO_NO_MEMORY. */
int config_token_file(const struct config *config, struct arena *arena, struct problems *problems,
                      const char **path);

enum config_depth {
    CONFIG_RULES_ONLY, /* plugins are loaded and options checked; rule providers are created, as
                          they compile rules; nothing else is */
    CONFIG_WHOLE,      /* every instance is created; starting them is the caller's */
    CONFIG_STORE,      /* the store's instance is created, and nothing else is looked at */
};

/* An option of the store, instead of what the configuration says. */
struct config_option {
    const char *name;
    const char *value;
};

struct config_context {
    enum config_depth depth;
    const struct config_option *store_options; /* for CONFIG_STORE */
    size_t store_option_count;
    struct names *names;
    const char *plugin_path;           /* folders searched first, ':' between them; NULL: none */
    const atamo_registration *plugins; /* of the embedding program */
    size_t plugin_count;
    const struct atamo_host *host; /* given to new instances */
    void *hub;                     /* instance->hub of new instances */
    struct generation *previous;   /* its instances are used again (refs + 1) where name and
                                      fingerprint are equal; NULL: none */
};

/* Build. New instances are created, not started, with refs 1. The generation's refs are 0. The
 * config may be freed afterwards. */
int config_build(const struct config *config, const struct config_context *context,
                 struct problems *problems, struct generation **generation);

#endif
