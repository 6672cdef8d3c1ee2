/* A plugin asks a hub whose token it is, while reloads put other tokens in their place. */
#include "fixture.h"

#include "access/token_file.h"
#include "unit/config/files.h"

#include <pthread.h>
#include <stdatomic.h>

#define SECOND INT64_C(1000000000)

/* What an instance of the plugin found out; the registration's context. */
struct door {
    const atamo_host *host;
    const atamo_access *access;
    int required_at_start;
};

static int door_create(const atamo_host *host, void **self)
{
    struct door *door = host->context(host);

    door->host = host;
    door->access = host->extension(host, ATAMO_ACCESS_EXTENSION);
    *self = door;
    return ATAMO_OK;
}

static const atamo_option options[] = {
    {.name = "fail", .type = ATAMO_OPTION_BOOLEAN, .fallback = "false", .about = "does not start"},
};

static int door_start(void *self)
{
    struct door *door = self;

    door->required_at_start = door->access->required(door->host);
    if (door->host->integer(door->host, "fail") != 0)
        return atamo_refuse(door->host, "told to fail");
    return ATAMO_OK;
}

static const atamo_event_provider provider = {.size = sizeof provider};

static const atamo_plugin door_plugin = {
    ATAMO_PLUGIN_HEAD,  ATAMO_OPTIONS(options), .id = "door",        .version = "1",
    .summary = "asks.", .create = door_create,  .start = door_start, .event_provider = &provider,
};

static const atamo_plugin gate_plugin = {
    ATAMO_PLUGIN_HEAD,   ATAMO_OPTIONS(options),      .id = "gate",
    .version = "1",      .summary = "asks, too.",     .create = door_create,
    .start = door_start, .event_provider = &provider,
};

struct house {
    struct files files;
    struct door door, gate;
    atamo_registration plugins[2];
    char text[1024]; /* of a configuration */
    char token[TOKEN_TEXT_SIZE + 1];
    _Atomic int64_t now_ns;
    atamo_hub *hub;
};

static int64_t house_now(void *user)
{
    return atomic_load(&((struct house *)user)->now_ns);
}

static void add_token(struct house *house, const char *name, const char *user,
                      char text[TOKEN_TEXT_SIZE + 1])
{
    struct token token = {.scopes = ATAMO_SCOPE_EVENTS_WRITE, .created_ns = SECOND};
    struct problems problems;

    problems_init(&problems);
    (void)snprintf(token.user, sizeof token.user, "%s", user);
    assert_int_equal(token_file_add(files_path(&house->files, name), &token, &problems, text),
                     ATAMO_OK);
    problems_close(&problems);
}

static int set_up(void **state)
{
    struct house *house = calloc(1, sizeof *house);

    if (house == NULL || !files_open(&house->files))
        return -1;
    house->plugins[0] = (atamo_registration){&door_plugin, &house->door};
    house->plugins[1] = (atamo_registration){&gate_plugin, &house->gate};
    atomic_store(&house->now_ns, INT64_C(1800000000) * SECOND);
    add_token(house, "tokens", "anna", house->token);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;

    files_close(&house->files);
    free(house);
    return 0;
}

/* A configuration with a file of tokens (NULL: none) and these providers. */
static atamo_bytes configuration(struct house *house, const char *file, const char *providers)
{
    const int size = file == NULL ? snprintf(house->text, sizeof house->text,
                                             "event_providers: {%s}\n", providers)
                                  : snprintf(house->text, sizeof house->text,
                                             "access: {tokens: %s}\nevent_providers: {%s}\n",
                                             files_path(&house->files, file), providers);

    return (atamo_bytes){house->text, (size_t)size};
}

#define DOOR      "d: {plugin: door}"
#define BOTH      DOOR ", g: {plugin: gate}"
#define BOTH_FAIL DOOR ", g: {plugin: gate, config: {fail: true}}"

