/* token_list - the tokens of a file, in memory and as text.
 *
 * The text is one JSON object, {"version": 1, "tokens": [...]}, with one token a line; times are
 * RFC 3339. It is checked whole: a list that is not right in every part is no list. It has hashes,
 * never secrets.
 */
#ifndef HUB_ACCESS_TOKEN_LIST_H
#define HUB_ACCESS_TOKEN_LIST_H

#include "access/token.h"
#include "base/problems.h"

enum { TOKEN_LIST_MAX = 10000 };

struct token_list {
    struct token *items; /* sorted by id, malloc'd */
    size_t count;
};

/* Read a text; everything that is wrong with it goes to `problems`, with `path` and the line.
 * ATAMO_DAMAGED, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY. */
int token_list_parse(atamo_bytes text, const char *path, struct problems *problems,
                     struct token_list *list);

/* Write it into `buffer` if it fits; returns the size that it has. */
size_t token_list_write(const struct token_list *list, char *buffer, size_t room);

/* The token of that id, or NULL. */
struct token *token_list_find(const struct token_list *list, const char *id);

/* Put a copy of a token, whose id is not in the list, into its place. ATAMO_TOO_LARGE,
 * ATAMO_NO_MEMORY. */
int token_list_add(struct token_list *list, const struct token *token);
void token_list_remove(struct token_list *list, const struct token *token); /* one of its items */

void token_list_free(struct token_list *list); /* empty is fine */

#endif
