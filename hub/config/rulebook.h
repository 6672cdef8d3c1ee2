/* rulebook - the rules that may be changed while the hub runs: a folder with one file a rule.
 *
 * FOLDER/ID.yaml is a rule as it runs; FOLDER/.history/ID/000003.yaml is what it was made into by
 * its third change, with who did it, when and why in comments before it. People may edit the files,
 * too: what stands there when a rule is changed for the first time is its first version.
 */
#ifndef HUB_CONFIG_RULEBOOK_H
#define HUB_CONFIG_RULEBOOK_H

#include "base/arena.h"

#include <atamo/status.h>

#include <stdbool.h>

enum { RULEBOOK_ID_MAX = 100, RULEBOOK_TEXT_MAX = 1 << 20 };

/* One version of a rule. */
struct rulebook_version {
    uint32_t number; /* from 1 */
    int64_t time_us; /* Unix */
    const char *user, *why;
    atamo_bytes source; /* YAML; empty if the rule was deleted */
};

/* May a rule be called so here? Letters, digits, '.', '_' and '-', no '.' first. */
bool rulebook_is_id(const char *id);

/* Does a file stand in that folder? NULLs are fine: it does not. */
bool rulebook_has(const char *folder, const char *file);

/* FOLDER/ID.yaml, in the arena; NULL without memory. */
const char *rulebook_path(struct arena *arena, const char *folder, const char *id);

/* The rule as it stands. ATAMO_NOT_FOUND, ATAMO_IO, ATAMO_NO_MEMORY. */
int rulebook_read(struct arena *arena, const char *folder, const char *id, atamo_bytes *source);

/* The number of its latest version; 0: it has none. */
uint32_t rulebook_latest(struct arena *arena, const char *folder, const char *id);

/* One of its versions. ATAMO_NOT_FOUND... */
int rulebook_version(struct arena *arena, const char *folder, const char *id, uint32_t number,
                     struct rulebook_version *version);

/* Make it what the version says, and remember that: its number is set. An empty source deletes the
 * rule. On failure the rule is as it was. ATAMO_IO, ATAMO_FULL, ATAMO_NO_MEMORY. */
int rulebook_write(struct arena *arena, const char *folder, const char *id,
                   struct rulebook_version *version);

#endif
