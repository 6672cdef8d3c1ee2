/* bench_peers - the work of bench_durable through other people's brokers.
 *
 * usage: bench_peers [--messages N] [--limit SECONDS]
 *
 * Events of 1 KB, 64 of them unacknowledged at most, to Redis Streams (appendfsync always) and to
 * NATS JetStream (file storage, which does not sync before it acknowledges); three consumer groups,
 * each of which takes and acknowledges every event in batches of 100. The time is until the last
 * group has acknowledged the last event. Servers are started on 127.0.0.1 on a free port, in a
 * folder of their own below the current one, and ended by their process id, whatever happens. A
 * server that is not installed is left out; one that answers an error, ends, or is not done after
 * the limit (300 s each) ends the program with a message and exit code 1.
 */
#include "supervise.h"

#include <hiredis/hiredis.h>
#include <nats/nats.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 1024, WINDOW = 64, GROUPS = 3, BATCH = 100, PATIENCE_MS = 10000 };

static char data[PAYLOAD];

/* These end the worker, and nothing else: other threads may run. Who started it cleans up. */
__attribute__((noreturn)) static void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_peers: %s: %s\n", what, why);
    _exit(1);
}

static void must(bool good, const char *what)
{
    if (!good)
        give_up(what, "failed");
}

static double now(void)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

struct run {
    int port;
    uint64_t messages;
    int group;
};

/* --- Redis Streams */

static redisContext *connect_redis(int port)
{
    const double until = now() + PATIENCE_MS / 1000.0;
    redisContext *redis = redisConnect("127.0.0.1", port);

    while ((redis == NULL || redis->err != 0) && now() < until) {
        redisFree(redis);
        (void)usleep(20000);
        redis = redisConnect("127.0.0.1", port);
    }
    if (redis == NULL || redis->err != 0)
        give_up("connecting to redis-server", redis == NULL ? "no memory" : redis->errstr);
    return redis;
}

static void must_redis(const redisContext *redis, const redisReply *reply, const char *what)
{
    if (reply == NULL)
        give_up(what, redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR)
        give_up(what, reply->str);
}

static void say(redisContext *redis, const char *command)
{
    redisReply *reply = redisCommand(redis, command);

    must_redis(redis, reply, command);
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
    must_redis(redis, reply, "XACK");
    must(reply->integer == (long long)entries->elements, "XACK of all that was read");
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

        must_redis(redis, reply, "XREADGROUP");
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
        redisReply *reply = NULL;

        while (sent < run->messages && sent - answered < WINDOW) {
            must(redisAppendCommand(redis, "XADD s * d %b", data, sizeof data) == REDIS_OK, "XADD");
            sent++;
        }
        (void)redisGetReply(redis, (void **)&reply);
        must_redis(redis, reply, "XADD");
        freeReplyObject(reply);
        answered++;
    }
    redisFree(redis);
}

/* --- NATS JetStream */

static void must_nats(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        give_up(what, natsStatus_GetText(status));
}

/* [thread of the library] An event that the stream refused would never come to its consumers. */
static void note_refused(jsCtx *stream, jsPubAckErr *refused, void *user)
{
    (void)stream;
    (void)user;
    give_up("JetStream refused an event",
            refused->ErrText != NULL ? refused->ErrText : natsStatus_GetText(refused->Err));
}

/* [thread of the library] */
static void note_error(natsConnection *nats, natsSubscription *subscription, natsStatus status,
                       void *user)
{
    const char *why = NULL;

    (void)subscription;
    (void)user;
    (void)natsConnection_GetLastError(nats, &why);
    give_up("NATS told of an error",
            why != NULL && *why != '\0' ? why : natsStatus_GetText(status));
}

/* What comes too late for one fetch would be left for the next, and libnats 3.4 writes behind its
 * list when it finds much there: so we ask for no more than will come, and wait for long. */
static void consume_some(natsSubscription *subscription, uint64_t messages, uint64_t *done)
{
    const uint64_t missing = messages - *done;
    const int batch = missing < BATCH ? (int)missing : BATCH;
    natsMsgList list;

    must_nats(natsSubscription_Fetch(&list, subscription, batch, PATIENCE_MS, NULL), "fetch");
    for (int i = 0; i < list.Count; i++)
        must_nats(natsMsg_Ack(list.Msgs[i], NULL), "ack");
    *done += (uint64_t)list.Count;
    natsMsgList_Destroy(&list);
}

