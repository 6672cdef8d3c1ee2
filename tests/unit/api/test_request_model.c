/* Random clients and agents against a model of what each client must have heard: everything that
 * was said, in order, but for gaps that are counted; as much as was asked for may wait, not more;
 * one END, nothing after a cancel, and room() for whoever was told to wait. */
#include "requests.h"

#include "base/random.h"

enum {
    CLIENTS = 4,
    REQUESTS = 400,
    OPEN_MAX = 12,
    STEPS = 1500,
    SEEDS = 12,
    KEYS = 4,
    NOBODY = -1
};

static const char store[] = "store: {plugin: " ATAMO_BUILD_DIR "/lib/atamo/plugins/memory.so}\n";

static const char yaml[] =
    "%s"
    "agents:\n"
    "  a: {plugin: actor, deadline: 300d, retry: {attempts: 100, base: 1ms, max: 5ms}}\n"
    "  b: {plugin: actor, deadline: 300d, concurrency: 3}\n"
    "rules:\n"
    "  - {id: one, on: one, then: {agent: a, action: hold}}\n"
    "  - {id: two, on: two, then: [{agent: a, action: hold}, {agent: b, action: hold}]}\n";

static const char *const key_names[KEYS] = {"", "EUR", "USD", "GBP"};

struct asked_one {
    uint64_t id;
    atamo_request_options options;
    int holder;   /* a client, or NOBODY */
    bool is_gone; /* cancelled, forgotten, or its client has closed */
    int64_t left_at;
    uint64_t said, taken, handed;
    uint64_t sequence;
    size_t ends;
    int said_last[2][KEYS + 1], heard_last[2][KEYS + 1]; /* by agent and key, the last: progress */
};

struct teller {
    bool was_busy, is_over;
    uint32_t rooms; /* before it was told to wait */
};

struct listener {
    atamo_client *client;
    int index;
    struct world *world;
};

struct world {
    struct stage *stage;
    struct random random;
    struct listener listeners[CLIENTS];
    struct asked_one requests[REQUESTS];
    size_t count;
    struct teller tellers[HELD_MAX];
};

static uint32_t below(struct world *world, uint32_t limit)
{
    return (uint32_t)random_below(&world->random, limit);
}

static struct asked_one *find(struct world *world, uint64_t id)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->requests[i].id == id)
            return &world->requests[i];
    fail_msg("a reply to a request that nobody has made");
    return NULL;
}

static bool is_open(const struct asked_one *one)
{
    return !one->is_gone && one->ends == 0;
}

/* --- what clients hear */

static void hear_data(struct asked_one *one, const atamo_reply *reply)
{
    const size_t agent = strcmp(reply->agent.data, "b") == 0;
    const int number = fixture_number(reply->body.data);
    size_t key = KEYS;

    if (reply->kind == ATAMO_REPLY_DATA)
        for (key = 0; strcmp(key_names[key], reply->key.data) != 0;)
            assert_true(++key < KEYS);
    if ((one->options.flags & ATAMO_PARTS) == 0)
        assert_int_equal(reply->sequence, number + 1);
    assert_true(number > one->heard_last[agent][key]);
    one->heard_last[agent][key] = number;
    if ((one->options.flags & ATAMO_BY_HAND) != 0)
        one->handed++;
    else
        one->taken++;
}

