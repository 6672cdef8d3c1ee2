/* embed - a program with hubs inside, as its author would write it: nothing but <atamo/hub.h> and
 * libatamo.
 *
 * Two hubs live in one process. Each has an agent and an auditor that are functions of this program
 * and a configuration that is a text in it. Two threads, with a client each, submit events and make
 * requests at both hubs, and wait in a plain poll() loop for what comes back. In the end everything
 * that was submitted must have been seen once by the agent, once by the auditor, and be accounted
 * for by the hub. The program says what is wrong and exits with 1, or is silent and exits with 0.
 */
#include <atamo/agent.h>
#include <atamo/auditor.h>
#include <atamo/hub.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HUBS = 2, THREADS = 2, EVENTS = 500, REQUESTS = 100, LIMIT_S = 60, BUDGET_US = 4000 };

static const char config[] = "agents:\n"
                             "  price: {plugin: shop}\n"
                             "auditors:\n"
                             "  ledger: {plugin: ledger}\n"
                             "rules:\n"
                             "  - id: quote\n"
                             "    on: quote.asked\n"
                             "    then: {agent: price, action: quote, with: {sum: '${data.sum}'}}\n"
                             "  - id: order\n"
                             "    on: order.placed\n"
                             "    then: {agent: price, action: note}\n";

static const char wrong_config[] = "agents:\n"
                                   "  price: {plugin: shopp}\n";

/* What the program's own plugins count, one for each hub. */
struct counts {
    atomic_uint quotes, notes;      /* actions performed */
    atomic_uint admitted, finished; /* records seen */
    atomic_bool lost;
};

/* --- the agent: an instance without create() is the host itself --------------------------------
 */

static void perform(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct counts *counts = host->context(host);
    atamo_action_info info = {.size = sizeof info};

    if (host->info(host, action, &info) != ATAMO_OK) {
        atamo_fail(host, action, "there is no such action");
    } else if (strcmp(info.type.data, "quote") == 0) {
        (void)atomic_fetch_add(&counts->quotes, 1);
        atamo_answer(host, action, info.body);
    } else {
        (void)atomic_fetch_add(&counts->notes, 1);
        atamo_done(host, action);
    }
}

static const atamo_agent price = {.size = sizeof price, .mode = ATAMO_INLINE, .handle = perform};
static const atamo_plugin shop = {
    ATAMO_PLUGIN_HEAD, .id = "shop", .version = "1.0.0", .summary = "Says prices", .agent = &price,
};

/* --- the auditor -------------------------------------------------------------------------------
 */

static int take_records(void *self, const atamo_telemetry *records, size_t count, uint64_t lost)
{
    const atamo_host *host = self;
    struct counts *counts = host->context(host);

    if (lost > 0)
        atomic_store(&counts->lost, true);
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i])) {
        if (records[i].step == ATAMO_STEP_ADMITTED)
            (void)atomic_fetch_add(&counts->admitted, 1);
        else if (records[i].step == ATAMO_STEP_FINISHED)
            (void)atomic_fetch_add(&counts->finished, 1);
    }
    return ATAMO_OK;
}

static const atamo_auditor books = {.size = sizeof books, .records = take_records};
static const atamo_plugin ledger = {
    ATAMO_PLUGIN_HEAD, .id = "ledger", .version = "1.0.0", .summary = "Counts what happened",
    .auditor = &books,
};

/* --- a thread of the program -------------------------------------------------------------------
 */

struct worker {
    pthread_t thread; /* of the one who joins it */
    pthread_t self;   /* of the thread itself: where callbacks must come */
    atamo_hub *hubs[HUBS];
    unsigned answers, ends, watched;
    const char *wrong; /* the first thing that was not as it should be */
};

static void complain(struct worker *worker, const char *what)
{
    if (worker->wrong == NULL)
        worker->wrong = what;
}

static void on_replies(const atamo_reply *replies, size_t count, void *user)
{
    static const char body[] = "{\"sum\":42}";
    struct worker *worker = user;

    if (!pthread_equal(pthread_self(), worker->self))
        complain(worker, "a reply came on a thread that is not the client's");
    for (size_t i = 0; i < count; i++) {
        const atamo_reply *reply = &replies[i];

        if (reply->kind == ATAMO_REPLY_END) {
            worker->ends++;
            if (reply->status != ATAMO_OK)
                complain(worker, "a request did not end well");
        } else if (reply->kind == ATAMO_REPLY_DATA) {
            worker->answers++;
            if (reply->body.size != sizeof body - 1 ||
                memcmp(reply->body.data, body, sizeof body - 1) != 0)
                complain(worker, "an answer is not what the rule asked for");
        }
    }
}

static void on_telemetry(const atamo_telemetry *records, size_t count, uint64_t lost, void *user)
{
    struct worker *worker = user;

    if (lost > 0)
        complain(worker, "records of own messages were lost");
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        worker->watched += records[i].step == ATAMO_STEP_FINISHED;
}

/* Wait until one of the clients has something, and take it. */
static void turn(atamo_client *const clients[HUBS])
{
    struct pollfd polls[HUBS];

    for (size_t i = 0; i < HUBS; i++)
        polls[i] = (struct pollfd){.fd = atamo_fd(clients[i]), .events = POLLIN};
    if (poll(polls, HUBS, 1000) <= 0)
        return;
    for (size_t i = 0; i < HUBS; i++)
        if ((polls[i].revents & POLLIN) != 0)
            (void)atamo_dispatch(clients[i], BUDGET_US, NULL);
}

/* The n-th thing to say: first the requests, then the events. A full hub is asked again after a
 * turn. */
