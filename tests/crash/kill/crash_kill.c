/* crash_kill - a durable hub is killed at random instants, also while it recovers, and a checker
 * that knows nothing of it compares what was acknowledged with what was done.
 *
 * usage: crash_kill [--cycles N] [--seed S] [--plant early-ack]
 *
 * Each life is a process: it submits numbered events, in eight keys, and tells the parent through a
 * pipe which ones were committed and which ones its agent has done. The agent counts each number in
 * the hub's store and emits an event that another agent counts again. Some attempts fail after that
 * and are tried again. After a random time the parent kills the life; the last ones end by
 * themselves. Then:
 *
 *   - every event that was acknowledged has been done at least once;
 *   - every number that was done was counted exactly once by both agents, and no other;
 *   - within a key nothing is done again once its successor was done, and no successor before it;
 *   - the last hub's books balance, and its store has nothing left.
 *
 * --plant early-ack acknowledges when the event is submitted: the checker must find what is lost
 * then. Exit 0: all held; 1: something did not, and a line says what.
 */
#include <atamo/agent.h>
#include <atamo/hub.h>
#include <atamo/inline.h>
#include <atamo/kv.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 8, NUMBERS = 4000000, WINDOW = 200, PER_LIFE_MS = 60, LIMIT_MS = 60000 };

/* What a life tells. */
enum { ACKNOWLEDGED = 1, DONE = 2, ENDED = 3, COUNTED = 4, COUNTED_AGAIN = 5, MISCOUNTED = 6 };

struct news {
    uint32_t kind;
    uint32_t number; /* ENDED: 1 if the books balance */
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "crash_kill: %s\n", what);
    _exit(1);
}

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- a life */

