/* token - one bearer token: its text, its hash, and what is known of its owner.
 *
 * The text is `atamo_ID_SECRET`: the id is public, ten characters of a-z and 2-7; the secret is 32
 * random bytes in base64url. Only the secret's BLAKE2b-256 hash is kept: of 256 random bits no
 * slower hash is needed. Whoever holds a secret in memory wipes it.
 */
#ifndef HUB_ACCESS_TOKEN_H
#define HUB_ACCESS_TOKEN_H

#include <atamo/access.h>

#include <stdbool.h>

enum {
    TOKEN_ID_SIZE = 10,
    TOKEN_SECRET_SIZE = 32,
    TOKEN_HASH_SIZE = 32,
    TOKEN_TEXT_SIZE = 60, /* "atamo_", id, "_", 43 characters */
    TOKEN_NAME_MAX = 127, /* bytes of a user and of a tenant */
    TOKEN_NOTE_MAX = 200,
    TOKEN_SCOPES_ALL = 2 * (int)ATAMO_SCOPE_LAST - 1,
};

struct token {
    char id[TOKEN_ID_SIZE + 1];
    char user[TOKEN_NAME_MAX + 1];
    char tenant[TOKEN_NAME_MAX + 1]; /* "": none */
    char note[TOKEN_NOTE_MAX + 1];   /* "": none */
    uint32_t scopes;                 /* ATAMO_SCOPE_* */
    int64_t created_ns;
    int64_t expires_ns; /* 0: never */
    unsigned char hash[TOKEN_HASH_SIZE];
};

/* The library that makes random bytes and hashes. Once is enough, more do no harm. ATAMO_IO. */
int token_ready(void);

/* Give a token its id, its hash and its text, which has the secret. [token_ready() was called] */
void token_make(struct token *token, char text[TOKEN_TEXT_SIZE + 1]);

/* Take a text apart. false if it is no token: then id and secret are of zeros. */
bool token_read(atamo_bytes text, char id[TOKEN_ID_SIZE + 1],
                unsigned char secret[TOKEN_SECRET_SIZE]);

void token_hash(const unsigned char secret[TOKEN_SECRET_SIZE], unsigned char hash[TOKEN_HASH_SIZE]);

/* Has it expired? */
static inline bool token_is_over(const struct token *token, int64_t now_ns)
{
    return token->expires_ns != 0 && now_ns >= token->expires_ns;
}

/* Is this an id? Of a user or tenant: is it text of 1 to TOKEN_NAME_MAX bytes? */
bool token_is_id(atamo_bytes text);
bool token_is_name(atamo_bytes text);

/* The scope of that name; 0 if there is none, and then the nearest name or NULL. */
uint32_t token_scope(atamo_bytes name, const char **nearest);

#endif
