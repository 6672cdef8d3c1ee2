/* fake_events - events that a plugin submits or emits, and reading of events.
 *
 * Happy path: the draft is checked and copied as the hub does it, and kept for the test to look at.
 * The test says how many more events fit; past that the plugin gets ATAMO_BUSY, as from a full hub.
 */
#include "plugin/fake.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FAKE_DATA_MAX = 16 << 20, FAKE_PRODUCE_BUDGET = 64, FAKE_WHY = 256 };

int fake_message(struct atamo_test_host *host, const atamo_event_draft *draft,
                 struct message **message, const char **why)
{
    struct message_origin origin = {.now_ns = host->now_ns, .max_data = FAKE_DATA_MAX};
    int status;

    origin.number = number_next(&host->numbers, host->now_ns);
    status = message_build(&host->blocks, draft, &origin, message, why);
    if (status != ATAMO_OK)
        return status;
    if (fake_list_add(&host->messages, *message))
        return ATAMO_OK;
    blocks_give(&(*message)->block);
    return ATAMO_NO_MEMORY;
}

/* May the plugin submit now? Under the lock. */
static int admit(struct atamo_test_host *host)
{
    if (host->draining || host->state > FAKE_STARTED)
        return ATAMO_CLOSED;
    if (host->submit_room == 0) {
        host->refused_busy = true;
        return ATAMO_BUSY;
    }
    return ATAMO_OK;
}

/* Under the lock. */
static int keep_event(struct atamo_test_host *host, const atamo_event_draft *draft,
                      atamo_action cause, const char **why)
{
    struct message *message;
    struct fake_event *event;
    int status = admit(host);

    if (status == ATAMO_OK)
        status = fake_message(host, draft, &message, why);
    if (status != ATAMO_OK)
        return status;
    event = arena_alloc(&host->arena, sizeof *event);
    if (event == NULL)
        return ATAMO_NO_MEMORY;
    *event = (struct fake_event){message, cause};
    if (!fake_list_add(&host->events, event))
        return ATAMO_NO_MEMORY;
    if (host->submit_room != SIZE_MAX)
        host->submit_room--;
    return ATAMO_OK;
}

static int take_event(struct atamo_test_host *host, const atamo_event_draft *draft,
                      atamo_action cause, char *why)
{
    const char *reason = "";
    bool early;
    int status;

    if (draft->size < sizeof *draft) {
        fake_misuse(host, "a draft with a size of %u: begin with atamo_draft()", draft->size);
        return ATAMO_INVALID;
    }
    fake_lock(host);
    early = host->state == FAKE_OPENED;
    status = keep_event(host, draft, cause, &reason);
    fake_unlock(host);
    if (early)
        fake_misuse(host, "an event was submitted in create(): start() is the first moment");
    if (status != ATAMO_OK && why != NULL)
        (void)snprintf(why, FAKE_WHY, "%s", reason[0] != '\0' ? reason : atamo_status_text(status));
    fake_ring(host);
    return status;
}

static int event_submit(const atamo_host *table, const atamo_event_draft *drafts, size_t count,
                        size_t *taken, char *why)
{
    struct atamo_test_host *host = fake_enter(table, "submit()");
    int status = ATAMO_OK;
    size_t i = 0;

    while (i < count) {
        status = take_event(host, &drafts[i], 0, why);
        if (status != ATAMO_OK)
            break;
        i++;
    }
    *taken = i;
    return status;
}

static int event_submit_json(const atamo_host *table, atamo_bytes json,
                             const atamo_event_draft *fallback, char *why)
{
    struct atamo_test_host *host = fake_enter(table, "submit_json()");
    atamo_event_draft draft = {.size = sizeof draft};
    const char *reason = "";
    char problem[CLOUDEVENT_WHY] = "";
    int status = ATAMO_OK;

    fake_lock(host);
    if (host->reader == NULL)
        status = cloudevent_reader_open(&host->reader);
    if (status == ATAMO_OK)
        status = cloudevent_read(host->reader, json, fallback, &draft, problem);
    if (status == ATAMO_OK)
        status = keep_event(host, &draft, 0, &reason);
    fake_unlock(host);
    if (status != ATAMO_OK && why != NULL)
        (void)snprintf(why, FAKE_WHY, "%s",
                       problem[0] != '\0'  ? problem
                       : reason[0] != '\0' ? reason
                                           : atamo_status_text(status));
    fake_ring(host);
    return status;
}

static void inherit(atamo_bytes *value, atamo_bytes from)
{
    if (value->size == 0)
        *value = from;
}

static int event_emit(const atamo_host *table, atamo_action action, const atamo_event_draft *draft)
{
    struct atamo_test_host *host = fake_enter(table, "emit()");
    const struct message *cause =
        (const struct message *)(const void *)host->table.event(table, action);
    atamo_event_draft full;

    if (cause == NULL)
        return ATAMO_GONE;
    full = *draft;
    full.causationid = message_id(cause, FAKE_NODE);
    full.correlationid = message_attribute(cause, ATAMO_CORRELATIONID);
    inherit(&full.correlationid, full.causationid);
    inherit(&full.user, message_attribute(cause, ATAMO_USER));
    inherit(&full.tenant, message_attribute(cause, ATAMO_TENANT));
    inherit(&full.traceparent, message_attribute(cause, ATAMO_TRACEPARENT));
    return take_event(host, &full, action, NULL);
}

