/* chunk - telemetry records as bytes.
 *
 * Writing fails for want of memory only, and then leaves the record out. Reading checks every
 * length, since the bytes come from a disk: ATAMO_DAMAGED.
 */
#include "store/chunk.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORMAT = 1,
    HEAD_SIZE = 1 + 8 + 4,
    RECORD_MAX = 2 + 10 * 10 + UINT16_MAX, /* bytes that one record may take */
    CHUNK_NAMES_MAX = 1 << 20,
};

enum field {
    HAS_REASON = 1u << 0,
    HAS_ATTEMPT = 1u << 1,
    HAS_ACTION = 1u << 2,
    HAS_TYPE = 1u << 3,
    HAS_PLAN = 1u << 4, /* rule, agent, user */
    HAS_VALUE0 = 1u << 5,
    HAS_VALUE1 = 1u << 6,
    HAS_TEXT = 1u << 7,
};

/* --- writing */

static void put_number(struct chunk_writer *writer, uint64_t number)
{
    while (number >= 0x80) {
        writer->bytes[writer->size++] = (char)(number | 0x80);
        number >>= 7;
    }
    writer->bytes[writer->size++] = (char)number;
}

/* Small differences in either direction are short. */
static void put_difference(struct chunk_writer *writer, uint64_t to, uint64_t from)
{
    const int64_t difference = (int64_t)(to - from);

    put_number(writer, (uint64_t)difference << 1 ^ (uint64_t)(difference >> 63));
}

static bool reserve(void *list, uint32_t *room, uint32_t count, size_t size)
{
    const uint32_t wanted = count * 2 + 64;
    void *old;
    void *grown;

    if (count < *room)
        return true;
    memcpy(&old, list, sizeof old);
    grown = realloc(old, wanted * size);
    if (grown == NULL)
        return false;
    memset((char *)grown + *room * size, 0, (wanted - *room) * size);
    memcpy(list, &grown, sizeof grown);
    *room = wanted;
    return true;
}

/* A name's place in this chunk, from 1; 0 for no name, or without memory. */
static uint32_t place_of(struct chunk_writer *writer, uint32_t name)
{
    if (name == 0 || !reserve(&writer->places, &writer->place_room, name, sizeof(uint32_t)))
        return 0;
    if (writer->places[name] != 0)
        return writer->places[name];
    if (!reserve(&writer->names, &writer->name_room, writer->name_count, sizeof(uint32_t)))
        return 0;
    writer->names[writer->name_count++] = name;
    writer->places[name] = writer->name_count;
    return writer->name_count;
}

static unsigned fields_of(const atamo_telemetry *record)
{
    return (record->reason != 0 ? HAS_REASON : 0u) | (record->attempt != 0 ? HAS_ATTEMPT : 0u) |
           (record->action != 0 ? HAS_ACTION : 0u) | (record->type != 0 ? HAS_TYPE : 0u) |
           ((record->rule | record->agent | record->user) != 0 ? HAS_PLAN : 0u) |
           (record->value[0] != 0 ? HAS_VALUE0 : 0u) | (record->value[1] != 0 ? HAS_VALUE1 : 0u) |
           (record->text != 0 ? HAS_TEXT : 0u);
}

static void put_fields(struct chunk_writer *writer, const atamo_telemetry *record, unsigned fields)
{
    if ((fields & HAS_REASON) != 0)
        put_number(writer, record->reason);
    if ((fields & HAS_ATTEMPT) != 0)
        put_number(writer, record->attempt);
    if ((fields & HAS_ACTION) != 0)
        put_number(writer, record->action);
    if ((fields & HAS_TYPE) != 0)
        put_number(writer, place_of(writer, record->type));
    if ((fields & HAS_PLAN) != 0) {
        put_number(writer, place_of(writer, record->rule));
        put_number(writer, place_of(writer, record->agent));
        put_number(writer, place_of(writer, record->user));
    }
    if ((fields & HAS_VALUE0) != 0)
        put_number(writer, record->value[0]);
    if ((fields & HAS_VALUE1) != 0)
        put_number(writer, record->value[1]);
}

