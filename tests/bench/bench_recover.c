/* bench_recover - how long a hub takes from its start until what was left open is under way again.
 *
 * usage: bench_recover [--actions N] [--json]
 *
 * A durable hub accepts events of 1 KB with three actions each while their agents are paused, and
 * stops. `seconds` is from opening it again until the first action has been handed to its agent;
 * all that was open has been read and counted by then. `all_seconds` is until every action is done.
 * `limit` is a bare scan of the same store file.
 */
#include <atamo/agent.h>
#include <atamo/hub.h>
#include <atamo/inline.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1024, WINDOW = 1000, LIMIT_MS = 600000 };

static _Atomic uint64_t attempts;
static _Atomic int64_t first_ns;

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench_recover: %s\n", what);
    exit(1); /* NOLINT(concurrency-mt-unsafe): it ends */
}

static void handle(void *self, atamo_action action)
{
    if (atomic_fetch_add(&attempts, 1) == 0)
        atomic_store(&first_ns, now_ns());
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "done", .version = "1", .summary = "is done", .agent = &agent,
};

static atamo_hub *open_hub(const char *folder)
{
    static const atamo_registration registration = {&plugin, NULL};
    atamo_settings settings = {
        .size = sizeof settings, .plugins = &registration, .plugin_count = 1};
    atamo_hub *hub;
    char yaml[1024];

    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable, recent: 0}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n"
                   "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}\n"
                   "rules:\n  - id: r\n    on: order.created\n    then:\n"
                   "      - {agent: a, action: one}\n      - {agent: b, action: two}\n"
                   "      - {agent: c, action: three}\n",
                   ATAMO_BUILD_DIR, folder);
    settings.config = atamo_text(yaml);
    must(atamo_open(&settings, &hub, NULL) == ATAMO_OK, "the hub does not open");
    return hub;
}

static uint64_t committed;

static void note_records(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    (void)user;
    must(lost == 0, "records were lost");
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        committed += records[i].step == ATAMO_STEP_COMMITTED;
}

static void fill(const char *folder, uint64_t events)
{
    static char data[PAYLOAD];
    atamo_hub *hub = open_hub(folder);
    atamo_event_draft draft = atamo_draft("order.created");
    atamo_client *client;
    uint64_t sent = 0;

    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 1] = '"';
    draft.data = (atamo_bytes){data, sizeof data};
    must(atamo_agent_pause(hub, "a", 1) == ATAMO_OK && atamo_agent_pause(hub, "b", 1) == ATAMO_OK &&
             atamo_agent_pause(hub, "c", 1) == ATAMO_OK,
         "pause");
    must(atamo_client_open(hub, &client) == ATAMO_OK, "client");
    must(atamo_watch_telemetry(client, ATAMO_WATCH_OWN, note_records, NULL) == ATAMO_OK, "watch");
    while (committed < events) {
        while (sent < events && sent - committed < WINDOW &&
               atamo_submit(client, &draft, NULL) == ATAMO_OK)
            sent++;
        (void)atamo_wait(client, 100);
        (void)atamo_dispatch(client, 0, NULL);
    }
    atamo_client_close(client);
    must(atamo_close(hub, 60000) == ATAMO_OK, "close");
}

/* Read the file once, as fast as it goes. */
static double read_file(const char *folder)
{
    static char buffer[1 << 20];
    const int64_t start = now_ns();
    char path[256];
    int file;

    (void)snprintf(path, sizeof path, "%s/store", folder);
    file = open(path, O_RDONLY | O_CLOEXEC);
    must(file >= 0, "the store's file");
    while (read(file, buffer, sizeof buffer) > 0)
        ;
    (void)close(file);
    return (double)(now_ns() - start) / 1e9;
}

int main(int argc, char **argv)
{
    char folder[] = "./atamo-recover-XXXXXX";
    uint64_t actions = 1000000;
    char command[64];
    atamo_hub *hub;
    double limit;
    double all;
    int64_t start;

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--actions") == 0)
            actions = strtoull(argv[i + 1], NULL, 10);
    must(mkdtemp(folder) != NULL, "no folder");
    fill(folder, actions / 3 + 1);
    must(atomic_load(&attempts) == 0, "an agent that was paused has worked");
    limit = read_file(folder);
    start = now_ns();
    hub = open_hub(folder);
    while (atomic_load(&attempts) == 0)
        (void)usleep(1000);
    must(atamo_wait_idle(hub, LIMIT_MS) == ATAMO_OK, "idle");
    all = (double)(now_ns() - start) / 1e9;
    must(atomic_load(&attempts) == (actions / 3 + 1) * 3, "not every action was done once");
    must(atamo_close(hub, 10000) == ATAMO_OK, "close");
    (void)printf("{\"case\":\"recover\",\"actions\":%" PRIu64
                 ",\"seconds\":%.2f,\"all_seconds\":%.2f,\"limit\":{\"what\":\"read the store's "
                 "file once\",\"seconds\":%.2f}}\n",
                 (actions / 3 + 1) * 3, (double)(atomic_load(&first_ns) - start) / 1e9, all, limit);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 1; /* NOLINT(concurrency-mt-unsafe): no hub runs */
}
