/* keeper - a thread that looks after the hub.
 *
 * Happy path: twice in the time that counts as blocked it looks whether the loop is still in the
 * same call of a plugin as before. If so it says who and where, once for each such call, and leaves
 * a call for the loop that puts it on record. Auditors are watched in the same way. When there are
 * chores it has the loop hand them out, unless a reload or a close is at work, which does them
 * itself.
 */
#include "api/hub_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct blocked_call {
    struct flow_call call; /* first */
    struct flow *flow;
    uint32_t agent; /* name */
    char text[160];
};

struct keeper {
    atamo_hub *hub;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closing;
    int64_t blocked_ns;
    uint64_t turns_seen;
    const struct instance *who_seen;
    int64_t since; /* monotonic: when that call was first seen */
    bool said;
};

/* [hub thread] */
static void record_blocked(void *argument)
{
    struct blocked_call *call = argument;

    flow_record_hub(call->flow, ATAMO_REASON_BLOCKED, call->agent, call->text);
    free(call);
}

/* A callback of a plugin that takes long: what it holds up. */
struct blocking {
    const struct instance *who;
    const char *what; /* the callback */
    int64_t ns;
    const char *effect;
};

static void tell_blocked(atamo_hub *hub, const struct blocking *blocking)
{
    struct blocked_call *call = malloc(sizeof *call);
    char text[160];

    (void)snprintf(text, sizeof text, "plugin \"%s\" has been in %s for %lld ms: %s",
                   blocking->who->plugin->id, blocking->what, (long long)(blocking->ns / NS_PER_MS),
                   blocking->effect);
    hub->services.log.fn(hub->services.log.user, ATAMO_LOG_WARN, blocking->who->name, text);
    if (call == NULL)
        return;
    call->call.fn = record_blocked;
    call->call.argument = call;
    call->flow = &hub->flow;
    call->agent = names_find(hub->names, atamo_text(blocking->who->name));
    (void)snprintf(call->text, sizeof call->text, "%s", text);
    flow_post(&hub->flow, &call->call);
}

static void watch_loop(struct keeper *keeper)
{
    struct flow_watch *watch = &keeper->hub->flow.watch;
    const struct instance *who = atomic_load(&watch->who);
    const char *what = atomic_load(&watch->what);
    const uint64_t turns = atomic_load(&watch->turns);
    const int64_t now = clock_monotonic();

    if (who == NULL || who != keeper->who_seen || turns != keeper->turns_seen) {
        keeper->who_seen = who;
        keeper->turns_seen = turns;
        keeper->since = now;
        keeper->said = false;
        return;
    }
    if (keeper->said || now - keeper->since < keeper->blocked_ns)
        return;
    keeper->said = true;
    tell_blocked(keeper->hub,
                 &(struct blocking){who, what, now - keeper->since, "the hub stands still"});
}

/* [control] */
static void watch_auditors(struct keeper *keeper)
{
    for (struct audit *audit = keeper->hub->audits; audit != NULL; audit = *audit_next(audit)) {
        const int64_t ns = audit_stuck_for(audit, keeper->blocked_ns);

        if (ns > 0)
            tell_blocked(keeper->hub, &(struct blocking){audit_instance(audit), "records()", ns,
                                                         "its records wait"});
    }
}

/* What needs the lists of the hub to stay as they are: not while a reload or a close is at work. */
static void do_chores(struct keeper *keeper)
{
    atamo_hub *hub = keeper->hub;

    if (pthread_mutex_trylock(&hub->control) != 0)
        return;
    watch_auditors(keeper);
    if (atomic_load_explicit(&hub->flow.chores, memory_order_relaxed) && !keeper->said)
        hub_free_retired(hub);
    (void)pthread_mutex_unlock(&hub->control);
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    const int64_t pause = keeper->blocked_ns / 2 < NS_PER_MS ? NS_PER_MS : keeper->blocked_ns / 2;
    bool closing = false;

    while (!closing) {
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(pause / NS_PER_S);
        until.tv_nsec += (long)(pause % NS_PER_S);
        if (until.tv_nsec >= NS_PER_S) {
            until.tv_sec++;
            until.tv_nsec -= NS_PER_S;
        }
        (void)pthread_mutex_lock(&keeper->lock);
        while (!keeper->closing &&
               pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) != ETIMEDOUT)
            ;
        closing = keeper->closing;
        (void)pthread_mutex_unlock(&keeper->lock);
        watch_loop(keeper);
        do_chores(keeper);
    }
    return NULL;
}

int keeper_start(atamo_hub *hub, int64_t blocked_ns, struct keeper **keeper)
{
    struct keeper *made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;
    sigset_t all;
    sigset_t before;
    int result;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->hub = hub;
    made->blocked_ns = blocked_ns;
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&made->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&made->thread, NULL, run, made);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        free(made);
        return ATAMO_IO;
    }
    (void)pthread_setname_np(made->thread, "atamo-keeper");
    *keeper = made;
    return ATAMO_OK;
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->closing = true;
    (void)pthread_cond_broadcast(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    (void)pthread_cond_destroy(&keeper->wake);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}
