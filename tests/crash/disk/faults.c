/* faults - the store's own code over a disk that fails, at every call in turn.
 *
 * Happy path of each test: a store is written to batch by batch, one call of it to its disk fails;
 * what was acknowledged is there after the power went and the store was opened again, what was
 * refused is not counted on, and the store goes on as its README says.
 */
#include "disk.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BATCHES = 8, CALLS_MAX = 400 };

struct fixture {
    char folder[64], path[96];
    struct database database;
    struct writer writer;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int status; /* of the last batch; 1: not yet */
};

static void note(void *user, int status)
{
    struct fixture *f = user;

    (void)pthread_mutex_lock(&f->lock);
    f->status = status;
    (void)pthread_cond_signal(&f->answered);
    (void)pthread_mutex_unlock(&f->lock);
}

static void open_store(struct fixture *f)
{
    const struct database_settings settings = {
        .path = f->path, .max_size = (size_t)64 << 20, .syncs = true};
    char why[DATABASE_WHY] = "";

    if (database_open(&f->database, &settings, why) != ATAMO_OK)
        fail_msg("%s", why);
    assert_int_equal(writer_start(&f->writer, &f->database, (size_t)1 << 20), ATAMO_OK);
}

static void close_store(struct fixture *f)
{
    writer_stop(&f->writer);
    database_close(&f->database);
}

