/* options_schema - a plugin's options as a JSON Schema.
 *
 * One property for each row of the table. Durations and sizes are texts with a pattern; bounds are
 * given where JSON Schema can say them. Nothing can fail but the writer's room.
 */
#include "plugin/options_schema.h"

#include "plugin/options.h"

#include <string.h>

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static void put_types(struct json_writer *writer, const char *first, const char *second)
{
    json_put_name(writer, atamo_text("type"));
    json_open_array(writer);
    json_put_text(writer, atamo_text(first));
    json_put_text(writer, atamo_text(second));
    json_close_array(writer);
}

static void put_choices(struct json_writer *writer, const char *choices)
{
    json_put_name(writer, atamo_text("enum"));
    json_open_array(writer);
    while (*choices != '\0') {
        const size_t size = strcspn(choices, "|");

        json_put_text(writer, (atamo_bytes){choices, size});
        choices += size + (choices[size] == '|');
    }
    json_close_array(writer);
}

static void put_items(struct json_writer *writer, const char *name)
{
    json_put_name(writer, atamo_text(name));
    json_open_object(writer);
    json_put_name(writer, atamo_text("type"));
    json_open_array(writer);
    json_put_text(writer, atamo_text("string"));
    json_put_text(writer, atamo_text("number"));
    json_put_text(writer, atamo_text("boolean"));
    json_close_array(writer);
    json_close_object(writer);
}

static void put_type(struct json_writer *writer, const atamo_option *option)
{
    switch (option->type) {
    case ATAMO_OPTION_TEXT:
        put_types(writer, "string", "number");
        break;
    case ATAMO_OPTION_INTEGER:
        put_text(writer, "type", "integer");
        break;
    case ATAMO_OPTION_NUMBER:
        put_text(writer, "type", "number");
        break;
    case ATAMO_OPTION_BOOLEAN:
        put_text(writer, "type", "boolean");
        break;
    case ATAMO_OPTION_DURATION:
        put_types(writer, "string", "integer");
        put_text(writer, "pattern", "^(0|([0-9]+(ns|us|ms|s|m|h|d))+)$");
        break;
    case ATAMO_OPTION_SIZE:
        put_types(writer, "string", "integer");
        put_text(writer, "pattern", "^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)?$");
        break;
    case ATAMO_OPTION_CHOICE:
        put_choices(writer, option->choices);
        break;
    case ATAMO_OPTION_LIST:
        put_types(writer, "array", "string");
        put_items(writer, "items");
        break;
    case ATAMO_OPTION_MAP:
        put_text(writer, "type", "object");
        put_items(writer, "additionalProperties");
        break;
    default: /* ATAMO_OPTION_JSON: anything */
        break;
    }
}

static void put_option(struct json_writer *writer, const atamo_option *option)
{
    const bool bounded = option->type == ATAMO_OPTION_INTEGER && (option->min | option->max) != 0;

    json_put_name(writer, atamo_text(option->name));
    json_open_object(writer);
    put_type(writer, option);
    put_text(writer, "description", option->about);
    if (bounded) {
        json_put_name(writer, atamo_text("minimum"));
        json_put_int(writer, option->min);
        json_put_name(writer, atamo_text("maximum"));
        json_put_int(writer, option->max);
    }
    if ((option->flags & ATAMO_OPTION_SECRET) != 0) {
        json_put_name(writer, atamo_text("writeOnly"));
        json_put_bool(writer, true);
    }
    json_close_object(writer);
}

static void put_required(struct json_writer *writer, const atamo_plugin *plugin)
{
    json_put_name(writer, atamo_text("required"));
    json_open_array(writer);
    for (size_t i = 0; i < plugin->option_count; i++)
        if ((options_row(plugin, i)->flags & ATAMO_OPTION_REQUIRED) != 0)
            json_put_text(writer, atamo_text(options_row(plugin, i)->name));
    json_close_array(writer);
}

void options_schema(const atamo_plugin *plugin, struct json_writer *writer)
{
    json_open_object(writer);
    put_text(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put_text(writer, "title", plugin->id);
    put_text(writer, "description", plugin->summary);
    put_text(writer, "type", "object");
    json_put_name(writer, atamo_text("additionalProperties"));
    json_put_bool(writer, false);
    put_required(writer, plugin);
    json_put_name(writer, atamo_text("properties"));
    json_open_object(writer);
    for (size_t i = 0; i < plugin->option_count; i++)
        put_option(writer, options_row(plugin, i));
    json_close_object(writer);
    json_close_object(writer);
}
