/* bench_requests - what do requests cost, beside a bare queue measured in the same run?
 *
 *     bench_requests [--json]
 *
 * Requests with one reply and the end each, 256 of them open at a time; the replies of one feed
 * whose client takes them as fast as it can and whose agent waits for room; and how much memory a
 * request takes while an agent works on it. The limit is a queue such as the hub's outlet with
 * nothing around it: one thread fills a message from malloc and pushes it to a stack, wakes the
 * other when that sleeps, and that one takes all at once, looks at each and frees it.
 */
#include <atamo/atamo.h>

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUESTS = 1000000,
    REPLIES = 3000000,
    OPEN = 50000,
    WINDOW = 256,
    QUEUE = 4096,
    BODY = 64,
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Time and CPU time of the whole process since then. */
struct lap {
    int64_t began, cpu;
};

static struct lap lap_begin(void)
{
    return (struct lap){clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
}

struct rate {
    double per_s, cpu_ns;
};

static struct rate lap_end(struct lap lap, double count)
{
    return (struct rate){
        count * 1e9 / (double)(clock_ns(CLOCK_MONOTONIC) - lap.began),
        (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - lap.cpu) / count,
    };
}

static void must(int status, const char *what)
{
    if (status == ATAMO_OK)
        return;
    (void)fprintf(stderr, "bench_requests: %s: %s\n", what, atamo_status_text(status));
    _exit(1);
}

/* --- the hub's side */

static const char yaml[] = "hub: {max_messages: 200000}\n"
                           "agents:\n"
                           "  echo: {plugin: echo}\n"
                           "  feed: {plugin: feed}\n"
                           "  hold: {plugin: hold, concurrency: 100000}\n"
                           "rules:\n"
                           "  - {id: echo, on: echo, then: {agent: echo, action: do}}\n"
                           "  - {id: feed, on: feed, then: {agent: feed, action: do}}\n"
                           "  - {id: hold, on: hold, then: {agent: hold, action: do}}\n";

static char body[BODY];

static void echo(void *self, atamo_action action)
{
    const atamo_host *host = self;

    atamo_answer(host, action, host->body(host, action));
}

static uint64_t said; /* of the feed; the hub's thread */

static void go_on(void *self, atamo_action action)
{
    const atamo_host *host = self;

    while (said < REPLIES &&
           atamo_respond(host, action, (atamo_bytes){body, sizeof body}) == ATAMO_OK)
        said++;
    if (said == REPLIES)
        atamo_done(host, action);
}

static void hold(void *self, atamo_action action)
{
    (void)self;
    (void)action;
}

static void let_go(void *self, atamo_action action, uint32_t reason)
{
    (void)reason;
    atamo_done(self, action);
}

static const atamo_agent echoing = {.size = sizeof echoing, .handle = echo};
static const atamo_agent feeding = {.size = sizeof feeding, .handle = go_on, .room = go_on};
static const atamo_agent holding = {.size = sizeof holding, .handle = hold, .cancel = let_go};
static const atamo_plugin echo_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "echo", .version = "1", .summary = "echoes", .agent = &echoing,
};
static const atamo_plugin feed_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "feed", .version = "1", .summary = "feeds", .agent = &feeding,
};
static const atamo_plugin hold_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "hold", .version = "1", .summary = "holds", .agent = &holding,
};

struct bench {
    atamo_hub *hub;
    atamo_client *client;
    uint64_t replies, ends;
};

static void open_bench(struct bench *bench)
{
    static const atamo_registration plugins[] = {
        {&echo_plugin, NULL}, {&feed_plugin, NULL}, {&hold_plugin, NULL}};
    const atamo_settings settings = {
        .size = sizeof settings, .config = atamo_text(yaml), .plugins = plugins, .plugin_count = 3};

    must(atamo_open(&settings, &bench->hub, NULL), "open");
    must(atamo_client_open(bench->hub, &bench->client), "client");
}

static void close_bench(struct bench *bench)
{
    atamo_client_close(bench->client);
    must(atamo_close(bench->hub, 10000), "close");
}

static void count_replies(const atamo_reply *replies, size_t count, void *user)
{
    struct bench *bench = user;

    for (size_t i = 0; i < count; i++)
        bench->ends += replies[i].kind == ATAMO_REPLY_END;
    bench->replies += count;
}

static void ask(struct bench *bench, const char *type, const atamo_request_options *options)
{
    atamo_event_draft draft = atamo_draft(type);

    draft.data = (atamo_bytes){body, sizeof body};
    draft.datacontenttype = atamo_text("application/octet-stream");
    must(atamo_request(bench->client, &draft, options, count_replies, bench, NULL), "request");
}

static struct rate measure_requests(void)
{
    const atamo_request_options options = {.size = sizeof options, .flags = ATAMO_MORE};
    struct bench bench = {0};
    struct rate rate;
    struct lap lap;

    open_bench(&bench);
    lap = lap_begin();
    for (uint64_t asked = 0; bench.ends < REQUESTS;) {
        for (; asked < REQUESTS && asked - bench.ends < WINDOW; asked++)
            ask(&bench, "echo", &options);
        atamo_wake(bench.client);
        (void)atamo_wait(bench.client, 1000);
        (void)atamo_dispatch(bench.client, 0, NULL);
    }
    rate = lap_end(lap, REQUESTS);
    close_bench(&bench);
    return rate;
}

