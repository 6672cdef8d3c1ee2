/* life - one process of a hub that will be killed.
 *
 * Happy path: it opens the hub on the store that it finds, submits numbered events without end, and
 * writes to a pipe what was committed and what its agents have done. The agents count each number
 * in the hub's store, with the outcome. The last life submits nothing, waits until all is done, and
 * tells whether the books balance.
 */
#include "life.h"

#include <atamo/agent.h>
#include <atamo/hub.h>
#include <atamo/inline.h>
#include <atamo/kv.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void give_up(const char *what)
{
    (void)fprintf(stderr, "crash_kill: %s\n", what);
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void tell(const struct life *life, uint32_t kind, uint32_t number)
{
    const struct news news = {kind, number};

    must(write(life->pipe, &news, sizeof news) == sizeof news, "the pipe broke");
}

struct telling {
    const struct life *life;
    uint32_t kind;
};

/* [within kv->scan()] Key: a number; value: a byte for each time it was counted. */
static int tell_count(void *user, const atamo_record *record)
{
    const struct telling *telling = user;
    const bool once = record->status == ATAMO_OK && record->value.size == 1;
    char key[16];

    (void)snprintf(key, sizeof key, "%.*s", (int)record->key.size, record->key.data);
    tell(telling->life, once ? telling->kind : MISCOUNTED, (uint32_t)strtoul(key, NULL, 10));
    return 0;
}

static int note_size(void *user, const atamo_record *record)
{
    size_t *size = user;

    *size = record->value.size;
    return 0;
}

/* One more byte under the number. */
static void count(const atamo_host *host, atamo_action action, atamo_bytes number)
{
    const atamo_kv *kv = host->extension(host, ATAMO_KV_EXTENSION);
    size_t size = 0;
    char bytes[64];

    (void)kv->get(host, action, number, note_size, &size);
    must(size < sizeof bytes, "a number was counted again and again");
    memset(bytes, '1', sizeof bytes);
    must(kv->put(host, action, number, (atamo_bytes){bytes, size + 1}, ATAMO_KV_ANY) == ATAMO_OK,
         "kv put");
}

static void emit(const atamo_host *host, atamo_action action, atamo_bytes number)
{
    atamo_event_draft draft = atamo_draft("y");

    draft.data = number;
    must(host->emit(host, action, &draft) == ATAMO_OK, "emit");
}

/* The agents "a", for the events, and "b", for what "a" emits. */
static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    const struct life *life = host->context(host);
    const bool first = strcmp(host->instance(host).data, "a") == 0;
    atamo_action_info info = {.size = sizeof info};
    uint32_t number;

    if (host->info(host, action, &info) != ATAMO_OK)
        return;
    if (strcmp(info.type.data, "tell") == 0) {
        const struct telling telling = {life, first ? COUNTED : COUNTED_AGAIN};
        const atamo_kv *kv = host->extension(host, ATAMO_KV_EXTENSION);

        must(kv->scan(host, action, atamo_text(""), atamo_text(""), tell_count,
                      (void *)(uintptr_t)&telling) == ATAMO_OK,
             "scan");
        atamo_done(host, action);
        return;
    }
    count(host, action, info.body);
    if (!first) {
        atamo_done(host, action);
        return;
    }
    emit(host, action, info.body);
    number = (uint32_t)strtoul(info.body.data, NULL, 10);
    if (info.attempt == 1 && number % 5 == 0) {
        atamo_retry(host, action, number % 31, "not at first");
        return;
    }
    tell(life, DONE, number);
    atamo_done(host, action);
}

static const char lmdb[] = ATAMO_BUILD_DIR "/lib/atamo/plugins/lmdb.so";

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

static void note_records(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct life *life = user;

    must(lost == 0, "records were lost");
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        if (records[i].step != ATAMO_STEP_COMMITTED)
            continue;
        if (!life->early)
            tell(life, ACKNOWLEDGED, life->waiting[life->committed % WINDOW]);
        life->committed++;
    }
}

static void submit_some(struct life *life, atamo_client *client)
{
    while (life->sent - life->committed < WINDOW && life->sent < PER_LIFE) {
        atamo_event_draft draft = atamo_draft("x");
        char data[16];
        char key[16];

        (void)snprintf(data, sizeof data, "%u", life->next);
        (void)snprintf(key, sizeof key, "key-%u", life->next % KEYS);
        draft.data = atamo_text(data);
        if (is_delayed(life->next))
            draft.delay_ms = life->next % 97;
        else
            draft.partitionkey = atamo_text(key);
        life->waiting[life->sent % WINDOW] = life->next;
        if (atamo_submit(client, &draft, NULL) != ATAMO_OK)
            return;
        if (life->early)
            tell(life, ACKNOWLEDGED, life->next);
        life->sent++;
        life->next++;
    }
}

void live(struct life *life)
{
    const atamo_registration plugins[] = {{&plugin, life}, {life->store, NULL}};
    atamo_settings settings = {
        .size = sizeof settings, .plugins = plugins, .plugin_count = life->store == NULL ? 1 : 2};
    atamo_stats stats = {.size = sizeof stats};
    atamo_client *client;
    atamo_hub *hub;
    char yaml[1024];
    int status;

    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable}\n"
                   "store: {plugin: %s, config: {path: %s/store}}\n"
                   "agents:\n"
                   "  a: {plugin: work, concurrency: 64, queue: %u, retry: {base: 1ms, max: 5ms}}\n"
                   "  b: {plugin: work, queue: %u}\n"
                   "rules:\n"
                   "- {id: r, on: x, then: {agent: a, action: do}}\n"
                   "- {id: s, on: y, then: {agent: b, action: do}}\n"
                   "- {id: t, on: tell, then: [{agent: a, action: tell}, "
                   "{agent: b, action: tell}]}\n",
                   life->store == NULL ? lmdb : life->store->id, life->folder,
                   life->last ? 1000 : life->next % 3 * 50,
                   life->last ? 1000 : life->next % 5 * 20);
    settings.config = atamo_text(yaml);
    must(atamo_open(&settings, &hub, NULL) == ATAMO_OK, "the hub does not open");
    must(atamo_client_open(hub, &client) == ATAMO_OK, "client");
    /* The last life only finishes; nobody would listen while it waits. */
    must(life->last ||
             atamo_watch_telemetry(client, ATAMO_WATCH_OWN, note_records, life) == ATAMO_OK,
         "watch");
    while (!life->last) { /* until it is killed */
        submit_some(life, client);
        (void)atamo_wait(client, 100);
        (void)atamo_dispatch(client, 0, NULL);
    }
    status = atamo_wait_idle(hub, LIMIT_MS);
    if (life->counts && status == ATAMO_OK) {
        const atamo_event_draft draft = atamo_draft("tell");

        must(atamo_submit(client, &draft, NULL) == ATAMO_OK, "submit");
        status = atamo_wait_idle(hub, LIMIT_MS);
    }
    must(atamo_stats_get(hub, NULL, &stats) == ATAMO_OK, "stats");
    atamo_client_close(client);
    status = atamo_close(hub, 10000) == ATAMO_OK ? status : ATAMO_TIMEOUT;
    tell(life, ENDED,
         status == ATAMO_OK && stats.accepted == stats.finished &&
             stats.actions ==
                 stats.done + stats.dead + stats.shed + stats.cancelled + stats.expired);
    _exit(0);
}