struct life {
    int pipe;
    const char *folder;
    uint32_t next;
    bool last, early;
    bool counts; /* it tells what was counted in the store */
    uint32_t sent, committed;
    uint32_t waiting[WINDOW]; /* numbers submitted and not committed, a ring */
};

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
        atamo_retry(host, action, 0, "not at first");
        return;
    }
    tell(life, DONE, number);
    atamo_done(host, action);
}

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
    while (life->sent - life->committed < WINDOW) {
        atamo_event_draft draft = atamo_draft("x");
        char data[16];
        char key[16];

        (void)snprintf(data, sizeof data, "%u", life->next);
        (void)snprintf(key, sizeof key, "key-%u", life->next % KEYS);
        draft.data = atamo_text(data);
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

static void live(struct life *life)
{
    const atamo_registration registration = {&plugin, life};
    atamo_settings settings = {
        .size = sizeof settings, .plugins = &registration, .plugin_count = 1};
    atamo_stats stats = {.size = sizeof stats};
    atamo_client *client;
    atamo_hub *hub;
    char yaml[1024];
    int status;

    (void)snprintf(yaml, sizeof yaml,
                   "hub: {mode: durable}\n"
                   "store: {plugin: %s/lib/atamo/plugins/lmdb.so, config: {path: %s/store}}\n"
                   "agents:\n"
                   "  a: {plugin: work, concurrency: 64, retry: {base: 1ms, max: 5ms}}\n"
                   "  b: {plugin: work}\n"
                   "rules:\n"
                   "- {id: r, on: x, then: {agent: a, action: do}}\n"
                   "- {id: s, on: y, then: {agent: b, action: do}}\n"
                   "- {id: t, on: tell, then: [{agent: a, action: tell}, "
                   "{agent: b, action: tell}]}\n",
                   ATAMO_BUILD_DIR, life->folder);
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

/* --- the checker */

struct checker {
    uint8_t *acknowledged, *done, *counted; /* by number */
    uint32_t latest[KEYS];                  /* the highest number of each key that was done */
    uint32_t highest;                       /* number that any life told of */
    uint64_t acknowledgements, effects, repeated, miscounted;
    bool balanced;
};

static void check(struct checker *checker, const struct news *news)
{
    const uint32_t number = news->number;
    uint32_t *latest = &checker->latest[number % KEYS];

    if (news->kind == ENDED) {
        checker->balanced = number == 1;
        return;
    }
    must(number < NUMBERS, "a number that nobody sent");
    checker->highest = number > checker->highest ? number : checker->highest;
    if (news->kind == ACKNOWLEDGED) {
        checker->acknowledged[number] = 1;
        checker->acknowledgements++;
        return;
    }
    if (news->kind == COUNTED || news->kind == COUNTED_AGAIN) {
        checker->counted[number] |= (uint8_t)news->kind;
        return;
    }
    if (news->kind == MISCOUNTED) {
        checker->miscounted++;
        return;
    }
    checker->effects++;
    checker->repeated += checker->done[number];
    checker->done[number] = 1;
    if (number < *latest) {
        (void)fprintf(stderr, "crash_kill: %u was done after %u of the same key\n", number,
                      *latest);
        _exit(1);
    }
    *latest = number;
}

/* Hear a life until it is killed or ends. */
static void hear(struct checker *checker, int pipe, pid_t child, int64_t kill_at)
{
    bool killed = false;

    for (;;) {
        struct pollfd poller = {.fd = pipe, .events = POLLIN};
        const int64_t left = kill_at - now_ms();
        struct news news;

        if (!killed && left <= 0) {
            (void)kill(child, SIGKILL);
            killed = true;
        }
        if (poll(&poller, 1, killed ? -1 : (int)left) <= 0)
            continue;
        if (read(pipe, &news, sizeof news) != sizeof news)
            break;
        check(checker, &news);
    }
}

static void run_life(struct checker *checker, struct life *life, int64_t kill_at)
{
    int pipes[2];
    int status = 0;
    pid_t child;

    must(pipe(pipes) == 0, "no pipe");
    child = fork();
    must(child >= 0, "no process");
    if (child == 0) {
        (void)close(pipes[0]);
        life->pipe = pipes[1];
        live(life);
    }
    (void)close(pipes[1]);
    hear(checker, pipes[0], child, kill_at);
    (void)close(pipes[0]);
    must(waitpid(child, &status, 0) == child, "wait");
    must(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : status == 0,
         "a life ended in a way that nobody asked for");
}

static int verdict(const struct checker *checker, uint32_t cycles, uint64_t seed)
{
    uint64_t lost = 0;
    uint64_t wrong = checker->miscounted;

    for (uint32_t i = 0; i <= checker->highest; i++) {
        lost += checker->acknowledged[i] && !checker->done[i];
        wrong += checker->counted[i] != (checker->done[i] ? COUNTED | COUNTED_AGAIN : 0);
    }
    (void)printf("%u lives killed, seed %" PRIu64 ": %" PRIu64 " acknowledged, %" PRIu64
                 " done (%" PRIu64 " more than once), %" PRIu64 " lost, %" PRIu64
                 " not counted exactly once, books %s\n",
                 cycles, seed, checker->acknowledgements, checker->effects, checker->repeated, lost,
                 wrong, checker->balanced ? "balance" : "DO NOT BALANCE");
    return lost == 0 && wrong == 0 && checker->balanced && checker->acknowledgements > 0 ? 0 : 1;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

int main(int argc, char **argv)
{
    struct checker checker = {.balanced = false};
    char folder[] = "/tmp/atamo-kill-XXXXXX";
    struct life life = {.folder = folder};
    uint32_t cycles = 100;
    uint64_t seed = (uint64_t)time(NULL);
    uint64_t random;
    char command[64];
    int status;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cycles") == 0)
            cycles = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            life.early = true;
    }
    random = seed;
    checker.acknowledged = calloc(NUMBERS, 1);
    checker.done = calloc(NUMBERS, 1);
    checker.counted = calloc(NUMBERS, 1);
    must(checker.acknowledged != NULL && checker.done != NULL && checker.counted != NULL &&
             mkdtemp(folder) != NULL,
         "memory");
    for (uint32_t i = 0; i < cycles; i++) {
        run_life(&checker, &life, now_ms() + (int64_t)(next_random(&random) % PER_LIFE_MS));
        /* No number twice: a life may have sent so many of which it could tell nothing. */
        life.next = (checker.highest > life.next ? checker.highest : life.next) + WINDOW + 1;
    }
    life.last = true;
    run_life(&checker, &life, now_ms() + LIMIT_MS);
    checker.balanced = false;
    life.counts = true;
    run_life(&checker, &life, now_ms() + LIMIT_MS); /* and nothing is left for another one */
    status = verdict(&checker, cycles, seed);
    free(checker.acknowledged);
    free(checker.done);
    free(checker.counted);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? status : 1;
}
