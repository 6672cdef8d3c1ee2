/* rule_change - a rule that is made, changed or deleted while the hub runs.
 *
 * Happy path: the configuration is built as if the rule's file were changed already, so that
 * whatever is wrong is found; then the file is written, and the new rules are swapped in. Only
 * rules change this way: if the files of the configuration have changed in other ways, too, that is
 * for a reload, which may end the very plugin that asks.
 *
 * The control lock is not waited for without end: who holds it may be closing the plugin that asks.
 */
#include "api/hub_inside.h"

#include "config/rulebook.h"

#include <stdlib.h>
#include <time.h>

enum { LOCK_S = 2 };

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

static bool lock_for_a_while(pthread_mutex_t *lock)
{
    const struct timespec moment = {0, (long)NS_PER_MS};
    const int64_t until = clock_monotonic() + (int64_t)LOCK_S * NS_PER_S;

    while (pthread_mutex_trylock(lock) != 0) {
        if (clock_monotonic() >= until)
            return false;
        (void)nanosleep(&moment, NULL);
    }
    return true;
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
    if (lock_for_a_while(&hub->control)) {
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
