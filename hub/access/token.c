/* token - one bearer token: its text, its hash, and what is known of its owner.
 *
 * Happy path of a new one: random bytes for the id and the secret, the text made of both, the hash
 * of the secret. Nothing of that can fail once token_ready() has not. What is read back is checked
 * to the last bit: a text that is not exactly what token_make() makes is no token.
 */
#include "access/token.h"

#include "base/problems.h"
#include "model/text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static const char prefix[] = "atamo_";
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

enum {
    PREFIX_SIZE = sizeof prefix - 1,
    SECRET_AT = PREFIX_SIZE + TOKEN_ID_SIZE + 1,
    SECRET_TEXT = 43,
    BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
};

static_assert(SECRET_AT + SECRET_TEXT == TOKEN_TEXT_SIZE, "the parts of a token's text");
static_assert(sizeof alphabet - 1 == 32, "five bits a character");

int token_ready(void)
{
    return sodium_init() < 0 ? ATAMO_IO : ATAMO_OK;
}

void token_make(struct token *token, char text[TOKEN_TEXT_SIZE + 1])
{
    unsigned char secret[TOKEN_SECRET_SIZE];
    unsigned char random[TOKEN_ID_SIZE];

    randombytes_buf(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        token->id[i] = alphabet[random[i] % 32];
    token->id[TOKEN_ID_SIZE] = '\0';
    randombytes_buf(secret, sizeof secret);
    token_hash(secret, token->hash);
    memcpy(text, prefix, PREFIX_SIZE);
    memcpy(text + PREFIX_SIZE, token->id, TOKEN_ID_SIZE);
    text[SECRET_AT - 1] = '_';
    (void)sodium_bin2base64(text + SECRET_AT, SECRET_TEXT + 1, secret, sizeof secret, BASE64);
    sodium_memzero(secret, sizeof secret);
}

bool token_is_id(atamo_bytes text)
{
    if (text.size != TOKEN_ID_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\0' || strchr(alphabet, text.data[i]) == NULL)
            return false;
    return true;
}

bool token_is_name(atamo_bytes text)
{
    return text.size > 0 && text.size <= TOKEN_NAME_MAX && text_is_clean(text);
}

bool token_read(atamo_bytes text, char id[TOKEN_ID_SIZE + 1],
                unsigned char secret[TOKEN_SECRET_SIZE])
{
    size_t size = 0;

    memset(id, 0, TOKEN_ID_SIZE + 1);
    memset(secret, 0, TOKEN_SECRET_SIZE);
    if (text.size != TOKEN_TEXT_SIZE || memcmp(text.data, prefix, PREFIX_SIZE) != 0 ||
        text.data[SECRET_AT - 1] != '_' ||
        !token_is_id((atamo_bytes){text.data + PREFIX_SIZE, TOKEN_ID_SIZE}))
        return false;
    if (sodium_base642bin(secret, TOKEN_SECRET_SIZE, text.data + SECRET_AT, SECRET_TEXT, NULL,
                          &size, NULL, BASE64) != 0 ||
        size != TOKEN_SECRET_SIZE) {
        sodium_memzero(secret, TOKEN_SECRET_SIZE);
        return false;
    }
    memcpy(id, text.data + PREFIX_SIZE, TOKEN_ID_SIZE);
    return true;
}

void token_hash(const unsigned char secret[TOKEN_SECRET_SIZE], unsigned char hash[TOKEN_HASH_SIZE])
{
    (void)crypto_generichash(hash, TOKEN_HASH_SIZE, secret, TOKEN_SECRET_SIZE, NULL, 0);
}

uint32_t token_scope(atamo_bytes name, const char **nearest)
{
    const char *names[32];
    size_t count = 0;

    *nearest = NULL;
    for (uint32_t scope = 1; scope <= ATAMO_SCOPE_LAST; scope <<= 1) {
        const char *known = atamo_scope_name(scope);

        if (strlen(known) == name.size && memcmp(known, name.data, name.size) == 0)
            return scope;
        names[count++] = known;
    }
    *nearest = problems_nearest(name, names, count);
    return 0;
}
