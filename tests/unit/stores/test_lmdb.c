/* The LMDB store under a fake host: what it promises beyond what every store must do, which
 * atamo-plugin-check tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <atamo/test.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char plugin[] = ATAMO_BUILD_DIR "/lib/atamo/plugins/lmdb.so";

struct fixture {
    char folder[64];
    char path[160];
    atamo_test_host *host;
    const atamo_store *store;
    void *self;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int done;   /* batches acknowledged, well or not */
    int status; /* of the last */
};

static atamo_test_host *open_with(const struct fixture *f, const char *more, int *status)
{
    char config[256];
    char why[ATAMO_TEST_WHY];
    const atamo_test_settings settings = {.size = sizeof settings,
                                          .flags = ATAMO_TEST_QUIET | ATAMO_TEST_REAL_TIME,
                                          .file = plugin,
                                          .config = config};
    atamo_test_host *host = NULL;

    (void)snprintf(config, sizeof config, "{path: %s%s}", f->path, more);
    assert_int_equal(atamo_test_open(&settings, &host, why), ATAMO_OK);
    assert_int_equal(atamo_test_create(host), ATAMO_OK);
    *status = atamo_test_start(host);
    return host;
}

static void open_store(struct fixture *f, const char *more)
{
    int status;

    f->host = open_with(f, more, &status);
    assert_int_equal(status, ATAMO_OK);
    f->store = atamo_test_plugin(f->host)->store;
    f->self = atamo_test_self(f->host);
}

