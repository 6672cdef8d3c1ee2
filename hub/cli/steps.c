/* steps - the path of one message, as the journal of a store has it.
 *
 * Happy path: the chunks are read in order; the record that lets a message in tells its number by
 * the client's id, and from then on its records are kept. Whether it is finished follows from its
 * actions: each has one end, but a dead one that was replayed. A damaged chunk is counted and
 * passed over.
 */
#include "cli/steps.h"

#include "base/clock.h"
#include "base/number.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static bool keep(struct steps *steps, const struct chunk_record *record)
{
    struct step step = {.record = record->record,
                        .type = record->type,
                        .rule = record->rule,
                        .agent = record->agent,
                        .user = record->user,
                        .text = record->text};
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
static const char *state_of(const struct steps *steps)
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

int steps_read(struct steps *steps, const struct store_file *file, const char *id)
{
    const atamo_range all = {.size = sizeof all, .space = atamo_text("journal")};
    struct reading reading = {.steps = steps, .id = atamo_text(id)};
    int status;

    *steps = (struct steps){.message = number_from_uuid(reading.id, file->node)};
    status = file->store->scan(file->self, &all, take, &reading);
    if (status == ATAMO_OK)
        status = reading.status;
    if (status == ATAMO_OK && steps->count == 0)
        status = ATAMO_NOT_FOUND;
    if (status != ATAMO_OK)
        steps_free(steps);
    else
        steps->state = state_of(steps);
    return status;
}

void steps_free(struct steps *steps)
{
    forget(steps);
    free(steps->list);
    steps->list = NULL;
    steps->room = 0;
}

/* --- showing */

static void print_time(int64_t ns, FILE *out)
{
    const time_t seconds = (time_t)(ns / NS_PER_S);
    struct tm parts;
    char text[32] = "";

    if (gmtime_r(&seconds, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    (void)fprintf(out, "%s.%06d ", text, (int)(ns % NS_PER_S / NS_PER_US));
}

static const char *colour_of(const struct cli_colours *colours, unsigned step)
{
    switch (step) {
    case ATAMO_STEP_DONE:
        return colours->green;
    case ATAMO_STEP_DEAD:
    case ATAMO_STEP_REFUSED:
    case ATAMO_STEP_SHED:
    case ATAMO_STEP_RULE_FAILED:
    case ATAMO_STEP_ALERT:
        return colours->red;
    case ATAMO_STEP_RETRY:
    case ATAMO_STEP_EXPIRED:
    case ATAMO_STEP_CANCELLED:
        return colours->yellow;
    default:
        return "";
    }
}

static void print_details(const struct step *step, FILE *out)
{
    const atamo_telemetry *record = &step->record;
    const char *reason = step->text.size > 0 ? step->text.data : atamo_reason_text(record->reason);

    if (step->agent.size > 0)
        (void)fprintf(out, "  %s", step->agent.data);
    else if (step->type.size > 0)
        (void)fprintf(out, "  %s", step->type.data);
    if (step->agent.size > 0 && step->type.size > 0)
        (void)fprintf(out, " %s", step->type.data);
    if (step->rule.size > 0)
        (void)fprintf(out, " (rule %s)", step->rule.data);
    if (record->attempt > 0)
        (void)fprintf(out, " attempt %u", record->attempt);
    if (record->step == ATAMO_STEP_EVALUATED)
        (void)fprintf(out, "  %" PRIu64 " rule%s matched, %" PRIu64 " action%s", record->value[0],
                      record->value[0] == 1 ? "" : "s", record->value[1],
                      record->value[1] == 1 ? "" : "s");
    if (reason[0] != '\0')
        (void)fprintf(out, ": %s", reason);
}

void steps_print(const struct steps *steps, uint64_t action, FILE *out)
{
    const struct cli_colours colours = cli_colours(out);

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];

        if (action != 0 && step->record.action != 0 && step->record.action != action)
            continue;
        print_time(step->record.time_ns, out);
        (void)fprintf(out, "%s%-11s%s", colour_of(&colours, step->record.step),
                      atamo_step_name(step->record.step), colours.reset);
        print_details(step, out);
        (void)fputc('\n', out);
    }
}

static void put(struct json_writer *writer, const char *name, atamo_bytes text)
{
    if (text.size == 0)
        return;
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text);
}

static void put_number(struct json_writer *writer, const char *name, uint64_t number)
{
    if (number == 0)
        return;
    json_put_name(writer, atamo_text(name));
    json_put_uint(writer, number);
}

/* How an attempt or an action has ended. */
static const char *outcome_of(unsigned step)
{
    switch (step) {
    case ATAMO_STEP_DONE:
        return "done";
    case ATAMO_STEP_RETRY:
        return "retry";
    case ATAMO_STEP_DEAD:
        return "fail";
    default:
        return "";
    }
}

void steps_write(const struct steps *steps, uint64_t node, struct json_writer *writer)
{
    json_open_array(writer);
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->list[i];
        const atamo_telemetry *record = &step->record;
        char uuid[37] = "";

        json_open_object(writer);
        put_number(writer, "t_us", (uint64_t)(record->time_ns / NS_PER_US));
        put(writer, "step", atamo_text(atamo_step_name(record->step)));
        put_number(writer, "action", record->action);
        put(writer, "type", step->type);
        put(writer, "rule", step->rule);
        put(writer, "agent", step->agent);
        put(writer, "user", step->user);
        put_number(writer, "attempt", record->attempt);
        if (record->step == ATAMO_STEP_EVALUATED) {
            json_put_name(writer, atamo_text("rules"));
            json_put_uint(writer, record->value[0]);
            json_put_name(writer, atamo_text("actions"));
            json_put_uint(writer, record->value[1]);
        }
        put(writer, "outcome", atamo_text(outcome_of(record->step)));
        put(writer, "reason", atamo_text(atamo_reason_text(record->reason)));
        put(writer, "text", step->text);
        if (record->step == ATAMO_STEP_EMITTED || record->step == ATAMO_STEP_DUPLICATE) {
            number_to_uuid(record->value[0], node, uuid);
            put(writer, "message", atamo_text(uuid));
        }
        json_close_object(writer);
    }
    json_close_array(writer);
}
