/* why - what became of a message, and for what reason.
 *
 * Messages in flight and the last ones that finished are known. Which rules matched, and the first
 * clause that failed for each that did not, is worked out again from the kept event and its rules,
 * so it costs nothing when nobody asks. The fate of the actions is read from the latest records.
 */
#include "base/number.h"
#include "flow/flow.h"
#include "model/cloudevent.h"
#include "rules/index.h"
#include "json/write.h"

#include <stdlib.h>
#include <string.h>

void flow_remember(struct flow *flow, struct message *message)
{
    struct message **place;

    if (flow->recent_size == 0)
        return;
    place = &flow->recent[flow->recent_next];
    flow->recent_next = (flow->recent_next + 1) % flow->recent_size;
    message->refs++;
    if (*place != NULL)
        flow_message_unref(flow, *place);
    *place = message;
}

void flow_forget_recent(struct flow *flow)
{
    for (uint32_t i = 0; i < flow->recent_size; i++) {
        if (flow->recent[i] != NULL)
            flow_message_unref(flow, flow->recent[i]);
        flow->recent[i] = NULL;
    }
}

static bool is_it(const struct message *message, uint64_t number, atamo_bytes id)
{
    const atamo_bytes own = message_attribute(message, ATAMO_ID);

    if (number != 0)
        return message->number == number;
    return own.size == id.size && memcmp(own.data, id.data, id.size) == 0;
}

const struct message *flow_find(const struct flow *flow, atamo_bytes id)
{
    const uint64_t number = number_from_uuid(id, flow->node);
    const struct message *found = NULL;

    for (uint32_t slot = 0; slot < flow->actions.count && found == NULL; slot++) {
        const struct action *chunk =
            atomic_load_explicit(&flow->actions.chunks[slot / ACTION_CHUNK], memory_order_relaxed);
        const struct message *message = chunk[slot % ACTION_CHUNK].message;

        if (message != NULL && is_it(message, number, id))
            found = message;
    }
    for (uint32_t i = 0; i < flow->recent_size && found == NULL; i++)
        if (flow->recent[i] != NULL && is_it(flow->recent[i], number, id))
            found = flow->recent[i];
    return found;
}

static void put(struct json_writer *writer, const char *name, atamo_bytes text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, text);
}

/* Without memory it is left out. */
static void put_event(const struct flow *flow, const struct message *message,
                      struct json_writer *writer)
{
    const size_t size = cloudevent_write(message, flow->node, NULL, 0);
    char *text = malloc(size);

    if (text == NULL)
        return;
    (void)cloudevent_write(message, flow->node, text, size);
    json_put_name(writer, atamo_text("event"));
    json_put_raw(writer, (atamo_bytes){text, size});
    free(text);
}

static void put_rules(struct flow *flow, const struct message *message, struct json_writer *writer)
{
    const struct generation *generation = message->generation;
    const struct index_who who = flow_who(flow, message);

    flow->matched = NULL;
    flow_fill_event(flow, message);
    json_put_name(writer, atamo_text("rules"));
    json_open_array(writer);
    for (size_t i = 0; generation != NULL && i < generation->rule_count; i++) {
        struct index_reason reason;
        const int status = index_explain(generation->index, (uint32_t)i, flow->scratch,
                                         &flow->event, &who, &reason);

        json_open_object(writer);
        put(writer, "id", names_text(flow->names, generation->rules[i].id));
        json_put_name(writer, atamo_text("matched"));
        json_put_bool(writer, status == ATAMO_OK && reason.matched);
        put(writer, "reason", atamo_text(reason.text));
        json_close_object(writer);
    }
    json_close_array(writer);
}

/* The latest state of each action, from the records. */
enum { WHY_ACTIONS_MAX = 256 };

struct fate {
    atamo_telemetry record;
    char text[256];
};

struct fates {
    struct fate list[WHY_ACTIONS_MAX];
    size_t count;
};

static void note_fate(void *user, const atamo_telemetry *span)
{
    struct fates *fates = user;
    size_t i = 0;

    if (span->action == 0 || span->step == ATAMO_STEP_ALERT || span->step == ATAMO_STEP_RESPONDED)
        return;
    while (i < fates->count && fates->list[i].record.action != span->action)
        i++;
    if (i == WHY_ACTIONS_MAX)
        return;
    if (i == fates->count)
        fates->count++;
    fates->list[i].record = *span;
    (void)atamo_telemetry_text(span, fates->list[i].text, sizeof fates->list[i].text);
}

static void put_fate(const struct flow *flow, const struct fate *fate, struct json_writer *writer)
{
    const atamo_telemetry *record = &fate->record;
    const char *reason = fate->text[0] != '\0' ? fate->text : atamo_reason_text(record->reason);

    json_open_object(writer);
    json_put_name(writer, atamo_text("ordinal"));
    json_put_uint(writer, record->action);
    put(writer, "rule", names_text(flow->names, record->rule));
    put(writer, "agent", names_text(flow->names, record->agent));
    put(writer, "action", names_text(flow->names, record->type));
    put(writer, "state", atamo_text(atamo_step_name(record->step)));
    json_put_name(writer, atamo_text("attempt"));
    json_put_uint(writer, record->attempt);
    put(writer, "reason", atamo_text(reason));
    json_close_object(writer);
}

static struct fates *gather_fates(struct flow *flow, const struct message *message)
{
    struct fates *fates = calloc(1, sizeof *fates);

    if (fates == NULL)
        return NULL;
    journal_flush(&flow->journal);
    journal_visit(&flow->journal, message->number, note_fate, fates);
    return fates;
}

static const char *state_of(const struct message *message, const struct fates *fates)
{
    if (message->open > 0)
        return "in flight";
    for (size_t i = 0; i < fates->count; i++)
        if (fates->list[i].record.step == ATAMO_STEP_DEAD)
            return "dead";
    return "finished";
}

static void put_actions(const struct flow *flow, const struct fates *fates,
                        struct json_writer *writer)
{
    json_put_name(writer, atamo_text("actions"));
    json_open_array(writer);
    for (size_t i = 0; i < fates->count; i++)
        put_fate(flow, &fates->list[i], writer);
    json_close_array(writer);
}

int flow_why(struct flow *flow, const char *id, char *buffer, size_t capacity, size_t *size)
{
    const struct message *message = flow_find(flow, atamo_text(id));
    struct json_writer writer;
    struct fates *fates;
    char uuid[37];

    if (message == NULL)
        return ATAMO_NOT_FOUND;
    fates = gather_fates(flow, message);
    if (fates == NULL)
        return ATAMO_NO_MEMORY;
    number_to_uuid(message->number, flow->node, uuid);
    json_writer_init(&writer, buffer, capacity > 0 ? capacity - 1 : 0);
    json_open_object(&writer);
    put(&writer, "id", message_id(message, flow->node));
    put(&writer, "message", atamo_text(uuid));
    put(&writer, "type", message_attribute(message, ATAMO_TYPE));
    put(&writer, "state", atamo_text(state_of(message, fates)));
    put_event(flow, message, &writer);
    put_rules(flow, message, &writer);
    put_actions(flow, fates, &writer);
    json_close_object(&writer);
    free(fates);
    if (capacity > 0)
        buffer[writer.size < capacity ? writer.size : capacity - 1] = '\0';
    *size = writer.size;
    return ATAMO_OK;
}
