/* pool - worker threads of one agent that may block.
 *
 * Happy path: push is a store and a release; a worker copies what it wants to claim and moves the
 * head with one compare-and-swap. Workers that find nothing sleep on a condition; the hub's thread
 * takes the lock only if somebody sleeps. Opening can fail for want of memory or threads.
 */
#include "flow/pool.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
    struct pool *pool;
    pthread_t thread;
};

struct pool {
    struct instance *instance;
    uint32_t workers; /* that were asked for */
    uint32_t started;
    uint32_t alive; /* guarded by `lock` */
    _Alignas(64) _Atomic uint32_t tail;
    _Alignas(64) _Atomic uint32_t head;
    _Alignas(64) _Atomic uint32_t sleeping;
    _Atomic bool closing;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t ended;
    _Atomic atamo_action ring[POOL_RING];
    struct worker threads[];
};

/* Claim a fair share of what waits, at most POOL_CLAIM. */
static uint32_t claim(struct pool *pool, atamo_action *actions)
{
    uint32_t head = atomic_load_explicit(&pool->head, memory_order_acquire);

    for (;;) {
        const uint32_t tail = atomic_load_explicit(&pool->tail, memory_order_acquire);
        const uint32_t waiting = tail - head;
        uint32_t count = (waiting + pool->workers - 1) / pool->workers;

        if (waiting == 0 || waiting > POOL_RING)
            return 0; /* a stale head looks like more than there can be */
        if (count > POOL_CLAIM)
            count = POOL_CLAIM;
        for (uint32_t i = 0; i < count; i++)
            actions[i] =
                atomic_load_explicit(&pool->ring[(head + i) % POOL_RING], memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&pool->head, &head, head + count,
                                                  memory_order_acq_rel, memory_order_acquire))
            return count;
    }
}

static bool is_empty(const struct pool *pool)
{
    return atomic_load(&pool->tail) == atomic_load(&pool->head);
}

static void work(struct worker *worker, const atamo_action *actions, uint32_t count)
{
    const struct instance *instance = worker->pool->instance;
    const struct atamo_agent *agent = instance->plugin->agent;

    if (agent->handle_batch != NULL && (count > 1 || agent->handle == NULL)) {
        agent->handle_batch(instance->self, actions, count);
    } else {
        for (uint32_t i = 0; i < count; i++)
            agent->handle(instance->self, actions[i]);
    }
}

static void sleep_until_work(struct pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleeping, 1);
    while (is_empty(pool) && !atomic_load(&pool->closing))
        (void)pthread_cond_wait(&pool->work, &pool->lock);
    atomic_fetch_sub(&pool->sleeping, 1);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    atamo_action actions[POOL_CLAIM];

    while (!atomic_load_explicit(&pool->closing, memory_order_relaxed)) {
        const uint32_t count = claim(pool, actions);

        if (count > 0)
            work(worker, actions, count);
        else
            sleep_until_work(pool);
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->alive--;
    (void)pthread_cond_broadcast(&pool->ended);
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int start_workers(struct pool *pool, uint32_t workers)
{
    sigset_t all;
    sigset_t before;
    int status = ATAMO_OK;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i < workers && status == ATAMO_OK; i++) {
        struct worker *worker = &pool->threads[i];

        worker->pool = pool;
        (void)pthread_mutex_lock(&pool->lock);
        if (pthread_create(&worker->thread, NULL, run, worker) == 0) {
            (void)pthread_setname_np(worker->thread, "atamo-worker");
            pool->alive++;
            pool->started++;
        } else {
            status = ATAMO_IO;
        }
        (void)pthread_mutex_unlock(&pool->lock);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

static void free_pool(struct pool *pool)
{
    (void)pthread_cond_destroy(&pool->ended);
    (void)pthread_cond_destroy(&pool->work);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int pool_open(struct instance *instance, uint32_t workers, struct pool **pool)
{
    struct pool *made;
    pthread_condattr_t attributes;
    size_t size;

    assert(workers > 0 && workers <= POOL_WORKERS_MAX);
    size = (sizeof *made + workers * sizeof made->threads[0] + 63) / 64 * 64;
    made = aligned_alloc(64, size);
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    memset(made, 0, size);
    made->instance = instance;
    made->workers = workers;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_cond_init(&made->work, &attributes);
    (void)pthread_cond_init(&made->ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (start_workers(made, workers) != ATAMO_OK) {
        (void)pool_close(made, UINT32_MAX);
        return ATAMO_IO;
    }
    *pool = made;
    return ATAMO_OK;
}

void pool_push(struct pool *pool, atamo_action action)
{
    const uint32_t tail = atomic_load_explicit(&pool->tail, memory_order_relaxed);

    assert(tail - atomic_load_explicit(&pool->head, memory_order_acquire) < POOL_RING);
    atomic_store_explicit(&pool->ring[tail % POOL_RING], action, memory_order_relaxed);
    atomic_store_explicit(&pool->tail, tail + 1, memory_order_release);
}

void pool_wake(struct pool *pool)
{
    uint32_t sleeping;

    atomic_thread_fence(memory_order_seq_cst);
    sleeping = atomic_load_explicit(&pool->sleeping, memory_order_relaxed);
    if (sleeping == 0 || is_empty(pool))
        return;
    (void)pthread_mutex_lock(&pool->lock);
    if (atomic_load(&pool->tail) - atomic_load(&pool->head) > 1)
        (void)pthread_cond_broadcast(&pool->work);
    else
        (void)pthread_cond_signal(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
}

bool pool_close(struct pool *pool, uint32_t limit_ms)
{
    struct timespec until;
    int waited = 0;
    bool all;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += limit_ms / 1000;
    until.tv_nsec += (long)(limit_ms % 1000) * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= NS_PER_S;
    }
    (void)pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->closing, true);
    (void)pthread_cond_broadcast(&pool->work);
    while (pool->alive > 0 && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
    all = pool->alive == 0;
    (void)pthread_mutex_unlock(&pool->lock);
    if (!all)
        return false;
    for (uint32_t i = 0; i < pool->started; i++)
        (void)pthread_join(pool->threads[i].thread, NULL);
    free_pool(pool);
    return true;
}