static void close_store(struct fixture *f)
{
    assert_int_equal(atamo_test_close(f->host), 0);
    f->host = NULL;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/atamo-lmdb-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/store", f->folder);
    assert_int_equal(pthread_mutex_init(&f->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&f->ended, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[160];

    if (f->host != NULL)
        (void)atamo_test_close(f->host);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->folder);
    (void)!system(command); /* NOLINT(concurrency-mt-unsafe): no other thread runs */
    free(f);
    return 0;
}

static void note_done(void *user, int status)
{
    struct fixture *f = user;

    (void)pthread_mutex_lock(&f->lock);
    f->done++;
    f->status = status;
    (void)pthread_cond_signal(&f->ended);
    (void)pthread_mutex_unlock(&f->lock);
}

static atamo_write put(const char *key, atamo_bytes value)
{
    return (atamo_write){.size = sizeof(atamo_write),
                         .kind = ATAMO_WRITE_PUT,
                         .space = {"s", 1},
                         .key = atamo_text(key),
                         .value = value};
}

static void wait_done(struct fixture *f, int wanted)
{
    (void)pthread_mutex_lock(&f->lock);
    while (f->done < wanted)
        (void)pthread_cond_wait(&f->ended, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
}

/* Write and wait for the acknowledgement. Nothing else may be under way. */
static int write_one(struct fixture *f, const char *key, atamo_bytes value)
{
    const atamo_write write = put(key, value);
    const int wanted = f->done + 1;
    const int status = f->store->write(f->self, &write, 1, note_done, f);

    if (status != ATAMO_OK)
        return status;
    (void)pthread_mutex_lock(&f->lock);
    while (f->done < wanted)
        (void)pthread_cond_wait(&f->ended, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
    return f->status;
}

struct shown {
    int count, damaged;
    char last[64];
};

static int note_record(void *user, const atamo_record *record)
{
    struct shown *shown = user;

    shown->count++;
    shown->damaged += record->status == ATAMO_DAMAGED;
    (void)snprintf(shown->last, sizeof shown->last, "%.*s", (int)record->key.size,
                   record->key.data);
    return 0;
}

static const atamo_range all = {.size = sizeof all, .space = {"s", 1}};

static int count_records(struct fixture *f)
{
    struct shown shown = {0};

    assert_int_equal(f->store->scan(f->self, &all, note_record, &shown), ATAMO_OK);
    return shown.count;
}

static void test_what_was_acknowledged_is_there_after_the_process_was_killed(void **state)
{
    struct fixture *f = *state;
    int pipes[2];
    int acknowledged = 0;
    int number;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_store(f, "");
        for (int i = 0;; i++) {
            char key[16];

            (void)snprintf(key, sizeof key, "%08d", i);
            if (write_one(f, key, atamo_text("x")) == ATAMO_OK)
                (void)!write(pipes[1], &i, sizeof i);
        }
    }
    (void)close(pipes[1]);
    while (acknowledged < 50 && read(pipes[0], &number, sizeof number) == sizeof number)
        acknowledged++;
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(pipes[0], &number, sizeof number) == sizeof number)
        acknowledged++;
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(pipes[0]);
    open_store(f, "");
    assert_in_range(count_records(f), acknowledged, acknowledged + 1);
    close_store(f);
}

static void test_a_second_hub_is_refused_and_a_reader_is_not(void **state)
{
    struct fixture *f = *state;
    struct shown shown = {0};
    atamo_test_host *other;
    int status;

    open_store(f, "");
    assert_int_equal(write_one(f, "a", atamo_text("1")), ATAMO_OK);
    other = open_with(f, "", &status);
    assert_int_not_equal(status, ATAMO_OK);
    assert_non_null(strstr(atamo_test_refusal(other), "another hub has this store open"));
    (void)atamo_test_close(other);
    other = NULL;
    close_store(f);
    open_store(f, ", read_only: true");
    assert_int_equal(f->store->get(f->self, atamo_text("s"), atamo_text("a"), note_record, &shown),
                     ATAMO_OK);
    assert_int_equal(write_one(f, "b", atamo_text("2")), ATAMO_DENIED);
    close_store(f);
}

static void test_the_file_grows_by_itself_up_to_its_limit_and_works_again_below(void **state)
{
    static char large[1 << 20];
    struct fixture *f = *state;
    int written = 0;
    int status;
    char key[16];

    open_store(f, ", max_size: 160MiB"); /* the map begins with 64 */
    do {
        (void)snprintf(key, sizeof key, "%04d", written);
        status = write_one(f, key, (atamo_bytes){large, sizeof large});
        written += status == ATAMO_OK;
    } while (status == ATAMO_OK && written < 1000);
    assert_int_equal(status, ATAMO_FULL);
    assert_in_range(written, 100, 160);
    assert_int_equal(count_records(f), written);
    for (int i = 0; i < 20; i++) {
        const atamo_write gone = {
            .size = sizeof gone, .kind = ATAMO_WRITE_DELETE, .space = {"s", 1}, .key = {key, 4}};
        const int wanted = f->done + 1;

        (void)snprintf(key, sizeof key, "%04d", i);
        assert_int_equal(f->store->write(f->self, &gone, 1, note_done, f), ATAMO_OK);
        (void)pthread_mutex_lock(&f->lock);
        while (f->done < wanted)
            (void)pthread_cond_wait(&f->ended, &f->lock);
        (void)pthread_mutex_unlock(&f->lock);
    }
    assert_int_equal(write_one(f, "again", (atamo_bytes){large, sizeof large}), ATAMO_OK);
    close_store(f);
}

/* Change the bytes of a value in the file itself. */
static void damage(const char *path, const char *from, const char *to)
{
    struct stat stat;
    char *bytes;
    char *at;
    const int file = open(path, O_RDWR | O_CLOEXEC);

    assert_true(file >= 0);
    assert_int_equal(fstat(file, &stat), 0);
    bytes = malloc((size_t)stat.st_size);
    assert_non_null(bytes);
    assert_true(pread(file, bytes, (size_t)stat.st_size, 0) == stat.st_size);
    while ((at = memmem(bytes, (size_t)stat.st_size, from, strlen(from))) != NULL) {
        assert_true(pwrite(file, to, strlen(to), at - bytes) == (ssize_t)strlen(to));
        *at = '\0';
    }
    free(bytes);
    assert_int_equal(close(file), 0);
}

static void test_a_damaged_record_is_named_and_the_others_stay_readable(void **state)
{
    struct fixture *f = *state;
    struct shown shown = {0};

    open_store(f, "");
    assert_int_equal(write_one(f, "one", atamo_text("a value of the first")), ATAMO_OK);
    assert_int_equal(write_one(f, "two", atamo_text("a value of the second")), ATAMO_OK);
    assert_int_equal(write_one(f, "three", atamo_text("a value of the third")), ATAMO_OK);
    assert_int_equal(f->store->verify(f->self, note_record, NULL, &shown), ATAMO_OK);
    assert_int_equal(shown.count, 0);
    close_store(f);
    damage(f->path, "a value of the second", "b value");
    open_store(f, "");
    assert_int_equal(f->store->verify(f->self, note_record, NULL, &shown), ATAMO_DAMAGED);
    assert_int_equal(shown.count, 1);
    assert_memory_equal(shown.last, "s/", 2);
    assert_int_equal(
        f->store->get(f->self, atamo_text("s"), atamo_text("two"), note_record, &shown),
        ATAMO_DAMAGED);
    memset(&shown, 0, sizeof shown);
    assert_int_equal(f->store->scan(f->self, &all, note_record, &shown), ATAMO_OK);
    assert_int_equal(shown.count, 3);
    assert_int_equal(shown.damaged, 1);
    close_store(f);
}

struct progress {
    struct shown shown; /* first */
    uint64_t last, total;
    bool fell, stops;
};

static int note_progress(void *user, uint64_t done, uint64_t total)
{
    struct progress *progress = user;

    progress->fell = progress->fell || done < progress->last;
    progress->last = done;
    progress->total = total;
    return progress->stops;
}

static void test_a_backup_is_a_whole_store_and_is_taken_while_writes_go_on(void **state)
{
    static char value[4096];
    struct fixture *f = *state;
    struct progress progress = {.total = 0};
    char copy[160];

    (void)snprintf(copy, sizeof copy, "%s/copy", f->folder);
    open_store(f, "");
    for (int i = 0; i < 200; i++) {
        char key[16];
        atamo_write write;

        (void)snprintf(key, sizeof key, "%04d", i);
        write = put(key, (atamo_bytes){value, sizeof value});
        assert_int_equal(f->store->write(f->self, &write, 1, note_done, f), ATAMO_OK);
    }
    wait_done(f, 200);
    assert_int_equal(write_one(f, "before", atamo_text("1")), ATAMO_OK);
    assert_int_equal(f->store->backup(f->self, copy, note_progress, &progress), ATAMO_OK);
    assert_int_equal(progress.last, progress.total);
    assert_false(progress.fell);
    assert_int_equal(write_one(f, "after", atamo_text("2")), ATAMO_OK);
    assert_int_equal(f->store->backup(f->self, copy, NULL, NULL), ATAMO_EXISTS);
    close_store(f);
    (void)snprintf(f->path, sizeof f->path, "%s", copy);
    open_store(f, "");
    assert_int_equal(count_records(f), 201);
    close_store(f);
}

static void test_a_backup_that_is_broken_off_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct progress progress = {.stops = true};
    char copy[160];

    (void)snprintf(copy, sizeof copy, "%s/copy", f->folder);
    open_store(f, "");
    assert_int_equal(write_one(f, "a", atamo_text("1")), ATAMO_OK);
    assert_int_equal(f->store->backup(f->self, copy, note_progress, &progress), ATAMO_GONE);
    assert_int_equal(access(copy, F_OK), -1);
    close_store(f);
}

