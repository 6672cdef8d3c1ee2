/* bench_peers - the work of bench_durable through other people's brokers.
 *
 * usage: bench_peers [--messages N]
 *
 * Events of 1 KB, 64 of them unacknowledged at most, to Redis Streams (appendfsync always) and to
 * NATS JetStream (file storage, which does not sync before it acknowledges); three consumer groups,
 * each of which takes and acknowledges every event in batches of 100. The time is until the last
 * group has acknowledged the last event. Servers are started on 127.0.0.1 on a free port, in a
 * folder of their own below the current one, and ended by their process id. A server that is not
 * installed is left out.
 */
#include <hiredis/hiredis.h>
#include <nats/nats.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1024, WINDOW = 64, GROUPS = 3, BATCH = 100, STARTS_MS = 10000 };

static char data[PAYLOAD];

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench_peers: %s\n", what);
    exit(1); /* NOLINT(concurrency-mt-unsafe): it ends */
}

static double now(void)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* A port that nobody listens on just now. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &size) == 0,
         "no free port");
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* 0 if the program is not installed. */
static pid_t start_server(const char *const *words)
{
    const pid_t child = fork();
    int status;

    must(child >= 0, "fork");
    if (child == 0) {
        must(freopen("/dev/null", "w", stdout) != NULL && freopen("/dev/null", "w", stderr) != NULL,
             "output");
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    (void)usleep(200000);
    return waitpid(child, &status, WNOHANG) == child ? 0 : child;
}

static void end_server(pid_t server)
{
    (void)kill(server, SIGTERM);
    (void)waitpid(server, NULL, 0);
}

struct run {
    int port;
    uint64_t messages;
    int group;
};

/* --- Redis Streams */

static redisContext *connect_redis(int port)
{
    const double until = now() + STARTS_MS / 1000.0;
    redisContext *redis = redisConnect("127.0.0.1", port);

    while ((redis == NULL || redis->err != 0) && now() < until) {
        redisFree(redis);
        (void)usleep(20000);
        redis = redisConnect("127.0.0.1", port);
    }
    must(redis != NULL && redis->err == 0, "redis-server does not answer");
    return redis;
}

static void say(redisContext *redis, const char *command)
{
    redisReply *reply = redisCommand(redis, command);

    must(reply != NULL && reply->type != REDIS_REPLY_ERROR, command);
    freeReplyObject(reply);
}

/* The ids of one answer to XREADGROUP, acknowledged. Returns how many. */
static uint64_t acknowledge(redisContext *redis, int group, const redisReply *entries)
{
    const char *words[BATCH + 3] = {"XACK", "s", NULL};
    char name[8];
    redisReply *reply;

    (void)snprintf(name, sizeof name, "g%d", group);
    words[2] = name;
    for (size_t i = 0; i < entries->elements; i++)
        words[3 + i] = entries->element[i]->element[0]->str;
    reply = redisCommandArgv(redis, (int)entries->elements + 3, words, NULL);
    must(reply != NULL && reply->integer == (long long)entries->elements, "XACK");
    freeReplyObject(reply);
    return entries->elements;
}

static void *consume_redis(void *argument)
{
    const struct run *run = argument;
    redisContext *redis = connect_redis(run->port);
    uint64_t done = 0;

    while (done < run->messages) {
        redisReply *reply = redisCommand(
            redis, "XREADGROUP GROUP g%d c COUNT %d BLOCK 100 STREAMS s >", run->group, BATCH);

        must(reply != NULL && reply->type != REDIS_REPLY_ERROR, "XREADGROUP");
        if (reply->type == REDIS_REPLY_ARRAY)
            done += acknowledge(redis, run->group, reply->element[0]->element[1]);
        freeReplyObject(reply);
    }
    redisFree(redis);
    return NULL;
}

static void submit_redis(const struct run *run)
{
    redisContext *redis = connect_redis(run->port);
    uint64_t sent = 0;
    uint64_t answered = 0;

    while (answered < run->messages) {
        redisReply *reply;

        while (sent < run->messages && sent - answered < WINDOW) {
            must(redisAppendCommand(redis, "XADD s * d %b", data, sizeof data) == REDIS_OK, "XADD");
            sent++;
        }
        must(redisGetReply(redis, (void **)&reply) == REDIS_OK, "XADD");
        freeReplyObject(reply);
        answered++;
    }
    redisFree(redis);
}

/* --- NATS JetStream */

static void consume_some(natsSubscription *subscription, uint64_t *done)
{
    natsMsgList list;
    const natsStatus status = natsSubscription_Fetch(&list, subscription, BATCH, 100, NULL);

    if (status == NATS_TIMEOUT)
        return;
    must(status == NATS_OK, "fetch");
    for (int i = 0; i < list.Count; i++)
        must(natsMsg_Ack(list.Msgs[i], NULL) == NATS_OK, "ack");
    *done += (uint64_t)list.Count;
    natsMsgList_Destroy(&list);
}

static natsConnection *connect_nats(int port)
{
    const double until = now() + STARTS_MS / 1000.0;
    natsConnection *nats = NULL;
    char url[64];

    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    while (natsConnection_ConnectTo(&nats, url) != NATS_OK && now() < until)
        (void)usleep(20000);
    must(nats != NULL, "nats-server does not answer");
    return nats;
}

static void *consume_nats(void *argument)
{
    const struct run *run = argument;
    natsConnection *nats = connect_nats(run->port);
    natsSubscription *subscription = NULL;
    jsCtx *stream = NULL;
    uint64_t done = 0;
    char name[8];

    (void)snprintf(name, sizeof name, "g%d", run->group);
    must(natsConnection_JetStream(&stream, nats, NULL) == NATS_OK &&
             js_PullSubscribe(&subscription, stream, "s", name, NULL, NULL, NULL) == NATS_OK,
         "subscribe");
    while (done < run->messages)
        consume_some(subscription, &done);
    must(natsConnection_Flush(nats) == NATS_OK, "flush");
    natsSubscription_Destroy(subscription);
    jsCtx_Destroy(stream);
    natsConnection_Destroy(nats);
    return NULL;
}

static jsCtx *make_stream(natsConnection *nats)
{
    const char *subjects[] = {"s"};
    jsStreamConfig config;
    jsOptions options;
    jsCtx *stream = NULL;

    must(jsStreamConfig_Init(&config) == NATS_OK && jsOptions_Init(&options) == NATS_OK, "options");
    config.Name = "S";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    options.PublishAsync.MaxPending = WINDOW;
    must(natsConnection_JetStream(&stream, nats, &options) == NATS_OK &&
             js_AddStream(NULL, stream, &config, NULL, NULL) == NATS_OK,
         "stream");
    return stream;
}

static void submit_nats(const struct run *run, jsCtx *stream)
{
    for (uint64_t i = 0; i < run->messages; i++)
        must(js_PublishAsync(stream, "s", data, sizeof data, NULL) == NATS_OK, "publish");
    must(js_PublishAsyncComplete(stream, NULL) == NATS_OK, "published");
}

/* --- both */

/* Three groups beside one submitter; messages a second. */
static double measure(const struct run *run, void *(*consume)(void *argument), jsCtx *stream)
{
    pthread_t threads[GROUPS];
    struct run runs[GROUPS];
    const double start = now();

    for (int i = 0; i < GROUPS; i++) {
        runs[i] = *run;
        runs[i].group = i;
        must(pthread_create(&threads[i], NULL, consume, &runs[i]) == 0, "thread");
    }
    if (stream == NULL)
        submit_redis(run);
    else
        submit_nats(run, stream);
    for (int i = 0; i < GROUPS; i++)
        (void)pthread_join(threads[i], NULL);
    return (double)run->messages / (now() - start);
}

static double run_redis(const char *folder, uint64_t messages)
{
    const struct run run = {.port = free_port(), .messages = messages};
    char port[16];
    const char *words[] = {
        "redis-server",  "--port", port,     "--bind", "127.0.0.1", "--appendonly", "yes",
        "--appendfsync", "always", "--save", "",       "--dir",     folder,         NULL};
    redisContext *redis;
    double speed;
    pid_t server;

    (void)snprintf(port, sizeof port, "%d", run.port);
    server = start_server(words);
    if (server == 0)
        return 0;
    redis = connect_redis(run.port);
    say(redis, "XGROUP CREATE s g0 $ MKSTREAM");
    say(redis, "XGROUP CREATE s g1 $");
    say(redis, "XGROUP CREATE s g2 $");
    redisFree(redis);
    speed = measure(&run, consume_redis, NULL);
    end_server(server);
    return speed;
}

static double run_nats(const char *folder, uint64_t messages)
{
    const struct run run = {.port = free_port(), .messages = messages};
    char port[16];
    const char *words[] = {"nats-server", "-p",  port,   "-a", "127.0.0.1",
                           "-js",         "-sd", folder, NULL};
    natsConnection *nats;
    jsCtx *stream;
    double speed;
    pid_t server;

    (void)snprintf(port, sizeof port, "%d", run.port);
    server = start_server(words);
    if (server == 0)
        return 0;
    nats = connect_nats(run.port);
    stream = make_stream(nats);
    speed = measure(&run, consume_nats, stream);
    jsCtx_Destroy(stream);
    natsConnection_Destroy(nats);
    nats_Close();
    end_server(server);
    return speed;
}

int main(int argc, char **argv)
{
    char folder[] = "./atamo-peers-XXXXXX";
    uint64_t messages = 100000;
    char command[64];
    double redis;
    double nats;

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--messages") == 0)
            messages = strtoull(argv[i + 1], NULL, 10);
    memset(data, 'x', sizeof data);
    must(mkdtemp(folder) != NULL, "no folder");
    redis = run_redis(folder, messages);
    nats = run_nats(folder, messages);
    (void)printf(
        "{\"case\":\"peers\",\"redis_streams\":{\"messages_per_s\":%.0f},\"nats_jetstream\":"
        "{\"messages_per_s\":%.0f}}\n",
        redis, nats);
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? 0 : 1; /* NOLINT(concurrency-mt-unsafe): no thread runs */
}
