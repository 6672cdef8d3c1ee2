/* swap_pause - for how long a hub stands still while its rules are exchanged under load.
 *
 * Happy path: write 100,000 rules into a folder of its own, open a hub on them, send one request
 * after the other and note the longest round trip, first while another thread only computes and
 * then while it reloads: what both have in common is the scheduler's. Client and hub sleep between
 * messages, so that on two cores the reload has one of them. Any failure ends the program.
 */
#include "swap_pause.h"

#include <atamo/agent.h>
#include <atamo/hub.h>
#include <atamo/inline.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RULES = 100000, RELOADS = 3 };

#define COMPUTE_NS INT64_C(5000000000)

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void must(int good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "bench_rules: swap: %s\n", what);
    _exit(1);
}

static void handle_echo(void *self, atamo_action action)
{
    const atamo_host *host = self;

    atamo_answer(host, action, host->body(host, action));
}

static const atamo_agent echo_agent = {.size = sizeof echo_agent, .handle = handle_echo};
static const atamo_plugin echo_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "echo", .version = "1", .summary = "echoes", .agent = &echo_agent,
};

static void write_rules(const char *path)
{
    FILE *file = fopen(path, "w");

    must(file != NULL, "cannot write the rules");
    (void)fprintf(file, "agents: {e: {plugin: echo}}\n"
                        "rules:\n- {id: ping, on: ping, then: {agent: e, action: echo}}\n"
                        "- include: rules/*.yaml\n");
    must(fclose(file) == 0, "cannot write the rules");
}

static void write_many(const char *folder, int number)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/rules/%d.yaml", folder, number);
    file = fopen(path, "w");
    must(file != NULL, "cannot write the rules");
    for (int i = 0; i < RULES / 20; i++)
        (void)fprintf(file,
                      "- id: r-%d-%d\n  on: order.created\n  when: {data: {customer: [c-%d], "
                      "total: [{numeric: ['>=', %d]}]}}\n  then: {agent: e, action: x}\n",
                      number, i, i, i % 1000);
    must(fclose(file) == 0, "cannot write the rules");
}

static void remove_rules(const char *folder)
{
    char path[128];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(path, sizeof path, "%s/rules/%d.yaml", folder, i);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/rules", folder);
    (void)rmdir(path);
    (void)snprintf(path, sizeof path, "%s/hub.yaml", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void note_end(const atamo_reply *replies, size_t count, void *user)
{
    if (replies[count - 1].kind == ATAMO_REPLY_END)
        *(bool *)user = true;
}

/* One request and its answer, ns. */
static int64_t round_trip(atamo_client *client)
{
    const atamo_event_draft draft = atamo_draft("ping");
    const int64_t start = now_ns();
    bool ended = false;

    must(atamo_request(client, &draft, NULL, note_end, &ended, NULL) == ATAMO_OK, "request");
    while (!ended) {
        (void)atamo_wait(client, 1000);
        (void)atamo_dispatch(client, 0, NULL);
    }
    return now_ns() - start;
}

struct reloading {
    atamo_hub *hub;
    const char *path;
    _Atomic bool done;
};

static void *reload(void *argument)
{
    struct reloading *reloading = argument;

    for (int i = 0; i < RELOADS; i++)
        must(atamo_reload(reloading->hub, reloading->path, atamo_text(""), NULL) == ATAMO_OK,
             "reload");
    atomic_store(&reloading->done, true);
    return NULL;
}

static void *compute(void *argument)
{
    struct reloading *reloading = argument;
    const int64_t end = now_ns() + COMPUTE_NS;

    while (now_ns() < end)
        ;
    atomic_store(&reloading->done, true);
    return NULL;
}

/* The longest round trip while `work` runs on a thread beside. */
static double longest_beside(void *(*work)(void *argument), atamo_client *client,
                             struct reloading *reloading)
{
    int64_t longest = 0;
    pthread_t thread;

    atomic_store(&reloading->done, false);
    must(pthread_create(&thread, NULL, work, reloading) == 0, "thread");
    while (!atomic_load(&reloading->done)) {
        const int64_t took = round_trip(client);

        longest = took > longest ? took : longest;
    }
    (void)pthread_join(thread, NULL);
    return (double)longest / 1e3;
}

struct swap_pause swap_pause_measure(void)
{
    const atamo_registration plugin = {&echo_plugin, NULL};
    atamo_settings settings = {.size = sizeof settings, .plugins = &plugin, .plugin_count = 1};
    char folder[] = "/tmp/atamo-swap-XXXXXX";
    char path[128];
    struct reloading reloading = {.path = path};
    atamo_client *client;
    struct swap_pause pause;

    must(mkdtemp(folder) != NULL, "cannot make a folder");
    (void)snprintf(path, sizeof path, "%s/rules", folder);
    must(mkdir(path, 0700) == 0, "cannot make a folder");
    for (int i = 0; i < 20; i++)
        write_many(folder, i);
    (void)snprintf(path, sizeof path, "%s/hub.yaml", folder);
    write_rules(path);
    settings.config_path = path;
    must(atamo_open(&settings, &reloading.hub, NULL) == ATAMO_OK, "open");
    must(atamo_client_open(reloading.hub, &client) == ATAMO_OK, "client");
    pause.computing_us = longest_beside(compute, client, &reloading);
    pause.us = longest_beside(reload, client, &reloading);
    atamo_client_close(client);
    must(atamo_close(reloading.hub, 10000) == ATAMO_OK, "close");
    remove_rules(folder);
    return pause;
}
