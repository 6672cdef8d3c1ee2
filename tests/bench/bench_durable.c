/* bench_durable - what it costs that an accepted message is on the disk.
 *
 * usage: bench_durable [--messages N] [--json]
 *
 * A durable hub on the LMDB store, 1 KB events, three actions each, all settled and purged. A
 * submitter sends its next event when the last one is committed; so many submitters as `window`
 * says are played by one client. `limit` is the same bytes in the same number of groups, appended
 * to a file with fdatasync after each group, in the same folder (the current one).
 */
#include <atamo/agent.h>
#include <atamo/hub.h>
#include <atamo/inline.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1024, WINDOW_MAX = 1024, LATENCIES = 200000 };

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
    (void)fprintf(stderr, "bench_durable: %s\n", what);
    _exit(1);
}

static void handle(void *self, atamo_action action)
{
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "done", .version = "1", .summary = "is done", .agent = &agent,
};

/* A run with one number of submitters. Events of one client are committed in the order in which it
 * submitted them. */
struct run {
    atamo_hub *hub;
    atamo_client *client;
    int64_t submitted[WINDOW_MAX]; /* when, by number modulo the window */
    uint64_t sent, committed, groups;
    uint32_t window;
    int64_t last_group;
    int64_t *latencies;
};

static void note_records(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct run *run = user;
    const int64_t now = now_ns();

    must(lost == 0, "records were lost");
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        if (records[i].step != ATAMO_STEP_COMMITTED)
            continue;
        if (run->committed < LATENCIES)
            run->latencies[run->committed] = now - run->submitted[run->committed % run->window];
        run->groups += records[i].time_ns != run->last_group;
        run->last_group = records[i].time_ns;
        run->committed++;
    }
}

static void open_run(struct run *run, const char *folder, uint32_t window)
{
    const atamo_registration registration = {&plugin, NULL};
    atamo_settings settings = {
        .size = sizeof settings, .plugins = &registration, .plugin_count = 1};
    char yaml[1024];
    int64_t *latencies = run->latencies;

    *run = (struct run){.window = window, .latencies = latencies};
    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable, recent: 0}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n"
                   "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}\n"
                   "rules:\n  - id: r\n    on: order.created\n    then:\n"
                   "      - {agent: a, action: one}\n      - {agent: b, action: two}\n"
                   "      - {agent: c, action: three}\n",
                   ATAMO_BUILD_DIR, folder);
    settings.config = atamo_text(yaml);
    must(atamo_open(&settings, &run->hub, NULL) == ATAMO_OK, "open");
    must(atamo_client_open(run->hub, &run->client) == ATAMO_OK, "client");
    must(atamo_watch_telemetry(run->client, ATAMO_WATCH_OWN, note_records, run) == ATAMO_OK,
         "telemetry");
}

static void close_run(struct run *run)
{
    atamo_client_close(run->client);
    must(atamo_close(run->hub, 10000) == ATAMO_OK, "close");
}

/* Returns seconds until everything is settled. */
static double submit_all(struct run *run, uint64_t count)
{
    static char data[PAYLOAD];
    atamo_event_draft draft = atamo_draft("order.created");
    atamo_stats stats = {.size = sizeof stats};
    int64_t start;

    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 1] = '"';
    draft.source = atamo_text("/shop");
    draft.subject = atamo_text("order-1000");
    draft.data = (atamo_bytes){data, sizeof data};
    start = now_ns();
    while (run->committed < count) {
        while (run->sent < count && run->sent - run->committed < run->window) {
            run->submitted[run->sent % run->window] = now_ns();
            if (atamo_submit(run->client, &draft, NULL) != ATAMO_OK)
                break;
            run->sent++;
        }
        (void)atamo_wait(run->client, 100);
        (void)atamo_dispatch(run->client, 0, NULL);
    }
    must(atamo_wait_idle(run->hub, 60000) == ATAMO_OK, "idle");
    must(atamo_stats_get(run->hub, NULL, &stats) == ATAMO_OK && stats.done == 3 * count,
         "not every action was done");
    return (double)(now_ns() - start) / 1e9;
}

/* The same bytes in as many groups to a log. Returns seconds. */
static double log_all(const char *folder, uint64_t count, uint64_t groups)
{
    const uint64_t each = count / (groups == 0 ? 1 : groups) + 1;
    char *bytes = calloc(each, PAYLOAD + 128);
    char path[256];
    int64_t start;
    int file;

    (void)snprintf(path, sizeof path, "%s/log", folder);
    file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    must(file >= 0 && bytes != NULL, "the log");
    start = now_ns();
    for (uint64_t done = 0; done < count; done += each) {
        const size_t size = (size_t)each * (PAYLOAD + 128);

        must(write(file, bytes, size) == (ssize_t)size, "write");
        must(fdatasync(file) == 0, "fdatasync");
    }
    free(bytes);
    (void)close(file);
    (void)unlink(path);
    return (double)(now_ns() - start) / 1e9;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile_us(int64_t *list, uint64_t count, double part)
{
    qsort(list, count, sizeof *list, compare);
    return (double)list[(size_t)((double)(count - 1) * part)] / 1000.0;
}

static void remove_store(const char *folder)
{
    static const char *const names[] = {"store", "store-lock", "store-owner"};
    char path[256];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
}

struct result {
    double per_s, p50, p99, group;
    uint64_t groups;
};

static struct result measure(const char *folder, uint32_t window, uint64_t count)
{
    static int64_t latencies[LATENCIES];
    static struct run run;
    struct result result;

    run.latencies = latencies;
    open_run(&run, folder, window);
    result.per_s = (double)count / submit_all(&run, count);
    result.groups = run.groups;
    result.group = (double)count / (double)run.groups;
    close_run(&run);
    count = count < LATENCIES ? count : LATENCIES;
    result.p50 = percentile_us(latencies, count, 0.5);
    result.p99 = percentile_us(latencies, count, 0.99);
    remove_store(folder);
    return result;
}

int main(int argc, char **argv)
{
    static const uint32_t windows[] = {1, 16, 64, 1000};
    char folder[] = "durable-XXXXXX";
    uint64_t count = 200000;
    struct result main_result = {0};
    double limit;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--messages") == 0 && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 10);
    must(mkdtemp(folder) != NULL, "a folder");
    (void)printf("{\"case\":\"durable\",\"submitters\":[");
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const uint64_t share = windows[i] == 1 ? count / 50 : windows[i] == 16 ? count / 4 : count;
        const struct result result = measure(folder, windows[i], share);

        if (windows[i] == 64)
            main_result = result;
        (void)printf("%s{\"submitters\":%u,\"messages_per_s\":%.0f,\"commit_p50_us\":%.0f,"
                     "\"commit_p99_us\":%.0f,\"messages_per_commit\":%.1f}",
                     i == 0 ? "" : ",", windows[i], result.per_s, result.p50, result.p99,
                     result.group);
    }
    limit = (double)count / log_all(folder, count, main_result.groups);
    (void)printf(
        "],\"messages_per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"limit\":{\"what\":\"the "
        "same bytes in as many groups to a log with fdatasync\",\"messages_per_s\":%.0f},"
        "\"ratio_to_limit\":%.3f}\n",
        main_result.per_s, main_result.p50, main_result.p99, limit, main_result.per_s / limit);
    (void)rmdir(folder);
    return 0;
}
