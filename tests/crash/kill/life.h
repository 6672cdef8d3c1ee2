/* life - one process of a hub that will be killed, and what it tells before. */
#ifndef TESTS_CRASH_LIFE_H
#define TESTS_CRASH_LIFE_H

#include <atamo/plugin.h>

#include <stdbool.h>
#include <stdint.h>

enum { KEYS = 8, WINDOW = 200, PER_LIFE = 1200, DELAYED = 7, LIMIT_MS = 60000 };

/* What a life tells. */
enum { ACKNOWLEDGED = 1, DONE = 2, ENDED = 3, COUNTED = 4, COUNTED_AGAIN = 5, MISCOUNTED = 6 };

struct news {
    uint32_t kind;
    uint32_t number; /* ENDED: 1 if the books balance */
};

struct life {
    int pipe;
    const char *folder;        /* of the store */
    uint32_t next;             /* the number of its first event */
    bool last;                 /* it is not killed, and submits nothing */
    bool counts;               /* it tells what was counted in the store */
    bool early;                /* planted: acknowledge when an event is submitted */
    const atamo_plugin *store; /* NULL: lmdb */
    uint32_t sent, committed;
    uint32_t waiting[WINDOW]; /* numbers submitted and not committed, a ring */
};

/* Some events are delayed, and then in no order. */
static inline bool is_delayed(uint32_t number)
{
    return number % DELAYED == 3;
}

/* Never returns. */
__attribute__((noreturn)) void live(struct life *life);

/* The process ends with a sentence. */
__attribute__((noreturn)) void give_up(const char *what);

/* It holds, or the process ends. */
static inline void must(bool good, const char *what)
{
    if (!good)
        give_up(what);
}

#endif
