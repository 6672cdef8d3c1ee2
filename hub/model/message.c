/* message - an event inside the hub.
 *
 * Happy path: the sizes of all parts are added up, one block is taken, everything is copied into it
 * once. A draft is refused if it has no type, if an attribute holds control characters or is not
 * UTF-8, or if it is too large; the only other failure is memory. Nothing is taken then.
 */
#include "model/message.h"

#include "base/number.h"
#include "model/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The draft's attributes in the order of enum atamo_attribute. */
static void list_attributes(const atamo_event_draft *draft, atamo_bytes list[ATAMO_ATTRIBUTE_COUNT])
{
    list[ATAMO_ID] = draft->id;
    list[ATAMO_SOURCE] = draft->source;
    list[ATAMO_TYPE] = draft->type;
    list[ATAMO_SUBJECT] = draft->subject;
    list[ATAMO_TIME] = draft->time;
    list[ATAMO_DATACONTENTTYPE] = draft->datacontenttype;
    list[ATAMO_DATASCHEMA] = draft->dataschema;
    list[ATAMO_USER] = draft->user;
    list[ATAMO_TENANT] = draft->tenant;
    list[ATAMO_PARTITIONKEY] = draft->partitionkey;
    list[ATAMO_TRACEPARENT] = draft->traceparent;
    list[ATAMO_EXPIRYTIME] = (atamo_bytes){NULL, 0};
    list[ATAMO_CORRELATIONID] = draft->correlationid;
    list[ATAMO_CAUSATIONID] = draft->causationid;
}

/* application/json, anything that ends in +json, or nothing said at all (CloudEvents JSON format,
 * 3.1). */
static bool says_json(atamo_bytes type)
{
    size_t size = 0;

    while (size < type.size && type.data[size] != ';' && type.data[size] != ' ')
        size++;
    if (size == 0)
        return true;
    if (size >= 5 && strncasecmp(type.data + size - 5, "+json", 5) == 0)
        return true;
    return (size == 16 && strncasecmp(type.data, "application/json", size) == 0) ||
           (size == 9 && strncasecmp(type.data, "text/json", size) == 0);
}

static int check_extensions(const atamo_event_draft *draft, size_t *size, const char **why)
{
    size_t total = 0;

    if (draft->extension_count > MESSAGE_EXTENSIONS_MAX) {
        *why = "more than 64 extension attributes";
        return ATAMO_TOO_LARGE;
    }
    for (size_t i = 0; i < draft->extension_count; i++) {
        const atamo_extension_attribute *extension = &draft->extensions[i];

        if (!text_is_attribute_name(extension->name)) {
            *why = "an extension attribute's name is not 1 to 20 lower-case letters and digits";
            return ATAMO_INVALID;
        }
        if (!text_is_clean(extension->value)) {
            *why = "an extension attribute holds control characters or is not UTF-8";
            return ATAMO_INVALID;
        }
        total += extension->name.size + extension->value.size + 2;
    }
    *size = total;
    return ATAMO_OK;
}

static int check_attributes(const atamo_bytes list[ATAMO_ATTRIBUTE_COUNT], size_t *size,
                            const char **why)
{
    size_t total = 0;

    if (list[ATAMO_TYPE].size == 0) {
        *why = "the event has no type";
        return ATAMO_INVALID;
    }
    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++) {
        if (list[i].size == 0)
            continue;
        if (list[i].size > MESSAGE_ATTRIBUTES_MAX) {
            *why = "an attribute is over 60,000 bytes";
            return ATAMO_TOO_LARGE;
        }
        if (!text_is_clean(list[i])) {
            *why = "an attribute holds control characters or is not UTF-8";
            return ATAMO_INVALID;
        }
        total += list[i].size + 1;
    }
    *size = total;
    return ATAMO_OK;
}

static char *put(char *at, atamo_bytes bytes)
{
    memcpy(at, bytes.data, bytes.size);
    at[bytes.size] = '\0';
    return at + bytes.size + 1;
}

