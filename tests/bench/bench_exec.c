/* bench_exec - actions a second through the `exec` agent, with one worker in Python.
 *
 * usage: bench_exec [--messages N] [--event none|attributes|full] [--json]
 *
 * A real hub: one event, one rule, one action each. `limit` is what Python alone can do: a loop
 * that parses the same lines from a pipe and writes the same answers, fed as fast as it reads.
 * `agent_cpu_ns` is what the hub's process spends on a message: submitter, hub and plugin.
 */
#include <atamo/atamo.h>

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 128 * 1024, LINE = 1024, WARM_UP = 2000 };

static const char data[] = "{\"order\":4711,\"total\":129.5,\"currency\":\"EUR\",\"customer\":"
                           "{\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\"}}";

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "bench_exec: %s\n", what);
    _Exit(1);
}

/* --- through the hub */

static void quiet(void *user, int level, const char *instance, const char *line)
{
    (void)user;
    if (level >= ATAMO_LOG_WARN)
        (void)fprintf(stderr, "%s: %s\n", instance, line);
}

static atamo_hub *open_hub(const char *event)
{
    char yaml[2048];
    atamo_settings settings = {.size = sizeof settings, .log = quiet};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;

    (void)snprintf(
        yaml, sizeof yaml,
        "plugins: {path: %s/lib/atamo/plugins}\n"
        "agents: {w: {plugin: exec, queue: 16000000, concurrency: 2048, config: {event: %s,\n"
        "  command: [python3, %s/tests/bench/exec_worker.py], in_flight: 1024}}}\n"
        "rules: [{id: all, on: order.created, then: {agent: w, action: post}}]\n",
        ATAMO_BUILD_DIR, event, ATAMO_SOURCE_DIR);
    settings.config = atamo_text(yaml);
    if (atamo_open(&settings, &hub, &report) != ATAMO_OK) {
        for (size_t i = 0; i < atamo_report_count(report); i++)
            (void)fprintf(stderr, "%s\n", atamo_report_at(report, i).text);
        must(false, "the hub does not open");
    }
    atamo_report_free(report);
    return hub;
}

static void submit_all(atamo_hub *hub, atamo_client *client, int64_t count)
{
    atamo_event_draft draft = atamo_draft("order.created");

    draft.source = atamo_text("/shop");
    draft.data = atamo_text(data);
    for (int64_t i = 0; i < count;) {
        const int status = atamo_submit(client, &draft, NULL);

        i += status == ATAMO_OK;
        must(status == ATAMO_OK || status == ATAMO_BUSY, "an event is refused");
        if (status == ATAMO_BUSY)
            (void)atamo_wait(client, 100);
    }
    must(atamo_wait_idle(hub, 60000) == ATAMO_OK, "the hub does not come to an end");
}

struct result {
    double per_s;
    double cpu_ns;
};

static struct result measure_hub(const char *event, int64_t count)
{
    atamo_hub *hub = open_hub(event);
    atamo_client *client = NULL;
    atamo_stats stats = {.size = sizeof stats};
    struct result result;
    int64_t time;
    int64_t cpu;

    must(atamo_client_open(hub, &client) == ATAMO_OK, "no client");
    submit_all(hub, client, WARM_UP);
    time = clock_ns(CLOCK_MONOTONIC);
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    submit_all(hub, client, count);
    result.per_s = (double)count * 1e9 / (double)(clock_ns(CLOCK_MONOTONIC) - time);
    result.cpu_ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)count;
    must(atamo_stats_get(hub, NULL, &stats) == ATAMO_OK, "no statistics");
    if (stats.done != (uint64_t)(count + WARM_UP))
        (void)fprintf(stderr, "done %" PRIu64 ", dead %" PRIu64 ", shed %" PRIu64 "\n", stats.done,
                      stats.dead, stats.shed);
    must(stats.done == (uint64_t)(count + WARM_UP), "not every action is done");
    atamo_client_close(client);
    must(atamo_close(hub, 10000) == ATAMO_OK, "the hub does not close");
    return result;
}

/* --- Python alone */

