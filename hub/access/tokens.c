/* tokens - the tokens that a running hub knows: those of a file, followed as it changes.
 *
 * Happy path of a check: the list of the moment is taken by reference under a short lock; without
 * the lock the text is taken apart, the secret hashed, the id looked up and the hashes compared in
 * constant time. For an id that is not there the hash is compared with one that no secret has. The
 * list itself never changes: a file that changed makes a new one.
 */
#include "access/tokens.h"

#include "access/token_file.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_NS INT64_C(1000000000)

/* One reading of the file. */
struct reading {
    _Atomic uint32_t refs;
    struct token_list list;
};

struct tokens {
    _Atomic uint32_t refs;
    char *path;
    struct tokens_log log;

    pthread_mutex_t lock;
    struct reading *reading; /* the last good one */
    int64_t looked_ns;
    bool has_looked, is_looking; /* one at a time */

    /* whoever is looking */
    struct stat about; /* of what was read last */
    bool in_trouble;   /* it was said that it cannot be read */
};

static void reading_unref(struct reading *reading)
{
    if (atomic_fetch_sub(&reading->refs, 1) > 1)
        return;
    token_list_free(&reading->list);
    free(reading);
}

static int read_file(const char *path, struct problems *problems, struct reading **reading,
                     struct stat *about)
{
    struct reading *made = calloc(1, sizeof *made);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    atomic_init(&made->refs, 1);
    status = token_file_read(path, problems, &made->list, about);
    if (status == ATAMO_OK)
        *reading = made;
    else
        free(made);
    return status;
}

/* --- life */

