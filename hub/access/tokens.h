/* tokens - the tokens that a running hub knows: those of a file, followed as it changes.
 *
 * Checked from any thread. At most once a second somebody who checks looks whether the file is
 * another one; if it is, it is read anew, while all others go on with what was read before. A file
 * that cannot be read or is damaged changes nothing: the last good one holds, which is said once.
 */
#ifndef HUB_ACCESS_TOKENS_H
#define HUB_ACCESS_TOKENS_H

#include "access/token_list.h"

#include <pthread.h>

struct tokens;

/* Where it is said that a file cannot be read. [any] */
struct tokens_log {
    void (*fn)(void *user, int level, const char *instance, const char *line);
    void *user;
};

/* Read the file; *tokens has one reference. What is wrong is in `problems`. Statuses of
 * token_file_read(). */
int tokens_open(const char *path, struct problems *problems, struct tokens **tokens);
void tokens_tell(struct tokens *tokens, struct tokens_log log); /* before others check */

struct tokens *tokens_ref(struct tokens *tokens);
void tokens_unref(struct tokens *tokens); /* the last one frees it; NULL is fine */

/* Whose token is it? *who is written on success; of its `size` nothing is asked. ATAMO_DENIED:
 * nobody's, expired, or no token. An unknown id takes as long as a known one. No lock is held while
 * it hashes. [any] */
int tokens_check(struct tokens *tokens, atamo_bytes text, int64_t now_ns, atamo_identity *who);

/* The place where a hub keeps its current tokens: a reload puts others there while checks are under
 * way. */
struct token_slot {
    pthread_mutex_t lock;
    struct tokens *tokens; /* NULL: none are configured */
};

void token_slot_open(struct token_slot *slot);
void token_slot_close(struct token_slot *slot);
void token_slot_set(struct token_slot *slot, struct tokens *tokens); /* takes its own reference */
struct tokens *token_slot_ref(struct token_slot *slot); /* the caller's to unref; NULL: none */

#endif
