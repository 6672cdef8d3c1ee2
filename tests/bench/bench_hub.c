/* bench_hub - how fast is the hub, beside a bare reference measured in the same run?
 *
 *     bench_hub CASE [--messages N] [--json]
 *
 * fanout       1 KB, ten rules over attributes of which three hit, three inline agents, one auditor
 * fanout-json  the same with conditions and templates over JSON data
 * fanout-pool  the same with agents that run on threads
 * latency      a request from another thread to its last reply; the hub asleep, and busy
 * memory       what a waiting message costs beside its payload; resident set of an idle hub
 * soak         fanout-json for a while (--seconds N) with a reload every second: is memory flat,
 * does everything add up?
 *
 * Each prints one JSON object. The reference of the throughput cases is what no hub could do less
 * than: copy the payload into a ring, hand it to another thread, call three functions.
 */
#include <atamo/atamo.h>

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1024, LATENCY_ROUNDS = 20000, WAITING = 200000, BATCH = 64 };

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* CPU time of the whole process, ns. */
static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void must(int status, const char *what)
{
    if (status == ATAMO_OK)
        return;
    (void)fprintf(stderr, "bench_hub: %s: %s\n", what, atamo_status_text(status));
    _exit(1);
}

/* --- plugins of the bench */

static void handle_done(void *self, atamo_action action)
{
    atamo_done(self, action);
}

static const atamo_agent inline_agent = {.size = sizeof inline_agent, .handle = handle_done};
static const atamo_plugin agent_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "done", .version = "1", .summary = "is done", .agent = &inline_agent,
};

static void handle_all_done(void *self, const atamo_action *actions, size_t count)
{
    const atamo_host *host = self;

    host->settle(host, actions, NULL, count);
}

static const atamo_agent pool_agent = {
    .size = sizeof pool_agent, .mode = ATAMO_POOL, .handle_batch = handle_all_done};
static const atamo_plugin pool_plugin = {
    ATAMO_PLUGIN_HEAD,    .id = "done-pool",    .version = "1",
    .summary = "is done", .agent = &pool_agent,
};

static void handle_echo(void *self, atamo_action action)
{
    const atamo_host *host = self;

    atamo_answer(host, action, host->body(host, action));
}

static const atamo_agent echo_agent = {.size = sizeof echo_agent, .handle = handle_echo};
static const atamo_plugin echo_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "echo", .version = "1", .summary = "echoes", .agent = &echo_agent,
};

static int count_records(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    const atamo_host *host = self;
    uint64_t *total = host->context(host);

    if (lost > 0 || records[0].step >= ATAMO_STEP_COUNT)
        abort();
    *total += count;
    return ATAMO_OK;
}

static const atamo_auditor auditor = {.size = sizeof auditor, .records = count_records};
static const atamo_plugin auditor_plugin = {
    ATAMO_PLUGIN_HEAD,           .id = "count",       .version = "1",
    .summary = "counts records", .auditor = &auditor,
};

/* An event provider on the hub's own thread: it produces `left` events and is finished. */
struct producer {
    const atamo_event_draft *draft;
    size_t left;
};

static size_t produce(void *self, size_t budget)
{
    const atamo_host *host = self;
    struct producer *producer = host->context(host);
    size_t count = 0;

    while (count < budget && producer->left > 0) {
        size_t taken = 0;

        if (host->submit(host, producer->draft, 1, &taken, NULL) != ATAMO_OK)
            break;
        producer->left--;
        count++;
    }
    if (producer->left == 0)
        host->finished(host);
    return count;
}

static const atamo_event_provider provider = {.size = sizeof provider, .produce = produce};
static const atamo_plugin provider_plugin = {
    ATAMO_PLUGIN_HEAD,           .id = "produce", .version = "1", .summary = "produces events",
    .event_provider = &provider,
};

/* --- configurations */

