/* rules - rules that are changed while the hub runs, shown, and tried.
 *
 * Happy path of a change: the configuration is built as if the rule's file were changed already, so
 * that whatever is wrong is found; then the file is written, and the new rules are swapped in. Only
 * rules change this way: if the files of the configuration have changed in other ways, too, that is
 * for a reload, which may end the very plugin that asks.
 *
 * The control lock is not waited for: who holds it may be closing the plugin that asks.
 */
#include "api/hub_inside.h"

#include "config/rule_test.h"
#include "config/rulebook.h"
#include "json/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- change */

struct change {
    atamo_hub *hub;
    const atamo_rule_draft *draft;
    struct problems *problems;
    struct arena arena;
    uint32_t version; /* that it has now */
    uint32_t made;
};

static bool is_new(const struct instance *instance)
{
    return instance != NULL && instance->state == INSTANCE_CREATED;
}

/* Has everything but rules stayed as it was? */
static bool changes_rules_only(const struct generation *now, const struct generation *then)
{
    bool same = now->agent_count == then->agent_count &&
                now->auditor_count == then->auditor_count &&
                now->event_provider_count == then->event_provider_count &&
                now->rule_provider_count == then->rule_provider_count;

    for (size_t i = 0; i < now->agent_count; i++)
        same = same && !is_new(now->agents[i].instance);
    for (size_t i = 0; i < now->auditor_count; i++)
        same = same && !is_new(now->auditors[i].instance);
    for (size_t i = 0; i < now->event_provider_count; i++)
        same = same && !is_new(now->event_providers[i].instance);
    for (size_t i = 0; i < now->rule_provider_count; i++)
        same = same && !is_new(now->rule_providers[i].instance);
    return same && (now->store == NULL) == (then->store == NULL) &&
           (now->store == NULL || !is_new(now->store->instance));
}

/* Is there a rule of that id in one of the files that people write? */
static bool stands_elsewhere(const struct change *change)
{
    const struct generation *latest = change->hub->latest;
    const uint32_t id = names_find(change->hub->names, atamo_text(change->draft->id));

    for (size_t i = 0; id != 0 && i < latest->rule_count; i++)
        if (latest->rules[i].id == id &&
            !rulebook_has(latest->rules_folder, latest->rules[i].place.file))
            return true;
    return false;
}

static int check(struct change *change)
{
    const struct generation *latest = change->hub->latest;
    const atamo_rule_draft *draft = change->draft;
    const char *folder = latest->rules_folder;
    const struct place nowhere = {NULL, 0, 0};
    atamo_bytes found;
    int status;

    if (folder == NULL || change->hub->config_path == NULL) {
        (void)problems_add(change->problems, nowhere,
                           "the configuration has no rules_folder for rules that may be changed");
        return ATAMO_UNSUPPORTED;
    }
    if (!rulebook_is_id(draft->id))
        return problems_add(change->problems, nowhere,
                            "an id here has letters, digits, '.', '_' and '-', at most %d",
                            RULEBOOK_ID_MAX);
    if (draft->source.size > RULEBOOK_TEXT_MAX)
        return ATAMO_TOO_LARGE;
    if (stands_elsewhere(change))
        return ATAMO_EXISTS;
    status = rulebook_read(&change->arena, folder, draft->id, &found);
    if (status != ATAMO_OK && status != ATAMO_NOT_FOUND)
        return status;
    if (status == ATAMO_NOT_FOUND && draft->source.size == 0)
        return ATAMO_NOT_FOUND;
    change->version = rulebook_latest(&change->arena, folder, draft->id);
    if (draft->expected == UINT32_MAX)
        return status == ATAMO_OK ? ATAMO_CONFLICT : ATAMO_OK;
    return draft->expected != 0 && draft->expected != change->version ? ATAMO_CONFLICT : ATAMO_OK;
}

