/* fake_access - "atamo.access/1" of the fake host: tokens that the test gives out by hand.
 *
 * Any text may be a token here; what it stands for is what the test says. Asking of a hub without
 * tokens is no misuse: that is how a plugin finds out.
 */
#include "plugin/fake.h"

#include <stdlib.h>
#include <string.h>

struct fake_token {
    atamo_bytes text;
    atamo_identity who;
    bool holds; /* not revoked */
};

/* Under the lock. */
static struct fake_token *find(const struct atamo_test_host *host, atamo_bytes text)
{
    for (size_t i = 0; i < host->tokens.count; i++) {
        struct fake_token *token = host->tokens.items[i];

        if (token->text.size == text.size && memcmp(token->text.data, text.data, text.size) == 0)
            return token;
    }
    return NULL;
}

static int access_check(const atamo_host *table, atamo_bytes text, atamo_identity *who)
{
    struct atamo_test_host *host = fake_enter(table, "access->check()");
    const uint32_t size = who->size;
    const struct fake_token *token;
    int status = ATAMO_UNSUPPORTED;

    if (size < offsetof(atamo_identity, user)) {
        fake_misuse(host,
                    "access->check() with an identity whose size is %u; it is to be set to "
                    "sizeof(atamo_identity)",
                    size);
        return ATAMO_INVALID;
    }
    fake_lock(host);
    token = find(host, text);
    if (token != NULL && token->holds) {
        memcpy(who, &token->who, size < sizeof *who ? size : sizeof *who);
        who->size = size;
        status = ATAMO_OK;
    } else if (host->tokens.count > 0) {
        status = ATAMO_DENIED;
    }
    fake_unlock(host);
    return status;
}

static int access_required(const atamo_host *table)
{
    const struct atamo_test_host *host = fake_enter(table, "access->required()");
    int required;

    fake_lock(host);
    required = host->tokens.count > 0;
    fake_unlock(host);
    return required;
}

/* Under the lock; NULL without memory. */
static struct fake_token *add(struct atamo_test_host *host, atamo_bytes text)
{
    struct fake_token *token = arena_alloc(&host->arena, sizeof *token);

    if (token == NULL)
        return NULL;
    token->text = arena_copy(&host->arena, text);
    if (token->text.data == NULL || !fake_list_add(&host->tokens, token))
        return NULL;
    return token;
}

int atamo_test_token(atamo_test_host *host, const char *token, const atamo_identity *who)
{
    struct fake_token *known;

    fake_lock(host);
    known = find(host, atamo_text(token));
    if (known == NULL)
        known = add(host, atamo_text(token));
    if (known != NULL) {
        known->holds = who != NULL;
        if (who != NULL)
            memcpy(&known->who, who, who->size < sizeof *who ? who->size : sizeof *who);
    }
    fake_unlock(host);
    return known == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

const atamo_access *fake_access_table(void)
{
    static const atamo_access table = {
        .size = sizeof table,
        .check = access_check,
        .required = access_required,
    };

    return &table;
}
