/* auditing - an auditor's thread.
 *
 * Happy path: take what the tap holds, hand it over where it lies, release it; when there is
 * nothing, tell the auditor that it is idle and doze: look again after a moment, so that the hub's
 * thread neither wakes this one for every message nor needs a timer to do it later (a timer before
 * each sleep cost a round trip 7 of 13 us on a virtual machine). After some moments without records
 * it sleeps until it is woken. An
 * auditor that refuses a batch is counted and told so once in the log; the records are not given
 * again.
 */
#include "api/auditing.h"

#include "base/clock.h"
#include "flow/host.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DOZE_NS = 1000000, DOZES = 8 };

struct audit {
    struct tap tap; /* first: aligned */
    struct instance *instance;
    const struct atamo_auditor *auditor;
    struct audit *next;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    bool closing;
    bool ended;
    _Atomic int64_t busy_since; /* in records(), monotonic ns; 0: it is not */
    int64_t stuck_since;        /* the keeper's: what it has told already */
    uint64_t refused;
};

/* [hub thread] */
static void wake(void *user)
{
    struct audit *audit = user;

    (void)pthread_mutex_lock(&audit->lock);
    audit->woken = true;
    (void)pthread_cond_broadcast(&audit->wake);
    (void)pthread_mutex_unlock(&audit->lock);
}

static void hand_over(struct audit *audit, const atamo_telemetry *records, size_t count,
                      uint64_t lost)
{
    const struct host_services *services = audit->instance->hub;
    int status;

    atomic_store_explicit(&audit->busy_since, clock_monotonic(), memory_order_relaxed);
    status = audit->auditor->records(audit->instance->self, records, count, lost);
    atomic_store_explicit(&audit->busy_since, 0, memory_order_relaxed);
    if (status == ATAMO_OK || audit->refused++ > 0)
        return;
    services->log.fn(services->log.user, ATAMO_LOG_ERROR, audit->instance->name,
                     "the auditor refused records; the other auditors go on");
}

/* [audit thread, locked] */
static void doze(struct audit *audit)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += DOZE_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (!audit->woken && !audit->closing)
        if (pthread_cond_timedwait(&audit->wake, &audit->lock, &until) == ETIMEDOUT)
            break;
}

/* Rest until there may be something, the longer the more often there was nothing; false if the
 * thread shall end. */
static bool rest(struct audit *audit, uint32_t empty)
{
    const enum tap_rest how = empty < DOZES ? TAP_DOZING : TAP_ASLEEP;
    bool closing;

    if (empty == 0 && audit->auditor->idle != NULL)
        audit->auditor->idle(audit->instance->self);
    (void)pthread_mutex_lock(&audit->lock);
    if (tap_rest(&audit->tap, how)) {
        if (how == TAP_DOZING)
            doze(audit);
        else
            while (!audit->woken && !audit->closing)
                (void)pthread_cond_wait(&audit->wake, &audit->lock);
    }
    audit->woken = false;
    closing = audit->closing;
    (void)pthread_mutex_unlock(&audit->lock);
    tap_awake(&audit->tap);
    return !closing;
}

static void *run(void *argument)
{
    struct audit *audit = argument;
    const atamo_telemetry *records;
    uint32_t empty = 0;
    bool last = false;

    for (;;) {
        uint64_t lost = 0;
        const size_t count = tap_read(&audit->tap, &records, &lost);

        if (count > 0) {
            hand_over(audit, records, count, lost);
            tap_release(&audit->tap, count);
            empty = 0;
        } else if (last) {
            break;
        } else {
            last = !rest(audit, empty++);
        }
    }
    (void)pthread_mutex_lock(&audit->lock);
    audit->ended = true;
    (void)pthread_cond_broadcast(&audit->wake);
    (void)pthread_mutex_unlock(&audit->lock);
    return NULL;
}

static int start_thread(struct audit *audit)
{
    sigset_t all;
    sigset_t before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&audit->thread, NULL, run, audit);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return ATAMO_IO;
    (void)pthread_setname_np(audit->thread, "atamo-auditor");
    return ATAMO_OK;
}

static void free_audit(struct audit *audit)
{
    (void)pthread_cond_destroy(&audit->wake);
    (void)pthread_mutex_destroy(&audit->lock);
    tap_close(&audit->tap);
    free(audit);
}

int audit_start(const struct auditor_settings *settings, struct audit **audit)
{
    struct audit *made = aligned_alloc(64, (sizeof *made + 63) / 64 * 64);
    pthread_condattr_t attributes;
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, sizeof *made);
    status = tap_open(&made->tap, settings->ring,
                      settings->when_slow == SLOW_DROP ? TAP_DROP : TAP_BLOCK);
    if (status != ATAMO_OK) {
        free(made);
        return status;
    }
    made->instance = settings->instance;
    made->auditor = settings->instance->plugin->auditor;
    made->tap.wake = wake;
    made->tap.wake_user = made;
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&made->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    status = start_thread(made);
    if (status != ATAMO_OK) {
        free_audit(made);
        return status;
    }
    *audit = made;
    return ATAMO_OK;
}

struct tap *audit_tap(struct audit *audit)
{
    return &audit->tap;
}

struct instance *audit_instance(const struct audit *audit)
{
    return audit->instance;
}

struct audit **audit_next(struct audit *audit)
{
    return &audit->next;
}

bool audit_stop(struct audit *audit, uint32_t limit_ms)
{
    struct timespec until;
    int waited = 0;
    bool ended;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(limit_ms / 1000 + 1);
    (void)pthread_mutex_lock(&audit->lock);
    audit->closing = true;
    (void)pthread_cond_broadcast(&audit->wake);
    while (!audit->ended && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&audit->wake, &audit->lock, &until);
    ended = audit->ended;
    (void)pthread_mutex_unlock(&audit->lock);
    if (!ended) {
        (void)pthread_detach(audit->thread); /* nobody will wait for it again */
        return false;
    }
    (void)pthread_join(audit->thread, NULL);
    free_audit(audit);
    return true;
}

uint64_t audit_lost(const struct audit *audit)
{
    return atomic_load_explicit(&audit->tap.lost_total, memory_order_relaxed);
}

int64_t audit_stuck_for(struct audit *audit, int64_t limit_ns)
{
    const int64_t since = atomic_load_explicit(&audit->busy_since, memory_order_relaxed);
    const int64_t ns = clock_monotonic() - since;

    if (since == 0 || since == audit->stuck_since || ns < limit_ns)
        return 0;
    audit->stuck_since = since;
    return ns;
}
