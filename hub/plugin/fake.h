/* fake - a host for one plugin instance in a test; <atamo/test.h> is its face.
 *
 * It uses the same modules as the hub for what a plugin can see: options, events, names, JSON.
 * Everything that the plugin hands over is copied into one arena and kept until the host is closed.
 *
 * Thread: `lock` guards all that changes; plugin code never runs under it. The loop's lists and the
 * batch of telemetry belong to the test's thread.
 */
#ifndef HUB_PLUGIN_FAKE_H
#define HUB_PLUGIN_FAKE_H

#include "base/names.h"
#include "base/number.h"
#include "base/problems.h"
#include "base/random.h"
#include "model/cloudevent.h"

#include <atamo/access.h>
#include <atamo/json.h>
#include <atamo/kv.h>
#include <atamo/loop.h>
#include <atamo/test.h>

#include <pthread.h>
#include <stdbool.h>

enum { FAKE_NODE = 0x7e57 };

/* A list of pointers that grows. */
struct fake_list {
    void **items;
    size_t count, room;
};

enum fake_state { FAKE_OPENED, FAKE_CREATED, FAKE_STARTED, FAKE_DRAINED, FAKE_DESTROYED };

enum fake_action_state { FAKE_MADE, FAKE_GIVEN, FAKE_SETTLED };

struct fake_action {
    atamo_action handle;
    atamo_action_info info;
    enum fake_action_state state;
    bool wants_room; /* respond() said ATAMO_BUSY */
    atamo_outcome outcome;
    struct fake_list responses; /* atamo_response */
};

/* An event that came from the plugin. */
struct fake_event {
    struct message *message;
    atamo_action cause;
};

struct fake_line {
    int level;
    const char *text;
};

struct fake_posted {
    void (*fn)(void *user);
    void *user;
};

/* The loop: see fake_loop.c. */
struct fake_loop {
    int epoll; /* -1: not open */
    int bell;  /* an eventfd that ends a wait */
    struct fake_list watches;
    struct fake_list timers;
    struct fake_list posted;
};

struct atamo_test_host {
    struct atamo_host table; /* first: a host pointer is this */
    const atamo_plugin *plugin;
    struct options *options;
    void *self;
    void *context;
    const char *instance;
    uint32_t flags;
    pthread_t test_thread;

    pthread_mutex_t lock;
    pthread_cond_t room_came;
    struct arena arena;
    enum fake_state state;
    bool draining;
    const char *refusal;
    struct fake_list misuses; /* char */
    struct fake_list lines;   /* struct fake_line */
    int64_t now_ns;           /* the virtual clock */
    struct random random;

    struct fake_list actions; /* struct fake_action */
    size_t respond_room;
    size_t unsettled;

    struct blocks blocks;
    struct fake_list messages; /* struct message: all there are */
    struct fake_list events;   /* struct fake_event */
    struct number_source numbers;
    struct cloudevent_reader *reader;
    size_t submit_room;
    bool refused_busy, ready_due, finished;

    struct fake_list proposals; /* atamo_proposal */
    bool evaluating;

    struct fake_list cells; /* of fake_kv.c, by key */
    struct fake_list held;  /* writes of actions that are not settled */
    uint64_t versions;

    struct fake_list tokens; /* of fake_access.c */

    struct names *names;
    atamo_telemetry *batch;
    size_t batch_count, batch_room;

    struct fake_loop loop;
};

/* Append; false without memory. Under the lock. */
bool fake_list_add(struct fake_list *list, void *item);

/* The host behind a table. */
static inline struct atamo_test_host *fake_of(const atamo_host *table)
{
    return (struct atamo_test_host *)(uintptr_t)table;
}

void fake_lock(const struct atamo_test_host *host);
void fake_unlock(const struct atamo_test_host *host);

/* Note what the plugin must not do. Not under the lock. */
__attribute__((format(printf, 2, 3))) void fake_misuse(const struct atamo_test_host *host,
                                                       const char *format, ...);

/* The host behind a table that a plugin calls; a call after destroy() is noted. */
struct atamo_test_host *fake_enter(const atamo_host *table, const char *call);

/* End the wait of the test's thread, because something happened. [any] */
void fake_ring(const struct atamo_test_host *host);

/* Run the loop until done(host, what); ATAMO_OK or ATAMO_TIMEOUT. */
int fake_until(struct atamo_test_host *host,
               bool (*done)(struct atamo_test_host *host, uint64_t what), uint64_t what,
               uint32_t timeout_ms);

/* The clock, virtual or real. [any] */
int64_t fake_now(const struct atamo_test_host *host);

/* Copy a draft into a message that lives as long as the host. *why is static. Under the lock. */
int fake_message(struct atamo_test_host *host, const atamo_event_draft *draft,
                 struct message **message, const char **why);

/* The action if it is the agent's just now, else NULL: that is misuse. */
struct fake_action *fake_given(const struct atamo_test_host *host, atamo_action handle,
                               const char *call);

/* Its outcome is set: what it has written takes effect or not. Under the lock. */
void fake_kv_settle(struct atamo_test_host *host, struct fake_action *action);
const atamo_kv *fake_kv_table(void);

const atamo_access *fake_access_table(void);

/* Each part of the host fills in its functions. */
void fake_fill_base(struct atamo_host *table);
void fake_fill_actions(struct atamo_host *table);
void fake_fill_events(struct atamo_host *table);

/* host->propose() */
int fake_propose(const atamo_host *table, void *evaluation, const void *proposal);

int fake_loop_open(struct fake_loop *loop);
void fake_loop_close(struct fake_loop *loop);
/* Note what the plugin left behind at destroy(). */
void fake_loop_leftovers(const struct atamo_test_host *host);
const atamo_loop *fake_loop_table(void);

#endif