static void hear_end(struct asked_one *one, const atamo_reply *reply)
{
    one->ends++;
    assert_int_equal(one->ends, 1);
    if (one->options.answers > 0 || (reply->status != ATAMO_OK && reply->status != ATAMO_IO))
        return;
    if ((one->options.flags & ATAMO_PARTS) == 0)
        assert_int_equal(reply->sequence, one->said + 1);
    if (one->options.slow != ATAMO_SLOW_LATEST)
        return;
    for (size_t agent = 0; agent < 2; agent++) /* the latest of each key is never lost */
        for (size_t key = 1; key <= KEYS; key++)
            assert_int_equal(one->heard_last[agent][key], one->said_last[agent][key]);
}

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    const struct listener *listener = user;

    for (size_t i = 0; i < count; i++) {
        const atamo_reply *reply = &replies[i];
        struct asked_one *one = find(listener->world, reply->request);

        assert_false(one->is_gone);
        assert_int_equal(one->holder, listener->index);
        assert_int_equal(one->ends, 0);
        one->sequence += reply->lost + 1;
        assert_int_equal(reply->sequence, one->sequence);
        if (one->options.slow == ATAMO_SLOW_BLOCK)
            assert_int_equal(reply->lost, 0);
        if (reply->kind == ATAMO_REPLY_END)
            hear_end(one, reply);
        else if (reply->kind != ATAMO_REPLY_PART)
            hear_data(one, reply);
    }
}

/* --- what may happen */

static void ask(struct world *world)
{
    struct asked_one *one = &world->requests[world->count];
    struct listener *listener = &world->listeners[below(world, CLIENTS)];
    atamo_request_options *options = &one->options;
    const atamo_event_draft draft = atamo_draft(below(world, 2) == 0 ? "one" : "two");

    if (world->count == REQUESTS)
        return;
    memset(one, 0, sizeof *one);
    memset(one->said_last, 0xff, sizeof one->said_last);
    memset(one->heard_last, 0xff, sizeof one->heard_last);
    options->size = sizeof *options;
    options->slow = below(world, 3);
    options->queue =
        options->slow == ATAMO_SLOW_LATEST ? 16 + below(world, 20) : 1 + below(world, 9);
    options->answers = below(world, 4) == 0;
    options->flags =
        (below(world, 2) == 0 ? ATAMO_FEED : 0) | (below(world, 3) == 0 ? ATAMO_PARTS : 0) |
        (below(world, 4) == 0 ? ATAMO_BY_HAND : 0) | (below(world, 5) == 0 ? ATAMO_DETACHED : 0);
    options->timeout_ms = below(world, 4) == 0 ? 400 : UINT32_MAX;
    options->keep_ms = below(world, 3) == 0 ? 0 : 300;
    one->holder = listener->index;
    assert_int_equal(atamo_request(listener->client, &draft, options, hear, listener, &one->id),
                     ATAMO_OK);
    world->count++;
}

static struct asked_one *any_open(struct world *world)
{
    for (uint32_t tries = 0; tries < 20 && world->count > 0; tries++) {
        struct asked_one *one = &world->requests[below(world, (uint32_t)world->count)];

        if (is_open(one))
            return one;
    }
    return NULL;
}

/* Nobody needs it any more: its agent, that is this thread, lets go of it. */
static void let_go(struct world *world, size_t index)
{
    if (world->tellers[index].is_over)
        return;
    world->tellers[index].is_over = true;
    held_done(&world->stage->held[index]);
}

/* The index of an action that an agent has. */
static size_t any_held(struct world *world)
{
    const size_t count = atomic_load(&world->stage->held_count);

    for (uint32_t tries = 0; tries < 30 && count > 0; tries++) {
        const size_t index = below(world, (uint32_t)count);

        if (atomic_load(&world->stage->held[index].cancelled) != 0)
            let_go(world, index);
        else if (!world->tellers[index].is_over)
            return index;
    }
    return HELD_MAX;
}

static int respond(const struct held *held, const struct asked_one *one, size_t key)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%d", (int)one->said);
    return key == KEYS ? atamo_progress(held->host, held->action, 0.5, text)
                       : held_say_about(held, key_names[key], text);
}

