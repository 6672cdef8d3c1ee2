/* flood - an agent of the test's own that says a lot, and a hub with it.
 *
 * Happy path: the number is read from the action's body, and responses follow until there are as
 * many. While the hub says ATAMO_BUSY the thread naps and tries again; after ATAMO_GONE it settles.
 */
#include "flood.h"

#include <stdlib.h>
#include <time.h>

static const char config[] = "agents:\n"
                             "  flood: {plugin: flood, run: pool, workers: 4, deadline: 10m}\n"
                             "rules:\n"
                             "  - {id: flood, on: flood, then: {agent: flood, action: say}}\n";

/* Numbers from 1, as text with a NUL, filled up to the size. */
static int say(const atamo_host *host, atamo_action action, unsigned long number)
{
    const struct flood *flood = host->context(host);
    char text[FLOOD_SIZE_MAX] = "";
    const int length = snprintf(text, sizeof text, "%lu", number);

    return atamo_respond(host, action,
                         (atamo_bytes){text, flood->size > 0 ? flood->size : (size_t)length});
}

static void handle(void *self, atamo_action action)
{
    const struct timespec nap = {.tv_nsec = 100000};
    const atamo_host *host = self;
    struct flood *flood = host->context(host);
    const unsigned long count = strtoul(host->body(host, action).data, NULL, 10);
    int status = ATAMO_OK;

    (void)atomic_fetch_add(&flood->begun, 1);
    for (unsigned long said = 0; said < count && status != ATAMO_GONE;) {
        status = say(host, action, said + 1);
        atomic_store(&flood->is_held, status == ATAMO_BUSY);
        if (status == ATAMO_BUSY) {
            (void)nanosleep(&nap, NULL);
        } else if (status == ATAMO_OK) {
            said++;
            (void)atomic_fetch_add(&flood->said, 1);
        }
    }
    if (status == ATAMO_GONE)
        (void)atomic_fetch_add(&flood->gone, 1);
    (void)atomic_fetch_add(&flood->ended, 1);
    atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "flood", .version = "1.0.0", .summary = "says a lot", .agent = &agent,
};

atamo_hub *flood_open(struct flood *flood, const atamo_settings *settings)
{
    const atamo_registration plugins[] = {{&plugin, flood}};
    atamo_settings all = {.size = sizeof all};
    atamo_hub *hub = NULL;

    if (settings != NULL)
        all = *settings;
    all.config = atamo_text(config);
    all.plugins = plugins;
    all.plugin_count = 1;
    expect(atamo_open(&all, &hub, NULL) == ATAMO_OK, "the hub opens");
    return hub;
}

atamo_client *flood_client(atamo_hub *hub)
{
    atamo_client *client = NULL;

    expect(atamo_client_open(hub, &client) == ATAMO_OK, "a client opens");
    return client;
}

uint64_t flood_ask(atamo_client *client, unsigned long count, const atamo_request_options *options,
                   atamo_reply_fn fn, void *user)
{
    atamo_event_draft draft = atamo_draft("flood");
    char text[32];
    uint64_t request = 0;

    (void)snprintf(text, sizeof text, "%lu", count);
    draft.data = atamo_text(text);
    expect(atamo_request(client, &draft, options, fn, user, &request) == ATAMO_OK, "it is asked");
    return request;
}
