/* fake - a host for the plugin `exec` alone: options from a table, actions that remember what
 * became of them, all log lines. Everything that waits has a limit. */
#ifndef TESTS_UNIT_EXEC_FAKE_H
#define TESTS_UNIT_EXEC_FAKE_H

#include "plugin/json_extension.h"

#include <atamo/agent.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAKE_ACTIONS = 4096, FAKE_LOGS = 512, FAKE_LIMIT_S = 20, FAKE_ITEMS = 8 };

/* Texts of lists; of maps "key=value". Numbers as they are read: milliseconds, bytes. */
struct fake_option {
    const char *name;
    int64_t number;
    const char *items[FAKE_ITEMS];
};

struct fake_action {
    const char *type;
    atamo_bytes body;
    uint32_t attempt;
    unsigned settled; /* how often */
    uint32_t kind;
    uint64_t retry_after_ms;
    char reason[128];
    unsigned responses, progresses;
    char response[512]; /* the latest */
    char key[64];       /* of that */
    size_t response_size;
};

struct fake {
    atamo_host host;
    const atamo_plugin *plugin;
    void *library;
    void *self;
    const struct fake_option *options;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct fake_action actions[FAKE_ACTIONS];
    size_t action_count, settled_count;
    unsigned busy; /* so many responses and events are refused at first */
    bool feeds;    /* clients want updates */
    unsigned emitted;
    char emitted_type[64], emitted_subject[64], emitted_data[128];
    char logs[FAKE_LOGS][256];
    int levels[FAKE_LOGS];
    size_t log_count;
    char refusal[512];
};

static inline struct fake *fake_of(const atamo_host *host)
{
    return (struct fake *)(const void *)host;
}

/* --- options */

static inline const struct fake_option *fake_find(const atamo_host *host, const char *name)
{
    const struct fake_option *at = fake_of(host)->options;

    while (at->name != NULL && strcmp(at->name, name) != 0)
        at++;
    return at->name == NULL ? NULL : at;
}

static inline atamo_bytes fake_text(const atamo_host *host, const char *name)
{
    const struct fake_option *option = fake_find(host, name);

    return atamo_text(option == NULL ? "" : option->items[0]);
}

static inline int64_t fake_integer(const atamo_host *host, const char *name)
{
    static const struct fake_option fallbacks[] = {
        {.name = "workers", .number = 1},        {.name = "in_flight", .number = 256},
        {.name = "queue", .number = 4096},       {.name = "timeout", .number = 30000},
        {.name = "restart_delay", .number = 10}, {.name = "restart_delay_max", .number = 30000},
        {.name = "max_line", .number = 1 << 20}, {.name = "stop_grace", .number = 2000},
    };
    const struct fake_option *option = fake_find(host, name);

    for (size_t i = 0; option == NULL && i < sizeof fallbacks / sizeof fallbacks[0]; i++)
        if (strcmp(fallbacks[i].name, name) == 0)
            option = &fallbacks[i];
    assert_non_null(option);
    return option->number;
}

static inline size_t fake_count(const atamo_host *host, const char *name)
{
    const struct fake_option *option = fake_find(host, name);
    size_t count = 0;

    while (option != NULL && option->items[count] != NULL)
        count++;
    return count;
}

/* A map's item is "key=value"; keys are copied, as they end with a NUL. */
static inline atamo_bytes fake_key_at(const atamo_host *host, const char *name, size_t index)
{
    static _Thread_local char key[FAKE_ITEMS][64];
    const char *item = fake_find(host, name)->items[index];

    (void)snprintf(key[index], sizeof key[index], "%.*s", (int)strcspn(item, "="), item);
    return atamo_text(key[index]);
}

static inline atamo_bytes fake_text_at(const atamo_host *host, const char *name, size_t index)
{
    const char *item = fake_find(host, name)->items[index];

    return atamo_text(strcmp(name, "environment") == 0 ? strchr(item, '=') + 1 : item);
}

/* --- talk */

static inline void fake_log(const atamo_host *host, int level, const char *line)
{
    struct fake *fake = fake_of(host);

    (void)pthread_mutex_lock(&fake->mutex);
    if (fake->log_count < FAKE_LOGS) {
        fake->levels[fake->log_count] = level;
        (void)snprintf(fake->logs[fake->log_count++], sizeof fake->logs[0], "%.255s", line);
    }
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->mutex);
}

static inline int fake_refuse(const atamo_host *host, const char *why)
{
    (void)snprintf(fake_of(host)->refusal, sizeof fake_of(host)->refusal, "%s", why);
    return ATAMO_INVALID;
}

static inline const void *fake_extension(const atamo_host *host, const char *name)
{
    (void)host;
    return strcmp(name, ATAMO_JSON_EXTENSION) == 0 ? json_extension() : NULL;
}

/* --- actions: the handle is the place in the table, from 1 */

