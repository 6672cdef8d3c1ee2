/* loop - the hub's own thread.
 *
 * Happy path: turns while they find work; every POLL_TURNS of them, and before sleeping, libuv
 * looks at descriptors and timers of plugins. Sleeping is uv_run() with the bell's descriptor and a
 * timer for what is due next. Starting can fail for want of descriptors, memory or threads.
 */
#include "api/loop.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>

enum { POLL_TURNS = 64, HELD_NS = NS_PER_MS };

/* Tell the core that this is a waiting loop. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* When libuv has something to do, ms; -1: not by itself. */
static int plugins_due(const struct loop *loop)
{
    return uv_loop_alive(&loop->uv) != 0 ? uv_backend_timeout(&loop->uv) : -1;
}

/* How long to sleep, ns: until the next timer of the flow or of a plugin, a moment if the flow
 * waits for a slow auditor; negative: for ever. */
static int64_t sleep_ns(struct loop *loop)
{
    const int64_t due = flow_next_due(loop->flow);
    const int plugins_ms = plugins_due(loop);
    int64_t ns = INT64_MAX;

    if (due != INT64_MAX)
        ns = due - clock_now(&loop->flow->clock);
    if (plugins_ms >= 0 && (int64_t)plugins_ms * NS_PER_MS < ns)
        ns = (int64_t)plugins_ms * NS_PER_MS;
    if (flow_is_held(loop->flow) && ns > HELD_NS)
        ns = HELD_NS;
    if (ns == INT64_MAX)
        return -1;
    return ns < 0 ? 0 : ns;
}

static void sleep_until_news(struct loop *loop)
{
    struct bell *bell = &loop->flow->bell;
    struct pollfd polled[] = {{.fd = bell->fd, .events = POLLIN},
                              {.fd = uv_backend_fd(&loop->uv), .events = POLLIN}};

    bell_doze(bell);
    if (!flow_has_work(loop->flow) && !atomic_load(&loop->stopping)) {
        const int64_t ns = sleep_ns(loop);
        const struct timespec limit = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

        (void)ppoll(polled, 2, ns < 0 ? NULL : &limit, NULL);
    }
    bell_rise(bell);
    if ((polled[0].revents & POLLIN) != 0)
        (void)bell_quiet(bell);
    if (polled[1].revents != 0 || plugins_due(loop) == 0)
        (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
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
        sleep_until_news(loop);
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

/* Looking for work on the only core keeps those from running who would bring it. */
static bool has_core_of_its_own(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
}

int loop_start(struct loop *loop, struct flow *flow, int64_t spin_ns)
{
    int status;

    loop->flow = flow;
    loop->spin_ns = has_core_of_its_own() ? spin_ns : 0;
    if (uv_loop_init(&loop->uv) != 0)
        return ATAMO_IO;
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