static natsConnection *connect_nats(int port)
{
    const double until = now() + PATIENCE_MS / 1000.0;
    natsOptions *options = NULL;
    natsConnection *nats = NULL;
    natsStatus status;
    char url[64];

    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    must_nats(natsOptions_Create(&options), "options");
    must_nats(natsOptions_SetURL(options, url), "options");
    must_nats(natsOptions_SetErrorHandler(options, note_error, NULL), "options");
    /* A lost connection loses events with it: an error at once, rather than a wait for them. */
    must_nats(natsOptions_SetAllowReconnect(options, false), "options");
    while ((status = natsConnection_Connect(&nats, options)) != NATS_OK && now() < until)
        (void)usleep(20000);
    must_nats(status, "connecting to nats-server");
    natsOptions_Destroy(options);
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
    must_nats(natsConnection_JetStream(&stream, nats, NULL), "stream");
    must_nats(js_PullSubscribe(&subscription, stream, "s", name, NULL, NULL, NULL), "subscribe");
    while (done < run->messages)
        consume_some(subscription, run->messages, &done);
    must_nats(natsConnection_Flush(nats), "flush");
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

    must_nats(jsStreamConfig_Init(&config), "options");
    must_nats(jsOptions_Init(&options), "options");
    config.Name = "S";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    options.PublishAsync.MaxPending = WINDOW;
    options.PublishAsync.StallWait = PATIENCE_MS; /* a disk may well take its 200 ms */
    options.PublishAsync.ErrHandler = note_refused;
    must_nats(natsConnection_JetStream(&stream, nats, &options), "stream");
    must_nats(js_AddStream(NULL, stream, &config, NULL, NULL), "stream");
    return stream;
}

static void submit_nats(const struct run *run, jsCtx *stream)
{
    for (uint64_t i = 0; i < run->messages; i++)
        must_nats(js_PublishAsync(stream, "s", data, sizeof data, NULL), "publish");
    must_nats(js_PublishAsyncComplete(stream, NULL), "publish");
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

static double work_redis(const void *user)
{
    const struct run *run = user;
    redisContext *redis = connect_redis(run->port);

    say(redis, "XGROUP CREATE s g0 $ MKSTREAM");
    say(redis, "XGROUP CREATE s g1 $");
    say(redis, "XGROUP CREATE s g2 $");
    redisFree(redis);
    return measure(run, consume_redis, NULL);
}

static double work_nats(const void *user)
{
    const struct run *run = user;
    natsConnection *nats = connect_nats(run->port);
    jsCtx *stream = make_stream(nats);
    const double speed = measure(run, consume_nats, stream);

    jsCtx_Destroy(stream);
    natsConnection_Destroy(nats);
    nats_Close();
    return speed;
}

static double run_redis(const char *folder, uint64_t messages, unsigned limit_s)
{
    const struct run run = {.port = supervise_port(), .messages = messages};
    char port[16];
    const char *words[] = {
        "redis-server",  "--port", port,     "--bind", "127.0.0.1", "--appendonly", "yes",
        "--appendfsync", "always", "--save", "",       "--dir",     folder,         NULL};

    (void)snprintf(port, sizeof port, "%d", run.port);
    return supervise(&(struct supervised){words, work_redis, &run, limit_s});
}

static double run_nats(const char *folder, uint64_t messages, unsigned limit_s)
{
    const struct run run = {.port = supervise_port(), .messages = messages};
    char port[16];
    const char *words[] = {"nats-server", "-p",  port,   "-a", "127.0.0.1",
                           "-js",         "-sd", folder, NULL};

    (void)snprintf(port, sizeof port, "%d", run.port);
    return supervise(&(struct supervised){words, work_nats, &run, limit_s});
}

int main(int argc, char **argv)
{
    uint64_t messages = 200000; /* as bench_durable */
    unsigned limit_s = 300;
    const char *folder;
    double redis;
    double nats;

    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--messages") == 0)
            messages = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--limit") == 0)
            limit_s = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    memset(data, 'x', sizeof data);
    folder = supervise_open();
    redis = run_redis(folder, messages, limit_s);
    nats = run_nats(folder, messages, limit_s);
    supervise_close();
    (void)printf(
        "{\"case\":\"peers\",\"redis_streams\":{\"messages_per_s\":%.0f},\"nats_jetstream\":"
        "{\"messages_per_s\":%.0f}}\n",
        redis, nats);
    return 0;
}