/* Does the rule that is written there have the id that it is to have? */
static int check_id(struct change *change, const struct generation *generation)
{
    const uint32_t id = names_find(change->hub->names, atamo_text(change->draft->id));

    if (change->draft->source.size == 0)
        return ATAMO_OK;
    for (size_t i = 0; i < generation->rule_count; i++)
        if (generation->rules[i].id == id)
            return ATAMO_OK;
    return problems_add(change->problems, (struct place){NULL, 0, 0},
                        "the rule has another id than \"%s\"", change->draft->id);
}

static int write_down(struct change *change)
{
    const atamo_rule_draft *draft = change->draft;
    struct rulebook_version version = {
        .time_us = clock_now(&change->hub->flow.clock) / NS_PER_US,
        .user = draft->user == NULL ? "" : draft->user,
        .why = draft->why == NULL ? "" : draft->why,
        .source = draft->source,
    };
    const int status =
        rulebook_write(&change->arena, change->hub->latest->rules_folder, draft->id, &version);

    change->made = version.number;
    return status;
}

static int carry_out(struct change *change)
{
    atamo_hub *hub = change->hub;
    const struct config_change rule = {change->draft->id, change->draft->source};
    const struct config_source source = {.path = hub->config_path, .change = &rule};
    struct generation *generation = NULL;
    int status = check(change);

    if (status == ATAMO_OK)
        status = hub_build(hub, &source, change->problems, &generation);
    if (status != ATAMO_OK)
        return status;
    status = check_id(change, generation);
    if (status == ATAMO_OK && !changes_rules_only(generation, hub->latest))
        status = ATAMO_CONFLICT;
    if (status == ATAMO_OK)
        status = write_down(change);
    if (status != ATAMO_OK) {
        generation_free(generation);
        return status;
    }
    return hub_put_in_place(hub, generation, change->problems);
}

int atamo_rule_change(atamo_hub *hub, const atamo_rule_draft *draft, uint32_t *version,
                      atamo_report **report)
{
    struct problems *problems = malloc(sizeof *problems);
    struct change change = {.hub = hub, .draft = draft, .problems = problems};
    int status = ATAMO_BUSY;

    if (report != NULL)
        *report = NULL;
    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    arena_init(&change.arena);
    if (pthread_mutex_trylock(&hub->control) == 0) {
        status = carry_out(&change);
        hub_free_retired(hub);
        (void)pthread_mutex_unlock(&hub->control);
    }
    if (status == ATAMO_OK && version != NULL)
        *version = change.made;
    hub_report(problems, report);
    problems_close(problems);
    arena_close(&change.arena);
    free(problems);
    return status;
}

/* --- show */

static void put(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

/* The lines of a file from `line` on, as long as they are indented as far as that one's text. */
static atamo_bytes cut_out(atamo_bytes text, uint32_t line, uint32_t column)
{
    const char *at = text.data;
    const char *end = text.data + text.size;
    const char *begin;

    for (uint32_t i = 1; i < line && at < end; i++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));

        at = feed == NULL ? end : feed + 1;
    }
    begin = at;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const size_t size = (size_t)((feed == NULL ? end : feed) - at);
        size_t indent = 0;

        while (indent < size && at[indent] == ' ')
            indent++;
        if (at != begin && indent < size && indent + 1 < column)
            break;
        at += size + (feed != NULL);
    }
    return (atamo_bytes){begin, (size_t)(at - begin)};
}

struct showing {
    atamo_hub *hub;
    const char *id;
    struct place place;
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

    if (current->rules_folder != NULL)
        showing->folder = arena_copy(&showing->arena, atamo_text(current->rules_folder)).data;
    for (size_t i = 0; id != 0 && i < current->rule_count && !showing->found; i++) {
        if (current->rules[i].id != id)
            continue;
        showing->found = true;
        showing->place = current->rules[i].place;
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
        text = cut_out(text, showing->place.line, showing->place.column);
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