static bool make_room(struct chunk_writer *writer, size_t size)
{
    char *grown;

    if (writer->room - writer->size >= size)
        return true;
    grown = realloc(writer->bytes, writer->room * 2 + size);
    if (grown == NULL)
        return false;
    writer->bytes = grown;
    writer->room = writer->room * 2 + size;
    return true;
}

bool chunk_add(struct chunk_writer *writer, const atamo_telemetry *span)
{
    const unsigned fields = fields_of(span);

    if (!make_room(writer, RECORD_MAX))
        return false;
    writer->bytes[writer->size++] = (char)span->step;
    writer->bytes[writer->size++] = (char)fields;
    put_difference(writer, (uint64_t)span->time_ns, (uint64_t)writer->time);
    put_difference(writer, span->message, writer->message);
    writer->time = span->time_ns;
    writer->message = span->message;
    put_fields(writer, span, fields);
    if ((fields & HAS_TEXT) != 0) {
        size_t copied;

        put_number(writer, span->text);
        copied = atamo_telemetry_text(span, writer->bytes + writer->size, (size_t)span->text + 1);
        assert(copied == span->text);
        writer->size += copied;
    }
    return true;
}

size_t chunk_size(const struct chunk_writer *writer, const struct names *names)
{
    size_t size = HEAD_SIZE + writer->size + 4;

    if (writer->size == 0)
        return 0;
    for (uint32_t i = 0; i < writer->name_count; i++)
        size += 2 + names_text(names, writer->names[i]).size;
    return size;
}

static char *put32(char *out, uint32_t number)
{
    number = htole32(number);
    memcpy(out, &number, sizeof number);
    return out + sizeof number;
}

void chunk_put(const struct chunk_writer *writer, const struct names *names, char *out)
{
    const uint64_t time = htole64((uint64_t)writer->time);

    *out++ = FORMAT;
    memcpy(out, &time, sizeof time);
    out = put32(out + sizeof time, (uint32_t)writer->size);
    memcpy(out, writer->bytes, writer->size);
    out = put32(out + writer->size, writer->name_count);
    for (uint32_t i = 0; i < writer->name_count; i++) {
        const atamo_bytes text = names_text(names, writer->names[i]);
        const uint16_t size = htole16((uint16_t)text.size);

        memcpy(out, &size, sizeof size);
        memcpy(out + sizeof size, text.data, text.size);
        out += sizeof size + text.size;
    }
}

void chunk_reset(struct chunk_writer *writer)
{
    for (uint32_t i = 0; i < writer->name_count; i++)
        writer->places[writer->names[i]] = 0;
    writer->name_count = 0;
    writer->size = 0;
    writer->time = 0;
    writer->message = 0;
}

void chunk_free(struct chunk_writer *writer)
{
    free(writer->bytes);
    free(writer->places);
    free(writer->names);
    *writer = (struct chunk_writer){0};
}

/* --- reading */

int64_t chunk_time(atamo_bytes chunk)
{
    uint64_t time;

    if (chunk.size < HEAD_SIZE || chunk.data[0] != FORMAT)
        return 0;
    memcpy(&time, chunk.data + 1, sizeof time);
    return (int64_t)le64toh(time);
}