static int open_house(struct house *house, const char *file, atamo_report **report)
{
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = configuration(house, file, DOOR),
                                     .plugins = house->plugins,
                                     .plugin_count = 2,
                                     .log = fixture_quiet,
                                     .now = house_now,
                                     .now_user = house};

    return atamo_open(&settings, &house->hub, report);
}

static int reload(struct house *house, const char *file, const char *providers)
{
    return atamo_reload(house->hub, NULL, configuration(house, file, providers), NULL);
}

static int check(const struct door *door, const char *token)
{
    atamo_identity who = {.size = sizeof who};

    return door->access->check(door->host, atamo_text(token), &who);
}

static void test_a_hub_without_tokens_asks_for_none(void **state)
{
    struct house *house = *state;

    assert_int_equal(open_house(house, NULL, NULL), ATAMO_OK);
    assert_non_null(house->door.access);
    assert_int_equal(house->door.access->required(house->door.host), 0);
    assert_int_equal(check(&house->door, house->token), ATAMO_UNSUPPORTED);
    assert_int_equal(atamo_close(house->hub, 1000), ATAMO_OK);
}

static void test_a_plugin_is_told_whose_token_it_is(void **state)
{
    struct house *house = *state;
    atamo_identity who = {.size = sizeof who};
    atamo_identity older = {.size = 8, .user = "untouched"};
    const struct door *door = &house->door;

    assert_int_equal(open_house(house, "tokens", NULL), ATAMO_OK);
    assert_int_equal(door->required_at_start, 1);
    assert_int_equal(door->access->required(door->host), 1);
    assert_int_equal(door->access->check(door->host, atamo_text(house->token), &who), ATAMO_OK);
    assert_string_equal(who.user, "anna");
    assert_int_equal(who.scopes, ATAMO_SCOPE_EVENTS_WRITE);
    assert_memory_equal(who.token_id, house->token + 6, TOKEN_ID_SIZE);
    assert_int_equal(door->access->check(door->host, atamo_text(house->token), &older), ATAMO_OK);
    assert_int_equal(older.scopes, ATAMO_SCOPE_EVENTS_WRITE);
    assert_int_equal(older.size, 8);
    assert_string_equal(older.user, "untouched");
    assert_int_equal(check(door, "atamo_"), ATAMO_DENIED);
    older.size = 0;
    assert_int_equal(door->access->check(door->host, atamo_text(house->token), &older),
                     ATAMO_INVALID);
    assert_int_equal(atamo_close(house->hub, 1000), ATAMO_OK);
}

static void test_a_reload_that_brings_tokens_asks_for_them_before_anything_starts(void **state)
{
    struct house *house = *state;

    assert_int_equal(open_house(house, NULL, NULL), ATAMO_OK);
    assert_int_equal(house->door.required_at_start, 0);
    assert_int_equal(reload(house, "tokens", BOTH), ATAMO_OK);
    assert_int_equal(house->gate.required_at_start, 1);
    assert_int_equal(check(&house->door, house->token), ATAMO_OK);
    assert_int_equal(check(&house->gate, house->token), ATAMO_OK);
    assert_int_equal(reload(house, NULL, BOTH), ATAMO_OK);
    assert_int_equal(check(&house->door, house->token), ATAMO_UNSUPPORTED);
    assert_int_equal(atamo_close(house->hub, 1000), ATAMO_OK);
}

