/* rule_show - a rule as it is written, what it has matched, and what it was.
 *
 * Happy path: the hub's thread says where the rule stands and what it has seen; its text is read
 * from that file on the caller's thread, and its versions from the folder's history. Fails if there
 * is no such rule, or as reading files does.
 */
#include "api/hub_inside.h"

#include "config/rulebook.h"
#include "json/write.h"

#include <stdio.h>
#include <string.h>

static void put(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static const char *after_lines(const char *at, const char *end, uint32_t count)
{
    while (count-- > 0 && at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));

        at = feed == NULL ? end : feed + 1;
    }
    return at;
}

/* What begins in a file at line and column, as far as it goes: until a line is indented less. The
 * indentation, and blank lines at the end, are left out. */
static atamo_bytes cut_out(struct arena *arena, atamo_bytes text, uint32_t line, uint32_t column)
{
    const char *end = text.data + text.size;
    const char *at = after_lines(text.data, end, line - 1);
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    if (out == NULL || (size_t)(end - at) < column)
        return (atamo_bytes){"", 0}; /* the file has become another one */
    at += column - 1;
    while (at < end) {
        const char *next = after_lines(at, end, 1);
        size_t indent = 0;

        memcpy(out + size, at, (size_t)(next - at));
        size += (size_t)(next - at);
        at = next;
        while (at + indent < end && at[indent] == ' ')
            indent++;
        if (at + indent < end && at[indent] != '\n' && indent + 1 < column)
            break;
        at += indent < column - 1 ? indent : column - 1;
    }
    while (size > 1 && out[size - 1] == '\n' && out[size - 2] == '\n')
        size--;
    return (atamo_bytes){out, size};
}

struct showing {
    atamo_hub *hub;
    const char *id;
    struct place place;
    struct rule_seen seen;
    char on[256];
    bool found, editable;
    const char *folder; /* in the arena; NULL: none */
    struct arena arena;
};

/* [hub thread] */
static void look_up(void *argument)
{
    struct showing *showing = argument;
    const struct generation *current = showing->hub->flow.current;
    const uint32_t id = names_find(showing->hub->names, atamo_text(showing->id));

    if (current == NULL)
        return; /* the hub is starting */
    if (current->rules_folder != NULL)
        showing->folder = arena_copy(&showing->arena, atamo_text(current->rules_folder)).data;
    for (size_t i = 0; id != 0 && i < current->rule_count && !showing->found; i++) {
        if (current->rules[i].id != id)
            continue;
        showing->found = true;
        showing->place = current->rules[i].place;
        showing->seen = current->seen[i];
        (void)snprintf(showing->on, sizeof showing->on, "%s", current->rules[i].on);
    }
    showing->editable = !showing->found || rulebook_has(showing->folder, showing->place.file);
}

static int put_source(struct showing *showing, struct json_writer *writer)
{
    struct problems problems;
    atamo_bytes text = {"", 0};
    int status = ATAMO_OK;

    problems_init(&problems);
    if (showing->place.file != NULL)
        status = config_read_text(&showing->arena, showing->place.file, &problems, &text);
    problems_close(&problems);
    if (status != ATAMO_OK)
        return status;
    if (!showing->editable)
        text = cut_out(&showing->arena, text, showing->place.line, showing->place.column);
    json_put_name(writer, atamo_text("source"));
    json_put_text(writer, text);
    return ATAMO_OK;
}

static void put_version(struct json_writer *writer, const struct rulebook_version *version)
{
    json_open_object(writer);
    json_put_name(writer, atamo_text("version"));
    json_put_uint(writer, version->number);
    json_put_name(writer, atamo_text("t_us"));
    json_put_int(writer, version->time_us);
    put(writer, "user", version->user);
    put(writer, "why", version->why);
    json_put_name(writer, atamo_text("deleted"));
    json_put_bool(writer, version->source.size == 0);
    json_put_name(writer, atamo_text("source"));
    json_put_text(writer, version->source);
    json_close_object(writer);
}

static int put_versions(struct showing *showing, uint32_t latest, struct json_writer *writer)
{
    int status = ATAMO_OK;

    json_put_name(writer, atamo_text("versions"));
    json_open_array(writer);
    for (uint32_t i = 1; i <= latest && status == ATAMO_OK; i++) {
        struct rulebook_version version;

        status = rulebook_version(&showing->arena, showing->folder, showing->id, i, &version);
        if (status == ATAMO_OK)
            put_version(writer, &version);
    }
    json_close_array(writer);
    return status;
}

/* What it is for, and what it has matched. */
static void put_seen(const struct showing *showing, struct json_writer *writer)
{
    const char *on = showing->on;

    json_put_name(writer, atamo_text("on"));
    json_open_array(writer);
    while (*on != '\0') {
        const size_t size = strcspn(on, " ");

        json_put_text(writer, (atamo_bytes){on, size});
        on += size + (on[size] == ' ');
    }
    json_close_array(writer);
    json_put_name(writer, atamo_text("hits"));
    json_put_uint(writer, showing->seen.hits);
    json_put_name(writer, atamo_text("last_match_us"));
    json_put_int(writer, showing->seen.last_ns / NS_PER_US);
}

static int show(struct showing *showing, int history, struct json_writer *writer)
{
    uint32_t latest = 0;
    int status = ATAMO_OK;

    if (showing->editable && showing->folder != NULL && rulebook_is_id(showing->id))
        latest = rulebook_latest(&showing->arena, showing->folder, showing->id);
    if (!showing->found && (latest == 0 || history == 0))
        return ATAMO_NOT_FOUND;
    json_open_object(writer);
    put(writer, "id", showing->id);
    json_put_name(writer, atamo_text("version"));
    json_put_uint(writer, latest);
    put(writer, "file", showing->place.file == NULL ? "" : showing->place.file);
    json_put_name(writer, atamo_text("line"));
    json_put_uint(writer, showing->place.line);
    json_put_name(writer, atamo_text("editable"));
    json_put_bool(writer, showing->editable);
    put_seen(showing, writer);
    if (showing->found)
        status = put_source(showing, writer);
    if (status == ATAMO_OK && history != 0)
        status = put_versions(showing, latest, writer);
    json_close_object(writer);
    return status;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the writer writes through it */
int atamo_rule_show(atamo_hub *hub, const char *id, int history, char *buffer, size_t capacity,
                    size_t *size)
{
    struct showing showing = {.hub = hub, .id = id};
    struct json_writer writer;
    int status;

    arena_init(&showing.arena);
    json_writer_init(&writer, buffer, capacity);
    flow_call(&hub->flow, look_up, &showing);
    status = show(&showing, history, &writer);
    arena_close(&showing.arena);
    *size = writer.size;
    return status;
}