static const char attribute_rules[] =
    "rules:\n"
    "  - {id: r0, on: order.created, when: {source: [/shop]}, then: {agent: a, action: one}}\n"
    "  - {id: r1, on: order.created, when: {subject: [{prefix: 'order-'}]}, then: {agent: b, "
    "action: two}}\n"
    "  - {id: r2, on: 'order.*', then: {agent: c, action: three}}\n"
    "  - {id: r3, on: order.created, when: {source: [/other]}, then: {agent: a, action: x}}\n"
    "  - {id: r4, on: order.paid, then: {agent: a, action: x}}\n"
    "  - {id: r5, on: order.created, when: {subject: [{prefix: 'user-'}]}, then: {agent: a, "
    "action: x}}\n"
    "  - {id: r6, on: order.created, when: {user: [anna]}, then: {agent: a, action: x}}\n"
    "  - {id: r7, on: 'user.*', then: {agent: a, action: x}}\n"
    "  - {id: r8, on: order.created, when: {source: [/a, /b]}, then: {agent: a, action: x}}\n"
    "  - {id: r9, on: order.created, when: {subject: [order-9]}, then: {agent: a, action: x}}\n";

static const char json_rules[] =
    "rules:\n"
    "  - {id: r0, on: order.created, when: {data: {total: [{numeric: ['>=', 100]}]}},\n"
    "     then: {agent: a, action: one, with: {to: '${data.customer.email}', sum: "
    "'${data.total}'}}}\n"
    "  - {id: r1, on: order.created, when: {data: {country: [DE, FR]}}, then: {agent: b, action: "
    "two}}\n"
    "  - {id: r2, on: order.created, when: {data: {status: [{anything-but: cancelled}]}},\n"
    "     then: {agent: c, action: three, with: {text: 'Order ${data.id} of "
    "${data.customer.name}'}}}\n"
    "  - {id: r3, on: order.created, when: {data: {total: [{numeric: ['<', 100]}]}}, then: {agent: "
    "a, action: x}}\n"
    "  - {id: r4, on: order.created, when: {data: {country: [IT]}}, then: {agent: a, action: x}}\n"
    "  - {id: r5, on: order.created, when: {data: {coupon: [{exists: true}]}}, then: {agent: a, "
    "action: x}}\n"
    "  - {id: r6, on: order.created, when: {data: {status: [cancelled]}}, then: {agent: a, action: "
    "x}}\n"
    "  - {id: r7, on: order.created, when: {data: {customer: {vip: [true]}}}, then: {agent: a, "
    "action: x}}\n"
    "  - {id: r8, on: order.paid, then: {agent: a, action: x}}\n"
    "  - {id: r9, on: order.created, when: {data: {id: [{prefix: X}]}}, then: {agent: a, action: "
    "x}}\n";

struct bench {
    atamo_hub *hub;
    uint64_t records;
    struct producer producer;
};

static void open_hub(struct bench *bench, const char *agents, const char *rules, bool produces,
                     uint32_t flags)
{
    const atamo_registration plugins[] = {{&agent_plugin, NULL},
                                          {&pool_plugin, NULL},
                                          {&echo_plugin, NULL},
                                          {&auditor_plugin, &bench->records},
                                          {&provider_plugin, &bench->producer}};
    atamo_settings settings = {.size = sizeof settings,
                               .flags = flags,
                               .plugins = plugins,
                               .plugin_count = sizeof plugins / sizeof plugins[0]};
    atamo_report *report = NULL;
    char yaml[8192];

    (void)snprintf(yaml, sizeof yaml, "%s\nauditors: {n: {plugin: count, ring: 65536}}\n%s%s",
                   agents, produces ? "event_providers: {p: {plugin: produce}}\n" : "", rules);
    settings.config = atamo_text(yaml);
    if (atamo_open(&settings, &bench->hub, &report) != ATAMO_OK) {
        for (size_t i = 0; i < atamo_report_count(report); i++)
            (void)fprintf(stderr, "%u: %s\n", atamo_report_at(report, i).line,
                          atamo_report_at(report, i).text);
        _exit(1);
    }
    atamo_report_free(report);
}

