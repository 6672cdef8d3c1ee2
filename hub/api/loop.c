/* loop - the hub's own thread.
 *
 * Happy path: turns while they find work; every POLL_TURNS of them, and before sleeping, libuv
 * looks at descriptors and timers of plugins. Sleeping is uv_run() with the bell's descriptor and a
 * timer for what is due next. Starting can fail for want of descriptors, memory or threads.
 */
#include "api/loop.h"

#include <signal.h>

enum { POLL_TURNS = 64, BLOCKED_MS = 1 };

/* Tell the core that this is a waiting loop. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void on_bell(uv_poll_t *poll, int status, int events)
{
    struct loop *loop = poll->data;

    (void)status;
    (void)events;
    (void)bell_quiet(&loop->flow->bell);
}

static void on_alarm(uv_timer_t *timer)
{
    (void)timer; /* waking is all it is for */
}

/* How long to sleep: until the next timer, a moment if the flow waits for a slow auditor. */
static void set_alarm(struct loop *loop)
{
    const struct flow *flow = loop->flow;
    const int64_t due = flow_next_due(flow);
    uint64_t ms = UINT64_MAX;

    if (due != INT64_MAX)
        ms = due <= flow->now ? 0 : (uint64_t)(due - flow->now) / NS_PER_MS + 1;
    if (flow_is_held(loop->flow) && ms > BLOCKED_MS)
        ms = BLOCKED_MS;
    if (ms == UINT64_MAX) {
        (void)uv_timer_stop(&loop->alarm);
        return;
    }
    uv_update_time(&loop->uv);
    (void)uv_timer_start(&loop->alarm, on_alarm, ms, 0);
}

static void sleep_in_uv(struct loop *loop)
{
    struct bell *bell = &loop->flow->bell;

    bell_doze(bell);
    if (!flow_has_work(loop->flow) && !atomic_load(&loop->stopping)) {
        set_alarm(loop);
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    }
    bell_rise(bell);
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    int64_t last_work = clock_monotonic();
    unsigned turns = 0;

    while (!atomic_load_explicit(&loop->stopping, memory_order_relaxed)) {
        if (flow_turn(loop->flow) > 0) {
            if (++turns % POLL_TURNS == 0)
                (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
            last_work = 0;
            continue;
        }
        if (loop->spin_ns > 0) {
            const int64_t now = clock_monotonic();

            if (last_work == 0)
                last_work = now;
            if (now - last_work < loop->spin_ns) {
                relax();
                continue;
            }
        }
        sleep_in_uv(loop);
    }
    while (flow_turn(loop->flow) > 0)
        ; /* calls and answers that came in at the end */
    return NULL;
}

static int start_thread(struct loop *loop)
{
    sigset_t all;
    sigset_t before;
    int result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&loop->thread, NULL, run, loop);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return ATAMO_IO;
    loop->has_thread = true;
    loop->flow->thread = loop->thread;
    atomic_store_explicit(&loop->flow->threaded, true, memory_order_release);
    (void)pthread_setname_np(loop->thread, "atamo-loop");
    return ATAMO_OK;
}

static void close_handle(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_uv(struct loop *loop)
{
    uv_walk(&loop->uv, close_handle, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
}

int loop_start(struct loop *loop, struct flow *flow, int64_t spin_ns)
{
    int status;

    loop->flow = flow;
    loop->spin_ns = spin_ns;
    if (uv_loop_init(&loop->uv) != 0)
        return ATAMO_IO;
    if (uv_poll_init(&loop->uv, &loop->bell, flow->bell.fd) != 0 ||
        uv_timer_init(&loop->uv, &loop->alarm) != 0) {
        close_uv(loop);
        return ATAMO_IO;
    }
    loop->bell.data = loop;
    (void)uv_poll_start(&loop->bell, UV_READABLE, on_bell);
    status = start_thread(loop);
    if (status != ATAMO_OK)
        close_uv(loop);
    return status;
}

void loop_stop(struct loop *loop)
{
    if (!loop->has_thread)
        return;
    atomic_store(&loop->stopping, true);
    bell_strike(&loop->flow->bell);
    (void)pthread_join(loop->thread, NULL);
    loop->has_thread = false;
    atomic_store_explicit(&loop->flow->threaded, false, memory_order_release);
    close_uv(loop);
}
