/* cloudevent_write - an event as JSON text.
 *
 * One pass over the attributes into a bounded writer, which counts what does not fit; the caller
 * asks again with more room. Data that says it is JSON is taken over as it is: whoever needs
 * certainty has it parsed first.
 */
#include "model/base64.h"
#include "model/cloudevent.h"
#include "json/write.h"

static void put_base64(struct json_writer *writer, atamo_bytes data)
{
    json_put_raw(writer, atamo_text("\""));
    for (size_t at = 0; at < data.size; at += 3) {
        char group[4];
        const size_t left = data.size - at;

        base64_group(data.data + at, left < 3 ? left : 3, group);
        json_put_bytes(writer, (atamo_bytes){group, 4});
    }
    json_put_bytes(writer, atamo_text("\""));
}

static void put_data(struct json_writer *writer, const struct message *message)
{
    const atamo_bytes data = message_data(message);

    if (data.size == 0)
        return;
    if ((message->flags & MESSAGE_BINARY) != 0) {
        json_put_name(writer, atamo_text("data_base64"));
        put_base64(writer, data);
        return;
    }
    json_put_name(writer, atamo_text("data"));
    if ((message->flags & MESSAGE_JSON) != 0)
        json_put_raw(writer, data);
    else
        json_put_text(writer, data);
}

size_t cloudevent_write(const struct message *message, uint64_t node, char *buffer, size_t capacity)
{
    atamo_extension_attribute extensions[MESSAGE_EXTENSIONS_MAX];
    const size_t count = message_extensions(message, extensions);
    struct json_writer writer;

    json_writer_init(&writer, buffer, capacity);
    json_open_object(&writer);
    json_put_name(&writer, atamo_text("specversion"));
    json_put_text(&writer, atamo_text("1.0"));
    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++) {
        const atamo_bytes value =
            i == ATAMO_ID ? message_id(message, node) : message_attribute(message, i);

        if (value.size == 0)
            continue;
        json_put_name(&writer, atamo_text(atamo_attribute_name((atamo_attribute)i)));
        json_put_text(&writer, value);
    }
    for (size_t i = 0; i < count; i++) {
        json_put_name(&writer, extensions[i].name);
        json_put_text(&writer, extensions[i].value);
    }
    put_data(&writer, message);
    json_close_object(&writer);
    return writer.size;
}