static atamo_event_draft make_draft(bool json)
{
    static char data[PAYLOAD + 1];
    atamo_event_draft draft = atamo_draft("order.created");
    const int head = snprintf(
        data, sizeof data,
        "{\"id\":\"A-1000\",\"total\":129.90,\"country\":\"DE\",\"status\":\"open\",\"customer\":"
        "{\"name\":\"Anna Schmidt\",\"email\":\"anna@example.org\",\"vip\":false},\"lines\":[");
    size_t at = (size_t)head;

    for (int i = 0; at + 64 < PAYLOAD; i++)
        at += (size_t)snprintf(data + at, sizeof data - at,
                               "%s{\"sku\":\"S-%04d\",\"count\":%d,\"price\":%d.95}",
                               i == 0 ? "" : ",", i, i % 5 + 1, i * 3);
    at += (size_t)snprintf(data + at, sizeof data - at, "]");
    memset(data + at, ' ', PAYLOAD - 1 - at);
    data[PAYLOAD - 1] = '}';
    draft.source = atamo_text("/shop");
    draft.subject = atamo_text("order-1000");
    draft.data = (atamo_bytes){data, PAYLOAD};
    (void)json;
    return draft;
}

/* --- the reference: copy, hand over, three calls */

enum { SLOTS = 4096 };

struct bare {
    char (*slots)[PAYLOAD];
    _Atomic uint64_t tail, head;
    uint64_t count, sum;
    void (*volatile call[3])(struct bare *bare, const char *payload);
};

static void touch(struct bare *bare, const char *payload)
{
    bare->sum += (unsigned char)payload[0];
}

static void *bare_consumer(void *argument)
{
    struct bare *bare = argument;

    for (uint64_t head = 0; head < bare->count;) {
        const uint64_t tail = atomic_load_explicit(&bare->tail, memory_order_acquire);

        for (; head < tail; head++)
            for (int i = 0; i < 3; i++)
                bare->call[i](bare, bare->slots[head % SLOTS]);
        atomic_store_explicit(&bare->head, head, memory_order_release);
    }
    return NULL;
}

static double bare_rate(uint64_t count, const char *payload)
{
    struct bare bare = {.count = count, .call = {touch, touch, touch}};
    pthread_t thread;
    int64_t start;

    bare.slots = calloc(SLOTS, PAYLOAD);
    if (bare.slots == NULL || pthread_create(&thread, NULL, bare_consumer, &bare) != 0)
        _exit(1);
    start = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        while (i - atomic_load_explicit(&bare.head, memory_order_acquire) >= SLOTS)
            ;
        memcpy(bare.slots[i % SLOTS], payload, PAYLOAD);
        atomic_store_explicit(&bare.tail, i + 1, memory_order_release);
    }
    (void)pthread_join(thread, NULL);
    free(bare.slots);
    return (double)count * 1e9 / (double)(now_ns() - start);
}

/* --- throughput */

static void submit_all(atamo_client *client, const atamo_event_draft *draft, uint64_t count)
{
    for (uint64_t i = 0; i < count;) {
        const int status = atamo_submit(client, draft, NULL);

        if (status == ATAMO_OK)
            i++;
        else if (status != ATAMO_BUSY)
            must(status, "submit");
    }
}

struct rate {
    double messages_per_s;
    double cpu_ns; /* per message */
};

static struct rate measure_submitted(const char *agents, const char *rules, uint64_t count)
{
    struct bench bench = {0};
    atamo_client *client;
    const atamo_event_draft draft = make_draft(true);
    atamo_stats stats = {.size = sizeof stats};
    struct rate rate;
    int64_t start;
    int64_t cpu;

    open_hub(&bench, agents, rules, false, ATAMO_SPIN);
    must(atamo_client_open(bench.hub, &client), "client");
    submit_all(client, &draft, count / 10);
    must(atamo_wait_idle(bench.hub, 60000), "warm-up");
    start = now_ns();
    cpu = cpu_ns();
    submit_all(client, &draft, count);
    must(atamo_wait_idle(bench.hub, 60000), "idle");
    rate.messages_per_s = (double)count * 1e9 / (double)(now_ns() - start);
    rate.cpu_ns = (double)(cpu_ns() - cpu) / (double)count;
    must(atamo_stats_get(bench.hub, NULL, &stats), "stats");
    if (stats.done != 3 * (count + count / 10))
        must(ATAMO_CONFLICT, "not every action was done");
    atamo_client_close(client);
    must(atamo_close(bench.hub, 10000), "close");
    return rate;
}

static struct rate measure_inline(const char *agents, const char *rules, uint64_t count)
{
    const atamo_event_draft draft = make_draft(true);
    struct bench bench = {.producer = {&draft, (size_t)count}};
    struct rate rate;
    int64_t start;
    int64_t cpu;

