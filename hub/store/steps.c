/* steps - the path of one message, as a store's journal has it or as records tell it.
 *
 * Happy path: the chunks are read in order; the record that lets a message in tells its number by
 * the client's id, and from then on its records are kept. Whether it is finished follows from its
 * actions: each has one end, but a dead one that was replayed. A damaged chunk is counted and
 * passed over.
 */
#include "store/steps.h"

#include "base/clock.h"
#include "base/number.h"
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct steps *steps;
    atamo_bytes id;
    int status;
};

/* --- reading */

static size_t copy(char *to, atamo_bytes *text)
{
    memcpy(to, text->data, text->size);
    to[text->size] = '\0';
    text->data = to;
    return text->size + 1;
}

bool steps_add(struct steps *steps, const struct step *shown)
{
    struct step step = *shown;
    char *at;

    if (steps->count == steps->room) {
        const size_t room = steps->room * 2 + 32;
        struct step *grown = realloc(steps->list, room * sizeof *grown);

        if (grown == NULL)
            return false;
        steps->list = grown;
        steps->room = room;
    }
    at = malloc(step.type.size + step.rule.size + step.agent.size + step.user.size +
                step.text.size + 5);
    if (at == NULL)
        return false;
    step.texts = at;
    at += copy(at, &step.type);
    at += copy(at, &step.rule);
    at += copy(at, &step.agent);
    at += copy(at, &step.user);
    (void)copy(at, &step.text);
    steps->list[steps->count++] = step;
    return true;
}

static bool keep(struct steps *steps, const struct chunk_record *record)
{
    const struct step step = {.record = record->record,
                              .type = record->type,
                              .rule = record->rule,
                              .agent = record->agent,
                              .user = record->user,
                              .text = record->text};

    return steps_add(steps, &step);
}

static void forget(struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        free(steps->list[i].texts);
    steps->count = 0;
}

/* Does this record let in a message with the id that is asked for? */
static bool begins(const struct reading *reading, const struct chunk_record *record)
{
    const unsigned step = record->record.step;

    return (step == ATAMO_STEP_ADMITTED || step == ATAMO_STEP_DUPLICATE) &&
           record->text.size == reading->id.size &&
           memcmp(record->text.data, reading->id.data, reading->id.size) == 0;
}

static int read_chunk(struct reading *reading, atamo_bytes bytes)
{
    struct steps *steps = reading->steps;
    struct chunk_record record;
    struct chunk_reader chunk;
    int status = chunk_open(&chunk, bytes);

    while (status == ATAMO_OK && (status = chunk_next(&chunk, &record)) == ATAMO_OK) {
        if (begins(reading, &record) && record.record.step == ATAMO_STEP_ADMITTED &&
            record.record.message != steps->message) {
            forget(steps); /* the id came again, later */
            steps->message = record.record.message;
        }
        if ((record.record.message == steps->message && steps->message != 0) ||
            (begins(reading, &record) && record.record.value[0] == steps->message))
            status = keep(steps, &record) ? ATAMO_OK : ATAMO_NO_MEMORY;
    }
    chunk_close(&chunk);
    return status == ATAMO_NOT_FOUND ? ATAMO_OK : status;
}

static int take(void *user, const atamo_record *record)
{
    struct reading *reading = user;
    const int status =
        record->status == ATAMO_OK ? read_chunk(reading, record->value) : record->status;

    if (status == ATAMO_DAMAGED)
        reading->steps->damaged++;
    else
        reading->status = status;
    return reading->status;
}

/* Where one action stands after a step; `before` if the step says nothing about it. */
static char fate_after(unsigned step, char before)
{
    switch (step) {
    case ATAMO_STEP_REPLAYED:
    case ATAMO_STEP_ATTEMPT:
        return 'o'; /* open */
    case ATAMO_STEP_DEAD:
        return 'd';
    case ATAMO_STEP_DONE:
    case ATAMO_STEP_SHED:
    case ATAMO_STEP_CANCELLED:
    case ATAMO_STEP_EXPIRED:
        return 'e'; /* ended */
    default:
        return before;
    }
}

/* What became of it: the last that is told of each action counts. */
const char *steps_state(const struct steps *steps)
{
    char *fates = calloc(UINT16_MAX + 1, 1);
    uint64_t made = UINT64_MAX; /* not evaluated yet */
    uint64_t ended = 0;
    uint64_t dead = 0;

    for (size_t i = 0; i < steps->count && fates != NULL; i++) {
        const atamo_telemetry *record = &steps->list[i].record;
        char *fate = &fates[record->action & UINT16_MAX];

        if (record->step == ATAMO_STEP_EVALUATED)
            made = record->value[1];
        *fate = fate_after(record->step, *fate);
    }
    for (size_t i = 0; i <= UINT16_MAX && fates != NULL; i++) {
        ended += fates[i] == 'e';
        dead += fates[i] == 'd';
    }
    free(fates);
    return ended + dead < made ? "in flight" : dead > 0 ? "dead" : "finished";
}

int steps_read(struct steps *steps, const struct atamo_store *store, void *self, uint64_t node,
               const char *id)
{
    const atamo_range all = {.size = sizeof all, .space = atamo_text("journal")};
    struct reading reading = {.steps = steps, .id = atamo_text(id)};
    int status;

    *steps = (struct steps){.message = number_from_uuid(reading.id, node)};
    status = store->scan(self, &all, take, &reading);
    if (status == ATAMO_OK)
        status = reading.status;
    if (status == ATAMO_OK && steps->count == 0)
        status = ATAMO_NOT_FOUND;
    if (status != ATAMO_OK)
        steps_free(steps);
    else
        steps->state = steps_state(steps);
    return status;
}

void steps_free(struct steps *steps)
{
    forget(steps);
    free(steps->list);
    steps->list = NULL;
    steps->room = 0;
}
