/* draft - the follow-up event in a worker's answer.
 *
 * Happy path: an object with a type and whatever other CloudEvents attributes it has; data as JSON
 * or, for bytes, data_base64. Id, source and the chain of causes are filled in by the hub where
 * they are absent. A member of a wrong type is refused by name.
 */
#include "answer.h"

#include "base64.h"

#include <stdlib.h>

struct field {
    const char *name;
    size_t offset; /* of an atamo_bytes in the draft */
};

static const struct field fields[] = {
    {"id", offsetof(atamo_event_draft, id)},
    {"source", offsetof(atamo_event_draft, source)},
    {"type", offsetof(atamo_event_draft, type)},
    {"subject", offsetof(atamo_event_draft, subject)},
    {"time", offsetof(atamo_event_draft, time)},
    {"datacontenttype", offsetof(atamo_event_draft, datacontenttype)},
    {"dataschema", offsetof(atamo_event_draft, dataschema)},
    {"user", offsetof(atamo_event_draft, user)},
    {"tenant", offsetof(atamo_event_draft, tenant)},
    {"partitionkey", offsetof(atamo_event_draft, partitionkey)},
    {"traceparent", offsetof(atamo_event_draft, traceparent)},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static int refuse_member(char why[ANSWER_WHY], const char *name, const char *problem)
{
    (void)snprintf(why, ANSWER_WHY, "\"emit\": \"%s\" %s", name, problem);
    return ATAMO_INVALID;
}

static int read_binary(const atamo_json_value *value, atamo_event_draft *draft, void **memory,
                       char why[ANSWER_WHY])
{
    char *bytes;
    size_t size = 0;

    if (value->kind != ATAMO_JSON_TEXT)
        return refuse_member(why, "data_base64", "is not a text");
    bytes = malloc(value->text.size / 4 * 3 + 1);
    if (bytes == NULL)
        return ATAMO_NO_MEMORY;
    if (!base64_read(value->text, bytes, &size)) {
        free(bytes);
        return refuse_member(why, "data_base64", "is not base64");
    }
    draft->flags |= ATAMO_DATA_BINARY;
    draft->data = (atamo_bytes){bytes, size};
    *memory = bytes;
    return ATAMO_OK;
}

int answer_draft(const atamo_json *json, const atamo_json_reader *reader,
                 const atamo_json_value *emit, atamo_event_draft *draft, void **memory,
                 char why[ANSWER_WHY])
{
    atamo_event_draft made = atamo_draft("");
    atamo_json_value value;

    for (size_t i = 0; i < FIELDS; i++) {
        value = json->member(reader, emit, fields[i].name);
        if (value.kind == ATAMO_JSON_MISSING || value.kind == ATAMO_JSON_NULL)
            continue;
        if (value.kind != ATAMO_JSON_TEXT)
            return refuse_member(why, fields[i].name, "is not a text");
        *(atamo_bytes *)(void *)((char *)&made + fields[i].offset) = value.text;
    }
    if (made.type.size == 0)
        return refuse_member(why, "type", "is missing");
    value = json->member(reader, emit, "delay_ms");
    if (value.kind != ATAMO_JSON_MISSING) {
        if (value.kind != ATAMO_JSON_NUMBER || value.integer < 0 ||
            value.number != (double)value.integer)
            return refuse_member(why, "delay_ms", "is not a number of milliseconds");
        made.delay_ms = (uint64_t)value.integer;
    }
    *memory = NULL;
    value = json->member(reader, emit, "data");
    if (value.kind != ATAMO_JSON_MISSING) {
        made.data = value.raw;
    } else {
        value = json->member(reader, emit, "data_base64");
        if (value.kind != ATAMO_JSON_MISSING) {
            const int status = read_binary(&value, &made, memory, why);

            if (status != ATAMO_OK)
                return status;
        }
    }
    *draft = made;
    return ATAMO_OK;
}
