/* row - how events and actions stand in a store.
 *
 * Writing cannot fail: callers ask for the size first. Reading fails with ATAMO_DAMAGED as soon as
 * a length leads out of the row.
 */
#include "store/row.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { EVENT_FORMAT = 1, NO_BODY = -1 };

/* A place to write to, or only to count. */
struct out {
    char *data;
    size_t size;
};

static void put(struct out *out, const void *bytes, size_t size)
{
    if (out->data != NULL && size > 0)
        memcpy(out->data + out->size, bytes, size);
    out->size += size;
}

static void put8(struct out *out, unsigned number)
{
    const uint8_t byte = (uint8_t)number;

    put(out, &byte, sizeof byte);
}

static void put16(struct out *out, uint16_t number)
{
    number = htole16(number);
    put(out, &number, sizeof number);
}

static void put32(struct out *out, uint32_t number)
{
    number = htole32(number);
    put(out, &number, sizeof number);
}

static void put64(struct out *out, uint64_t number)
{
    number = htole64(number);
    put(out, &number, sizeof number);
}

/* Names are short: nothing in a configuration is longer than 65,535 bytes. */
static void put_text(struct out *out, atamo_bytes text)
{
    assert(text.size <= UINT16_MAX);
    put16(out, (uint16_t)text.size);
    put(out, text.data, text.size);
}

void row_event_key(char key[ROW_KEY_EVENT], uint64_t place)
{
    const uint64_t big = htobe64(place);

    memcpy(key, &big, sizeof big);
}

void row_action_key(char key[ROW_KEY_ACTION], uint64_t place, uint16_t ordinal)
{
    const uint16_t big = htobe16(ordinal);

    row_event_key(key, place);
    memcpy(key + ROW_KEY_EVENT, &big, sizeof big);
}

uint64_t row_key_place(atamo_bytes key)
{
    uint64_t big = 0;

    if (key.size >= sizeof big)
        memcpy(&big, key.data, sizeof big);
    return be64toh(big);
}

uint16_t row_key_ordinal(atamo_bytes key)
{
    uint16_t big = 0;

    if (key.size == ROW_KEY_ACTION)
        memcpy(&big, key.data + ROW_KEY_EVENT, sizeof big);
    return be16toh(big);
}

size_t row_put_event(char *data, const struct message *message, uint16_t actions, bool put_off)
{
    struct out out = {NULL, 0};
    const size_t size = message_stored_size(message);

    out.data = data;
    put8(&out, EVENT_FORMAT);
    put8(&out, put_off);
    put16(&out, actions);
    put32(&out, (uint32_t)size);
    if (data != NULL)
        message_store(message, data + out.size);
    return out.size + size;
}

size_t row_put_action(char *data, const struct row_action *action)
{
    struct out out = {NULL, 0};

    out.data = data;
    put16(&out, action->ordinal);
    put16(&out, action->attempts);
    put64(&out, action->deadline_ns);
    put_text(&out, action->rule);
    put_text(&out, action->type);
    put_text(&out, action->agent);
    put_text(&out, action->as);
    put32(&out, action->has_body ? (uint32_t)action->body.size : (uint32_t)NO_BODY);
    if (action->has_body)
        put(&out, action->body.data, action->body.size);
    return out.size;
}

size_t row_put_mark(char *data, const struct row_mark *mark)
{
    struct out out = {NULL, 0};

    out.data = data;
    put8(&out, mark->state);
    put8(&out, mark->reason);
    put16(&out, mark->attempts);
    put64(&out, (uint64_t)mark->at_ns);
    if (mark->state == ROW_BACKING_OFF)
        put64(&out, (uint64_t)mark->wait_ns);
    put(&out, mark->text.data, mark->text.size);
    return out.size;
}

/* --- reading */

/* Take `size` bytes off the front; NULL if there are not so many. */
static const char *take(struct row_event *event, size_t size)
{
    const char *at = event->at;

    if ((size_t)(event->end - at) < size)
        return NULL;
    event->at += size;
    return at;
}

static bool take_number(struct row_event *event, void *number, size_t size)
{
    const char *at = take(event, size);

    if (at != NULL)
        memcpy(number, at, size);
    return at != NULL;
}

static bool take_text(struct row_event *event, atamo_bytes *text)
{
    uint16_t size;

    if (!take_number(event, &size, sizeof size))
        return false;
    text->size = le16toh(size);
    text->data = take(event, text->size);
    return text->data != NULL;
}

int row_get_event(atamo_bytes row, struct row_event *event)
{
    uint8_t format;
    uint8_t put_off;
    uint32_t size;

    *event = (struct row_event){.at = row.data, .end = row.data + row.size};
    if (!take_number(event, &format, sizeof format) || format != EVENT_FORMAT ||
        !take_number(event, &put_off, sizeof put_off) ||
        !take_number(event, &event->actions, sizeof event->actions) ||
        !take_number(event, &size, sizeof size))
        return ATAMO_DAMAGED;
    event->put_off = put_off != 0;
    event->actions = le16toh(event->actions);
    event->message.size = le32toh(size);
    event->message.data = take(event, event->message.size);
    return event->message.data == NULL ? ATAMO_DAMAGED : ATAMO_OK;
}

int row_next_action(struct row_event *event, struct row_action *action)
{
    uint32_t size;

    if (!take_number(event, &action->ordinal, sizeof action->ordinal) ||
        !take_number(event, &action->attempts, sizeof action->attempts) ||
        !take_number(event, &action->deadline_ns, sizeof action->deadline_ns) ||
        !take_text(event, &action->rule) || !take_text(event, &action->type) ||
        !take_text(event, &action->agent) || !take_text(event, &action->as) ||
        !take_number(event, &size, sizeof size))
        return ATAMO_DAMAGED;
    action->ordinal = le16toh(action->ordinal);
    action->attempts = le16toh(action->attempts);
    action->deadline_ns = le64toh(action->deadline_ns);
    action->has_body = size != (uint32_t)NO_BODY;
    action->body = (atamo_bytes){"", 0};
    if (action->has_body) {
        action->body.size = le32toh(size);
        action->body.data = take(event, action->body.size);
    }
    return action->body.data == NULL ? ATAMO_DAMAGED : ATAMO_OK;
}

int row_get_mark(atamo_bytes row, struct row_mark *mark)
{
    struct row_event reading = {.at = row.data, .end = row.data + row.size};

    if (!take_number(&reading, &mark->state, sizeof mark->state) ||
        !take_number(&reading, &mark->reason, sizeof mark->reason) ||
        !take_number(&reading, &mark->attempts, sizeof mark->attempts) ||
        !take_number(&reading, &mark->at_ns, sizeof mark->at_ns))
        return ATAMO_DAMAGED;
    mark->attempts = le16toh(mark->attempts);
    mark->at_ns = (int64_t)le64toh((uint64_t)mark->at_ns);
    mark->wait_ns = 0;
    if (mark->state == ROW_BACKING_OFF &&
        !take_number(&reading, &mark->wait_ns, sizeof mark->wait_ns))
        return ATAMO_DAMAGED;
    mark->wait_ns = (int64_t)le64toh((uint64_t)mark->wait_ns);
    mark->text = (atamo_bytes){reading.at, (size_t)(reading.end - reading.at)};
    return mark->state >= ROW_BACKING_OFF && mark->state <= ROW_DEAD ? ATAMO_OK : ATAMO_DAMAGED;
}
