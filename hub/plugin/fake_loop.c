/* fake_loop - "atamo.loop/1" for one test: descriptors by epoll, timers by the fake's clock.
 *
 * Happy path: the test's thread waits, callbacks run on it. An eventfd ends the wait whenever the
 * plugin did something on another thread. Watches and timers that end within a callback are freed
 * by the next turn, so that events already fetched find them.
 */
#include "plugin/fake.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { FAKE_EVENTS = 64, FAKE_POSTED_MAX = 1024, FAKE_TURN_MS = 10 };

struct atamo_watch {
    int fd;
    uint32_t events;
    void (*fn)(void *user, uint32_t events);
    void *user;
    bool ended;
};

struct atamo_timer {
    int64_t due_ns;
    int64_t repeat_ns;
    void (*fn)(void *user);
    void *user;
    bool ended;
};

int fake_loop_open(struct fake_loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll >= 0 && loop->bell >= 0 &&
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->bell, &event) == 0)
        return ATAMO_OK;
    if (loop->epoll >= 0)
        (void)close(loop->epoll);
    if (loop->bell >= 0)
        (void)close(loop->bell);
    return ATAMO_IO;
}

static void free_all(struct fake_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

void fake_loop_close(struct fake_loop *loop)
{
    free_all(&loop->watches);
    free_all(&loop->timers);
    free_all(&loop->posted);
    (void)close(loop->epoll);
    (void)close(loop->bell);
}

void fake_loop_leftovers(const struct atamo_test_host *host)
{
    const struct fake_loop *loop = &host->loop;

    for (size_t i = 0; i < loop->watches.count; i++) {
        const struct atamo_watch *watch = loop->watches.items[i];

        if (!watch->ended)
            fake_misuse(host, "descriptor %d was still watched after destroy()", watch->fd);
    }
    for (size_t i = 0; i < loop->timers.count; i++)
        if (!((const struct atamo_timer *)loop->timers.items[i])->ended)
            fake_misuse(host, "a timer was not stopped before destroy() returned");
}

void fake_ring(const struct atamo_test_host *host)
{
    const uint64_t one = 1;

    /* Full means that it rings already. */
    if (write(host->loop.bell, &one, sizeof one) < 0 && errno != EAGAIN)
        abort();
}

/* --- the extension */

/* The loop's functions belong to the loop's thread; start() runs on it here. */
static struct atamo_test_host *enter(const atamo_host *table, const char *call)
{
    struct atamo_test_host *host = fake_enter(table, call);

    if (!pthread_equal(pthread_self(), host->test_thread))
        fake_misuse(host, "%s was called on another thread: use post() to come to the loop", call);
    return host;
}

static uint32_t to_epoll(uint32_t events)
{
    return ((events & ATAMO_READABLE) != 0 ? (uint32_t)EPOLLIN | EPOLLRDHUP : 0) |
           ((events & ATAMO_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static uint32_t from_epoll(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? (uint32_t)ATAMO_READABLE : 0) |
           ((events & EPOLLOUT) != 0 ? (uint32_t)ATAMO_WRITABLE : 0) |
           ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0 ? (uint32_t)ATAMO_BROKEN : 0);
}

/* Tell epoll what is watched for; a watch for nothing is not there at all. */
static int set_events(const struct fake_loop *loop, struct atamo_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = watch};
    int operation = EPOLL_CTL_MOD;

    if (watch->events == events)
        return ATAMO_OK;
    if (events == 0)
        operation = EPOLL_CTL_DEL;
    else if (watch->events == 0)
        operation = EPOLL_CTL_ADD;
    if (epoll_ctl(loop->epoll, operation, watch->fd, &event) != 0)
        return ATAMO_IO;
    watch->events = events;
    return ATAMO_OK;
}

static int loop_watch(const atamo_host *table, int fd, uint32_t events,
                      void (*fn)(void *user, uint32_t events), void *user, atamo_watch **watch)
{
    struct atamo_test_host *host = enter(table, "watch()");
    struct atamo_watch *made = calloc(1, sizeof *made);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    *made = (struct atamo_watch){.fd = fd, .fn = fn, .user = user};
    status = set_events(&host->loop, made, events);
    if (status == ATAMO_OK && !fake_list_add(&host->loop.watches, made)) {
        (void)set_events(&host->loop, made, 0);
        status = ATAMO_NO_MEMORY;
    }
    if (status == ATAMO_OK)
        *watch = made;
    else
        free(made);
    return status;
}

static int loop_change(const atamo_host *table, atamo_watch *watch, uint32_t events)
{
    return set_events(&enter(table, "change()")->loop, watch, events);
}

static void loop_unwatch(const atamo_host *table, atamo_watch *watch)
{
    const struct atamo_test_host *host = enter(table, "unwatch()");

    if (watch->ended) {
        fake_misuse(host, "descriptor %d was unwatched twice", watch->fd);
        return;
    }
    (void)set_events(&host->loop, watch, 0);
    watch->ended = true;
}

static int loop_timer(const atamo_host *table, uint64_t ms, uint64_t repeat_ms,
                      void (*fn)(void *user), void *user, atamo_timer **timer)
{
    struct atamo_test_host *host = enter(table, "timer()");
    struct atamo_timer *made = calloc(1, sizeof *made);

    if (made == NULL || !fake_list_add(&host->loop.timers, made)) {
        free(made);
        return ATAMO_NO_MEMORY;
    }
    *made = (struct atamo_timer){.due_ns = fake_now(host) + (int64_t)ms * NS_PER_MS,
                                 .repeat_ns = (int64_t)repeat_ms * NS_PER_MS,
                                 .fn = fn,
                                 .user = user};
    *timer = made;
    return ATAMO_OK;
}

static void loop_stop_timer(const atamo_host *table, atamo_timer *timer)
{
    (void)enter(table, "stop_timer()");
    timer->ended = true;
}

static int loop_post(const atamo_host *table, void (*fn)(void *user), void *user)
{
    struct atamo_test_host *host = fake_enter(table, "post()");
    struct fake_posted *posted = malloc(sizeof *posted);
    int status = ATAMO_OK;

    if (posted == NULL)
        return ATAMO_NO_MEMORY;
    *posted = (struct fake_posted){fn, user};
    fake_lock(host);
    if (host->loop.posted.count >= FAKE_POSTED_MAX)
        status = ATAMO_BUSY;
    else if (!fake_list_add(&host->loop.posted, posted))
        status = ATAMO_NO_MEMORY;
    fake_unlock(host);
    if (status != ATAMO_OK)
        free(posted);
    fake_ring(host);
    return status;
}

const atamo_loop *fake_loop_table(void)
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

    return &table;
}

