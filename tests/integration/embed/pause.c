/* pause - a program that does not dispatch for a minute while an agent responds: nothing is lost,
 * and meanwhile the hub needs no more memory than the queue of the request. The minute is one of an
 * injected clock. The program says what is not so and exits with 1, or is silent and exits with 0.
 */
#include "flood.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RESPONSES = 100000,
    SIZE = 2048,
    QUEUE = 1024,
    PAUSE_S = 60,
    BUDGET_US = 4000,
    ROOM = 32 * 1024 * 1024, /* all responses at once would be 200 MB */
};

static int64_t now(void *user)
{
    return atomic_load((atomic_llong *)user);
}

static size_t resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128] = "";
    char *second = NULL;
    unsigned long pages = 0;

    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL)
            second = strchr(line, ' ');
        (void)fclose(file);
    }
    if (second != NULL)
        pages = strtoul(second, NULL, 10);
    expect(pages > 0, "the kernel says how much memory");
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What came, which must be the numbers from 1. */
struct heard {
    unsigned long responses;
    unsigned ends;
    int status;
    uint64_t lost;
};

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct heard *heard = user;

    for (size_t i = 0; i < count; i++) {
        heard->lost += replies[i].lost;
        if (replies[i].kind == ATAMO_REPLY_END) {
            heard->ends++;
            heard->status = replies[i].status;
            continue;
        }
        heard->responses++;
        expect(replies[i].sequence == heard->responses, "no sequence number is left out");
        expect(strtoul(replies[i].body.data, NULL, 10) == heard->responses, "in order");
    }
}

/* The hub runs, its clock goes, and the program does something else. */
static void pause_for_a_minute(atamo_hub *hub, atomic_llong *clock)
{
    atamo_stats stats = {.size = sizeof stats};

    for (unsigned second = 0; second < PAUSE_S; second++) {
        (void)atomic_fetch_add(clock, 1000000000);
        expect(atamo_stats_get(hub, NULL, &stats) == ATAMO_OK, "the hub goes on");
    }
}

static void test_a_pause_loses_nothing_and_needs_no_memory(const atamo_request_options *options)
{
    atomic_llong clock = 1700000000000000000;
    const atamo_settings settings = {.size = sizeof settings, .now = now, .now_user = &clock};
    struct flood flood = {.size = SIZE};
    atamo_hub *hub = flood_open(&flood, &settings);
    atamo_client *client = flood_client(hub);
    struct heard heard = {0};
    const size_t before = resident();

    (void)flood_ask(client, RESPONSES, options, hear, &heard);
    while (!atomic_load(&flood.is_held) && atomic_load(&flood.ended) == 0)
        (void)atamo_wait(client, 1);
    pause_for_a_minute(hub, &clock);
    expect(resident() < before + ROOM, "the hub's memory is bounded");
    expect(atomic_load(&flood.said) == QUEUE, "as many wait as were asked for");
    expect(atomic_load(&flood.ended) == 0, "the agent is held up, not sent away");
    expect(heard.responses == 0, "nothing comes but by atamo_dispatch()");
    while (heard.ends == 0 && atamo_wait(client, LIMIT_MS) == ATAMO_OK)
        (void)atamo_dispatch(client, BUDGET_US, NULL);
    expect(heard.responses == RESPONSES && heard.lost == 0, "then everything comes");
    expect(heard.ends == 1 && heard.status == ATAMO_OK, "and the end");
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

int main(void)
{
    const atamo_request_options patient = {
        .size = sizeof patient, .timeout_ms = UINT32_MAX, .queue = QUEUE};
    const atamo_request_options feed = {.size = sizeof feed, .flags = ATAMO_FEED, .queue = QUEUE};

    test_a_pause_loses_nothing_and_needs_no_memory(&patient);
    test_a_pause_loses_nothing_and_needs_no_memory(&feed);
    return expect_failures();
}
