/* atamo/loop.h - the extension "atamo.loop/1": descriptors and timers on the hub's own thread.
 *
 * For plugins whose library has descriptors to watch. All callbacks are [loop]: they must not
 * block. In a simulation there is no loop, and extension() answers NULL.
 */
#ifndef ATAMO_LOOP_H
#define ATAMO_LOOP_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_LOOP_EXTENSION "atamo.loop/1"

enum { ATAMO_READABLE = 1u << 0, ATAMO_WRITABLE = 1u << 1, ATAMO_BROKEN = 1u << 2 };

typedef struct atamo_watch atamo_watch; /* a descriptor that is watched */
typedef struct atamo_timer atamo_timer; /* a timer */

typedef struct atamo_loop {
    uint32_t size;
    /* Watch a descriptor for `events`; `fn` is told which came. The descriptor stays the plugin's.
     * In start(), or [loop]. */
    int (*watch)(const atamo_host *host, int fd, uint32_t events,
                 void (*fn)(void *user, uint32_t events), void *user, atamo_watch **watch);
    /* Change what is watched for; 0 pauses. [loop] */
    int (*change)(const atamo_host *host, atamo_watch *watch, uint32_t events);
    /* No further callback after this. The descriptor may be closed then. [loop], or after drain().
     */
    void (*unwatch)(const atamo_host *host, atamo_watch *watch);
    /* Call `fn` after `ms`, then every `repeat_ms` unless that is 0. In start(), or [loop]. */
    int (*timer)(const atamo_host *host, uint64_t ms, uint64_t repeat_ms, void (*fn)(void *user),
                 void *user, atamo_timer **timer);
    void (*stop_timer)(const atamo_host *host, atamo_timer *timer);
    /* Call `fn` on the loop soon. Bounded: ATAMO_BUSY. [any] */
    int (*post)(const atamo_host *host, void (*fn)(void *user), void *user);
} atamo_loop;

#ifdef __cplusplus
}
#endif

#endif
