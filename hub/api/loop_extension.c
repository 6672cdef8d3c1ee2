/* loop_extension - "atamo.loop/1": descriptors and timers of plugins on the hub's thread.
 *
 * Happy path: a call that comes from another thread, as from start(), is run on the hub's thread;
 * there it is one libuv handle. Handles are freed by libuv's close callback, so a watch may be
 * ended from within its own callback. Starting fails for want of memory, or if the descriptor
 * cannot be polled.
 */
#include "api/hub_inside.h"

#include <atamo/loop.h>

#include <stdlib.h>
#include <string.h>

struct atamo_watch {
    uv_poll_t poll; /* first */
    void (*fn)(void *user, uint32_t events);
    void *user;
};

struct atamo_timer {
    uv_timer_t timer; /* first */
    void (*fn)(void *user);
    void *user;
};

static struct loop *loop_of(const atamo_host *host)
{
    atamo_hub *hub = host_services_of(host)->extension_user;

    return &hub->loop;
}

struct loop_call {
    struct loop *loop;
    int fd;
    uint32_t events;
    uint64_t ms, repeat_ms;
    void *handle;
    int status;
};

static void on_events(uv_poll_t *poll, int status, int events)
{
    const struct atamo_watch *watch = (const struct atamo_watch *)(const void *)poll;
    uint32_t seen = status < 0 ? (uint32_t)ATAMO_BROKEN : 0;

    if ((events & UV_READABLE) != 0)
        seen |= ATAMO_READABLE;
    if ((events & UV_WRITABLE) != 0)
        seen |= ATAMO_WRITABLE;
    if ((events & UV_DISCONNECT) != 0)
        seen |= ATAMO_BROKEN;
    watch->fn(watch->user, seen);
}

static int start_poll(struct atamo_watch *watch, uint32_t events)
{
    int wanted = 0;

    if ((events & ATAMO_READABLE) != 0)
        wanted |= UV_READABLE | UV_DISCONNECT;
    if ((events & ATAMO_WRITABLE) != 0)
        wanted |= UV_WRITABLE;
    if (wanted == 0)
        return uv_poll_stop(&watch->poll) == 0 ? ATAMO_OK : ATAMO_IO;
    return uv_poll_start(&watch->poll, wanted, on_events) == 0 ? ATAMO_OK : ATAMO_IO;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void do_watch(void *argument)
{
    struct loop_call *call = argument;
    struct atamo_watch *watch = call->handle;

    call->status = ATAMO_IO;
    if (uv_poll_init(&call->loop->uv, &watch->poll, call->fd) != 0) {
        free(watch);
        return;
    }
    call->status = start_poll(watch, call->events);
    if (call->status != ATAMO_OK)
        uv_close((uv_handle_t *)&watch->poll, free_handle);
}

static int loop_watch(const atamo_host *host, int fd, uint32_t events,
                      void (*fn)(void *user, uint32_t events), void *user, atamo_watch **watch)
{
    struct loop_call call = {.loop = loop_of(host), .fd = fd, .events = events};
    struct atamo_watch *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->fn = fn;
    made->user = user;
    call.handle = made;
    flow_call(call.loop->flow, do_watch, &call);
    if (call.status == ATAMO_OK)
        *watch = made;
    return call.status;
}

static int loop_change(const atamo_host *host, atamo_watch *watch, uint32_t events)
{
    (void)host;
    return start_poll(watch, events);
}

static void do_close(void *argument)
{
    struct loop_call *call = argument;

    uv_close(call->handle, free_handle);
}

static void loop_unwatch(const atamo_host *host, atamo_watch *watch)
{
    struct loop_call call = {.loop = loop_of(host), .handle = watch};

    flow_call(call.loop->flow, do_close, &call);
}

static void on_timer(uv_timer_t *timer)
{
    const struct atamo_timer *made = (const struct atamo_timer *)(const void *)timer;

    made->fn(made->user);
}

static void do_timer(void *argument)
{
    struct loop_call *call = argument;
    struct atamo_timer *timer = call->handle;

    (void)uv_timer_init(&call->loop->uv, &timer->timer);
    uv_update_time(&call->loop->uv);
    (void)uv_timer_start(&timer->timer, on_timer, call->ms, call->repeat_ms);
}

static int loop_timer(const atamo_host *host, uint64_t ms, uint64_t repeat_ms,
                      void (*fn)(void *user), void *user, atamo_timer **timer)
{
    struct loop_call call = {.loop = loop_of(host), .ms = ms, .repeat_ms = repeat_ms};
    struct atamo_timer *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    made->fn = fn;
    made->user = user;
    call.handle = made;
    flow_call(call.loop->flow, do_timer, &call);
    *timer = made;
    return ATAMO_OK;
}

static void loop_stop_timer(const atamo_host *host, atamo_timer *timer)
{
    struct loop_call call = {.loop = loop_of(host), .handle = timer};

    flow_call(call.loop->flow, do_close, &call);
}

/* A posted call, freed when it has run. */
struct posted {
    struct flow_call call; /* first */
    void (*fn)(void *user);
    void *user;
};

static void run_posted(void *argument)
{
    struct posted *posted = argument;

    posted->fn(posted->user);
    free(posted);
}

static int loop_post(const atamo_host *host, void (*fn)(void *user), void *user)
{
    struct posted *posted = malloc(sizeof *posted);

    if (posted == NULL)
        return ATAMO_NO_MEMORY;
    posted->call.fn = run_posted;
    posted->call.argument = posted;
    posted->fn = fn;
    posted->user = user;
    flow_post(loop_of(host)->flow, &posted->call);
    return ATAMO_OK;
}

const void *loop_extension(const char *name)
{
    static const atamo_loop table = {
        .size = sizeof table,
        .watch = loop_watch,
        .change = loop_change,
        .unwatch = loop_unwatch,
        .timer = loop_timer,
        .stop_timer = loop_stop_timer,
        .post = loop_post,
    };

    return strcmp(name, ATAMO_LOOP_EXTENSION) == 0 ? &table : NULL;
}