/* --- one turn */

/* The timer that is due first, NULL if none is due at `now`. */
static struct atamo_timer *due_timer(const struct fake_loop *loop, int64_t now)
{
    struct atamo_timer *first = NULL;

    for (size_t i = 0; i < loop->timers.count; i++) {
        struct atamo_timer *timer = loop->timers.items[i];

        if (!timer->ended && timer->due_ns <= now &&
            (first == NULL || timer->due_ns < first->due_ns))
            first = timer;
    }
    return first;
}

static void fire(struct atamo_timer *timer)
{
    if (timer->repeat_ns > 0)
        timer->due_ns += timer->repeat_ns;
    else
        timer->due_ns = INT64_MAX; /* the plugin still stops it */
    timer->fn(timer->user);
}

static size_t run_timers(const struct atamo_test_host *host)
{
    const int64_t now = fake_now(host);
    struct atamo_timer *timer;
    size_t count = 0;

    while (count < FAKE_EVENTS && (timer = due_timer(&host->loop, now)) != NULL) {
        fire(timer);
        count++;
    }
    return count;
}

static size_t run_posted(struct atamo_test_host *host)
{
    struct fake_list posted;

    fake_lock(host);
    posted = host->loop.posted;
    host->loop.posted = (struct fake_list){NULL, 0, 0};
    fake_unlock(host);
    for (size_t i = 0; i < posted.count; i++) {
        const struct fake_posted *call = posted.items[i];

        call->fn(call->user);
    }
    free_all(&posted);
    return posted.count;
}

static size_t run_watches(const struct fake_loop *loop, int timeout_ms)
{
    struct epoll_event events[FAKE_EVENTS];
    const int count = epoll_wait(loop->epoll, events, FAKE_EVENTS, timeout_ms);
    size_t ran = 0;
    uint64_t rings;

    for (int i = 0; i < count; i++) {
        const struct atamo_watch *watch = events[i].data.ptr;

        if (watch == NULL) {
            (void)!read(loop->bell, &rings, sizeof rings);
        } else if (!watch->ended && watch->events != 0) {
            watch->fn(watch->user, from_epoll(events[i].events));
            ran++;
        }
    }
    return ran;
}

static void sweep(struct fake_loop *loop)
{
    size_t kept = 0;

    for (size_t i = 0; i < loop->watches.count; i++) {
        struct atamo_watch *watch = loop->watches.items[i];

        if (watch->ended)
            free(watch);
        else
            loop->watches.items[kept++] = watch;
    }
    loop->watches.count = kept;
    kept = 0;
    for (size_t i = 0; i < loop->timers.count; i++) {
        struct atamo_timer *timer = loop->timers.items[i];

        if (timer->ended)
            free(timer);
        else
            loop->timers.items[kept++] = timer;
    }
    loop->timers.count = kept;
}

size_t atamo_test_loop(atamo_test_host *host, uint32_t timeout_ms)
{
    size_t ran = run_timers(host) + run_posted(host);

    /* With timers by the real clock, do not sleep over them. */
    if (host->loop.timers.count > 0 && timeout_ms > FAKE_TURN_MS)
        timeout_ms = FAKE_TURN_MS;
    ran += run_watches(&host->loop, ran > 0 ? 0 : (int)(timeout_ms & INT32_MAX));
    ran += run_posted(host);
    sweep(&host->loop);
    return ran;
}

void atamo_test_advance(atamo_test_host *host, uint64_t ms)
{
    const int64_t target = host->now_ns + (int64_t)ms * NS_PER_MS;
    struct atamo_timer *timer;

    while ((timer = due_timer(&host->loop, target)) != NULL) {
        fake_lock(host);
        if (timer->due_ns > host->now_ns)
            host->now_ns = timer->due_ns;
        fake_unlock(host);
        fire(timer);
    }
    fake_lock(host);
    host->now_ns = target;
    fake_unlock(host);
    (void)atamo_test_loop(host, 0);
}

int fake_until(struct atamo_test_host *host,
               bool (*done)(struct atamo_test_host *host, uint64_t what), uint64_t what,
               uint32_t timeout_ms)
{
    const int64_t until = clock_monotonic() + (int64_t)timeout_ms * NS_PER_MS;

    while (!done(host, what)) {
        const int64_t left = until - clock_monotonic();

        if (left <= 0)
            return ATAMO_TIMEOUT;
        (void)atamo_test_loop(host, left < FAKE_TURN_MS * (int64_t)NS_PER_MS
                                        ? (uint32_t)(left / NS_PER_MS) + 1
                                        : FAKE_TURN_MS);
    }
    return ATAMO_OK;
}