int tokens_open(const char *path, struct problems *problems, struct tokens **tokens)
{
    struct tokens *made;
    int status = token_ready();

    if (status != ATAMO_OK)
        return status;
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    atomic_init(&made->refs, 1);
    made->path = strdup(path);
    status = made->path == NULL ? ATAMO_NO_MEMORY
                                : read_file(path, problems, &made->reading, &made->about);
    if (status != ATAMO_OK) {
        free(made->path);
        free(made);
        return status;
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    *tokens = made;
    return ATAMO_OK;
}

void tokens_tell(struct tokens *tokens, struct tokens_log log)
{
    tokens->log = log;
}

struct tokens *tokens_ref(struct tokens *tokens)
{
    (void)atomic_fetch_add(&tokens->refs, 1);
    return tokens;
}

void tokens_unref(struct tokens *tokens)
{
    if (tokens == NULL || atomic_fetch_sub(&tokens->refs, 1) > 1)
        return;
    reading_unref(tokens->reading);
    (void)pthread_mutex_destroy(&tokens->lock);
    free(tokens->path);
    free(tokens);
}

/* --- following the file */

static void say(const struct tokens *tokens, int level, const char *line)
{
    if (tokens->log.fn != NULL)
        tokens->log.fn(tokens->log.user, level, "access", line);
}

static void say_trouble(struct tokens *tokens, const struct problems *problems, int status)
{
    const struct problem *first = problems->count > 0 ? &problems->list[0] : NULL;
    char where[32] = "";
    char line[1024];

    if (tokens->in_trouble)
        return;
    tokens->in_trouble = true;
    if (first != NULL && first->place.line > 0)
        (void)snprintf(where, sizeof where, "%u:%u:", first->place.line, first->place.column);
    (void)snprintf(line, sizeof line, "%.400s:%s %.400s; the tokens stay as they were read before",
                   tokens->path, where, first == NULL ? atamo_status_text(status) : first->text);
    say(tokens, ATAMO_LOG_ERROR, line);
}

static void say_good(struct tokens *tokens)
{
    char line[512];

    if (!tokens->in_trouble)
        return;
    tokens->in_trouble = false;
    (void)snprintf(line, sizeof line, "%.400s: good again", tokens->path);
    say(tokens, ATAMO_LOG_INFO, line);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && same_time(a->st_mtim, b->st_mtim) &&
           same_time(a->st_ctim, b->st_ctim);
}

/* What was read takes the place of what there was. */
static void renew(struct tokens *tokens, struct reading *reading)
{
    struct reading *before;

    (void)pthread_mutex_lock(&tokens->lock);
    before = tokens->reading;
    tokens->reading = reading;
    (void)pthread_mutex_unlock(&tokens->lock);
    reading_unref(before);
}

static void look(struct tokens *tokens)
{
    struct problems *problems;
    struct reading *reading = NULL;
    struct stat about;
    int status;

    if (stat(tokens->path, &about) == 0 && is_same(&about, &tokens->about)) {
        say_good(tokens);
        return;
    }
    problems = malloc(sizeof *problems);
    if (problems == NULL)
        return; /* in a second there may be memory */
    problems_init(problems);
    status = read_file(tokens->path, problems, &reading, &about);
    if (status == ATAMO_OK) {
        tokens->about = about;
        renew(tokens, reading);
        say_good(tokens);
    } else {
        say_trouble(tokens, problems, status);
    }
    problems_close(problems);
    free(problems);
}

/* Is it time to look, and nobody looks yet? A clock that went back is no reason to wait. */
static bool is_due(struct tokens *tokens, int64_t now_ns)
{
    bool due;

    (void)pthread_mutex_lock(&tokens->lock);
    due = !tokens->is_looking &&
          (!tokens->has_looked || now_ns - tokens->looked_ns >= LOOK_EVERY_NS ||
           now_ns < tokens->looked_ns);
    if (due) {
        tokens->is_looking = tokens->has_looked = true;
        tokens->looked_ns = now_ns;
    }
    (void)pthread_mutex_unlock(&tokens->lock);
    return due;
}

static struct reading *take_reading(struct tokens *tokens, int64_t now_ns)
{
    const bool due = is_due(tokens, now_ns);
    struct reading *reading;

    if (due)
        look(tokens);
    (void)pthread_mutex_lock(&tokens->lock);
    if (due)
        tokens->is_looking = false;
    reading = tokens->reading;
    (void)atomic_fetch_add(&reading->refs, 1);
    (void)pthread_mutex_unlock(&tokens->lock);
    return reading;
}

/* --- checking */

static void tell_who(const struct token *token, atamo_identity *who)
{
    who->scopes = token->scopes;
    memcpy(who->user, token->user, sizeof token->user);
    memcpy(who->tenant, token->tenant, sizeof token->tenant);
    memcpy(who->token_id, token->id, sizeof token->id);
}

int tokens_check(struct tokens *tokens, atamo_bytes text, int64_t now_ns, atamo_identity *who)
{
    static const struct token nobody = {.id = ""};
    struct reading *reading = take_reading(tokens, now_ns);
    unsigned char secret[TOKEN_SECRET_SIZE];
    unsigned char hash[TOKEN_HASH_SIZE];
    char id[TOKEN_ID_SIZE + 1];
    const bool formed = token_read(text, id, secret);
    const struct token *found = token_list_find(&reading->list, id);
    const struct token *token = found == NULL ? &nobody : found;
    bool good;

    token_hash(secret, hash);
    good = sodium_memcmp(hash, token->hash, sizeof hash) == 0;
    good = good && formed && found != NULL && !token_is_over(token, now_ns);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(hash, sizeof hash);
    if (good)
        tell_who(token, who);
    reading_unref(reading);
    return good ? ATAMO_OK : ATAMO_DENIED;
}

/* --- the slot */

void token_slot_open(struct token_slot *slot)
{
    (void)pthread_mutex_init(&slot->lock, NULL);
    slot->tokens = NULL;
}

void token_slot_close(struct token_slot *slot)
{
    tokens_unref(slot->tokens);
    slot->tokens = NULL;
    (void)pthread_mutex_destroy(&slot->lock);
}

void token_slot_set(struct token_slot *slot, struct tokens *tokens)
{
    struct tokens *before;

    if (tokens != NULL)
        (void)tokens_ref(tokens);
    (void)pthread_mutex_lock(&slot->lock);
    before = slot->tokens;
    slot->tokens = tokens;
    (void)pthread_mutex_unlock(&slot->lock);
    tokens_unref(before);
}

struct tokens *token_slot_ref(struct token_slot *slot)
{
    struct tokens *tokens;

    (void)pthread_mutex_lock(&slot->lock);
    tokens = slot->tokens == NULL ? NULL : tokens_ref(slot->tokens);
    (void)pthread_mutex_unlock(&slot->lock);
    return tokens;
}