static void say(struct world *world)
{
    const size_t index = any_held(world);
    const struct held *held = index == HELD_MAX ? NULL : &world->stage->held[index];
    struct teller *teller = &world->tellers[index == HELD_MAX ? 0 : index];
    struct asked_one *one = held == NULL ? NULL : find(world, held->message);
    size_t key;

    if (held == NULL)
        return;
    /* Who wants the latest is told of nothing that has no key: that could push others out. */
    key = one->options.slow == ATAMO_SLOW_LATEST ? 1 + below(world, KEYS) : below(world, KEYS + 1);
    for (uint32_t times = 1 + below(world, 8); times > 0; times--) {
        const uint32_t rooms = atomic_load(&held->rooms);
        const int status = respond(held, one, key);

        if (status == ATAMO_BUSY) {
            assert_int_equal(one->options.slow, ATAMO_SLOW_BLOCK);
            assert_int_equal(one->said - one->taken, one->options.queue);
            teller->was_busy = true;
            teller->rooms = rooms;
            return;
        }
        if (status == ATAMO_GONE) /* settled, or nobody needs it: then it is to be settled */
            let_go(world, index);
        if (status != ATAMO_OK)
            return;
        one->said_last[strcmp(held->agent, "b") == 0][key] = (int)one->said;
        one->said++;
        if (one->options.slow == ATAMO_SLOW_BLOCK && is_open(one) && one->holder != NOBODY &&
            one->options.answers == 0 && one->options.timeout_ms == UINT32_MAX)
            assert_true(one->said - one->taken <= one->options.queue);
    }
}

static void settle(struct world *world)
{
    const size_t index = any_held(world);
    const struct held *held = index == HELD_MAX ? NULL : &world->stage->held[index];

    if (held == NULL)
        return;
    world->tellers[index].is_over = true;
    switch (below(world, 6)) {
    case 0:
        atamo_fail(held->host, held->action, "no");
        break;
    case 1:
    case 2:
        atamo_retry(held->host, held->action, 0, "again");
        break;
    default:
        held_done(held);
        break;
    }
}

static void dispatch(struct world *world)
{
    (void)atamo_dispatch(world->listeners[below(world, CLIENTS)].client, 0, NULL);
}

static void cancel(struct world *world)
{
    struct asked_one *one = any_open(world);

    if (one == NULL || one->holder == NOBODY)
        return;
    assert_int_equal(atamo_cancel(world->listeners[one->holder].client, one->id), ATAMO_OK);
    one->is_gone = true;
}

static void note_left(struct world *world, struct asked_one *one)
{
    one->holder = NOBODY;
    one->left_at = atomic_load(&world->stage->now_ns);
    one->taken += one->handed;
    one->handed = 0;
}

static void leave(struct world *world)
{
    struct asked_one *one = any_open(world);

    if (one == NULL || one->holder == NOBODY)
        return;
    assert_int_equal(atamo_leave(world->listeners[one->holder].client, one->id),
                     one->options.keep_ms == 0 ? ATAMO_UNSUPPORTED : ATAMO_OK);
    if (one->options.keep_ms > 0)
        note_left(world, one);
}

static void attach_one(struct world *world, struct asked_one *one)
{
    struct listener *listener = &world->listeners[below(world, CLIENTS)];
    const int64_t away = (atomic_load(&world->stage->now_ns) - one->left_at) / 1000000;
    const int status = atamo_attach(listener->client, one->id, hear, listener);

    if (status == ATAMO_OK)
        one->holder = listener->index;
    else
        one->is_gone = true;
    assert_true(status == ATAMO_OK || (status == ATAMO_NOT_FOUND && away >= 299));
}

static void attach(struct world *world)
{
    struct asked_one *one = any_open(world);

    if (one != NULL && one->holder == NOBODY)
        attach_one(world, one);
}

static void take(struct world *world)
{
    struct asked_one *one = any_open(world);
    uint32_t count;

    if (one == NULL || one->holder == NOBODY || one->handed == 0)
        return;
    count = 1 + below(world, (uint32_t)one->handed);
    assert_int_equal(atamo_taken(world->listeners[one->holder].client, one->id, count), ATAMO_OK);
    one->handed -= count;
    one->taken += count;
}

static void come_back(struct world *world)
{
    struct listener *listener = &world->listeners[below(world, CLIENTS)];

    if (below(world, 10) != 0)
        return;
    atamo_client_close(listener->client);
    for (size_t i = 0; i < world->count; i++) {
        struct asked_one *one = &world->requests[i];

        if (one->holder != listener->index || !is_open(one))
            continue;
        if (one->options.keep_ms == 0)
            one->is_gone = true;
        else
            note_left(world, one);
    }
    assert_int_equal(atamo_client_open(world->stage->hub, &listener->client), ATAMO_OK);
}

