/* steps - the path of one message, as a store's journal has it or as records tell it. */
#ifndef HUB_STORE_STEPS_H
#define HUB_STORE_STEPS_H

#include "json/write.h"

#include <atamo/store.h>

#include <stdbool.h>

/* A step, with its texts. */
struct step {
    atamo_telemetry record;
    char *texts; /* one malloc for all of them, if it stands in a list */
    atamo_bytes type, rule, agent, user, text;
};

struct steps {
    struct step *list;
    size_t count, room;
    uint64_t message;  /* its number; 0: there is none */
    uint64_t damaged;  /* chunks that could not be read */
    const char *state; /* "in flight", "finished", "dead" */
};

/* The steps of the message with this id: the client's, or the hub's UUID. If a client gave the id
 * more than once, of the latest. `node`: of the hub's UUIDs. ATAMO_NOT_FOUND, ATAMO_NO_MEMORY, or
 * the store's failure. */
int steps_read(struct steps *steps, const struct atamo_store *store, void *self, uint64_t node,
               const char *id);

/* Add a copy of a step. False without memory. */
bool steps_add(struct steps *steps, const struct step *shown);

/* Where the message stands after these steps. */
const char *steps_state(const struct steps *steps);
void steps_free(struct steps *steps);

/* The members of one step, into an object that is open: "t_us", "step", "action"... "other" is the
 * message that a step names: a follow-up, or the first of two; "cause" the one that caused this. */
void step_put(const struct step *step, uint64_t node, struct json_writer *writer);

/* [{"t_us", "step", ...}] */
void steps_write(const struct steps *steps, uint64_t node, struct json_writer *writer);

/* {"id", "message", "type", "state", "steps"} */
void steps_write_trace(const struct steps *steps, const char *id, uint64_t node,
                       struct json_writer *writer);

#endif
