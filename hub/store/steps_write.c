/* steps_write - the steps of a message as JSON. Members that say nothing are left out. */
#include "base/clock.h"
#include "base/number.h"
#include "store/steps.h"

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

/* Steps whose text is the id that the client gave. */
static bool tells_id(unsigned kind)
{
    return kind == ATAMO_STEP_ADMITTED || kind == ATAMO_STEP_RECOVERED ||
           kind == ATAMO_STEP_DUPLICATE;
}

/* The event's own id, if a step tells it; else what it was asked for by. */
static atamo_bytes id_of(const struct steps *steps, const char *asked)
{
    for (size_t i = 0; i < steps->count; i++)
        if (tells_id(steps->list[i].record.step) && steps->list[i].text.size > 0)
            return steps->list[i].text;
    return atamo_text(asked);
}

/* The other message that a step names. */
static void put_other(const struct step *step, uint64_t node, struct json_writer *writer)
{
    const atamo_telemetry *record = &step->record;
    const bool caused = record->step == ATAMO_STEP_ADMITTED && record->value[1] != 0;
    char uuid[37];

    if (!caused && record->step != ATAMO_STEP_EMITTED && record->step != ATAMO_STEP_DUPLICATE)
        return;
    number_to_uuid(record->value[caused ? 1 : 0], node, uuid);
    put(writer, caused ? "cause" : "other", atamo_text(uuid));
}

void step_put(const struct step *step, uint64_t node, struct json_writer *writer)
{
    const atamo_telemetry *record = &step->record;
    const unsigned kind = record->step;

    put_number(writer, "t_us", (uint64_t)(record->time_ns / NS_PER_US));
    put(writer, "step", atamo_text(atamo_step_name(record->step)));
    put_number(writer, "action", record->action);
    put(writer, "type", step->type);
    put(writer, "rule", step->rule);
    put(writer, "agent", step->agent);
    put(writer, "user", step->user);
    put_number(writer, "attempt", record->attempt);
    if (kind == ATAMO_STEP_EVALUATED) {
        json_put_name(writer, atamo_text("rules"));
        json_put_uint(writer, record->value[0]);
        json_put_name(writer, atamo_text("actions"));
        json_put_uint(writer, record->value[1]);
    }
    put(writer, "outcome", atamo_text(outcome_of(record->step)));
    put(writer, "reason", atamo_text(atamo_reason_text(record->reason)));
    put(writer, tells_id(kind) ? "id" : "text", step->text);
    if (kind == ATAMO_STEP_RETRY || kind == ATAMO_STEP_DELAYED)
        put_number(writer, "due_us", record->value[0] / NS_PER_US);
    if (kind == ATAMO_STEP_DROPPED)
        put_number(writer, "count", record->value[0]);
    if (kind == ATAMO_STEP_ACCESS) {
        put_number(writer, "status", record->value[0]);
        put_number(writer, "took_us", record->value[1]);
    }
    put_other(step, node, writer);
}

void steps_write(const struct steps *steps, uint64_t node, struct json_writer *writer)
{
    json_open_array(writer);
    for (size_t i = 0; i < steps->count; i++) {
        json_open_object(writer);
        step_put(&steps->list[i], node, writer);
        json_close_object(writer);
    }
    json_close_array(writer);
}

void steps_write_trace(const struct steps *steps, const char *id, uint64_t node,
                       struct json_writer *writer)
{
    char uuid[37];

    number_to_uuid(steps->message, node, uuid);
    json_open_object(writer);
    put(writer, "id", id_of(steps, id));
    put(writer, "message", atamo_text(uuid));
    put(writer, "type", steps->list[0].type);
    put(writer, "state", atamo_text(steps->state));
    json_put_name(writer, atamo_text("steps"));
    steps_write(steps, node, writer);
    json_close_object(writer);
}