static void test_a_reload_that_fails_leaves_the_tokens_as_they_were(void **state)
{
    struct house *house = *state;
    char bens[TOKEN_TEXT_SIZE + 1];

    add_token(house, "others", "ben", bens);
    assert_int_equal(open_house(house, NULL, NULL), ATAMO_OK);
    assert_int_not_equal(reload(house, "tokens", BOTH_FAIL), ATAMO_OK);
    assert_int_equal(house->gate.required_at_start, 1);
    assert_int_equal(check(&house->door, house->token), ATAMO_UNSUPPORTED);
    assert_int_equal(reload(house, "none", DOOR), ATAMO_INVALID);
    assert_int_equal(check(&house->door, house->token), ATAMO_UNSUPPORTED);
    assert_int_equal(reload(house, "tokens", DOOR), ATAMO_OK);
    assert_int_not_equal(reload(house, NULL, BOTH_FAIL), ATAMO_OK);
    assert_int_equal(house->gate.required_at_start, 1);
    assert_int_equal(check(&house->door, house->token), ATAMO_OK);
    assert_int_not_equal(reload(house, "others", BOTH_FAIL), ATAMO_OK);
    assert_int_equal(check(&house->door, house->token), ATAMO_OK);
    assert_int_equal(check(&house->door, bens), ATAMO_DENIED);
    assert_int_equal(reload(house, "others", DOOR), ATAMO_OK);
    assert_int_equal(check(&house->door, house->token), ATAMO_DENIED);
    assert_int_equal(check(&house->door, bens), ATAMO_OK);
    assert_int_equal(atamo_close(house->hub, 1000), ATAMO_OK);
}

static void test_a_hub_does_not_open_without_its_file_of_tokens(void **state)
{
    struct house *house = *state;
    atamo_report *report = NULL;

    assert_int_equal(open_house(house, "none", &report), ATAMO_INVALID);
    assert_int_equal(atamo_report_count(report), 2);
    assert_non_null(strstr(atamo_report_at(report, 0).file, "/none"));
    assert_non_null(strstr(atamo_report_at(report, 0).text, "No such file"));
    assert_non_null(strstr(atamo_report_at(report, 1).text, "atamo token new"));
    atamo_report_free(report);
    files_write(&house->files, "none", "[\n");
    assert_int_equal(chmod(files_path(&house->files, "none"), 0600), 0);
    assert_int_equal(open_house(house, "none", &report), ATAMO_INVALID);
    assert_int_equal(atamo_report_count(report), 1);
    assert_int_equal(atamo_report_at(report, 0).line, 2);
    atamo_report_free(report);
}

static void copy_file(struct house *house, const char *from, const char *to)
{
    char text[4096] = "";
    FILE *file = fopen(files_path(&house->files, from), "r");

    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    files_write(&house->files, to, text);
    assert_int_equal(chmod(files_path(&house->files, to), 0600), 0);
}

/* A second passes with each check, so that each looks at the file. */
static void *ask(void *argument)
{
    struct house *house = argument;
    intptr_t wrong = 0;

    for (int i = 0; i < 2000; i++) {
        wrong += check(&house->door, house->token) != ATAMO_OK;
        wrong += check(&house->door, "atamo_aaaaaaaaaa_") != ATAMO_DENIED;
        (void)atomic_fetch_add(&house->now_ns, SECOND);
    }
    return (void *)wrong;
}

static void test_checks_go_on_while_files_change_and_reloads_swap_them(void **state)
{
    struct house *house = *state;
    pthread_t threads[3];

    copy_file(house, "tokens", "copy");
    assert_int_equal(open_house(house, "tokens", NULL), ATAMO_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, house), 0);
    for (int i = 0; i < 20; i++) {
        const char *name = i % 2 == 0 ? "copy" : "tokens";
        char user[32], text[TOKEN_TEXT_SIZE + 1];

        assert_int_equal(reload(house, name, DOOR), ATAMO_OK);
        (void)snprintf(user, sizeof user, "user-%d", i);
        add_token(house, name, user, text);
    }
    for (size_t i = 0; i < 3; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(atamo_close(house->hub, 1000), ATAMO_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_hub_without_tokens_asks_for_none),
        TEST(test_a_plugin_is_told_whose_token_it_is),
        TEST(test_a_reload_that_brings_tokens_asks_for_them_before_anything_starts),
        TEST(test_a_reload_that_fails_leaves_the_tokens_as_they_were),
        TEST(test_a_hub_does_not_open_without_its_file_of_tokens),
        TEST(test_checks_go_on_while_files_change_and_reloads_swap_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
