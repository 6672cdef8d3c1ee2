/* faulty - the LMDB store with a bug planted between it and the hub.
 *
 * The plugin's own table is taken from its shared object; only write() is another one, which leaves
 * writes out or splits them, and hands the rest on.
 */
#include "faulty.h"

#include "life.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { SOME = 20 }; /* one in so many */

static struct {
    const char *bug;
    const atamo_plugin *real;
    atamo_plugin plugin;
    atamo_store store;
    uint64_t count;
} faulty;

static bool is_bug(const char *name)
{
    return strcmp(faulty.bug, name) == 0;
}

static bool is_in(const atamo_write *write, const char *space)
{
    return write->space.size == strlen(space) &&
           memcmp(write->space.data, space, write->space.size) == 0;
}

/* An event's row says in its second byte whether its rules are still to be evaluated. */
static bool is_put_off(const atamo_write *write)
{
    return write->value.size > 1 && write->value.data[1] != 0;
}

static bool is_hit(const atamo_write *write)
{
    const bool puts = write->kind == ATAMO_WRITE_PUT;

    if (is_bug("skip-event"))
        return puts && is_in(write, "event");
    if (is_bug("lost-follow-up"))
        return puts && is_in(write, "event") && is_put_off(write);
    if (is_bug("skip-kv"))
        return is_in(write, "kv");
    if (is_bug("skip-end"))
        return (!puts && is_in(write, "event")) || is_in(write, "action");
    return false;
}

static void ignore(void *user, int status)
{
    (void)user;
    (void)status;
}

static void post(void *user, int status)
{
    (void)status;
    (void)sem_post(user);
}

/* Those in the space "kv" first, or all others. */
static size_t pick(const atamo_write *writes, size_t count, bool kv, atamo_write *picked)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        if (is_in(&writes[i], "kv") == kv)
            picked[found++] = writes[i];
    return found;
}

static int write_torn(void *self, const atamo_write *writes, size_t count,
                      void (*done)(void *user, int status), void *user)
{
    atamo_write *part = calloc(count + 1, sizeof *part);
    size_t found;
    int status;
    sem_t safe;

    must(part != NULL && sem_init(&safe, 0, 0) == 0, "memory");
    found = pick(writes, count, true, part);
    if (found > 0 && faulty.real->store->write(self, part, found, post, &safe) == ATAMO_OK)
        while (sem_wait(&safe) != 0)
            ;
    found = pick(writes, count, false, part);
    status = faulty.real->store->write(self, part, found, done, user);
    free(part);
    (void)sem_destroy(&safe);
    return status;
}

static int write_batch(void *self, const atamo_write *writes, size_t count,
                       void (*done)(void *user, int status), void *user)
{
    atamo_write *kept = calloc(count + 1, sizeof *kept);
    size_t left = 0;
    int status;

    must(kept != NULL, "memory");
    for (size_t i = 0; i < count; i++)
        if (!is_hit(&writes[i]) || ++faulty.count % SOME != 0)
            kept[left++] = writes[i];
    if (is_bug("torn-outcome")) {
        status = write_torn(self, kept, left, done, user);
    } else if (is_bug("early-commit")) {
        done(user, ATAMO_OK);
        status = faulty.real->store->write(self, kept, left, ignore, NULL);
    } else {
        status = faulty.real->store->write(self, kept, left, done, user);
    }
    free(kept);
    return status;
}

const atamo_plugin *faulty_store(const char *bug)
{
    static const char *const bugs[] = {"skip-event",   "skip-end",     "skip-kv",
                                       "torn-outcome", "early-commit", "lost-follow-up"};
    void *object = dlopen(ATAMO_BUILD_DIR "/lib/atamo/plugins/lmdb.so", RTLD_NOW | RTLD_LOCAL);

    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        if (strcmp(bugs[i], bug) == 0)
            faulty.bug = bugs[i];
    if (faulty.bug == NULL)
        return NULL;
    must(object != NULL, "lmdb.so is not built");
    faulty.real = dlsym(object, ATAMO_PLUGIN_SYMBOL);
    must(faulty.real != NULL, "lmdb.so is no plugin");
    faulty.plugin = *faulty.real;
    faulty.plugin.id = "faulty";
    faulty.store = *faulty.real->store;
    faulty.store.write = write_batch;
    faulty.plugin.store = &faulty.store;
    return &faulty.plugin;
}