/* Batch n: the key "n" with its number, and a value of two pages. */
static int put(struct fixture *f, int n)
{
    static char large[8000];
    char name[16];
    const atamo_write writes[] = {
        {.size = sizeof(atamo_write),
         .kind = ATAMO_WRITE_PUT,
         .space = atamo_text("s"),
         .key = atamo_text("large"),
         .value = {large, sizeof large}},
        {.size = sizeof(atamo_write),
         .kind = ATAMO_WRITE_PUT,
         .space = atamo_text("s"),
         .key = {name, (size_t)snprintf(name, sizeof name, "n-%03d", n)},
         .value = atamo_text("here")},
    };

    memset(large, 'a' + n % 26, sizeof large);
    f->status = 1;
    assert_int_equal(writer_add(&f->writer, writes, 2, note, f), ATAMO_OK);
    (void)pthread_mutex_lock(&f->lock);
    while (f->status == 1)
        (void)pthread_cond_wait(&f->answered, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
    return f->status;
}

static int ignore(void *user, const atamo_record *record)
{
    (void)user;
    return record->status;
}

static bool has(struct fixture *f, int n)
{
    char key[16];
    const int size = snprintf(key, sizeof key, "s%cn-%03d", '\0', n);

    return database_get(&f->database, (atamo_bytes){key, (size_t)size}, 2, ignore, NULL) ==
           ATAMO_OK;
}

static bool nothing_more(void *user)
{
    (void)user;
    return false;
}

/* The power goes: only what was synced is left. */
static void cut(struct fixture *f)
{
    const char *image;
    const size_t size = disk_image(nothing_more, NULL, &image);
    FILE *file;

    close_store(f);
    disk_unwatch();
    file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(image, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/dev/shm/atamo-faults-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/store", f->folder);
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_cond_init(&f->answered, NULL);
    *state = f;
    return 0;
}

static void remove_store(const struct fixture *f)
{
    static const char *const ends[] = {"", "-lock", "-owner"};
    char path[128];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        (void)unlink(path);
    }
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    disk_unwatch();
    remove_store(f);
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static void begin_with(struct fixture *f, void (*step)(void))
{
    FILE *file;

    remove_store(f);
    file = fopen(f->path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    disk_watch(f->path, DISK_HONEST, step);
    open_store(f);
    assert_int_equal(put(f, 0), ATAMO_OK);
}

/* A fresh store whose disk is watched, after its first batch. */
static void begin(struct fixture *f)
{
    begin_with(f, NULL);
}

/* How many calls the remaining batches make when nothing fails. */
static uint64_t count_calls(struct fixture *f)
{
    uint64_t before;
    uint64_t calls;

    begin(f);
    before = disk_calls();
    for (int n = 1; n < BATCHES; n++)
        assert_int_equal(put(f, n), ATAMO_OK);
    calls = disk_calls() - before;
    cut(f);
    assert_in_range(calls, BATCHES, CALLS_MAX);
    return calls;
}

/* Fail the n-th call; which batches were acknowledged goes to `good`. Returns the first refusal's
 * status, ATAMO_OK if there was none. */
static int write_all(struct fixture *f, bool good[BATCHES], int expected)
{
    int first = ATAMO_OK;

    good[0] = true;
    for (int n = 1; n < BATCHES; n++) {
        const int status = put(f, n);

        good[n] = status == ATAMO_OK;
        if (first == ATAMO_OK)
            first = status;
        else if (expected == ATAMO_IO)
            assert_int_equal(status, ATAMO_IO); /* never again, until it is opened again */
    }
    return first;
}

static void check_after(struct fixture *f, const bool good[BATCHES])
{
    open_store(f);
    for (int n = 0; n < BATCHES; n++)
        if (good[n])
            assert_true(has(f, n));
    assert_int_equal(put(f, BATCHES), ATAMO_OK);
    close_store(f);
}

static void fail_each_call(struct fixture *f, enum disk_fault fault, bool lasting, int expected)
{
    const uint64_t calls = count_calls(f);
    uint64_t refused = 0;

    for (uint64_t n = 0; n < calls; n++) {
        bool good[BATCHES];
        int status;

        begin(f);
        disk_fail(fault, n, lasting);
        status = write_all(f, good, expected);
        if (status != ATAMO_OK)
            assert_int_equal(status, expected);
        refused += status != ATAMO_OK;
        disk_fail(DISK_NO_FAULT, 0, false);
        cut(f);
        check_after(f, good);
    }
    assert_true(refused > 0);
}

static void test_a_sync_that_fails_is_the_end_and_loses_nothing_that_was_acknowledged(void **state)
{
    fail_each_call(*state, DISK_SYNC_FAILS, false, ATAMO_IO);
}

static void test_a_write_that_fails_is_the_end_and_loses_nothing_that_was_acknowledged(void **state)
{
    fail_each_call(*state, DISK_WRITE_FAILS, false, ATAMO_IO);
}

static void test_a_write_that_is_cut_short_is_the_end_and_loses_nothing(void **state)
{
    fail_each_call(*state, DISK_SHORT, false, ATAMO_IO);
}

static void test_a_disk_that_stays_full_refuses_and_loses_nothing(void **state)
{
    fail_each_call(*state, DISK_FULL, true, ATAMO_FULL);
}

static void test_a_disk_that_was_full_takes_more_when_there_is_room_again(void **state)
{
    struct fixture *f = *state;
    bool good[BATCHES] = {true};

    begin(f);
    disk_fail(DISK_FULL, 0, true);
    for (int n = 1; n < 4; n++)
        assert_int_equal(put(f, n), ATAMO_FULL);
    disk_fail(DISK_NO_FAULT, 0, false);
    for (int n = 4; n < BATCHES; n++) {
        assert_int_equal(put(f, n), ATAMO_OK);
        good[n] = true;
    }
    assert_false(has(f, 1));
    cut(f);
    check_after(f, good);
}

/* --- a slow disk: time passes only in its calls, and more arrives the longer each takes */

enum { ARRIVALS = 600 };

static struct {
    struct fixture *fixture;
    int per_call; /* batches that arrive while the disk works at one call; 0: none */
    int sent, good, refused;
} slow;

static void note_arrival(void *user, int status)
{
    struct fixture *f = user;

    (void)pthread_mutex_lock(&f->lock);
    slow.good += status == ATAMO_OK;
    slow.refused += status != ATAMO_OK;
    (void)pthread_cond_signal(&f->answered);
    (void)pthread_mutex_unlock(&f->lock);
}

static void arrive(void)
{
    char name[16];
    const atamo_write write = {
        .size = sizeof write,
        .kind = ATAMO_WRITE_PUT,
        .space = atamo_text("s"),
        .key = {name, (size_t)snprintf(name, sizeof name, "n-%03d", slow.sent)},
        .value = atamo_text("here")};

    slow.sent++;
    assert_int_equal(writer_add(&slow.fixture->writer, &write, 1, note_arrival, slow.fixture),
                     ATAMO_OK);
}

/* [committing thread, in a call to the disk] */
static void pass_time(void)
{
    for (int i = 0; i < slow.per_call && slow.sent < ARRIVALS; i++)
        arrive();
}

/* Returns how many syncs it took until all was acknowledged. */
static uint64_t syncs_until_all_is_safe(struct fixture *f, int per_call)
{
    uint64_t syncs;

    memset(&slow, 0, sizeof slow);
    slow.fixture = f;
    begin_with(f, pass_time);
    syncs = disk_syncs();
    slow.per_call = per_call;
    arrive();
    (void)pthread_mutex_lock(&f->lock);
    while (slow.good + slow.refused < ARRIVALS)
        (void)pthread_cond_wait(&f->answered, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
    slow.per_call = 0;
    syncs = disk_syncs() - syncs;
    assert_int_equal(slow.refused, 0);
    cut(f);
    open_store(f);
    for (int n = 0; n < ARRIVALS; n++)
        assert_true(has(f, n));
    close_store(f);
    return syncs;
}

static void test_the_slower_the_disk_the_larger_the_groups_and_all_is_acknowledged(void **state)
{
    const uint64_t fast = syncs_until_all_is_safe(*state, 1);
    const uint64_t slower = syncs_until_all_is_safe(*state, 10);
    const uint64_t slowest = syncs_until_all_is_safe(*state, 100);

    print_message("%d batches in %ju, %ju and %ju syncs\n", ARRIVALS, (uintmax_t)fast,
                  (uintmax_t)slower, (uintmax_t)slowest);
    assert_true(fast < ARRIVALS);
    assert_true(slower * 4 < fast);
    assert_in_range(slowest, 2, slower / 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_sync_that_fails_is_the_end_and_loses_nothing_that_was_acknowledged),
        TEST(test_a_write_that_fails_is_the_end_and_loses_nothing_that_was_acknowledged),
        TEST(test_a_write_that_is_cut_short_is_the_end_and_loses_nothing),
        TEST(test_a_disk_that_stays_full_refuses_and_loses_nothing),
        TEST(test_a_disk_that_was_full_takes_more_when_there_is_room_again),
        TEST(test_the_slower_the_disk_the_larger_the_groups_and_all_is_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