static void pass_time(struct world *world)
{
    atomic_fetch_add(&world->stage->now_ns, (int64_t)below(world, 40) * 1000000);
}

/* Whoever was told to wait, and has room now, has been told so. */
static void check_rooms(struct world *world)
{
    stage_settle_down(world->stage);
    for (size_t i = 0; i < atomic_load(&world->stage->held_count); i++) {
        const struct held *held = &world->stage->held[i];
        const struct asked_one *one = find(world, held->message);
        struct teller *teller = &world->tellers[i];

        if (atomic_load(&held->cancelled) != 0)
            let_go(world, i);
        if (!teller->was_busy || teller->is_over || !is_open(one) ||
            one->said - one->taken >= one->options.queue)
            continue;
        assert_true(atomic_load(&held->rooms) > teller->rooms);
        teller->was_busy = false;
    }
}

static void step(struct world *world)
{
    static void (*const steps[])(struct world *) = {
        ask,      ask,  say,    say,   say,    say,  say,    settle,    settle,      dispatch,
        dispatch, take, cancel, leave, attach, take, attach, come_back, check_rooms, pass_time,
    };

    steps[below(world, sizeof steps / sizeof steps[0])](world);
    if (below(world, 3) == 0)
        stage_settle_down(world->stage);
}

/* Everybody comes to an end: agents are done, somebody takes up what was left, and hears it. */
static void end_all(struct world *world)
{
    bool all = false;

    for (int rounds = 0; rounds < 200 && !all; rounds++) {
        stage_advance(world->stage, 10);
        for (size_t i = 0; i < atomic_load(&world->stage->held_count); i++)
            let_go(world, i);
        stage_settle_down(world->stage);
        all = stage_stats(world->stage).in_flight == 0;
        for (size_t i = 0; i < world->count; i++) {
            struct asked_one *one = &world->requests[i];

            if (is_open(one) && one->holder == NOBODY)
                attach_one(world, one);
            if (is_open(one) && one->handed > 0) {
                assert_int_equal(atamo_taken(world->listeners[one->holder].client, one->id,
                                             (uint32_t)one->handed),
                                 ATAMO_OK);
                one->handed = 0;
            }
            all = all && !is_open(one);
        }
        for (size_t i = 0; i < CLIENTS; i++)
            (void)atamo_dispatch(world->listeners[i].client, 0, NULL);
    }
    assert_true(all);
}

static void live(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    char text[1024];
    atamo_stats stats;

    print_message("seed %llu\n", (unsigned long long)seed);
    assert_non_null(world);
    world->random.state = seed;
    (void)snprintf(text, sizeof text, yaml, seed % 2 == 0 ? store : "");
    world->stage = stage_open(text);
    atomic_store(&world->stage->settles_on_cancel, false);
    for (int i = 0; i < CLIENTS; i++) {
        world->listeners[i] = (struct listener){.index = i, .world = world};
        assert_int_equal(atamo_client_open(world->stage->hub, &world->listeners[i].client),
                         ATAMO_OK);
    }
    for (int i = 0; i < STEPS; i++)
        step(world);
    end_all(world);
    for (size_t i = 0; i < CLIENTS; i++)
        atamo_client_close(world->listeners[i].client);
    stats = stage_stats(world->stage);
    assert_true(stats.done > 10 && stats.cancelled > 5 && stats.replies > 100);
    stage_close(world->stage);
    free(world);
}

static void test_every_client_hears_what_it_must_and_nothing_else(void **state)
{
    const char *given = getenv("ATAMO_SEED"); /* another one to begin with */
    const uint64_t first = given == NULL ? 1 : strtoull(given, NULL, 10);

    (void)state;
    for (uint64_t seed = first; seed < first + SEEDS; seed++)
        live(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_client_hears_what_it_must_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
