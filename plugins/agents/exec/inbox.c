/* inbox - what the hub's thread hands to the plugin's own thread.
 *
 * Happy path: the writer locks, appends and unlocks; the reader locks, swaps its empty array for
 * the full one and unlocks. Both hold the lock for nanoseconds. A reader that is about to sleep
 * says so under the same lock, so a wake-up can neither be lost nor be sent twice. A full inbox
 * refuses.
 */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

int inbox_open(struct inbox *inbox, size_t work_limit)
{
    const size_t room = 2 * work_limit; /* every action that waits may be cancelled too */

    *inbox = (struct inbox){.work_limit = work_limit, .room = room, .wake = -1};
    inbox->items = calloc(room, sizeof *inbox->items);
    inbox->taken = calloc(room, sizeof *inbox->taken);
    inbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->items == NULL || inbox->taken == NULL || inbox->wake < 0 ||
        pthread_mutex_init(&inbox->mutex, NULL) != 0) {
        const bool memory = inbox->items == NULL || inbox->taken == NULL;

        free(inbox->items);
        free(inbox->taken);
        if (inbox->wake >= 0)
            (void)close(inbox->wake);
        return memory ? ATAMO_NO_MEMORY : ATAMO_IO;
    }
    return ATAMO_OK;
}

void inbox_close(struct inbox *inbox)
{
    (void)pthread_mutex_destroy(&inbox->mutex);
    (void)close(inbox->wake);
    free(inbox->items);
    free(inbox->taken);
}

/* Unlock, and wake the reader if it sleeps. */
static void unlock_and_wake(struct inbox *inbox)
{
    const bool wake = inbox->sleeping;
    const uint64_t one = 1;

    inbox->sleeping = false;
    (void)pthread_mutex_unlock(&inbox->mutex);
    if (wake)
        while (write(inbox->wake, &one, sizeof one) < 0 && errno == EINTR)
            continue;
}

size_t inbox_push(struct inbox *inbox, const atamo_action *actions, size_t count)
{
    size_t taken = 0;

    (void)pthread_mutex_lock(&inbox->mutex);
    while (taken < count && !inbox->closed && inbox->work < inbox->work_limit &&
           inbox->count < inbox->room) {
        inbox->items[inbox->count++] = (struct inbox_item){.action = actions[taken++]};
        inbox->work++;
    }
    unlock_and_wake(inbox);
    return taken;
}

void inbox_hint(struct inbox *inbox, enum inbox_kind kind, atamo_action action, uint32_t reason)
{
    (void)pthread_mutex_lock(&inbox->mutex);
    if (inbox->count < inbox->room)
        inbox->items[inbox->count++] =
            (struct inbox_item){.action = action, .kind = kind, .reason = reason};
    unlock_and_wake(inbox);
}

void inbox_shut(struct inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->mutex);
    inbox->closed = true;
    inbox->news = true;
    unlock_and_wake(inbox);
}

size_t inbox_take(struct inbox *inbox, const struct inbox_item **items)
{
    struct inbox_item *full;
    size_t count;

    (void)pthread_mutex_lock(&inbox->mutex);
    full = inbox->items;
    count = inbox->count;
    inbox->items = inbox->taken;
    inbox->taken = full;
    inbox->count = 0;
    inbox->work = 0;
    inbox->sleeping = false;
    inbox->news = false;
    (void)pthread_mutex_unlock(&inbox->mutex);
    *items = full;
    return count;
}

bool inbox_is_shut(struct inbox *inbox)
{
    bool closed;

    (void)pthread_mutex_lock(&inbox->mutex);
    closed = inbox->closed;
    (void)pthread_mutex_unlock(&inbox->mutex);
    return closed;
}

bool inbox_sleep(struct inbox *inbox)
{
    bool sleeping;

    (void)pthread_mutex_lock(&inbox->mutex);
    sleeping = inbox->count == 0 && !inbox->news;
    inbox->sleeping = sleeping;
    (void)pthread_mutex_unlock(&inbox->mutex);
    return sleeping;
}
