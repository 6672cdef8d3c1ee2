/* desk - an agent that puts every action on a desk, where the test answers it when it likes. */
#ifndef TESTS_UNIT_API_DESK_H
#define TESTS_UNIT_API_DESK_H

#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { DESK_MAX = 4096 };

struct desk_action {
    const atamo_host *host;
    atamo_action handle;
    uint32_t attempt;
    uint32_t flags;
    char user[32];
    char body[64];
};

/* One a test program: cmocka runs its tests one after the other. */
struct desk {
    pthread_mutex_t lock;
    struct desk_action actions[DESK_MAX];
    size_t count;
    size_t cancelled, rooms;
};

static struct desk desk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void desk_clear(void)
{
    (void)pthread_mutex_lock(&desk.lock);
    desk.count = desk.cancelled = desk.rooms = 0;
    (void)pthread_mutex_unlock(&desk.lock);
}

static inline void desk_handle(void *self, atamo_action handle)
{
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};
    struct desk_action *action;

    assert_int_equal(host->info(host, handle, &info), ATAMO_OK);
    (void)pthread_mutex_lock(&desk.lock);
    action = &desk.actions[desk.count];
    *action = (struct desk_action){
        .host = host, .handle = handle, .attempt = info.attempt, .flags = info.flags};
    (void)snprintf(action->user, sizeof action->user, "%s", info.user.data);
    (void)snprintf(action->body, sizeof action->body, "%.*s", (int)info.body.size, info.body.data);
    assert_true(++desk.count < DESK_MAX);
    (void)pthread_mutex_unlock(&desk.lock);
}

static inline void desk_cancel(void *self, atamo_action handle, uint32_t reason)
{
    assert_int_not_equal(reason, ATAMO_REASON_NONE);
    (void)pthread_mutex_lock(&desk.lock);
    desk.cancelled++;
    (void)pthread_mutex_unlock(&desk.lock);
    atamo_done(self, handle);
}

static inline void desk_room(void *self, atamo_action handle)
{
    (void)self;
    (void)handle;
    (void)pthread_mutex_lock(&desk.lock);
    desk.rooms++;
    (void)pthread_mutex_unlock(&desk.lock);
}

static const atamo_agent desk_agent = {
    .size = sizeof desk_agent, .handle = desk_handle, .cancel = desk_cancel, .room = desk_room};
static const atamo_plugin desk_plugin = {ATAMO_PLUGIN_HEAD, .id = "desk", .version = "1",
                                         .summary = "waits for the test", .agent = &desk_agent};
static const atamo_registration desk_registration[] = {{&desk_plugin, NULL}};

static inline size_t desk_count(void)
{
    size_t count;

    (void)pthread_mutex_lock(&desk.lock);
    count = desk.count;
    (void)pthread_mutex_unlock(&desk.lock);
    return count;
}

static inline size_t desk_cancelled(void)
{
    size_t count;

    (void)pthread_mutex_lock(&desk.lock);
    count = desk.cancelled;
    (void)pthread_mutex_unlock(&desk.lock);
    return count;
}

static inline size_t desk_rooms(void)
{
    size_t count;

    (void)pthread_mutex_lock(&desk.lock);
    count = desk.rooms;
    (void)pthread_mutex_unlock(&desk.lock);
    return count;
}

/* The index-th action that came; it stays on the desk for good. */
static inline struct desk_action desk_at(size_t index)
{
    struct desk_action action;

    (void)pthread_mutex_lock(&desk.lock);
    assert_true(index < desk.count);
    action = desk.actions[index];
    (void)pthread_mutex_unlock(&desk.lock);
    return action;
}

static inline int desk_respond_about(size_t index, const char *key, const char *body)
{
    const struct desk_action action = desk_at(index);

    return atamo_respond_about(action.host, action.handle, atamo_text(key), atamo_text(body));
}

static inline void desk_respond(size_t index, const char *body)
{
    const struct desk_action action = desk_at(index);

    assert_int_equal(atamo_respond(action.host, action.handle, atamo_text(body)), ATAMO_OK);
}

static inline void desk_done(size_t index)
{
    const struct desk_action action = desk_at(index);

    atamo_done(action.host, action.handle);
}

/* One response, and done. */
static inline void desk_answer(size_t index, const char *body)
{
    desk_respond(index, body);
    desk_done(index);
}

static inline void desk_fail(size_t index, const char *reason)
{
    const struct desk_action action = desk_at(index);

    atamo_fail(action.host, action.handle, reason);
}

static inline void desk_retry(size_t index, const char *reason)
{
    const struct desk_action action = desk_at(index);

    atamo_retry(action.host, action.handle, 0, reason);
}

#endif
