/* steps - the path of one message, as the journal of a store has it. */
#ifndef HUB_CLI_STEPS_H
#define HUB_CLI_STEPS_H

#include "cli/store_file.h"
#include "store/chunk.h"
#include "json/write.h"

/* A step, with its texts. */
struct step {
    atamo_telemetry record;
    char *texts; /* one malloc for all of them */
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
 * more than once, of the latest. ATAMO_NOT_FOUND, ATAMO_NO_MEMORY, or the store's failure. */
int steps_read(struct steps *steps, const struct store_file *file, const char *id);
void steps_free(struct steps *steps);

/* One line a step, for people; `action` 0: of all actions. */
void steps_print(const struct steps *steps, uint64_t action, FILE *out);

/* [{"t_us", "step", ...}] */
void steps_write(const struct steps *steps, uint64_t node, struct json_writer *writer);

#endif