static inline struct fake_action *fake_action_of(const atamo_host *host, atamo_action action)
{
    assert_true(action >= 1 && action <= FAKE_ACTIONS);
    return &fake_of(host)->actions[action - 1];
}

static inline int fake_info(const atamo_host *host, atamo_action action, atamo_action_info *info)
{
    const struct fake_action *of = fake_action_of(host, action);

    *info = (atamo_action_info){.size = sizeof *info,
                                .attempt = of->attempt,
                                .attempts = 5,
                                .flags = ATAMO_WANTS_RESPONSES |
                                         (fake_of(host)->feeds ? (unsigned)ATAMO_WANTS_FEED : 0),
                                .event = (const atamo_event *)(const void *)of,
                                .deadline_ns = INT64_C(1700000000000000000),
                                .type = atamo_text(of->type),
                                .agent = atamo_text("mail"),
                                .rule = atamo_text("big \"orders\""),
                                .user = atamo_text("anna"),
                                .tenant = atamo_text(""),
                                .body = of->body,
                                .idempotency_key = 0xabc};
    return ATAMO_OK;
}

static inline atamo_bytes fake_attribute(const atamo_host *host, const atamo_event *event,
                                         atamo_attribute attribute)
{
    (void)host;
    (void)event;
    return atamo_text(attribute == ATAMO_ID ? "A-1" : attribute == ATAMO_TYPE ? "order.made" : "");
}

static inline size_t fake_event_json(const atamo_host *host, const atamo_event *event, char *buffer,
                                     size_t capacity)
{
    static const char json[] = "{\"id\":\"A-1\",\n\"data\":{}}";

    (void)host;
    (void)event;
    if (capacity >= sizeof json - 1)
        memcpy(buffer, json, sizeof json - 1);
    return sizeof json - 1;
}

static inline bool fake_is_busy(struct fake *fake)
{
    if (fake->busy == 0)
        return false;
    fake->busy--;
    return true;
}

static inline int fake_respond(const atamo_host *host, atamo_action action,
                               const atamo_response *response)
{
    struct fake *fake = fake_of(host);
    struct fake_action *of = fake_action_of(host, action);
    int status = ATAMO_BUSY;

    (void)pthread_mutex_lock(&fake->mutex);
    if (!fake_is_busy(fake)) {
        status = ATAMO_OK;
        of->responses += response->kind == ATAMO_RESPONSE_DATA;
        of->progresses += response->kind == ATAMO_RESPONSE_PROGRESS && response->progress == 0.5;
        if (response->kind == ATAMO_RESPONSE_DATA) {
            of->response_size = response->body.size;
            (void)snprintf(of->key, sizeof of->key, "%.*s", (int)response->key.size,
                           response->key.data);
            (void)memset(of->response, 0, sizeof of->response);
            memcpy(of->response, response->body.data,
                   response->body.size < sizeof of->response ? response->body.size
                                                             : sizeof of->response - 1);
        }
    }
    (void)pthread_mutex_unlock(&fake->mutex);
    return status;
}

static inline void fake_settle(const atamo_host *host, const atamo_action *actions,
                               const atamo_outcome *outcomes, size_t count)
{
    struct fake *fake = fake_of(host);

    (void)pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; i < count; i++) {
        struct fake_action *of = fake_action_of(host, actions[i]);

        of->settled++;
        of->kind = outcomes == NULL ? (uint32_t)ATAMO_DONE : outcomes[i].kind;
        of->retry_after_ms = outcomes == NULL ? 0 : outcomes[i].retry_after_ms;
        if (outcomes != NULL)
            (void)snprintf(of->reason, sizeof of->reason, "%.*s", (int)outcomes[i].reason.size,
                           outcomes[i].reason.data);
    }
    fake->settled_count += count;
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->mutex);
}

static inline int fake_emit(const atamo_host *host, atamo_action action,
                            const atamo_event_draft *draft)
{
    struct fake *fake = fake_of(host);
    int status = ATAMO_BUSY;

    (void)fake_action_of(host, action);
    (void)pthread_mutex_lock(&fake->mutex);
    if (!fake_is_busy(fake)) {
        status = ATAMO_OK;
        fake->emitted++;
        (void)snprintf(fake->emitted_type, sizeof fake->emitted_type, "%.*s", (int)draft->type.size,
                       draft->type.data);
        (void)snprintf(fake->emitted_subject, sizeof fake->emitted_subject, "%.*s",
                       (int)draft->subject.size, draft->subject.size ? draft->subject.data : "");
        (void)snprintf(fake->emitted_data, sizeof fake->emitted_data, "%.*s", (int)draft->data.size,
                       draft->data.data);
    }
    (void)pthread_mutex_unlock(&fake->mutex);
    return status;
}

/* --- life */

