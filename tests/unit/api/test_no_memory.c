/* Every allocation made to fail in turn: while a hub opens, works and closes. Whatever is lacking,
 * the answer is a status, never a crash; and once memory is there again the hub works.
 *
 * The allocator's functions are replaced in this program; which allocation fails is counted over
 * all threads, and how many are there at the same time: a life that leaks leaves more than it
 * found. */
#include "fixture.h"

#include "access/token_file.h"
#include "unit/config/files.h"

#include <atamo/access.h>
#include <atamo/kv.h>

#include <errno.h>
#include <stdatomic.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static _Atomic long countdown; /* fails when it comes to 0; below: never */
static _Atomic bool failed;

static bool fails_now(void)
{
    if (atomic_load_explicit(&countdown, memory_order_relaxed) <= 0 ||
        atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

static _Atomic long live; /* allocations of this program that were not freed */

/* Before each of them. What the C library allocated for itself has none and is not counted. */
struct mark {
    uint64_t magic;
    uint64_t offset; /* from the start of the memory */
};

#define MARK UINT64_C(0x61746d6f206d7461)

static void *marked(char *memory, size_t offset)
{
    struct mark *mark;

    if (memory == NULL)
        return NULL;
    mark = (struct mark *)(void *)(memory + offset) - 1;
    *mark = (struct mark){MARK, offset};
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return memory + offset;
}

static struct mark *mark_of(void *memory)
{
    struct mark *mark = (struct mark *)memory - 1;

    return mark->magic == MARK ? mark : NULL;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those names are reserved */
void *malloc(size_t size)
{
    return fails_now() ? NULL
                       : marked(__libc_malloc(size + sizeof(struct mark)), sizeof(struct mark));
}

void *calloc(size_t count, size_t size)
{
    return fails_now()
               ? NULL
               : marked(__libc_calloc(1, count * size + sizeof(struct mark)), sizeof(struct mark));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : marked(__libc_memalign(alignment, size + alignment), alignment);
}

void free(void *memory)
{
    struct mark *mark = memory == NULL ? NULL : mark_of(memory);

    if (mark == NULL) {
        __libc_free(memory);
        return;
    }
    mark->magic = 0;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    __libc_free((char *)memory - mark->offset);
}

void *realloc(void *memory, size_t size)
{
    struct mark *mark = memory == NULL ? NULL : mark_of(memory);
    char *grown;

    if (fails_now())
        return NULL;
    if (mark == NULL)
        return memory == NULL ? marked(__libc_malloc(size + sizeof *mark), sizeof *mark)
                              : __libc_realloc(memory, size);
    grown = __libc_realloc(mark, size + sizeof *mark); /* its offset is that of malloc() */
    return grown == NULL ? NULL : grown + sizeof *mark;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

static struct files files;
static char some_token[TOKEN_TEXT_SIZE + 1];

/* Each time somebody asks a second has passed, so that the file is looked at again. */
static _Atomic int64_t passed_ns;

static int64_t now(void *user)
{
    struct timespec moment;

    (void)user;
    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * INT64_C(1000000000) + moment.tv_nsec + atomic_load(&passed_ns);
}

static void ask(const atamo_host *host)
{
    const atamo_access *access = host->extension(host, ATAMO_ACCESS_EXTENSION);
    atamo_identity who = {.size = sizeof who};

    (void)atomic_fetch_add(&passed_ns, INT64_C(1000000000));
    assert_int_equal(access->check(host, atamo_text(some_token), &who), ATAMO_OK);
}

/* Make a token and revoke it again; the one that is there stays whatever fails. */
static void change_tokens(void)
{
    struct token token = {.user = "ben", .scopes = TOKEN_SCOPES_ALL, .created_ns = 1000000};
    char path[256], text[TOKEN_TEXT_SIZE + 1];
    struct problems problems;

    problems_init(&problems);
    (void)snprintf(path, sizeof path, "%s/tokens", files.folder);
    if (token_file_add(path, &token, &problems, text) == ATAMO_OK)
        while (token_file_remove(path, token.id, &problems, &token) != ATAMO_OK)
            continue;
    problems_close(&problems);
}

static void work(void *self, atamo_action action)
{
    const atamo_host *host = self;
    atamo_event_draft draft = atamo_draft("follow");
    atamo_action_info info = {.size = sizeof info};

    (void)host->info(host, action, &info);
    ask(host);
    if (strcmp(info.type.data, "emit") == 0) {
        const atamo_kv *kv = host->extension(host, ATAMO_KV_EXTENSION);

        (void)host->emit(host, action, &draft);
        if (kv != NULL)
            (void)kv->put(host, action, atamo_text("key"), info.body, ATAMO_KV_ANY);
    }
    (void)atamo_respond(host, action, info.body);
    for (int i = 0; i < 4 && (info.flags & ATAMO_WANTS_FEED) != 0; i++)
        (void)atamo_respond_about(host, action, atamo_text(i % 2 == 0 ? "even" : "odd"), info.body);
    if (strcmp(info.type.data, "fail") == 0)
        atamo_fail(host, action, "it cannot be done");
    else if (info.attempt == 1)
        atamo_retry(host, action, 1, "not at first");
    else
        atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .handle = work};
static const atamo_plugin plugin = {
    ATAMO_PLUGIN_HEAD, .id = "work", .version = "1", .summary = "works", .agent = &agent,
};

static const char yaml[] =
    "access: {tokens: %s/tokens}\n"
    "users: {anna: {groups: [g]}}\n"
    "events: {'*': accept, order: {required: [data.n]}}\n"
    "agents: {a: {plugin: work, queue: 4, retry: {base: 1ms, max: 1ms}}}\n"
    "rules:\n"
    "  - {id: one, on: order, when: {data: {n: [{numeric: ['>', 0]}]}},\n"
    "     then: {agent: a, action: work, with: {n: '${data.n}', text: 'n is ${data.n}'}}}\n"
    "  - {id: two, on: order, for: {groups: [g]}, then: {agent: a, action: emit}}\n"
    "  - {id: three, on: bad, then: {agent: a, action: fail}}\n"
    "  - {id: four, on: much, then: [{agent: a, action: work}, {agent: a, action: work}]}\n";

/* The same, with all that a store brings: commits, outbox, ids, history, parked actions. */
static const char store[] = "store: {plugin: " ATAMO_BUILD_DIR "/lib/atamo/plugins/memory.so}\n";

static bool has_store;

static const char *configuration(char text[2048])
{
    const int size = snprintf(text, 2048, yaml, files.folder);

    (void)snprintf(text + size, 2048 - (size_t)size, "%s", has_store ? store : "");
    return text;
}

static int open_hub(atamo_hub **hub)
{
    char text[2048];
    const atamo_registration plugins[] = {{&plugin, NULL}};
    const atamo_settings settings = {.size = sizeof settings,
                                     .config = atamo_text(configuration(text)),
                                     .plugins = plugins,
                                     .plugin_count = 1,
                                     .log = fixture_quiet,
                                     .now = now};

    return atamo_open(&settings, hub, NULL);
}

static int without_store(void **state)
{
    (void)state;
    has_store = false;
    return 0;
}

static int with_store(void **state)
{
    (void)state;
    has_store = true;
    return 0;
}

static void ignore_replies(const atamo_reply *replies, size_t count, void *user)
{
    (void)user;
    for (size_t i = 0; i < count; i++)
        assert_true(replies[i].sequence > 0);
}

/* A feed that is left, with replies on their way and held back, and taken up by another client; one
 * that its client is cut off from; and one for the first answer. */
static void ask_for_much(atamo_hub *hub, atamo_client *client)
{
    atamo_request_options options = {.size = sizeof options,
                                     .flags = ATAMO_FEED | ATAMO_PARTS,
                                     .slow = ATAMO_SLOW_LATEST,
                                     .queue = 2,
                                     .keep_ms = 60000};
    const atamo_event_draft draft = atamo_draft("much");
    atamo_client *other = NULL;
    uint64_t requests[3];
    bool is_made[3];

    for (size_t i = 0; i < 3; i++) {
        options.answers = i == 2;
        is_made[i] =
            atamo_request(client, &draft, &options, ignore_replies, NULL, &requests[i]) == ATAMO_OK;
    }
    (void)atamo_wait_idle(hub, 5000);
    if (atamo_client_open(hub, &other) == ATAMO_OK) {
        if (is_made[0] && atamo_leave(client, requests[0]) == ATAMO_OK)
            (void)atamo_attach(other, requests[0], ignore_replies, NULL);
        (void)atamo_dispatch(other, 0, NULL);
        atamo_client_close(other);
    }
    if (is_made[1])
        (void)atamo_cancel(client, requests[1]);
    (void)atamo_dispatch(client, 0, NULL);
}

/* Open, submit, ask, reload, close; any step may fail with a status. */
static void live_once(void)
{
    atamo_event_draft draft = atamo_draft("order");
    atamo_client *client = NULL;
    atamo_hub *hub = NULL;
    char text[2048];
    int status;

    if (open_hub(&hub) != ATAMO_OK)
        return;
    status = atamo_client_open(hub, &client);
    if (status == ATAMO_OK) {
        draft.data = atamo_text("{\"n\": 3}");
        draft.user = atamo_text("anna");
        draft.partitionkey = atamo_text("k");
        draft.source = atamo_text("/test");
        for (int i = 0; i < 3; i++) {
            draft.id = atamo_text(i == 0 ? "once" : "");
            (void)atamo_submit(client, &draft, NULL);
            (void)atamo_request(client, &draft, NULL, ignore_replies, NULL, NULL);
        }
        draft.type = atamo_text("bad");
        (void)atamo_submit(client, &draft, NULL);
        (void)atamo_wait_idle(hub, 5000);
        (void)atamo_dispatch(client, 0, NULL);
        ask_for_much(hub, client);
        change_tokens();
        (void)atamo_reload(hub, NULL, atamo_text(configuration(text)), NULL);
        (void)atamo_submit(client, &draft, NULL);
        atamo_client_close(client);
    }
    (void)atamo_close(hub, 5000);
}

static void test_no_failing_allocation_does_harm(void **state)
{
    long allocation = 1;
    long before;

    (void)state;
    live_once(); /* what the C library keeps for the next time is there from now on */
    before = atomic_load(&live);
    do {
        atomic_store(&failed, false);
        atomic_store(&countdown, allocation);
        live_once();
        atomic_store(&countdown, 0);
        if (atomic_load(&live) > before)
            fail_msg("%ld allocations leak when allocation %ld fails", atomic_load(&live) - before,
                     allocation);
        allocation++;
    } while (atomic_load(&failed));
    assert_true(allocation > 50);
    print_message("%ld allocations failed, one at a time\n", allocation - 2);
}

static void test_a_hub_works_once_memory_is_there_again(void **state)
{
    atamo_stats stats = {.size = sizeof stats};
    atamo_event_draft draft = atamo_draft("order");
    atamo_client *client = NULL;
    atamo_hub *hub = NULL;

    (void)state;
    assert_int_equal(open_hub(&hub), ATAMO_OK);
    assert_int_equal(atamo_client_open(hub, &client), ATAMO_OK);
    draft.data = atamo_text("{\"n\": 3}");
    for (long allocation = 1; allocation < 30; allocation++) {
        atomic_store(&countdown, allocation);
        (void)atamo_submit(client, &draft, NULL);
        (void)atamo_wait_idle(hub, 5000);
        atomic_store(&countdown, 0);
    }
    assert_int_equal(atamo_submit(client, &draft, NULL), ATAMO_OK);
    assert_int_equal(atamo_wait_idle(hub, 5000), ATAMO_OK);
    assert_int_equal(atamo_stats_get(hub, NULL, &stats), ATAMO_OK);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(stats.accepted, stats.finished);
    assert_true(stats.done > 0);
    atamo_client_close(client);
    assert_int_equal(atamo_close(hub, 5000), ATAMO_OK);
}

static int make_token(void **state)
{
    struct token token = {.user = "anna", .scopes = TOKEN_SCOPES_ALL, .created_ns = 1000000};
    char path[256];
    struct problems problems;

    (void)state;
    if (!files_open(&files))
        return -1;
    problems_init(&problems);
    (void)snprintf(path, sizeof path, "%s/tokens", files.folder);
    return token_file_add(path, &token, &problems, some_token);
}

static int remove_token(void **state)
{
    (void)state;
    files_close(&files);
    return 0;
}

int main(void)
{
#define TEST(name, set_up)                           \
    {                                                \
#name ", " #set_up, name, set_up, NULL, NULL \
    }
    const struct CMUnitTest tests[] = {
        TEST(test_no_failing_allocation_does_harm, without_store),
        TEST(test_no_failing_allocation_does_harm, with_store),
        TEST(test_a_hub_works_once_memory_is_there_again, without_store),
        TEST(test_a_hub_works_once_memory_is_there_again, with_store),
    };

    return cmocka_run_group_tests(tests, make_token, remove_token);
}