static struct rate measure_feed(void)
{
    const atamo_request_options options = {
        .size = sizeof options, .flags = ATAMO_FEED, .queue = QUEUE};
    struct bench bench = {0};
    struct rate rate;
    struct lap lap;

    open_bench(&bench);
    lap = lap_begin();
    ask(&bench, "feed", &options);
    while (bench.ends == 0) {
        (void)atamo_wait(bench.client, 1000);
        (void)atamo_dispatch(bench.client, 0, NULL);
    }
    rate = lap_end(lap, (double)bench.replies);
    close_bench(&bench);
    return rate;
}

static size_t memory(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Beside what the event and its action take without a client. */
static double measure_memory(bool asks)
{
    const atamo_request_options options = {.size = sizeof options, .timeout_ms = UINT32_MAX};
    atamo_event_draft draft = atamo_draft("hold");
    atamo_stats stats = {.size = sizeof stats};
    struct bench bench = {0};
    size_t before;
    size_t after;

    open_bench(&bench);
    before = memory();
    for (int i = 0; i < OPEN; i++) {
        int status = ATAMO_OK;

        do
            status =
                asks ? atamo_request(bench.client, &draft, &options, count_replies, &bench, NULL)
                     : atamo_submit(bench.client, &draft, NULL);
        while (status == ATAMO_BUSY);
        must(status, "request");
    }
    while (stats.running < OPEN)
        must(atamo_stats_get(bench.hub, NULL, &stats), "stats");
    after = memory();
    atamo_client_close(bench.client);
    (void)atamo_close(bench.hub, 0); /* what is held without a client is cancelled here */
    return (double)(after - before) / OPEN;
}

/* --- the limit */

struct bare_message {
    struct bare_message *next;
    size_t size;
    char bytes[BODY];
};

struct bare {
    _Atomic(struct bare_message *) top;
    _Atomic uint64_t taken;
    _Atomic bool asleep;
    int fd;
};

static void *fill(void *argument)
{
    struct bare *bare = argument;

    for (uint64_t i = 0; i < REPLIES; i++) {
        struct bare_message *message = malloc(sizeof *message);
        const uint64_t one = 1;

        if (message == NULL)
            _exit(1);
        memcpy(message->bytes, body, sizeof body);
        message->size = sizeof body;
        while (i - atomic_load(&bare->taken) >= QUEUE)
            (void)sched_yield();
        message->next = atomic_load(&bare->top);
        while (!atomic_compare_exchange_weak(&bare->top, &message->next, message))
            continue;
        if (atomic_load(&bare->asleep) && atomic_exchange(&bare->asleep, false))
            (void)!write(bare->fd, &one, sizeof one);
    }
    return NULL;
}

/* Everything that is there, oldest first; sleeps until something is. */
static struct bare_message *take(struct bare *bare)
{
    struct bare_message *message = atomic_exchange(&bare->top, NULL);
    struct bare_message *oldest = NULL;
    uint64_t count;

    while (message == NULL) {
        atomic_store(&bare->asleep, true);
        message = atomic_exchange(&bare->top, NULL);
        if (message == NULL)
            (void)!read(bare->fd, &count, sizeof count);
    }
    while (message != NULL) {
        struct bare_message *next = message->next;

        message->next = oldest;
        oldest = message;
        message = next;
    }
    return oldest;
}

static double bare_rate(void)
{
    struct bare bare = {.fd = eventfd(0, EFD_CLOEXEC)};
    uint64_t bytes = 0;
    pthread_t thread;
    struct lap lap = lap_begin();
    double rate;

    if (pthread_create(&thread, NULL, fill, &bare) != 0)
        _exit(1);
    for (uint64_t taken = 0; taken < REPLIES;) {
        struct bare_message *message = take(&bare);

        while (message != NULL) {
            struct bare_message *next = message->next;

            bytes += message->size;
            free(message);
            message = next;
            taken++;
        }
        atomic_store(&bare.taken, taken);
    }
    (void)pthread_join(thread, NULL);
    rate = lap_end(lap, (double)REPLIES).per_s;
    (void)close(bare.fd);
    return bytes == (uint64_t)REPLIES * BODY ? rate : 0;
}

int main(void)
{
    const double limit = bare_rate();
    const struct rate requests = measure_requests();
    const struct rate feed = measure_feed();
    const double alone = measure_memory(false);
    const double asked = measure_memory(true);

    (void)printf("{\"case\":\"requests\",\"messages_per_s\":%.0f,\"cpu_ns_per_message\":%.0f,"
                 "\"p50_us\":null,\"p99_us\":null,\"feed_replies_per_s\":%.0f,"
                 "\"feed_cpu_ns_per_reply\":%.0f,\"bytes_per_open_request\":%.0f,"
                 "\"bytes_without_client\":%.0f,\"limit\":{\"what\":\"messages from malloc through "
                 "a bare queue between two threads\",\"messages_per_s\":%.0f},"
                 "\"ratio_to_limit\":%.3f}\n",
                 requests.per_s, requests.cpu_ns, feed.per_s, feed.cpu_ns, asked, alone, limit,
                 feed.per_s / limit);
    return 0;
}
