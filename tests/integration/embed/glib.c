/* glib - a program with a GLib main loop and a hub in it, by atamo/glib.h: what GTK programs do,
 * without a window. It says what is not so and exits with 1, or is silent and exits with 0.
 */
#include "expect.h"

#include <atamo/agent.h>
#include <atamo/glib.h>

enum { LIMIT_MS = 20000, SOME = 40, REDRAW = G_PRIORITY_HIGH_IDLE + 20 };

static void echo(void *self, atamo_action action)
{
    const atamo_host *host = self;

    atamo_answer(host, action, host->body(host, action));
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_INLINE, .handle = echo};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD,          .id = "echo",    .version = "1.0.0",
    .summary = "says it again", .agent = &agent,
};

/* One test: a hub, a client in the default main context, and what came back. */
struct scene {
    atamo_hub *hub;
    atamo_client *client;
    guint source;
    unsigned clients; /* that the hub had before */
    unsigned calls, ends;
    unsigned redraws, redraws_before; /* of all, and of those before the first callback */
    unsigned calls_after;             /* that came after the source was told to go */
};

static unsigned clients_of(atamo_hub *hub)
{
    atamo_stats stats = {.size = sizeof stats};

    expect(atamo_stats_get(hub, NULL, &stats) == ATAMO_OK, "the hub has figures");
    return stats.clients;
}

static void set_up(struct scene *scene)
{
    static const atamo_registration plugins[] = {{&plugin, NULL}};
    const atamo_settings settings = {
        .size = sizeof settings,
        .config = atamo_text("agents: {echo: {plugin: echo}}\n"
                             "rules: [{id: all, on: said, then: {agent: echo, action: say}}]\n"),
        .plugins = plugins,
        .plugin_count = 1};

    *scene = (struct scene){0};
    expect(atamo_open(&settings, &scene->hub, NULL) == ATAMO_OK, "the hub opens");
    scene->clients = clients_of(scene->hub);
    expect(atamo_client_open(scene->hub, &scene->client) == ATAMO_OK, "the client opens");
    scene->source = atamo_source_add(scene->client);
}

