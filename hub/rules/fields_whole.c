/* fields_whole - the values that templates ask for, once their rule has matched.
 *
 * Happy path: a path is followed step by step through the parsed data and the value is handed out
 * as it was written; attributes are escaped into a buffer that has room for all of the event's
 * texts, so that nothing handed out moves. Each is found once an event. What cannot be found, or
 * escaped for want of memory, is missing.
 */
#include "rules/fields_scratch.h"

#include "json/write.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Step by step to a value of the document; 0 means the root only before the first step. */
static bool find_value(const struct field_scratch *s, const struct plan_field *field,
                       uint32_t *value)
{
    uint32_t node = 0;

    for (size_t i = 1; i < field->depth; i++) {
        uint64_t index;

        if (json_kind_of(&s->document, node) == JSON_ARRAY && json_uint64(field->steps[i], &index))
            node = json_element(&s->document, node, index);
        else
            node = json_member(&s->document, node, field->steps[i]);
        if (node == 0)
            return false;
    }
    *value = node;
    return true;
}

static const struct field_whole missing = {FIELD_MISSING, {"", 0}};

/* Room for every text of the event, escaped, so that what is handed out stays where it is. */
static bool make_escape_room(const struct field_scratch *s)
{
    size_t need = s->event.data_is_json ? 0 : s->event.data.size;
    char *grown;

    for (int i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++)
        need += s->event.attributes[i].size;
    for (size_t i = 0; i < s->event.extension_count; i++)
        need += s->event.extensions[i].value.size;
    need = need * 6 + 2 * (ATAMO_ATTRIBUTE_COUNT + 1 + s->event.extension_count);
    if (need <= s->cache->escaped_room)
        return true;
    grown = malloc(need);
    if (grown == NULL)
        return false;
    free(s->cache->escaped);
    s->cache->escaped = grown;
    s->cache->escaped_room = need;
    return true;
}

/* Text as JSON in the scratch. */
static struct field_whole escape(const struct field_scratch *s, atamo_bytes text)
{
    struct json_writer writer;

    if (s->cache->escaped_size == 0 && !make_escape_room(s))
        return missing;
    json_writer_init(&writer, s->cache->escaped + s->cache->escaped_size,
                     s->cache->escaped_room - s->cache->escaped_size);
    json_put_text(&writer, text);
    assert(json_writer_status(&writer) == ATAMO_OK); /* each text is escaped once an event */
    s->cache->escaped_size += writer.size;
    return (struct field_whole){FIELD_TEXT, {writer.data, writer.size}};
}

static struct field_whole whole_extension(const struct field_scratch *s, atamo_bytes name)
{
    for (size_t i = 0; i < s->event.extension_count; i++) {
        const atamo_extension_attribute *extension = &s->event.extensions[i];

        if (extension->name.size == name.size &&
            memcmp(extension->name.data, name.data, name.size) == 0)
            return escape(s, extension->value);
    }
    return missing;
}

static struct field_whole whole_data(const struct field_scratch *s, const struct plan_field *wanted)
{
    uint32_t node;

    if (s->event.data.size == 0)
        return missing;
    if (!s->event.data_is_json)
        return wanted->depth == 1 ? escape(s, s->event.data) : missing;
    if (s->data_state != DATA_READ || !find_value(s, wanted, &node))
        return missing;
    return (struct field_whole){scratch_kind(json_kind_of(&s->document, node)),
                                json_raw(&s->document, node)};
}

struct field_whole fields_whole(const struct field_scratch *scratch, uint32_t field)
{
    const struct field_scratch *s = scratch;
    const struct plan_field *wanted = &s->plan->fields[field];
    struct whole_slot *slot = &s->cache->slots[field];

    assert(wanted->use == FIELD_WHOLE && !wanted->extra);
    if (slot->event_number == s->event_number)
        return slot->value;
    if (wanted->in_data)
        slot->value = whole_data(s, wanted);
    else if (wanted->attribute >= 0)
        slot->value = s->event.attributes[wanted->attribute].size > 0
                          ? escape(s, s->event.attributes[wanted->attribute])
                          : missing;
    else
        slot->value = wanted->depth == 1 ? whole_extension(s, wanted->name) : missing;
    if (s->data_state == DATA_READ || !wanted->in_data || slot->value.kind != FIELD_MISSING)
        slot->event_number = s->event_number;
    return slot->value;
}
