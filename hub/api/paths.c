/* paths - the steps of messages as JSON: one record, or all of a message.
 *
 * Happy path: the hub's thread copies what it remembers of a message; if that does not reach back
 * to the event's coming in and there is a store, its journal is read instead, on the caller's
 * thread. Fails when neither knows the message, for want of memory, or as the store does.
 */
#include "api/hub_inside.h"

#include "flow/commit.h"
#include "model/cloudevent.h"
#include "store/steps.h"

#include <stdlib.h>

struct path_call {
    atamo_hub *hub;
    const char *id;
    struct steps steps;
    const struct atamo_store *store; /* NULL: none */
    void *self;
    int status;
};

static struct step step_of(const struct names *names, const atamo_telemetry *record)
{
    return (struct step){.record = *record,
                         .type = names_text(names, record->type),
                         .rule = names_text(names, record->rule),
                         .agent = names_text(names, record->agent),
                         .user = names_text(names, record->user)};
}

static void take(void *user, const atamo_telemetry *record)
{
    struct path_call *call = user;
    struct step step = step_of(call->hub->names, record);
    char text[JOURNAL_TEXT_MAX + 1];

    step.text = (atamo_bytes){text, atamo_telemetry_text(record, text, sizeof text)};
    if (call->status == ATAMO_OK && !steps_add(&call->steps, &step))
        call->status = ATAMO_NO_MEMORY;
}

/* [hub thread] */
static void read_recent(void *argument)
{
    struct path_call *call = argument;
    struct flow *flow = &call->hub->flow;
    const struct message *message = flow_find(flow, atamo_text(call->id));

    if (flow->ledger != NULL) {
        call->store = flow->ledger->store;
        call->self = flow->ledger->self;
    }
    if (message == NULL)
        return;
    call->steps.message = message->number;
    journal_flush(&flow->journal);
    journal_visit(&flow->journal, message->number, take, call);
}

/* Does it begin with the event's coming in? */
static bool is_whole(const struct steps *steps)
{
    return steps->count > 0 && steps->list[0].record.step == ATAMO_STEP_ADMITTED;
}

static int read_path(struct path_call *call)
{
    struct steps kept;
    int status;

    flow_call(&call->hub->flow, read_recent, call);
    if (call->status != ATAMO_OK)
        return call->status;
    if (!is_whole(&call->steps) && call->store != NULL) {
        status = steps_read(&kept, call->store, call->self, call->hub->flow.node, call->id);
        if (status == ATAMO_OK) {
            steps_free(&call->steps);
            call->steps = kept;
            return ATAMO_OK;
        }
        if (status != ATAMO_NOT_FOUND)
            return status;
    }
    if (call->steps.count == 0)
        return ATAMO_NOT_FOUND;
    call->steps.state = steps_state(&call->steps);
    return ATAMO_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the call writes through them */
int atamo_trace(atamo_hub *hub, const char *id, char *buffer, size_t capacity, size_t *size)
{
    struct path_call call = {.hub = hub, .id = id};
    struct json_writer writer;
    int status = read_path(&call);

    if (status == ATAMO_OK) {
        json_writer_init(&writer, buffer, capacity);
        steps_write_trace(&call.steps, id, hub->flow.node, &writer);
        *size = writer.size;
        status = json_writer_status(&writer);
    }
    steps_free(&call.steps);
    return status;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the writer writes through it */
size_t atamo_step_json(const atamo_hub *hub, const atamo_telemetry *record, int alone, char *buffer,
                       size_t capacity)
{
    struct step step = step_of(hub->names, record);
    struct json_writer writer;
    char text[JOURNAL_TEXT_MAX + 1];
    char uuid[37];

    step.text = (atamo_bytes){text, atamo_telemetry_text(record, text, sizeof text)};
    json_writer_init(&writer, buffer, capacity);
    if (alone != 0 && record->message != 0) {
        atamo_message_id(hub, record->message, uuid);
        json_put_name(&writer, atamo_text("message"));
        json_put_text(&writer, atamo_text(uuid));
    }
    step_put(&step, hub->flow.node, &writer);
    return writer.size;
}

/* --- events as JSON */

int atamo_reader_open(atamo_reader **reader)
{
    return cloudevent_reader_open((struct cloudevent_reader **)reader);
}

void atamo_reader_close(atamo_reader *reader)
{
    cloudevent_reader_close((struct cloudevent_reader *)reader);
}

int atamo_reader_read(atamo_reader *reader, atamo_bytes json, const atamo_event_draft *fallback,
                      atamo_event_draft *draft, char why[CLOUDEVENT_WHY])
{
    return cloudevent_read((struct cloudevent_reader *)reader, json, fallback, draft, why);
}
