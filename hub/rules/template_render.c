/* template_render - fill a compiled template from an event.
 *
 * Happy path: for each part its literal bytes are copied, then the value of its field. The inside
 * of a JSON text is escaped already and is copied as it is; only objects and arrays that go into a
 * text are escaped here. A missing path ends it at once; a buffer that is too small does not, so
 * that the caller learns the size to come back with.
 */
#include "rules/template_inside.h"
#include "json/write.h"

#include <assert.h>

static void put_inside(struct json_writer *writer, const struct field_whole *value)
{
    atamo_bytes inside = value->json;

    switch (value->kind) {
    case FIELD_TEXT:
        assert(inside.size >= 2);
        inside.data++;
        inside.size -= 2;
        json_put_bytes(writer, inside);
        break;
    case FIELD_OBJECT:
    case FIELD_ARRAY:
        json_put_escaped(writer, inside);
        break;
    default:
        json_put_bytes(writer, inside);
        break;
    }
}

static int put_hole(struct json_writer *writer, const struct template_part *part,
                    const struct field_scratch *scratch)
{
    const struct field_whole value = fields_whole(scratch, part->field);

    if (value.kind == FIELD_MISSING) {
        if (part->fallback.data == NULL)
            return ATAMO_NOT_FOUND;
        json_put_bytes(writer, part->fallback);
    } else if (part->hole == TEMPLATE_VALUE) {
        json_put_bytes(writer, value.json);
    } else {
        put_inside(writer, &value);
    }
    return ATAMO_OK;
}

int template_render(const struct template *template, const struct field_scratch *scratch,
                    char *buffer, size_t capacity, size_t *size, atamo_bytes *missing)
{
    struct json_writer writer;
    int status;

    json_writer_init(&writer, buffer, capacity);
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];

        json_put_bytes(&writer, part->literal);
        if (part->hole != TEMPLATE_NO_HOLE && put_hole(&writer, part, scratch) != ATAMO_OK) {
            *missing = part->path;
            return ATAMO_NOT_FOUND;
        }
    }
    status = json_writer_status(&writer);
    *size = writer.size;
    return status;
}

bool template_is_whole(const struct template *template, uint32_t *field)
{
    if (template->whole)
        *field = template->parts[0].field;
    return template->whole;
}
