/* schema - the JSON Schema of the configuration.
 *
 * Happy path: one definition for each table, a property for each of its keys, by the key's kind;
 * and a few definitions by hand for what the tables do not know: patterns, and which form an entry
 * of `rules:` has. Written twice: once to learn the size.
 */
#include "config/schema.h"

#include "config/format.h"
#include "json/write.h"

#include <stdio.h>
#include <string.h>

static const char pattern_schema[] =
    "{\"description\":\"An event pattern, as in Amazon EventBridge: each key holds a list of which "
    "one "
    "must fit, or a pattern of its own; all keys must "
    "fit.\",\"type\":\"object\",\"minProperties\":1,"
    "\"properties\":{\"$or\":{\"description\":\"One of these patterns must "
    "fit.\",\"type\":\"array\","
    "\"items\":{\"$ref\":\"#/$defs/pattern\"}}},\"additionalProperties\":{\"anyOf\":["
    "{\"$ref\":\"#/$defs/pattern\"},{\"type\":\"array\",\"minItems\":1,\"items\":"
    "{\"$ref\":\"#/$defs/clause\"}}]}}";

static const char clause_schema[] =
    "{\"description\":\"A value, or what a value must be like.\",\"anyOf\":[{\"type\":[\"string\","
    "\"number\",\"boolean\",\"null\"]},{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":"
    "1,"
    "\"additionalProperties\":false,\"properties\":{"
    "\"prefix\":{\"description\":\"The text begins with this.\",\"type\":[\"string\",\"object\"]},"
    "\"suffix\":{\"description\":\"The text ends with this.\",\"type\":[\"string\",\"object\"]},"
    "\"equals-ignore-case\":{\"description\":\"The text, whatever its case.\",\"type\":\"string\"},"
    "\"wildcard\":{\"description\":\"The text, in which * stands for anything.\","
    "\"type\":\"string\"},"
    "\"anything-but\":{\"description\":\"There is a value, and it is none of these.\","
    "\"type\":[\"string\",\"number\",\"array\",\"object\"]},"
    "\"numeric\":{\"description\":\"A number within bounds: [\\\">=\\\", 0, \\\"<\\\", 100].\","
    "\"type\":\"array\",\"minItems\":2,\"maxItems\":4},"
    "\"exists\":{\"description\":\"There is a value, or there is none.\",\"type\":\"boolean\"},"
    "\"cidr\":{\"description\":\"The text is an address of this "
    "network.\",\"type\":\"string\"}}}]}";

static const char rules_entry_schema[] =
    "{\"description\":\"A rule, or files of rules.\",\"type\":\"object\","
    "\"if\":{\"required\":[\"include\"]},\"then\":{\"$ref\":\"#/$defs/include\"},\"else\":{"
    "\"if\":{\"required\":[\"provider\"]},\"then\":{\"$ref\":\"#/$defs/provider_rule\"},"
    "\"else\":{\"$ref\":\"#/$defs/rule\"}}}";

/* The file's form decides what it is. */
static const char root_schema[] =
    "{\"type\":\"array\"},\"then\":{\"items\":{\"$ref\":\"#/$defs/rules_entry\"}},"
    "\"else\":{\"if\":{\"required\":[\"tests\"]},\"then\":{\"$ref\":\"#/$defs/tests\"},"
    "\"else\":{\"$ref\":\"#/$defs/configuration\"}}";

static void put_name(struct json_writer *writer, const char *name)
{
    json_put_name(writer, atamo_text(name));
}

static void put(struct json_writer *writer, const char *name, const char *text)
{
    put_name(writer, name);
    json_put_text(writer, atamo_text(text));
}

static void put_raw(struct json_writer *writer, const char *name, const char *json)
{
    put_name(writer, name);
    json_put_raw(writer, atamo_text(json));
}

static bool has_required(const struct key_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->keys[i].required)
            return true;
    return false;
}

static void put_reference(struct json_writer *writer, const struct key_table *table)
{
    char text[64];

    (void)snprintf(text, sizeof text, "#/$defs/%s", table->name);
    json_open_object(writer);
    put(writer, "$ref", text);
    json_close_object(writer);
}

/* A map of the table's kind; or nothing at all, if no key is required. */
static void put_inside(struct json_writer *writer, const struct key_table *table)
{
    if (has_required(table)) {
        put_reference(writer, table);
        return;
    }
    json_open_object(writer);
    put_name(writer, "anyOf");
    json_open_array(writer);
    put_reference(writer, table);
    json_put_raw(writer, atamo_text("{\"type\":\"null\"}"));
    json_close_array(writer);
    json_close_object(writer);
}

static void put_choices(struct json_writer *writer, const char *choices)
{
    put_name(writer, "enum");
    json_open_array(writer);
    while (*choices != '\0') {
        const size_t size = strcspn(choices, "|");

        json_put_text(writer, (atamo_bytes){choices, size});
        choices += size + (choices[size] == '|');
    }
    json_close_array(writer);
}