static void talk(struct worker *worker, atamo_client *const clients[HUBS], size_t at, unsigned n)
{
    const bool asks = n < REQUESTS;
    atamo_event_draft draft = atamo_draft(asks ? "quote.asked" : "order.placed");
    int status;

    draft.source = atamo_text("/embed");
    draft.data = atamo_text("{\"sum\":42}");
    for (;;) {
        status = asks ? atamo_request(clients[at], &draft, NULL, on_replies, worker, NULL)
                      : atamo_submit(clients[at], &draft, NULL);
        if (status != ATAMO_BUSY)
            break;
        turn(clients);
    }
    if (status != ATAMO_OK)
        complain(worker, atamo_status_text(status));
}

static time_t seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    atamo_client *clients[HUBS] = {NULL};
    const time_t end = seconds() + LIMIT_S;

    worker->self = pthread_self();
    for (size_t i = 0; i < HUBS; i++) {
        if (atamo_client_open(worker->hubs[i], &clients[i]) != ATAMO_OK ||
            atamo_watch_telemetry(clients[i], ATAMO_WATCH_OWN, on_telemetry, worker) != ATAMO_OK)
            complain(worker, "a client did not open");
    }
    for (unsigned n = 0; n < EVENTS + REQUESTS && worker->wrong == NULL; n++)
        for (size_t i = 0; i < HUBS; i++)
            talk(worker, clients, i, n);
    while (worker->wrong == NULL && seconds() < end &&
           (worker->ends < HUBS * REQUESTS || worker->watched < HUBS * (EVENTS + REQUESTS)))
        turn(clients);
    for (size_t i = 0; i < HUBS; i++)
        if (clients[i] != NULL)
            atamo_client_close(clients[i]);
    return NULL;
}

/* --- the program -------------------------------------------------------------------------------
 */

static int failures(bool holds, const char *what)
{
    if (!holds)
        (void)fprintf(stderr, "embed: not so: %s\n", what);
    return holds ? 0 : 1;
}

static int open_hub(struct counts *counts, const char *text, atamo_hub **hub, atamo_report **report)
{
    const atamo_registration plugins[] = {{&shop, counts}, {&ledger, counts}};
    const atamo_settings settings = {
        .size = sizeof settings, .config = atamo_text(text), .plugins = plugins, .plugin_count = 2};

    return atamo_open(&settings, hub, report);
}

static int check_refusal(void)
{
    static struct counts counts;
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;
    int failed = failures(open_hub(&counts, wrong_config, &hub, &report) != ATAMO_OK,
                          "a plugin that is not there is refused");

    failed += failures(atamo_report_count(report) > 0 && atamo_report_at(report, 0).line == 2,
                       "the report says in which line");
    atamo_report_free(report);
    return failed;
}

static int run_workers(atamo_hub *const hubs[HUBS])
{
    struct worker workers[THREADS] = {0};
    int failed = 0;
    size_t started = 0;

    for (size_t t = 0; t < THREADS; t++) {
        memcpy(workers[t].hubs, hubs, sizeof workers[t].hubs);
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) != 0)
            break;
        started++;
    }
    for (size_t t = 0; t < started; t++) {
        (void)pthread_join(workers[t].thread, NULL);
        if (workers[t].wrong != NULL)
            failed += failures(false, workers[t].wrong);
        failed += failures(workers[t].answers == HUBS * REQUESTS, "each request has one answer");
        failed += failures(workers[t].ends == HUBS * REQUESTS, "each request has one end");
        failed += failures(workers[t].watched == HUBS * (EVENTS + REQUESTS),
                           "a client sees its own messages finish, and no others");
    }
    return failed + failures(started == THREADS, "threads start");
}

static int check_hub(atamo_hub *hub)
{
    const uint64_t expected = (uint64_t)THREADS * (EVENTS + REQUESTS);
    atamo_stats stats = {.size = sizeof stats};
    int failed = failures(atamo_wait_idle(hub, LIMIT_S * 1000) == ATAMO_OK, "the hub is idle");

    failed += failures(atamo_stats_get(hub, NULL, &stats) == ATAMO_OK, "the hub tells its figures");
    failed += failures(stats.accepted == expected, "everything submitted was accepted");
    failed += failures(stats.accepted == stats.finished + stats.in_flight, "messages add up");
    failed += failures(stats.actions == stats.done && stats.actions == expected, "actions add up");
    return failed;
}

/* After atamo_close(): the auditor has been given everything by now. */
static int check_counts(struct counts *counts)
{
    const unsigned expected = THREADS * (EVENTS + REQUESTS);
    int failed = failures(!atomic_load(&counts->lost), "the auditor loses nothing");

    failed += failures(atomic_load(&counts->quotes) == THREADS * REQUESTS, "each quote, once");
    failed += failures(atomic_load(&counts->notes) == THREADS * EVENTS, "each order, once");
    failed += failures(atomic_load(&counts->admitted) == expected, "each admission is audited");
    failed += failures(atomic_load(&counts->finished) == expected, "each end is audited");
    return failed;
}

int main(void)
{
    static struct counts counts[HUBS];
    atamo_hub *hubs[HUBS] = {NULL};
    int failed = check_refusal();

    for (size_t i = 0; i < HUBS; i++)
        failed += failures(open_hub(&counts[i], config, &hubs[i], NULL) == ATAMO_OK, "hubs open");
    if (failed == 0) {
        failed += run_workers(hubs);
        for (size_t i = 0; i < HUBS; i++)
            failed += check_hub(hubs[i]);
    }
    for (size_t i = 0; i < HUBS; i++)
        if (hubs[i] != NULL)
            failed += failures(atamo_close(hubs[i], 5000) == ATAMO_OK, "hubs close in time");
    for (size_t i = 0; i < HUBS && failed == 0; i++)
        failed += check_counts(&counts[i]);
    return failed == 0 ? 0 : 1;
}