static pid_t start_bare(int *to, int *from)
{
    int in[2];
    int out[2];
    pid_t pid;

    must(pipe(in) == 0 && pipe(out) == 0, "no pipes");
    pid = fork();
    must(pid >= 0, "no process");
    if (pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[0]);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)close(out[1]);
        (void)execlp("python3", "python3", ATAMO_SOURCE_DIR "/tests/bench/exec_worker.py", "bare",
                     (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    *to = in[1];
    *from = out[0];
    return pid;
}

struct feed {
    int fd;
    int64_t count;
    const char *event;
};

static int make_line(char *line, size_t room, const char *event, int64_t number)
{
    static const char attributes[] =
        ",\"event\":{\"id\":\"0193a000-0000-7000-8000-000000000001\",\"source\":\"/shop\","
        "\"type\":\"order.created\"}";

    return snprintf(line, room,
                    "{\"id\":\"%" PRId64 "\",\"action\":\"post\",\"agent\":\"w\",\"rule\":\"all\","
                    "\"attempt\":1,\"attempts\":5,\"key\":\"%016" PRIx64
                    "\",\"deadline_ms\":1790000000000%s,\"body\":%s}\n",
                    (number << 20) + 1, (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15),
                    strcmp(event, "none") == 0 ? "" : attributes, data);
}

static void *feed(void *argument)
{
    const struct feed *feed = argument;
    char *piece = malloc(PIECE + LINE);
    size_t used = 0;

    must(piece != NULL, "no memory");
    for (int64_t i = 1; i <= feed->count; i++) {
        used += (size_t)make_line(piece + used, LINE, feed->event, i);
        for (size_t sent = 0; (used >= PIECE || i == feed->count) && used > 0;) {
            const ssize_t part = write(feed->fd, piece + sent, used - sent);

            must(part > 0, "the bare loop does not read");
            sent += (size_t)part;
            if (sent == used)
                used = 0;
        }
    }
    free(piece);
    return NULL;
}

static void count_lines(int fd, int64_t count)
{
    char *piece = malloc(PIECE);

    must(piece != NULL, "no memory");
    while (count > 0) {
        const ssize_t got = read(fd, piece, PIECE);

        must(got > 0, "the bare loop does not answer");
        for (ssize_t i = 0; i < got; i++)
            count -= piece[i] == '\n';
    }
    free(piece);
}

static double measure_bare(const char *event, int64_t count)
{
    struct feed job = {.event = event};
    int from;
    const pid_t pid = start_bare(&job.fd, &from);
    pthread_t thread;
    int64_t time = 1;

    for (int turn = 0; turn < 2; turn++) {
        job.count = turn == 0 ? WARM_UP : count;
        time = clock_ns(CLOCK_MONOTONIC);
        must(pthread_create(&thread, NULL, feed, &job) == 0, "no thread");
        count_lines(from, job.count);
        time = clock_ns(CLOCK_MONOTONIC) - time;
        (void)pthread_join(thread, NULL);
    }
    (void)close(job.fd);
    (void)close(from);
    (void)waitpid(pid, NULL, 0);
    return (double)count * 1e9 / (double)time;
}

int main(int argc, char **argv)
{
    const char *event = "attributes";
    int64_t count = 200000;
    struct result hub;
    double bare;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--messages") == 0 && i + 1 < argc)
            count = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--event") == 0 && i + 1 < argc)
            event = argv[++i];
        else
            must(strcmp(argv[i], "--json") == 0,
                 "usage: bench_exec [--messages N] [--event none|attributes|full] [--json]");
    }
    must(count > 0, "--messages must be a number above 0");
    bare = measure_bare(event, count);
    hub = measure_hub(event, count);
    (void)printf("{\"case\": \"exec\", \"event\": \"%s\", \"messages\": %" PRId64
                 ", \"messages_per_s\": %.0f, \"cpu_ns_per_message\": %.0f, "
                 "\"limit\": {\"bare_python_per_s\": %.0f}, \"ratio_to_limit\": %.2f}\n",
                 event, count, hub.per_s, hub.cpu_ns, bare, hub.per_s / bare);
    return 0;
}