    start = now_ns();
    cpu = cpu_ns();
    open_hub(&bench, agents, rules, true, 0);
    must(atamo_wait_idle(bench.hub, 60000), "idle");
    rate.messages_per_s = (double)count * 1e9 / (double)(now_ns() - start);
    rate.cpu_ns = (double)(cpu_ns() - cpu) / (double)count;
    must(atamo_close(bench.hub, 10000), "close");
    return rate;
}

static void print_rate(const char *name, struct rate rate, double limit, const char *extra)
{
    (void)printf("{\"case\":\"%s\",\"messages_per_s\":%.0f,\"cpu_ns_per_message\":%.0f,"
                 "\"p50_us\":null,\"p99_us\":null,\"limit\":{\"what\":\"copy 1 KB, hand to another "
                 "thread, 3 calls\",\"messages_per_s\":%.0f},\"ratio_to_limit\":%.3f%s}\n",
                 name, rate.messages_per_s, rate.cpu_ns, limit, rate.messages_per_s / limit, extra);
}

static void run_fanout(uint64_t count)
{
    static const char agents[] =
        "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}";
    const atamo_event_draft draft = make_draft(false);
    const double limit = bare_rate(count, draft.data.data);
    const struct rate rate = measure_submitted(agents, attribute_rules, count);
    const struct rate own = measure_inline(agents, attribute_rules, count);
    char extra[160];

    (void)snprintf(extra, sizeof extra,
                   ",\"inline_messages_per_s\":%.0f,\"inline_cpu_ns_per_message\":%.0f",
                   own.messages_per_s, own.cpu_ns);
    print_rate("fanout", rate, limit, extra);
}

static void run_fanout_json(uint64_t count)
{
    static const char agents[] =
        "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}";
    const atamo_event_draft draft = make_draft(true);
    const double limit = bare_rate(count, draft.data.data);

    print_rate("fanout-json", measure_submitted(agents, json_rules, count), limit, "");
}

static void run_fanout_pool(uint64_t count)
{
    static const char agents[] =
        "agents: {a: {plugin: done-pool, workers: 1}, b: {plugin: done-pool, workers: 1},\n"
        "         c: {plugin: done-pool, workers: 1}}";
    const atamo_event_draft draft = make_draft(false);
    const double limit = bare_rate(count, draft.data.data);

    print_rate("fanout-pool", measure_submitted(agents, attribute_rules, count), limit, "");
}

/* --- latency */

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile_us(int64_t *list, size_t count, double part)
{
    qsort(list, count, sizeof *list, compare);
    return (double)list[(size_t)((double)(count - 1) * part)] / 1000.0;
}

struct ping {
    int there, back;
};

static void *pong(void *argument)
{
    const struct ping *ping = argument;
    uint64_t value = 0;

    do {
        struct pollfd poller = {.fd = ping->there, .events = POLLIN};

        (void)poll(&poller, 1, -1);
        if (read(ping->there, &value, sizeof value) != (ssize_t)sizeof value)
            value = 1;
        if (write(ping->back, &value, sizeof value) != (ssize_t)sizeof value)
            return NULL;
    } while (value != 1000);
    return NULL;
}

/* A bare round trip over two eventfds, each side sleeping in poll(). */
static void bare_latency(int64_t *list)
{
    struct ping ping = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)};
    pthread_t thread;

    if (pthread_create(&thread, NULL, pong, &ping) != 0)
        _exit(1);
    for (int i = 0; i <= LATENCY_ROUNDS; i++) {
        struct pollfd poller = {.fd = ping.back, .events = POLLIN};
        uint64_t value = i == LATENCY_ROUNDS ? 1000 : 1;
        const struct timespec rest = {0, 50000};
        int64_t start;

        (void)nanosleep(&rest, NULL); /* let the other side fall asleep */
        start = now_ns();
        if (write(ping.there, &value, sizeof value) < 0)
            _exit(1);
        (void)poll(&poller, 1, -1);
        if (read(ping.back, &value, sizeof value) < 0)
            _exit(1);
        if (i < LATENCY_ROUNDS)
            list[i] = now_ns() - start;
    }
    (void)pthread_join(thread, NULL);
    (void)close(ping.there);
    (void)close(ping.back);
}

