/* action - the table of actions and their moves.
 *
 * Happy path: a slot comes from the spare list or is the next one of the newest chunk. Taking fails
 * without memory, or when all slots are in use; what fails leaves nothing behind.
 */
#include "flow/action.h"

#include "base/hash.h"
#include "flow/request.h"

#include <assert.h>
#include <stdlib.h>

/* allowed[from] has bit `to` set. The moves to SETTLED and LATE are action_claim()'s. */
static const uint16_t allowed[] = {
    [ACTION_FREE] = 1u << ACTION_CREATED,
    [ACTION_CREATED] = 1u << ACTION_WAITING | 1u << ACTION_KEYED | 1u << ACTION_RUNNING |
                       1u << ACTION_BACKING_OFF | 1u << ACTION_JOINED | 1u << ACTION_FREE |
                       1u << ACTION_DEAD,
    [ACTION_JOINED] = 1u << ACTION_CREATED | 1u << ACTION_FREE,
    [ACTION_WAITING] = 1u << ACTION_RUNNING | 1u << ACTION_FREE | 1u << ACTION_DEAD,
    [ACTION_KEYED] =
        1u << ACTION_WAITING | 1u << ACTION_RUNNING | 1u << ACTION_FREE | 1u << ACTION_DEAD,
    [ACTION_BACKING_OFF] =
        1u << ACTION_WAITING | 1u << ACTION_RUNNING | 1u << ACTION_FREE | 1u << ACTION_DEAD,
    [ACTION_RUNNING] = 0,
    [ACTION_SETTLED] = 1u << ACTION_FREE | 1u << ACTION_BACKING_OFF | 1u << ACTION_DEAD,
    [ACTION_ABANDONED] = 0,
    [ACTION_LATE] = 1u << ACTION_FREE,
    [ACTION_DEAD] = 1u << ACTION_FREE,
};

int actions_open(struct actions *actions)
{
    *actions = (struct actions){0};
    actions->chunks = calloc(ACTION_CHUNKS_MAX, sizeof *actions->chunks);
    return actions->chunks == NULL ? ATAMO_NO_MEMORY : ATAMO_OK;
}

static void free_parts(struct action *action)
{
    if (action->body != NULL && --action->body->refs == 0)
        free(action->body);
    free(action->note);
    request_unref(action->asker);
    action->body = NULL;
    action->note = NULL;
    action->asker = NULL;
}

void actions_close(struct actions *actions)
{
    if (actions->chunks == NULL)
        return;
    for (uint32_t slot = 0; slot < actions->count; slot++)
        free_parts(&atomic_load(&actions->chunks[slot / ACTION_CHUNK])[slot % ACTION_CHUNK]);
    for (uint32_t i = 0; i < ACTION_CHUNKS_MAX; i++)
        free(atomic_load(&actions->chunks[i]));
    free(actions->chunks);
    *actions = (struct actions){0};
}

static struct action *next_slot(struct actions *actions)
{
    const uint32_t chunk = actions->count / ACTION_CHUNK;
    struct action *slots;

    if (chunk == ACTION_CHUNKS_MAX)
        return NULL;
    slots = atomic_load_explicit(&actions->chunks[chunk], memory_order_relaxed);
    if (slots == NULL) {
        slots = calloc(ACTION_CHUNK, sizeof *slots);
        if (slots == NULL)
            return NULL;
        atomic_store_explicit(&actions->chunks[chunk], slots, memory_order_release);
    }
    slots += actions->count % ACTION_CHUNK;
    slots->slot = actions->count++;
    /* Generation 1: no handle is ever 0. */
    atomic_store_explicit(&slots->word, UINT64_C(1) << 32, memory_order_relaxed);
    return slots;
}

struct action *actions_take(struct actions *actions)
{
    struct action *action = actions->spare;

    if (action == NULL) {
        action = next_slot(actions);
        if (action == NULL)
            return NULL;
    } else {
        actions->spare = (struct action *)(void *)action->link.next;
    }
    actions->live++;
    action_move(action, ACTION_CREATED);
    return action;
}

void actions_give(struct actions *actions, struct action *action)
{
    const uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);
    uint64_t generation = (word >> 32) + 1;

    assert(actions->live > 0);
    assert(!timer_is_set(&action->timer));
    if (generation > UINT32_MAX)
        generation = 1;
    if (action->body != NULL || action->note != NULL || action->asker != NULL)
        free_parts(action);
    action->message = NULL;
    action->plan = NULL;
    atomic_store_explicit(&action->word, generation << 32, memory_order_release);
    action->link.next = (struct stack_node *)(void *)actions->spare;
    actions->spare = action;
    actions->live--;
}

struct action *actions_slot(const struct actions *actions, atamo_action handle)
{
    const uint32_t slot = (uint32_t)handle;
    struct action *chunk;

    if (slot / ACTION_CHUNK >= ACTION_CHUNKS_MAX)
        return NULL;
    chunk = atomic_load_explicit(&actions->chunks[slot / ACTION_CHUNK], memory_order_acquire);
    if (chunk == NULL)
        return NULL;
    chunk += slot % ACTION_CHUNK;
    return atomic_load_explicit(&chunk->word, memory_order_acquire) >> 32 == handle >> 32 ? chunk
                                                                                          : NULL;
}

struct action *actions_find(const struct actions *actions, atamo_action handle)
{
    struct action *action = actions_slot(actions, handle);
    enum action_state state;

    if (action == NULL)
        return NULL;
    state = action_state(action);
    return state == ACTION_RUNNING || state == ACTION_ABANDONED ? action : NULL;
}

void action_move(struct action *action, enum action_state state)
{
    const uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);

    assert((allowed[word & 0xff] >> state & 1u) != 0);
    atomic_store_explicit(&action->word, (word & ~UINT64_C(0xff)) | state, memory_order_release);
}

void action_set_attempt(struct action *action, unsigned attempt)
{
    const uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);

    assert(attempt <= UINT16_MAX);
    atomic_store_explicit(&action->word, (word & ~UINT64_C(0xffff0000)) | (uint64_t)attempt << 16,
                          memory_order_relaxed);
}

bool action_claim(struct action *action, atamo_action handle, unsigned outcome)
{
    uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);
    uint64_t next;

    do {
        const uint64_t state = word & 0xff;

        if (word >> 32 != handle >> 32 || (state != ACTION_RUNNING && state != ACTION_ABANDONED))
            return false;
        next = (word & ~UINT64_C(0xffff)) | (uint64_t)outcome << 8 |
               (state == ACTION_RUNNING ? ACTION_SETTLED : ACTION_LATE);
    } while (!atomic_compare_exchange_weak_explicit(&action->word, &word, next,
                                                    memory_order_acq_rel, memory_order_relaxed));
    return true;
}

bool action_abandon(struct action *action)
{
    uint64_t word = atomic_load_explicit(&action->word, memory_order_relaxed);
    const uint64_t next = (word & ~UINT64_C(0xff)) | ACTION_ABANDONED;

    if ((word & 0xff) != ACTION_RUNNING)
        return false;
    return atomic_compare_exchange_strong(&action->word, &word, next);
}

uint64_t action_idempotency_key(const struct action *action)
{
    return hash_mix(action->message->number ^ UINT64_C(0x9e3779b97f4a7c15),
                    (uint64_t)action->ordinal << 32 | UINT64_C(0x27d4eb2f));
}
