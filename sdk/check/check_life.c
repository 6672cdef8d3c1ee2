/* check_life - the table, and the lives of instances: one after the other, two at once, and what
 * they leave behind.
 *
 * Leftovers are counted over several lives after a first one, so that what a library sets up once
 * and keeps is not taken for a leak.
 */
#include "check.h"

#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHECK_LIVES = 5,
    CHECK_ROUNDS = 8,
    CHECK_LEAK = 16, /* bytes a life */
    CHECK_SETTLE_MS = 500,
    CHECK_ONE_THREAD = 3 /* entries of its folder, with "." and ".." */
};

static uint32_t roles_of(const atamo_plugin *plugin)
{
    return (plugin->agent != NULL ? (uint32_t)CHECK_AGENT : 0) |
           (plugin->rule_provider != NULL ? (uint32_t)CHECK_RULE_PROVIDER : 0) |
           (plugin->auditor != NULL ? (uint32_t)CHECK_AUDITOR : 0) |
           (plugin->event_provider != NULL ? (uint32_t)CHECK_EVENT_PROVIDER : 0) |
           (plugin->store != NULL ? (uint32_t)CHECK_STORE : 0);
}

void check_descriptor(const struct check *check)
{
    struct check_shared *shared = check->shared;
    atamo_test_host *host = check_open(check);
    const atamo_plugin *plugin;

    if (host == NULL)
        return;
    plugin = atamo_test_plugin(host);
    (void)snprintf(shared->id, sizeof shared->id, "%s", plugin->id);
    (void)snprintf(shared->version, sizeof shared->version, "%s", plugin->version);
    (void)snprintf(shared->summary, sizeof shared->summary, "%s", plugin->summary);
    shared->roles = roles_of(plugin);
    check_note(check, "%u options", plugin->option_count);
    if (plugin->store != NULL &&
        (plugin->store->write == NULL || plugin->store->get == NULL || plugin->store->scan == NULL))
        check_fail(check, "its store needs write(), get() and scan()");
    check_at(check, "get_extension()");
    if (plugin->get_extension != NULL && plugin->get_extension("atamo.none/1") != NULL)
        check_fail(check, "get_extension() answers for a name that it cannot know: return NULL");
    (void)atamo_test_close(host);
}

static void live(const struct check *check, bool work)
{
    atamo_test_host *host = check_run(check);

    if (host == NULL)
        return;
    if (work)
        check_work(check, host);
    check_close(check, host);
}

void check_life(const struct check *check)
{
    live(check, false);
    if (check->shared->count == 0)
        live(check, true);
}

void check_create_only(const struct check *check)
{
    atamo_test_host *host = check_create(check);

    if (host != NULL)
        check_close(check, host);
}

void check_two(const struct check *check)
{
    struct check other = *check;
    atamo_test_host *first = check_run(check);
    atamo_test_host *second;

    if (check->second != NULL)
        other.config = check->second;
    second = first == NULL ? NULL : check_run(&other);

    if (second != NULL) {
        if (atamo_test_self(first) == atamo_test_self(second))
            check_fail(check, "two instances share one self: keep no state in globals");
        check_work(check, first);
        check_work(check, second);
        check_close(check, first);
        first = NULL;
        check_work(check, second);
        check_close(check, second);
    }
    if (first != NULL)
        check_close(check, first);
}

static size_t count_entries(const char *folder)
{
    DIR *directory = opendir(folder);
    size_t count = 0;

    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL) /* NOLINT(concurrency-mt-unsafe) */
        count++;
    (void)closedir(directory);
    return count;
}

/* Threads that were joined take a moment to vanish from /proc. */
static size_t count_threads(size_t expected)
{
    const struct timespec pause = {0, 5000000L};
    size_t count = count_entries("/proc/self/task");

    for (int i = 0; i < CHECK_SETTLE_MS / 5 && count > expected; i++) {
        (void)nanosleep(&pause, NULL);
        count = count_entries("/proc/self/task");
    }
    return count;
}

/* Bytes that some lives leave behind. malloc keeps things for itself at first: what grows in every
 * round is a leak, what stops growing is not. */
static size_t bytes_left(const struct check *check)
{
    size_t grown = CHECK_LEAK;

    for (int round = 0; round < CHECK_ROUNDS && grown >= CHECK_LEAK; round++) {
        const size_t before = mallinfo2().uordblks;
        size_t after;

        for (int i = 0; i < CHECK_LIVES && check->shared->count == 0; i++)
            live(check, true);
        after = mallinfo2().uordblks;
        grown = after > before ? (after - before) / CHECK_LIVES : 0;
    }
    return grown < CHECK_LEAK ? 0 : grown;
}

void check_leftovers(const struct check *check)
{
    size_t descriptors;
    size_t threads;
    size_t bytes;

    live(check, true);
    if (check->shared->count > 0)
        return;
    descriptors = count_entries("/proc/self/fd");
    threads = count_threads(CHECK_ONE_THREAD);
    bytes = bytes_left(check);
    if (check->shared->count > 0)
        return;
    if (count_entries("/proc/self/fd") > descriptors)
        check_fail(check, "some lives left %zu descriptors open: close them in destroy()",
                   count_entries("/proc/self/fd") - descriptors);
    if (threads > CHECK_ONE_THREAD || count_threads(CHECK_ONE_THREAD) > threads)
        check_fail(check, "threads run on after destroy(): join them there");
    if (bytes > 0)
        check_fail(check, "each life leaves %zu bytes behind: free them in destroy()", bytes);
}