static int event_wait(const atamo_host *table, uint32_t timeout_ms)
{
    struct atamo_test_host *host = fake_enter(table, "wait()");
    struct timespec until;
    int status = ATAMO_OK;

    if (pthread_equal(pthread_self(), host->test_thread) && host->state == FAKE_STARTED)
        fake_misuse(host, "wait() on the loop's thread, which must not block");
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_S;
    }
    fake_lock(host);
    while (status == ATAMO_OK && host->submit_room == 0 && !host->draining)
        if (pthread_cond_timedwait(&host->room_came, &host->lock, &until) == ETIMEDOUT)
            status = ATAMO_TIMEOUT;
    if (host->draining || host->state > FAKE_STARTED)
        status = ATAMO_CLOSED;
    fake_unlock(host);
    return status;
}

static void event_finished(const atamo_host *table)
{
    struct atamo_test_host *host = fake_enter(table, "finished()");

    fake_lock(host);
    host->finished = true;
    fake_unlock(host);
    fake_ring(host);
}

/* --- reading */

static const struct message *message_of(const atamo_event *event)
{
    return (const struct message *)(const void *)event;
}

static atamo_bytes event_attribute(const atamo_host *table, const atamo_event *event,
                                   atamo_attribute attribute)
{
    (void)fake_enter(table, "attribute()");
    if (attribute == ATAMO_ID)
        return message_id(message_of(event), FAKE_NODE);
    if ((unsigned)attribute >= ATAMO_ATTRIBUTE_COUNT)
        return (atamo_bytes){"", 0};
    return message_attribute(message_of(event), attribute);
}

static atamo_bytes event_extension_attribute(const atamo_host *table, const atamo_event *event,
                                             const char *name)
{
    atamo_extension_attribute list[MESSAGE_EXTENSIONS_MAX];
    const size_t count = message_extensions(message_of(event), list);

    (void)fake_enter(table, "extension_attribute()");
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name.data, name) == 0)
            return list[i].value;
    return (atamo_bytes){"", 0};
}

static atamo_bytes event_data(const atamo_host *table, const atamo_event *event)
{
    (void)fake_enter(table, "data()");
    return message_data(message_of(event));
}

static size_t event_json(const atamo_host *table, const atamo_event *event, char *buffer,
                         size_t capacity)
{
    (void)fake_enter(table, "event_json()");
    return cloudevent_write(message_of(event), FAKE_NODE, buffer, capacity);
}

void fake_fill_events(struct atamo_host *table)
{
    table->emit = event_emit;
    table->attribute = event_attribute;
    table->extension_attribute = event_extension_attribute;
    table->data = event_data;
    table->event_json = event_json;
    table->submit = event_submit;
    table->submit_json = event_submit_json;
    table->wait = event_wait;
    table->finished = event_finished;
}

/* --- what the test asks */

size_t atamo_test_event_count(const atamo_test_host *host)
{
    size_t count;

    fake_lock(host);
    count = host->events.count;
    fake_unlock(host);
    return count;
}

static const struct fake_event *find(const atamo_test_host *host, size_t index)
{
    const struct fake_event *event;

    fake_lock(host);
    event = index < host->events.count ? host->events.items[index] : NULL;
    fake_unlock(host);
    return event;
}

const atamo_event *atamo_test_event(const atamo_test_host *host, size_t index)
{
    const struct fake_event *event = find(host, index);

    return event == NULL ? NULL : (const atamo_event *)(const void *)event->message;
}

atamo_bytes atamo_test_event_text(const atamo_test_host *host, size_t index,
                                  atamo_attribute attribute)
{
    const struct fake_event *event = find(host, index);

    if (event == NULL || (unsigned)attribute >= ATAMO_ATTRIBUTE_COUNT)
        return (atamo_bytes){"", 0};
    return attribute == ATAMO_ID ? message_id(event->message, FAKE_NODE)
                                 : message_attribute(event->message, attribute);
}

atamo_bytes atamo_test_event_data(const atamo_test_host *host, size_t index)
{
    const struct fake_event *event = find(host, index);

    return event == NULL ? (atamo_bytes){"", 0} : message_data(event->message);
}

atamo_action atamo_test_event_cause(const atamo_test_host *host, size_t index)
{
    const struct fake_event *event = find(host, index);

    return event == NULL ? 0 : event->cause;
}

void atamo_test_submit_limit(atamo_test_host *host, size_t count)
{
    fake_lock(host);
    host->submit_room = count;
    if (count > 0) {
        host->ready_due = host->ready_due || host->refused_busy;
        host->refused_busy = false;
        (void)pthread_cond_broadcast(&host->room_came);
    }
    fake_unlock(host);
    fake_ring(host);
}

size_t atamo_test_produce(atamo_test_host *host, size_t budget)
{
    const atamo_event_provider *provider = host->plugin->event_provider;
    bool ready;

    if (provider == NULL || host->state != FAKE_STARTED)
        return 0;
    fake_lock(host);
    ready = host->ready_due;
    host->ready_due = false;
    fake_unlock(host);
    if (ready && provider->ready != NULL)
        provider->ready(host->self);
    return provider->produce == NULL ? 0 : provider->produce(host->self, budget);
}

static bool has_events(struct atamo_test_host *host, uint64_t count)
{
    if (atamo_test_event_count(host) < count)
        (void)atamo_test_produce(host, FAKE_PRODUCE_BUDGET);
    return atamo_test_event_count(host) >= count;
}

int atamo_test_wait_events(atamo_test_host *host, size_t count, uint32_t timeout_ms)
{
    return fake_until(host, has_events, count, timeout_ms);
}

static bool has_finished(struct atamo_test_host *host, uint64_t unused)
{
    bool finished;

    (void)unused;
    (void)atamo_test_produce(host, FAKE_PRODUCE_BUDGET);
    fake_lock(host);
    finished = host->finished;
    fake_unlock(host);
    return finished;
}

int atamo_test_wait_finished(atamo_test_host *host, uint32_t timeout_ms)
{
    return fake_until(host, has_finished, 0, timeout_ms);
}