static void put_default(struct json_writer *writer, const struct key *key)
{
    if (key->fallback == NULL)
        return;
    put_name(writer, "default");
    if (key->kind == KEY_COUNT)
        json_put_raw(writer, atamo_text(key->fallback));
    else
        json_put_text(writer, atamo_text(key->fallback));
}

/* The members of a property's schema that say what its value may be. */
static void put_kind(struct json_writer *writer, const struct key *key)
{
    switch (key->kind) {
    case KEY_COUNT:
        put(writer, "type", "integer");
        put_name(writer, "minimum");
        json_put_int(writer, key->min);
        put_name(writer, "maximum");
        json_put_int(writer, key->max);
        break;
    case KEY_SIZE:
        put_raw(writer, "anyOf",
                "[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\",\"pattern\":"
                "\"^[0-9]+(B|[KMG]B|[KMG]iB)?$\"}]");
        break;
    case KEY_DURATION:
        put_raw(writer, "anyOf",
                "[{\"const\":0},{\"type\":\"string\",\"pattern\":"
                "\"^(0|([0-9]+(ns|us|ms|s|m|h|d))+)$\"}]");
        break;
    case KEY_TEXT:
        put(writer, "type", "string");
        put_name(writer, "minLength");
        json_put_int(writer, 1);
        put_name(writer, "maxLength");
        json_put_int(writer, key->max);
        break;
    case KEY_CHOICE:
        put_choices(writer, key->choices);
        break;
    case KEY_TEXTS:
        put_raw(writer, "anyOf",
                "[{\"type\":\"string\",\"minLength\":1},{\"type\":\"array\",\"items\":"
                "{\"type\":\"string\",\"minLength\":1}}]");
        break;
    case KEY_MAP:
        put_name(writer, "anyOf");
        json_open_array(writer);
        put_reference(writer, key->inside);
        json_put_raw(writer, atamo_text("{\"type\":\"null\"}"));
        json_close_array(writer);
        break;
    case KEY_NAMED:
        put_raw(writer, "type", "[\"object\",\"null\"]");
        put_name(writer, "additionalProperties");
        put_inside(writer, key->inside);
        break;
    case KEY_LIST:
        put_raw(writer, "type", "[\"array\",\"null\"]");
        put_name(writer, "items");
        put_inside(writer, key->inside);
        break;
    case KEY_ANY:
        break; /* has a schema of its own */
    }
}

/* A schema written by hand. */
static void put_own(struct json_writer *writer, const char *schema)
{
    put_name(writer, "allOf");
    json_open_array(writer);
    json_put_raw(writer, atamo_text(schema));
    json_close_array(writer);
}

static void put_property(struct json_writer *writer, const struct key *key)
{
    put_name(writer, key->name);
    json_open_object(writer);
    put(writer, "description", key->about);
    if (key->schema == NULL)
        put_kind(writer, key);
    else
        put_own(writer, key->schema);
    put_default(writer, key);
    json_close_object(writer);
}

static void put_table(struct json_writer *writer, const struct key_table *table)
{
    put_name(writer, table->name);
    json_open_object(writer);
    put(writer, "description", table->about);
    put(writer, "type", "object");
    put_name(writer, "properties");
    json_open_object(writer);
    for (size_t i = 0; i < table->count; i++)
        put_property(writer, &table->keys[i]);
    json_close_object(writer);
    if (has_required(table)) {
        put_name(writer, "required");
        json_open_array(writer);
        for (size_t i = 0; i < table->count; i++)
            if (table->keys[i].required)
                json_put_text(writer, atamo_text(table->keys[i].name));
        json_close_array(writer);
    }
    put_name(writer, "additionalProperties");
    json_put_bool(writer, table->open);
    json_close_object(writer);
}

static void put_all(struct json_writer *writer)
{
    json_open_object(writer);
    put(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put(writer, "title", "Atamo: a configuration, its files of rules, and their tests");
    put_raw(writer, "if", root_schema);
    put_name(writer, "$defs");
    json_open_object(writer);
    for (size_t i = 0; i < FORMAT_TABLES; i++)
        put_table(writer, format_tables[i]);
    put_raw(writer, "rules_entry", rules_entry_schema);
    put_raw(writer, "pattern", pattern_schema);
    put_raw(writer, "clause", clause_schema);
    json_close_object(writer);
    json_close_object(writer);
}

atamo_bytes schema_write(struct arena *arena)
{
    struct json_writer writer;
    atamo_bytes text = {NULL, 0};
    char *data;

    json_writer_init(&writer, NULL, 0);
    put_all(&writer);
    text.size = writer.size;
    data = arena_alloc(arena, text.size + 1);
    if (data == NULL)
        return (atamo_bytes){NULL, 0};
    json_writer_init(&writer, data, text.size);
    put_all(&writer);
    text.data = data;
    return text;
}