static void fill(struct message *message, const atamo_event_draft *draft,
                 const atamo_bytes list[ATAMO_ATTRIBUTE_COUNT])
{
    char *at = message->text;
    char *extensions;

    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++) {
        if (list[i].size > 0)
            at = put(at, list[i]);
        message->ends[i] = (uint16_t)(at - message->text);
    }
    extensions = at;
    for (size_t i = 0; i < draft->extension_count; i++) {
        at = put(at, draft->extensions[i].name);
        at = put(at, draft->extensions[i].value);
    }
    message->extension_size = (uint16_t)(at - extensions);
    message->extension_count = (uint8_t)draft->extension_count;
    if (draft->data.size > 0)
        memcpy(at, draft->data.data, draft->data.size);
    at[draft->data.size] = '\0';
}

int message_build(struct blocks *blocks, const atamo_event_draft *draft,
                  const struct message_origin *origin, struct message **message, const char **why)
{
    atamo_bytes list[ATAMO_ATTRIBUTE_COUNT];
    char expiry[TEXT_TIME_SIZE];
    size_t attributes = 0;
    size_t extensions = 0;
    struct message *made;
    int status;

    list_attributes(draft, list);
    if (draft->expires_at_ms > 0)
        list[ATAMO_EXPIRYTIME] = text_from_time(draft->expires_at_ms, expiry);
    status = check_attributes(list, &attributes, why);
    if (status == ATAMO_OK && draft->extension_count > 0)
        status = check_extensions(draft, &extensions, why);
    if (status != ATAMO_OK)
        return status;
    if (attributes + extensions > MESSAGE_ATTRIBUTES_MAX || draft->data.size > origin->max_data) {
        *why = draft->data.size > origin->max_data
                   ? "the data is larger than hub.max_data"
                   : "the attributes are over 60,000 bytes together";
        return ATAMO_TOO_LARGE;
    }
    made = (struct message *)blocks_take(blocks, sizeof *made + attributes + extensions +
                                                     draft->data.size + MESSAGE_JSON_ROOM);
    *why = "no memory";
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset((char *)made + sizeof made->block, 0, sizeof *made - sizeof made->block);
    made->number = origin->number;
    made->cause = origin->cause;
    made->hops = origin->hops;
    made->refs = 1;
    made->data_size = (uint32_t)draft->data.size;
    if (draft->expires_at_ms > 0)
        made->expires_ns = draft->expires_at_ms * 1000000;
    if (draft->delay_ms > 0)
        made->due_ns = origin->now_ns + (int64_t)draft->delay_ms * 1000000;
    if ((draft->flags & ATAMO_DATA_BINARY) != 0)
        made->flags = MESSAGE_BINARY;
    else if (says_json(draft->datacontenttype))
        made->flags = MESSAGE_JSON;
    fill(made, draft, list);
    *message = made;
    return ATAMO_OK;
}

size_t message_extensions(const struct message *message, atamo_extension_attribute *list)
{
    const char *at = message->text + message->ends[ATAMO_ATTRIBUTE_COUNT - 1];

    for (unsigned i = 0; i < message->extension_count; i++) {
        list[i].name = atamo_text(at);
        at += list[i].name.size + 1;
        list[i].value = atamo_text(at);
        at += list[i].value.size + 1;
    }
    return message->extension_count;
}

atamo_bytes message_id(const struct message *message, uint64_t node)
{
    const atamo_bytes given = message_attribute(message, ATAMO_ID);
    struct message *writable = (struct message *)(uintptr_t)message;
    char *text = NULL;
    char *made;

    if (given.size > 0)
        return given;
    text = atomic_load(&writable->id_text);
    if (text != NULL)
        return (atamo_bytes){text, 36};
    made = malloc(37);
    if (made == NULL)
        return given;
    number_to_uuid(message->number, node, made);
    if (!atomic_compare_exchange_strong(&writable->id_text, &text, made)) {
        free(made); /* another thread was first */
        made = text;
    }
    return (atamo_bytes){made, 36};
}

void message_release(struct message *message)
{
    assert(message->refs == 0);
    free(atomic_load_explicit(&message->id_text, memory_order_relaxed));
}