static bool take_number(struct chunk_reader *reader, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
        const uint8_t byte = (uint8_t)*reader->at++;

        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_difference(struct chunk_reader *reader, uint64_t *number)
{
    uint64_t coded;

    if (!take_number(reader, &coded))
        return false;
    *number += coded >> 1 ^ (0 - (coded & 1));
    return true;
}

static int read_names(struct chunk_reader *reader, const char *at, const char *end)
{
    uint32_t count;

    if (end - at < 4)
        return ATAMO_DAMAGED;
    memcpy(&count, at, sizeof count);
    count = le32toh(count);
    at += sizeof count;
    if (count > CHUNK_NAMES_MAX || count > (size_t)(end - at) / 2)
        return ATAMO_DAMAGED;
    reader->names = calloc(count + UINT32_C(1), sizeof *reader->names);
    if (reader->names == NULL)
        return ATAMO_NO_MEMORY;
    reader->names[0] = (atamo_bytes){"", 0};
    for (uint32_t i = 1; i <= count; i++) {
        uint16_t size;

        if (end - at < 2)
            return ATAMO_DAMAGED;
        memcpy(&size, at, sizeof size);
        size = le16toh(size);
        if (end - at - 2 < size)
            return ATAMO_DAMAGED;
        reader->names[i] = (atamo_bytes){at + 2, size};
        at += 2 + size;
    }
    reader->name_count = count;
    return ATAMO_OK;
}

int chunk_open(struct chunk_reader *reader, atamo_bytes chunk)
{
    uint32_t size;
    int status;

    memset(reader, 0, sizeof *reader);
    if (chunk_time(chunk) == 0)
        return ATAMO_DAMAGED;
    memcpy(&size, chunk.data + 1 + 8, sizeof size);
    size = le32toh(size);
    if (size > chunk.size - HEAD_SIZE)
        return ATAMO_DAMAGED;
    reader->at = chunk.data + HEAD_SIZE;
    reader->end = reader->at + size;
    status = read_names(reader, reader->end, chunk.data + chunk.size);
    if (status != ATAMO_OK)
        chunk_close(reader);
    return status;
}

static bool take_name(struct chunk_reader *reader, atamo_bytes *name)
{
    uint64_t place;

    if (!take_number(reader, &place) || place > reader->name_count)
        return false;
    *name = reader->names[place];
    return true;
}

static bool take_small(struct chunk_reader *reader, uint16_t *number)
{
    uint64_t wide;

    if (!take_number(reader, &wide) || wide > UINT16_MAX)
        return false;
    *number = (uint16_t)wide;
    return true;
}

static bool take_text(struct chunk_reader *reader, atamo_bytes *text)
{
    uint64_t size;

    if (!take_number(reader, &size) || size > (uint64_t)(reader->end - reader->at))
        return false;
    *text = (atamo_bytes){reader->at, (size_t)size};
    reader->at += size;
    return true;
}

static bool take_fields(struct chunk_reader *reader, unsigned fields, struct chunk_record *taken)
{
    atamo_telemetry *record = &taken->record;

    return ((fields & HAS_REASON) == 0 || take_small(reader, &record->reason)) &&
           ((fields & HAS_ATTEMPT) == 0 || take_small(reader, &record->attempt)) &&
           ((fields & HAS_ACTION) == 0 || take_number(reader, &record->action)) &&
           ((fields & HAS_TYPE) == 0 || take_name(reader, &taken->type)) &&
           ((fields & HAS_PLAN) == 0 ||
            (take_name(reader, &taken->rule) && take_name(reader, &taken->agent) &&
             take_name(reader, &taken->user))) &&
           ((fields & HAS_VALUE0) == 0 || take_number(reader, &record->value[0])) &&
           ((fields & HAS_VALUE1) == 0 || take_number(reader, &record->value[1])) &&
           ((fields & HAS_TEXT) == 0 || take_text(reader, &taken->text));
}

int chunk_next(struct chunk_reader *reader, struct chunk_record *record)
{
    static const atamo_bytes none = {"", 0};
    uint64_t time = (uint64_t)reader->time;
    unsigned fields;

    if (reader->at == reader->end)
        return ATAMO_NOT_FOUND;
    *record = (struct chunk_record){
        .type = none, .rule = none, .agent = none, .user = none, .text = none};
    if (reader->end - reader->at < 2)
        return ATAMO_DAMAGED;
    record->record.step = (uint8_t)*reader->at++;
    fields = (uint8_t)*reader->at++;
    if (!take_difference(reader, &time) || !take_difference(reader, &reader->message) ||
        !take_fields(reader, fields, record))
        return ATAMO_DAMAGED;
    reader->time = (int64_t)time;
    record->record.time_ns = reader->time;
    record->record.message = reader->message;
    return ATAMO_OK;
}

void chunk_close(struct chunk_reader *reader)
{
    free(reader->names);
    reader->names = NULL;
}