static void test_a_file_that_is_no_store_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    char text[32] = "";
    atamo_test_host *host;
    FILE *file = fopen(f->path, "we");
    int status;

    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("this is a letter to my aunt\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    host = open_with(f, "", &status);
    assert_int_not_equal(status, ATAMO_OK);
    assert_non_null(strstr(atamo_test_refusal(host), f->path));
    (void)atamo_test_close(host);
    file = fopen(f->path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "this is a letter to my aunt\n");
    assert_int_equal(fclose(file), 0);
}

static int note_version(void *user, const atamo_record *record)
{
    *(uint64_t *)user = record->version;
    return 0;
}

static void test_versions_grow_over_restarts(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;

    for (int i = 0; i < 3; i++) {
        uint64_t version = 0;

        open_store(f, "");
        assert_int_equal(write_one(f, "a", atamo_text("1")), ATAMO_OK);
        assert_int_equal(
            f->store->get(f->self, atamo_text("s"), atamo_text("a"), note_version, &version),
            ATAMO_OK);
        assert_true(version > last);
        last = version;
        close_store(f);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_was_acknowledged_is_there_after_the_process_was_killed),
        TEST(test_a_second_hub_is_refused_and_a_reader_is_not),
        TEST(test_the_file_grows_by_itself_up_to_its_limit_and_works_again_below),
        TEST(test_a_damaged_record_is_named_and_the_others_stay_readable),
        TEST(test_a_backup_is_a_whole_store_and_is_taken_while_writes_go_on),
        TEST(test_a_backup_that_is_broken_off_leaves_nothing),
        TEST(test_a_file_that_is_no_store_is_refused_and_left_alone),
        TEST(test_versions_grow_over_restarts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
