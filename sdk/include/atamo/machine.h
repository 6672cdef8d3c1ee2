/* atamo/machine.h - a state machine whose state lives in the hub's store.
 *
 *     static const atamo_transition transitions[] = {
 *         {"new", "paid", NULL},
 *         {"paid", "shipped", is_in_stock},
 *         {"paid", "refunded", NULL},
 *     };
 *     static const atamo_machine orders = {sizeof(atamo_machine), "new", transitions, 3};
 *
 *     const atamo_moving moving = {host, action, atamo_text("order-7"), self};
 *     status = atamo_machine_step(&orders, &moving, "shipped", why);
 *
 * atamo_machine_step() reads the state under a key, checks the transition, and writes the new state
 * together with the outcome of the action (atamo/kv.h): of two actions that move the same thing at
 * the same time one is tried again and sees what the other has done.
 */
#ifndef ATAMO_MACHINE_H
#define ATAMO_MACHINE_H

#include "atamo/kv.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ATAMO_STATE_MAX = 64, ATAMO_MACHINE_WHY = 256 }; /* bytes with the NUL */

/* One allowed move. `guard` may be NULL; else it says whether the move is allowed now: 0 no. */
typedef struct atamo_transition {
    const char *from;
    const char *to;
    int (*guard)(void *user, atamo_bytes key);
} atamo_transition;

typedef struct atamo_machine {
    uint32_t size;       /* sizeof(atamo_machine) */
    const char *initial; /* the state of a key that is not there */
    const atamo_transition *transitions;
    size_t count;
} atamo_machine;

static inline int atamo_machine_has(const atamo_machine *machine, const char *state)
{
    int found = strcmp(machine->initial, state) == 0;

    for (size_t i = 0; i < machine->count && !found; i++)
        found = strcmp(machine->transitions[i].from, state) == 0 ||
                strcmp(machine->transitions[i].to, state) == 0;
    return found;
}

/* May `key` go from one state to another? ATAMO_OK; ATAMO_INVALID: no such state, or no such
 * transition; ATAMO_DENIED: its guard says no. With a sentence that names both states in `why`
 * (ATAMO_MACHINE_WHY bytes). [any] */
static inline int atamo_machine_check(const atamo_machine *machine, const char *from,
                                      const char *to, atamo_bytes key, void *user, char *why)
{
    for (size_t i = 0; i < machine->count; i++) {
        const atamo_transition *transition = &machine->transitions[i];

        if (strcmp(transition->from, from) != 0 || strcmp(transition->to, to) != 0)
            continue;
        if (transition->guard == NULL || transition->guard(user, key) != 0)
            return ATAMO_OK;
        (void)snprintf(why, ATAMO_MACHINE_WHY,
                       "\"%.80s\" may not become \"%.63s\" now: its guard says no", from, to);
        return ATAMO_DENIED;
    }
    if (!atamo_machine_has(machine, to))
        (void)snprintf(why, ATAMO_MACHINE_WHY,
                       "there is no state \"%.80s\" to go to from \"%.63s\"", to, from);
    else
        (void)snprintf(why, ATAMO_MACHINE_WHY, "\"%.80s\" may not become \"%.63s\"", from, to);
    return ATAMO_INVALID;
}

typedef struct atamo_machine_state {
    uint64_t version; /* ATAMO_KV_NONE: it was never written */
    char name[ATAMO_STATE_MAX];
} atamo_machine_state;

static inline int atamo_machine_note(void *user, const atamo_record *record)
{
    atamo_machine_state *state = (atamo_machine_state *)user;

    state->version = record->version;
    (void)snprintf(state->name, sizeof state->name, "%.*s", (int)record->value.size,
                   record->value.data);
    return 0;
}

/* The state of a key, the initial one if it is not there. ATAMO_UNSUPPORTED: a hub without a
 * store; else as kv->get(). [any] */
static inline int atamo_machine_read(const atamo_machine *machine, const atamo_host *host,
                                     atamo_action action, atamo_bytes key,
                                     atamo_machine_state *state)
{
    const atamo_kv *kv = (const atamo_kv *)host->extension(host, ATAMO_KV_EXTENSION);
    int status;

    state->version = ATAMO_KV_NONE;
    (void)snprintf(state->name, sizeof state->name, "%s", machine->initial);
    if (kv == NULL)
        return ATAMO_UNSUPPORTED;
    status = kv->get(host, action, key, atamo_machine_note, state);
    return status == ATAMO_NOT_FOUND ? ATAMO_OK : status;
}

/* What is moved, within which action; `user` is for the guard. */
typedef struct atamo_moving {
    const atamo_host *host;
    atamo_action action;
    atamo_bytes key;
    void *user;
} atamo_moving;

/* Move a key to the state `to` when the action is done. Errors of atamo_machine_check(),
 * atamo_machine_read() and kv->put(), always with a sentence in `why`; then nothing is written.
 * [any] */
static inline int atamo_machine_step(const atamo_machine *machine, const atamo_moving *moving,
                                     const char *to, char *why)
{
    const atamo_host *host = moving->host;
    const atamo_bytes key = moving->key;
    atamo_machine_state state;
    int status = atamo_machine_read(machine, host, moving->action, key, &state);

    if (status == ATAMO_OK)
        status = atamo_machine_check(machine, state.name, to, key, moving->user, why);
    if (status == ATAMO_INVALID || status == ATAMO_DENIED)
        return status;
    if (status == ATAMO_OK) {
        const atamo_kv *kv = (const atamo_kv *)host->extension(host, ATAMO_KV_EXTENSION);

        status = kv->put(host, moving->action, key, atamo_text(to), state.version);
    }
    if (status != ATAMO_OK)
        (void)snprintf(why, ATAMO_MACHINE_WHY, "the state of \"%.*s\": %s",
                       key.size < 100 ? (int)key.size : 100, key.data, atamo_status_text(status));
    return status;
}

#ifdef __cplusplus
}
#endif

#endif