static void tear_down(struct scene *scene)
{
    if (scene->source != 0)
        expect(g_source_remove(scene->source), "the source was still there");
    expect(clients_of(scene->hub) == scene->clients, "the client went with its source");
    expect(atamo_close(scene->hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

static void ask(struct scene *scene, atamo_reply_fn fn, void *user)
{
    atamo_event_draft draft = atamo_draft("said");

    draft.data = atamo_text("\"hello\"");
    expect(atamo_request(scene->client, &draft, NULL, fn, user, NULL) == ATAMO_OK, "it is asked");
}

/* Run the main loop until `count` requests have ended. */
static void run_until(const struct scene *scene, unsigned count)
{
    const gint64 until = g_get_monotonic_time() + LIMIT_MS * G_TIME_SPAN_MILLISECOND;

    while (scene->ends < count && g_get_monotonic_time() < until)
        (void)g_main_context_iteration(NULL, FALSE);
    expect(scene->ends == count, "each request ends once");
}

static void count_ends(const atamo_reply *replies, size_t count, void *user)
{
    struct scene *scene = user;

    if (scene->calls++ == 0)
        scene->redraws_before = scene->redraws;
    for (size_t i = 0; i < count; i++)
        scene->ends += replies[i].kind == ATAMO_REPLY_END && replies[i].status == ATAMO_OK;
}

static void count_unanswered(const atamo_reply *replies, size_t count, void *user)
{
    for (size_t i = 0; i < count; i++)
        ((struct scene *)user)->ends +=
            replies[i].kind == ATAMO_REPLY_END && replies[i].status == ATAMO_NOT_FOUND;
}

static void test_the_main_loop_hands_out_replies(void)
{
    struct scene scene;

    set_up(&scene);
    for (unsigned i = 0; i < SOME; i++)
        ask(&scene, count_ends, &scene);
    run_until(&scene, SOME);
    tear_down(&scene);
}

static gboolean redraw(gpointer user)
{
    struct scene *scene = user;

    return ++scene->redraws < SOME ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void test_redraws_come_before_replies(void)
{
    struct scene scene;

    set_up(&scene);
    ask(&scene, count_ends, &scene);
    expect(atamo_wait(scene.client, LIMIT_MS) == ATAMO_OK, "a reply waits");
    (void)g_idle_add_full(REDRAW, redraw, &scene, NULL);
    run_until(&scene, 1);
    expect(scene.redraws_before == SOME, "all redraws were before the first reply");
    tear_down(&scene);
}

/* A request of its own `user`, so that each is a callback, which takes a millisecond. */
struct slow {
    struct scene *scene;
};

static void be_slow(const atamo_reply *replies, size_t count, void *user)
{
    const struct slow *slow = user;

    g_usleep(1000);
    count_ends(replies, count, slow->scene);
}

static void test_a_turn_of_the_loop_takes_no_longer_than_its_budget(void)
{
    const gint64 until = g_get_monotonic_time() + LIMIT_MS * G_TIME_SPAN_MILLISECOND;
    struct scene scene;
    struct slow slow[SOME];
    unsigned most = 0;

    set_up(&scene);
    for (unsigned i = 0; i < SOME; i++) {
        slow[i].scene = &scene;
        ask(&scene, be_slow, &slow[i]);
    }
    expect(atamo_wait_idle(scene.hub, LIMIT_MS) == ATAMO_OK, "all replies wait");
    while (scene.ends < SOME && g_get_monotonic_time() < until) {
        const unsigned before = scene.calls;

        (void)g_main_context_iteration(NULL, FALSE);
        most = MAX(most, scene.calls - before);
    }
    expect(scene.ends == SOME, "in the end all are there");
    expect(most <= ATAMO_SOURCE_BUDGET_US / 1000, "4 callbacks of 1 ms are 4 ms");
    tear_down(&scene);
}

static void leave(const atamo_reply *replies, size_t count, void *user)
{
    struct scene *scene = user;

    count_ends(replies, count, user);
    if (scene->source == 0)
        return;
    (void)g_source_remove(scene->source);
    scene->source = 0;
}

static void test_a_source_may_go_within_a_callback_of_its_client(void)
{
    struct scene scene;

    set_up(&scene);
    for (unsigned i = 0; i < SOME; i++)
        ask(&scene, leave, &scene);
    while (scene.source != 0)
        (void)g_main_context_iteration(NULL, TRUE);
    scene.calls_after = scene.calls;
    for (unsigned i = 0; i < SOME; i++)
        (void)g_main_context_iteration(NULL, FALSE);
    expect(scene.calls == scene.calls_after, "nothing comes of a client that has gone");
    tear_down(&scene);
}

static void test_a_source_may_go_while_replies_are_on_their_way(void)
{
    struct scene scene;

    set_up(&scene);
    for (unsigned i = 0; i < SOME; i++)
        ask(&scene, count_ends, &scene);
    tear_down(&scene);
    for (unsigned i = 0; i < SOME; i++)
        (void)g_main_context_iteration(NULL, FALSE);
    expect(scene.calls == 0, "nothing comes of a client that has gone");
}

static void test_one_call_opens_a_hub_that_goes_with_its_source(void)
{
    struct scene scene = {0};
    const atamo_settings settings = {.size = sizeof settings, .config = atamo_text("rules: []")};
    const atamo_event_draft draft = atamo_draft("said");

    scene.source = atamo_source_open(&settings, &scene.client);
    expect(scene.source != 0, "the hub opens");
    expect(atamo_request(scene.client, &draft, NULL, count_unanswered, &scene, NULL) == ATAMO_OK,
           "it is asked");
    run_until(&scene, 1);
    expect(g_source_remove(scene.source), "client and hub close");
}

static void test_a_wrong_configuration_opens_nothing(void)
{
    const atamo_settings settings = {.size = sizeof settings, .config = atamo_text("rulse: []")};
    atamo_client *client = NULL;

    expect(atamo_source_open(&settings, &client) == 0, "there is no source");
    expect(client == NULL, "there is no client");
}

int main(void)
{
    test_one_call_opens_a_hub_that_goes_with_its_source();
    test_a_wrong_configuration_opens_nothing();
    test_the_main_loop_hands_out_replies();
    test_redraws_come_before_replies();
    test_a_turn_of_the_loop_takes_no_longer_than_its_budget();
    test_a_source_may_go_within_a_callback_of_its_client();
    test_a_source_may_go_while_replies_are_on_their_way();
    return expect_failures();
}