static inline struct fake *fake_new(const struct fake_option *options)
{
    struct fake *fake = calloc(1, sizeof *fake);
    pthread_condattr_t monotonic;

    assert_non_null(fake);
    fake->options = options;
    (void)pthread_mutex_init(&fake->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&fake->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    fake->host = (atamo_host){.size = sizeof fake->host,
                              .abi = ATAMO_ABI,
                              .text = fake_text,
                              .integer = fake_integer,
                              .count = fake_count,
                              .key_at = fake_key_at,
                              .text_at = fake_text_at,
                              .log = fake_log,
                              .refuse = fake_refuse,
                              .info = fake_info,
                              .respond = fake_respond,
                              .settle = fake_settle,
                              .emit = fake_emit,
                              .attribute = fake_attribute,
                              .event_json = fake_event_json,
                              .extension = fake_extension};
    fake->library = dlopen(ATAMO_BUILD_DIR "/lib/atamo/plugins/exec.so", RTLD_NOW | RTLD_LOCAL);
    assert_non_null(fake->library);
    fake->plugin = dlsym(fake->library, ATAMO_PLUGIN_SYMBOL);
    assert_non_null(fake->plugin);
    return fake;
}

static inline void fake_free(struct fake *fake)
{
    (void)pthread_cond_destroy(&fake->changed);
    (void)pthread_mutex_destroy(&fake->mutex);
    (void)dlclose(fake->library);
    free(fake);
}

static inline struct fake *fake_start(const struct fake_option *options)
{
    struct fake *fake = fake_new(options);

    assert_int_equal(fake->plugin->create(&fake->host, &fake->self), ATAMO_OK);
    assert_int_equal(fake->plugin->start(fake->self), ATAMO_OK);
    return fake;
}

/* Every action has ended exactly once, or the test fails. */
static inline void fake_end(struct fake *fake)
{
    fake->plugin->drain(fake->self);
    fake->plugin->destroy(fake->self);
    for (size_t i = 0; i < fake->action_count; i++)
        assert_int_equal(fake->actions[i].settled, 1);
    fake_free(fake);
}

/* --- work */

static inline struct fake_action *fake_do_bytes(struct fake *fake, const char *type,
                                                atamo_bytes body)
{
    struct fake_action *of;
    atamo_action action;

    (void)pthread_mutex_lock(&fake->mutex);
    assert_true(fake->action_count < FAKE_ACTIONS);
    of = &fake->actions[fake->action_count++];
    action = fake->action_count;
    (void)pthread_mutex_unlock(&fake->mutex);
    *of = (struct fake_action){.type = type, .body = body, .attempt = 1};
    fake->plugin->agent->handle_batch(fake->self, &action, 1);
    return of;
}

static inline struct fake_action *fake_do(struct fake *fake, const char *type, const char *body)
{
    return fake_do_bytes(fake, type, atamo_text(body));
}

static inline void fake_cancel(struct fake *fake, const struct fake_action *of, uint32_t reason)
{
    fake->plugin->agent->cancel(fake->self, (atamo_action)(of - fake->actions) + 1, reason);
}

/* Wait until something has changed; false when the time is over. Holds the mutex. */
static inline bool fake_wait(struct fake *fake, const struct timespec *until)
{
    return pthread_cond_timedwait(&fake->changed, &fake->mutex, until) == 0;
}

#define FAKE_UNTIL(fake, condition)                        \
    do {                                                   \
        struct timespec fake_until;                        \
        bool fake_ok = true;                               \
        (void)clock_gettime(CLOCK_MONOTONIC, &fake_until); \
        fake_until.tv_sec += FAKE_LIMIT_S;                 \
        (void)pthread_mutex_lock(&(fake)->mutex);          \
        while (!(condition) && fake_ok)                    \
            fake_ok = fake_wait(fake, &fake_until);        \
        (void)pthread_mutex_unlock(&(fake)->mutex);        \
        assert_true(fake_ok);                              \
    } while (0)

/* Wait until everything handed over so far has been settled. */
static inline void fake_finish(struct fake *fake)
{
    FAKE_UNTIL(fake, fake->settled_count >= fake->action_count);
}

/* How many log lines contain a text, at a level; -1 for any. The caller holds the mutex or there is
 * nobody else. */
static inline size_t fake_logged(const struct fake *fake, int level, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < fake->log_count; i++)
        count += (level < 0 || fake->levels[i] == level) && strstr(fake->logs[i], text) != NULL;
    return count;
}

/* Open descriptors of this process. */
static inline size_t fake_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

/* Fails the test if a child is left, running or not. */
static inline void fake_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

#define FAKE_CLIENTS ATAMO_SOURCE_DIR "/tests/clients"
#define FAKE_PYTHON                                                               \
    {                                                                             \
        .name = "command", .items = { "python3", FAKE_CLIENTS "/python/echo.py" } \
    }
#define FAKE_NODE                                                             \
    {                                                                         \
        .name = "command", .items = { "node", FAKE_CLIENTS "/node/echo.mjs" } \
    }
#define FAKE_ODD(how)                                                                              \
    {                                                                                              \
        .name = "command", .items = { "python3", ATAMO_SOURCE_DIR "/tests/unit/exec/odd.py", how } \
    }

#endif