static void note_end(const atamo_reply *replies, size_t count, void *user)
{
    if (replies[count - 1].kind == ATAMO_REPLY_END)
        *(bool *)user = true;
}

static void hub_latency(int64_t *list, bool busy)
{
    static const char rules[] = "rules: [{id: r, on: ping, then: {agent: e, action: echo}}]";
    struct bench bench = {0};
    atamo_client *client;
    atamo_event_draft draft = atamo_draft("ping");

    draft.data = atamo_text("{}");
    open_hub(&bench, "agents: {e: {plugin: echo}}", rules, false, busy ? ATAMO_SPIN : 0);
    must(atamo_client_open(bench.hub, &client), "client");
    for (int i = 0; i < LATENCY_ROUNDS; i++) {
        const struct timespec rest = {0, 50000};
        bool ended = false;
        int64_t start;

        if (!busy)
            (void)nanosleep(&rest, NULL);
        start = now_ns();
        must(atamo_request(client, &draft, NULL, note_end, &ended, NULL), "request");
        while (!ended) {
            if (!busy)
                (void)atamo_wait(client, 1000);
            (void)atamo_dispatch(client, 0, NULL);
        }
        list[i] = now_ns() - start;
    }
    atamo_client_close(client);
    must(atamo_close(bench.hub, 10000), "close");
}

static void run_latency(uint64_t count)
{
    static int64_t list[LATENCY_ROUNDS];
    double bare50;
    double bare99;
    double p50;
    double p99;
    double busy;

    (void)count;
    bare_latency(list);
    bare50 = percentile_us(list, LATENCY_ROUNDS, 0.5);
    bare99 = percentile_us(list, LATENCY_ROUNDS, 0.99);
    hub_latency(list, false);
    p50 = percentile_us(list, LATENCY_ROUNDS, 0.5);
    p99 = percentile_us(list, LATENCY_ROUNDS, 0.99);
    hub_latency(list, true);
    busy = percentile_us(list, LATENCY_ROUNDS, 0.5);
    (void)printf(
        "{\"case\":\"latency\",\"messages_per_s\":null,\"cpu_ns_per_message\":null,"
        "\"p50_us\":%.2f,\"p99_us\":%.2f,\"busy_p50_us\":%.2f,\"limit\":{\"what\":\"eventfd "
        "round trip between two threads that sleep in poll\",\"p50_us\":%.2f,\"p99_us\":"
        "%.2f},\"ratio_to_limit\":%.3f,\"p99_ratio_to_limit\":%.3f}\n",
        p50, p99, busy, bare50, bare99, p50 / bare50, p99 / bare99);
}

/* --- memory */

static long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    char text[128] = "";
    char *end = NULL;

    if (file == NULL || fgets(text, sizeof text, file) == NULL)
        _exit(1);
    (void)fclose(file);
    (void)strtol(text, &end, 10); /* the whole size */
    pages = strtol(end, NULL, 10);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void run_memory(uint64_t count)
{
    static const char agents[] = "hub: {max_messages: 1000000, recent: 0}\n"
                                 "agents: {a: {plugin: done, queue: 1000000}}";
    static const char rules[] = "rules: [{id: r, on: order.created, then: {agent: a, action: x}}]";
    struct bench bench = {0};
    atamo_client *client;
    const atamo_event_draft draft = make_draft(false);
    atamo_stats stats = {.size = sizeof stats};
    const int64_t start = now_ns();
    double start_ms;
    long idle;
    long full;

    (void)count;
    open_hub(&bench, agents, rules, false, 0);
    start_ms = (double)(now_ns() - start) / 1e6;
    must(atamo_client_open(bench.hub, &client), "client");
    idle = resident_kb();
    must(atamo_agent_pause(bench.hub, "a", 1), "pause");
    submit_all(client, &draft, WAITING);
    do
        must(atamo_stats_get(bench.hub, NULL, &stats), "stats");
    while (stats.waiting < WAITING);
    full = resident_kb();
    must(atamo_agent_pause(bench.hub, "a", 0), "resume");
    must(atamo_wait_idle(bench.hub, 60000), "idle");
    (void)printf("{\"case\":\"memory\",\"messages_per_s\":null,\"cpu_ns_per_message\":null,"
                 "\"p50_us\":null,\"p99_us\":null,\"bytes_per_waiting_message\":%.0f,"
                 "\"payload_bytes\":%d,\"idle_rss_kb\":%ld,\"start_ms\":%.1f,\"limit\":{\"what\":"
                 "\"the payload alone\",\"bytes\":%d},\"ratio_to_limit\":%.3f}\n",
                 (double)(full - idle) * 1024.0 / WAITING, PAYLOAD, idle, start_ms, PAYLOAD,
                 (double)(full - idle) * 1024.0 / WAITING / PAYLOAD);
    atamo_client_close(client);
    must(atamo_close(bench.hub, 10000), "close");
}

