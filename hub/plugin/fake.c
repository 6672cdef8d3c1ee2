/* fake - the life of a fake host: open, create, start, drain, destroy, close.
 *
 * Happy path: the table of the plugin is checked as the loader checks it, its options are built from
 * the configuration, the host table is filled in, and each step calls the plugin's function. Opening
 * fails as loading a configuration fails, with a line for each problem. What is left open at
 * destroy() is misuse.
 */
#include "plugin/fake.h"

#include "base/clock.h"
#include "plugin/loader.h"
#include "plugin/options.h"
#include "yaml/yaml.h"

#include <stdarg.h>
#include <stdlib.h>

/* 2026-01-01T00:00:00Z */
#define FAKE_EPOCH_NS (INT64_C(1767225600) * NS_PER_S)

enum { FAKE_LAST_WAIT_MS = 2000 };

bool fake_list_add(struct fake_list *list, void *item)
{
    if (list->count == list->room) {
        const size_t room = list->room == 0 ? 16 : list->room * 2;
        void **items = realloc(list->items, room * sizeof *items);

        if (items == NULL)
            return false;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}

void fake_lock(const struct atamo_test_host *host)
{
    (void)pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&host->lock);
}

void fake_unlock(const struct atamo_test_host *host)
{
    (void)pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&host->lock);
}

void fake_misuse(const struct atamo_test_host *host, const char *format, ...)
{
    struct atamo_test_host *writable = (struct atamo_test_host *)(uintptr_t)host;
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if ((host->flags & ATAMO_TEST_QUIET) == 0)
        (void)fprintf(stderr, "misuse by plugin \"%s\": %s\n", host->plugin->id, text);
    fake_lock(host);
    (void)fake_list_add(&writable->misuses, arena_copy(&writable->arena, atamo_text(text)).data
                                                ? (void *)(uintptr_t)arena_copy(
                                                      &writable->arena, atamo_text(text))
                                                      .data
                                                : (void *)(uintptr_t) "no memory");
    fake_unlock(host);
}
