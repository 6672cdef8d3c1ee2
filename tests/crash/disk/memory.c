/* memory - the store's own code while every allocation fails in turn: as it opens, is written to
 * and closes.
 *
 * Happy path: a life of the store is lived again and again, and the n-th allocation of it, by the
 * store, LMDB or the C library, on any thread, fails. What it says is a status; what it refused is
 * not there, what it acknowledged is; as soon as there is memory again it works; and nothing is
 * left allocated. The allocator's functions are replaced in this program.
 */
#include "writer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BATCHES = 6, ALLOCATIONS_MAX = 5000 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static _Atomic long countdown; /* fails when it comes to 0; below: never */
static _Atomic bool failed;
static _Atomic long live; /* allocations that were not freed */

static bool fails_now(void)
{
    if (atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add(&live, 1);
    return memory;
}

#define EVERYBODYS __attribute__((visibility("default")))

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those names are reserved */
EVERYBODYS void *malloc(size_t size)
{
    return fails_now() ? NULL : counted(__libc_malloc(size));
}

EVERYBODYS void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__libc_calloc(count, size));
}

EVERYBODYS void *realloc(void *memory, size_t size)
{
    if (fails_now())
        return NULL;
    return memory == NULL ? counted(__libc_malloc(size)) : __libc_realloc(memory, size);
}

EVERYBODYS int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *made = fails_now() ? NULL : counted(__libc_memalign(alignment, size));

    if (made == NULL)
        return ENOMEM;
    *memory = made;
    return 0;
}

EVERYBODYS void free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* --- one life */

struct life {
    char folder[64], path[96];
    struct database database;
    struct writer writer;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int status; /* of the last batch; 1: not yet */
};

static void note(void *user, int status)
{
    struct life *life = user;

    (void)pthread_mutex_lock(&life->lock);
    life->status = status;
    (void)pthread_cond_signal(&life->answered);
    (void)pthread_mutex_unlock(&life->lock);
}

static int open_store(struct life *life)
{
    const struct database_settings settings = {
        .path = life->path, .max_size = (size_t)64 << 20, .syncs = true};
    char why[DATABASE_WHY] = "";
    int status = database_open(&life->database, &settings, why);

    if (status != ATAMO_OK)
        return status;
    status = writer_start(&life->writer, &life->database, (size_t)1 << 20);
    if (status != ATAMO_OK)
        database_close(&life->database);
    return status;
}

static void close_store(struct life *life)
{
    writer_stop(&life->writer);
    database_close(&life->database);
}

/* Batch n puts its key, with a value of more than a page, and deletes one that is not there. */
static int put(struct life *life, int n)
{
    static const char large[9000];
    char name[16];
    const atamo_write writes[] = {
        {.size = sizeof(atamo_write),
         .kind = ATAMO_WRITE_PUT,
         .space = atamo_text("s"),
         .key = {name, (size_t)snprintf(name, sizeof name, "n-%03d", n)},
         .value = {large, sizeof large}},
        {.size = sizeof(atamo_write),
         .kind = ATAMO_WRITE_DELETE,
         .space = atamo_text("s"),
         .key = atamo_text("none")},
    };
    int status;

    life->status = 1;
    status = writer_add(&life->writer, writes, 2, note, life);
    if (status != ATAMO_OK)
        return status;
    (void)pthread_mutex_lock(&life->lock);
    while (life->status == 1)
        (void)pthread_cond_wait(&life->answered, &life->lock);
    (void)pthread_mutex_unlock(&life->lock);
    return life->status;
}

static int ignore(void *user, const atamo_record *record)
{
    (void)user;
    return record->status;
}

static int get(struct life *life, int n)
{
    char key[16];
    const int size = snprintf(key, sizeof key, "s%cn-%03d", '\0', n);

    return database_get(&life->database, (atamo_bytes){key, (size_t)size}, 2, ignore, NULL);
}

static void remove_store(const struct life *life)
{
    static const char *const ends[] = {"", "-lock", "-owner"};
    char path[128];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", life->path, ends[i]);
        (void)unlink(path);
    }
}

/* Memory is there again: what was said holds, and more is taken. */
static void check_after(struct life *life, const int answers[BATCHES])
{
    atomic_store(&countdown, 0);
    assert_int_equal(open_store(life), ATAMO_OK);
    for (int n = 0; n < BATCHES; n++)
        assert_int_equal(get(life, n), answers[n] == ATAMO_OK ? ATAMO_OK : ATAMO_NOT_FOUND);
    assert_int_equal(put(life, BATCHES), ATAMO_OK);
    close_store(life);
}

/* The n-th allocation fails. Returns whether there was one. */
static bool live_once(struct life *life, long n)
{
    int answers[BATCHES];
    int lacked = 0;
    int status;

    for (int i = 0; i < BATCHES; i++)
        answers[i] = ATAMO_CLOSED;
    atomic_store(&failed, false);
    atomic_store(&countdown, n);
    status = open_store(life);
    if (status == ATAMO_OK) {
        for (int i = 0; i < BATCHES; i++) {
            answers[i] = put(life, i);
            assert_true(answers[i] == ATAMO_OK || answers[i] == ATAMO_NO_MEMORY);
            lacked += answers[i] != ATAMO_OK;
        }
        close_store(life);
        assert_in_range(lacked, 0, 1); /* the next one finds memory, and is taken */
    } else {
        /* A thread that could not be made is ATAMO_IO. */
        assert_true(status == ATAMO_NO_MEMORY || status == ATAMO_IO);
    }
    check_after(life, answers);
    remove_store(life);
    return atomic_load(&failed);
}

static void test_every_allocation_that_fails_is_told_and_nothing_is_lost_or_leaks(void **state)
{
    struct life *life = *state;
    long n = 1;
    long before;

    assert_false(live_once(life, 0)); /* what is allocated once and for all is there after it */
    before = atomic_load(&live);
    while (live_once(life, n)) {
        if (atomic_load(&live) != before)
            fail_msg("allocation %ld failed: %ld are left", n, atomic_load(&live) - before);
        n++;
        assert_in_range(n, 1, ALLOCATIONS_MAX);
    }
    print_message("%ld allocations failed in turn\n", n - 1);
    assert_true(n > BATCHES);
}

static int set_up(void **state)
{
    struct life *life = calloc(1, sizeof *life);

    if (life == NULL)
        return -1;
    (void)snprintf(life->folder, sizeof life->folder, "/dev/shm/atamo-memory-XXXXXX");
    assert_non_null(mkdtemp(life->folder));
    (void)snprintf(life->path, sizeof life->path, "%s/store", life->folder);
    (void)pthread_mutex_init(&life->lock, NULL);
    (void)pthread_cond_init(&life->answered, NULL);
    *state = life;
    return 0;
}

static int tear_down(void **state)
{
    struct life *life = *state;

    atomic_store(&countdown, 0);
    remove_store(life);
    (void)rmdir(life->folder);
    free(life);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_every_allocation_that_fails_is_told_and_nothing_is_lost_or_leaks, set_up,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