/* --- soak */

struct soak {
    atamo_client *client;
    _Atomic bool stop;
    uint64_t taken;
};

static void *keep_submitting(void *argument)
{
    const atamo_event_draft draft = make_draft(true);
    struct soak *soak = argument;

    while (!atomic_load_explicit(&soak->stop, memory_order_relaxed))
        soak->taken += atamo_submit(soak->client, &draft, NULL) == ATAMO_OK;
    return NULL;
}

static void run_soak(uint64_t seconds)
{
    static const char agents[] =
        "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}\n"
        "auditors: {n: {plugin: count, ring: 65536}}\n";
    struct bench bench = {0};
    struct soak soak = {0};
    atamo_stats stats = {.size = sizeof stats};
    const struct timespec second = {1, 0};
    const int64_t start = now_ns();
    pthread_t thread;
    char yaml[8192];
    long warm = 0;

    open_hub(&bench, "agents: {a: {plugin: done}, b: {plugin: done}, c: {plugin: done}}",
             json_rules, false, ATAMO_SPIN);
    (void)snprintf(yaml, sizeof yaml, "%s%s", agents, json_rules);
    must(atamo_client_open(bench.hub, &soak.client), "client");
    if (pthread_create(&thread, NULL, keep_submitting, &soak) != 0)
        _exit(1);
    for (uint64_t i = 0; i < seconds; i++) {
        (void)nanosleep(&second, NULL);
        must(atamo_reload(bench.hub, NULL, atamo_text(yaml), NULL), "reload");
        if (i == seconds / 5)
            warm = resident_kb();
    }
    atomic_store(&soak.stop, true);
    (void)pthread_join(thread, NULL);
    must(atamo_wait_idle(bench.hub, 60000), "idle");
    must(atamo_stats_get(bench.hub, NULL, &stats), "stats");
    (void)printf("{\"case\":\"soak\",\"seconds\":%" PRIu64
                 ",\"messages_per_s\":%.0f,\"messages\":%" PRIu64 ",\"reloads\":%" PRIu64
                 ",\"rss_kb_after_a_fifth\":%ld,\"rss_kb_at_the_end\":%ld,"
                 "\"adds_up\":%s}\n",
                 seconds, (double)soak.taken * 1e9 / (double)(now_ns() - start), soak.taken,
                 stats.generation - 1, warm, resident_kb(),
                 stats.accepted == soak.taken && stats.done == 3 * soak.taken ? "true" : "false");
    atamo_client_close(soak.client);
    must(atamo_close(bench.hub, 10000), "close");
}

static const struct {
    const char *name;
    void (*run)(uint64_t count);
} cases[] = {
    {"fanout", run_fanout},   {"fanout-json", run_fanout_json}, {"fanout-pool", run_fanout_pool},
    {"latency", run_latency}, {"memory", run_memory},           {"soak", run_soak},
};

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 && strcmp(argv[1], "soak") == 0 ? 600 : 2000000;

    for (int i = 2; i + 1 < argc; i++)
        if (strcmp(argv[i], "--messages") == 0 || strcmp(argv[i], "--seconds") == 0)
            count = strtoull(argv[i + 1], NULL, 10);
    for (size_t i = 0; argc > 1 && count > 0 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, argv[1]) != 0)
            continue;
        cases[i].run(count);
        return 0;
    }
    (void)fprintf(stderr, "usage: bench_hub fanout|fanout-json|fanout-pool|latency|memory|soak "
                          "[--messages N] [--seconds N] [--json]\n");
    return 2;
}
