/* The state-machine helper, in an agent that moves orders, and the fake host's key-value state. */
#include <atamo/machine.h>
#include <atamo/test.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>

#include <cmocka.h>

/* What the test tells the agent: is there stock, and does somebody else move the order meanwhile?
 */
struct world {
    bool in_stock;
    bool disturbed;
    atamo_test_host *host;
};

static int is_in_stock(void *user, atamo_bytes key)
{
    const struct world *world = user;

    assert_true(key.size > 0);
    return world->in_stock;
}

static const atamo_transition transitions[] = {
    {"new", "paid", NULL},
    {"paid", "shipped", is_in_stock},
    {"paid", "refunded", NULL},
};

static const atamo_machine orders = {sizeof(atamo_machine), "new", transitions, 3};

/* The action's type is the state to go to, its body the order. */
static void handle(void *self, atamo_action action)
{
    const atamo_host *host = self;
    struct world *world = host->context(host);
    atamo_action_info info = {.size = sizeof info};
    char why[ATAMO_MACHINE_WHY] = "";
    int status;

    assert_int_equal(host->info(host, action, &info), ATAMO_OK);
    status = atamo_machine_step(&orders, &(atamo_moving){host, action, info.body, world},
                                info.type.data, why);
    if (world->disturbed)
        (void)atamo_test_kv_put(world->host, "", info.body.data, "refunded");
    world->disturbed = false;
    if (status == ATAMO_OK)
        atamo_done(host, action);
    else if (status == ATAMO_INVALID || status == ATAMO_DENIED)
        atamo_fail(host, action, why);
    else
        atamo_retry(host, action, 0, why);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = handle};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "orders", .version = "1", .summary = "moves orders", .agent = &agent,
};

static struct world world;

static int set_up(void **state)
{
    const atamo_test_settings settings = {
        .size = sizeof settings, .plugin = &plugin, .context = &world};

    (void)state;
    world = (struct world){.in_stock = true};
    assert_int_equal(atamo_test_open(&settings, &world.host, NULL), ATAMO_OK);
    assert_int_equal(atamo_test_create(world.host), ATAMO_OK);
    return atamo_test_start(world.host);
}

static int tear_down(void **state)
{
    (void)state;
    return (int)atamo_test_close(world.host);
}

/* Move an order; what the agent said of it. */
static const char *move(const char *order, const char *to, uint32_t *kind)
{
    atamo_outcome outcome = {.size = sizeof outcome};
    const atamo_action action = atamo_test_do(world.host, to, order);

    assert_int_equal(atamo_test_settled(world.host, action, &outcome), ATAMO_OK);
    *kind = outcome.kind;
    return outcome.reason.data;
}

static void test_allowed_moves_are_kept_and_others_are_named(void **state)
{
    uint32_t kind;

    (void)state;
    (void)move("7", "paid", &kind);
    assert_int_equal(kind, ATAMO_DONE);
    assert_string_equal(atamo_test_kv_get(world.host, "", "7").data, "paid");
    assert_string_equal(move("7", "new", &kind), "\"paid\" may not become \"new\"");
    assert_int_equal(kind, ATAMO_FAIL);
    assert_string_equal(move("8", "shipped", &kind), "\"new\" may not become \"shipped\"");
    assert_string_equal(move("8", "lost", &kind),
                        "there is no state \"lost\" to go to from \"new\"");
    assert_string_equal(atamo_test_kv_get(world.host, "", "7").data, "paid");
    assert_string_equal(atamo_test_kv_get(world.host, "", "8").data, "");
}

static void test_a_guard_says_no_until_it_says_yes(void **state)
{
    uint32_t kind;

    (void)state;
    (void)move("7", "paid", &kind);
    world.in_stock = false;
    assert_string_equal(move("7", "shipped", &kind),
                        "\"paid\" may not become \"shipped\" now: its guard says no");
    world.in_stock = true;
    (void)move("7", "shipped", &kind);
    assert_int_equal(kind, ATAMO_DONE);
}

static void test_of_two_moves_at_a_time_one_is_tried_again_and_sees_the_other(void **state)
{
    uint32_t kind;

    (void)state;
    (void)move("7", "paid", &kind);
    world.disturbed = true;
    assert_string_equal(move("7", "shipped", &kind), "a key was changed meanwhile");
    assert_int_equal(kind, ATAMO_RETRY);
    assert_string_equal(move("7", "shipped", &kind), "\"refunded\" may not become \"shipped\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_allowed_moves_are_kept_and_others_are_named),
        TEST(test_a_guard_says_no_until_it_says_yes),
        TEST(test_of_two_moves_at_a_time_one_is_tried_again_and_sees_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
