/* inbox - what the hub's thread hands to the plugin's own thread: work, cancellations, and that
 * there is room for responses again.
 *
 * Bounded. The reader takes everything at once; it is woken by one system call, and only if it
 * sleeps.
 */
#ifndef EXEC_INBOX_H
#define EXEC_INBOX_H

#include <atamo/action.h>

#include <pthread.h>
#include <stdbool.h>

enum inbox_kind { INBOX_WORK, INBOX_CANCEL, INBOX_ROOM };

struct inbox_item {
    atamo_action action;
    uint32_t kind;   /* enum inbox_kind */
    uint32_t reason; /* ATAMO_REASON_*, of a cancellation */
};

struct inbox {
    pthread_mutex_t mutex;
    struct inbox_item *items; /* being filled */
    struct inbox_item *taken; /* the reader's */
    size_t count;
    size_t work;       /* of those, work */
    size_t work_limit; /* actions that may wait here */
    size_t room;       /* items in all */
    bool sleeping;     /* the reader needs a wake-up */
    bool closed;       /* takes nothing more */
    bool news;         /* it was closed since the reader took the last time */
    int wake;          /* eventfd, for the reader's epoll */
};

/* ATAMO_NO_MEMORY, ATAMO_IO. */
int inbox_open(struct inbox *inbox, size_t work_limit);

void inbox_close(struct inbox *inbox);

/* Hand over actions, from the front; returns how many were taken. [any] */
size_t inbox_push(struct inbox *inbox, const atamo_action *actions, size_t count);

/* Hand over a cancellation, or that the action's client takes responses again; without room it is
 * lost, as it is only a hint. [any] */
void inbox_hint(struct inbox *inbox, enum inbox_kind kind, atamo_action action, uint32_t reason);

/* Take no more work, and wake the reader. [any] */
void inbox_shut(struct inbox *inbox);

/* Take all; valid until the next call. [reader] */
size_t inbox_take(struct inbox *inbox, const struct inbox_item **items);

/* Was it shut? [reader] */
bool inbox_is_shut(struct inbox *inbox);

/* Ask to be woken by `wake`; false if there is something to take already. [reader] */
bool inbox_sleep(struct inbox *inbox);

#endif
