/* simulate - power cuts without a power supply: the store's own code over a disk that forgets.
 *
 * usage: crash_disk [--histories N] [--seconds S] [--seed S] [--plant NAME]
 *
 * A run writes batches of random puts and deletes. Each time the file is written or synced, the
 * power may go: of what is not synced any subset of sectors has reached the disk. The file that is
 * left is opened like any store, and must be what some number of whole batches made of it, none of
 * those missing that were acknowledged. In some of them a bit is flipped then: the record must be
 * named as damaged, and all others be as they were.
 *
 * Everything follows from the seed, so a failure can be had again: crash_disk --seed S. The
 * committing thread gives itself more to do between two calls to the disk; the main thread gives it
 * one batch, and only when it has nothing at all to do, so that no group depends on who was faster.
 * The last line has a digest of all that was looked at. --plant breaks a promise of the disk or of
 * the store on purpose: the simulator must find it. Exit 0: all histories were good.
 */
#include "disk.h"
#include "remains.h"
#include "writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    IMAGES = 12,     /* at one moment */
    FLIP_EVERY = 64, /* histories */
};

enum plant { NONE, EARLY_ACK, TORN_BATCH, LOST_DELETE, NO_VERSIONS, RETRIED_SYNC, NO_CHECKSUM };

static const struct {
    const char *name;
    enum disk_plant disk;
    enum plant store;
} plants[] = {
    {"none", DISK_HONEST, NONE},
    {"no-sync", DISK_NO_SYNC, NONE},
    {"no-dsync", DISK_NO_DSYNC, NONE},
    {"sync-misses-a-write", DISK_SYNC_MISSES, NONE},
    {"lost-write", DISK_LOSES_WRITES, NONE},
    {"early-ack", DISK_HONEST, EARLY_ACK},
    {"torn-batch", DISK_HONEST, TORN_BATCH},
    {"lost-delete", DISK_HONEST, LOST_DELETE},
    {"no-versions", DISK_HONEST, NO_VERSIONS},
    {"retried-sync", DISK_HONEST, RETRIED_SYNC},
    {"no-checksum", DISK_HONEST, NO_CHECKSUM},
};

/* A batch's writes, and the memory they point at. */
struct making {
    atamo_write writes[8];
    char keys[8][8];
    char values[8][VALUE_MAX];
    char number[16];
    size_t count;
};

/* One run: a store, what it was told, what is left of it at each moment. */
static struct {
    char folder[64], path[96];
    struct database database;
    struct writer writer;
    struct written written;
    struct remains remains;
    uint64_t random, run, wanted;
    enum plant plant;
    enum disk_plant disk_plant;
    struct making making;      /* the last batch */
    uint32_t torn;             /* its number, if half of it is still to come */
    uint32_t queued, answered; /* as the writer counts: with those that must be refused */
    bool sync_failed, over;
    pthread_mutex_t lock;
    pthread_cond_t quiet;
} sim;

static uint64_t next_random(void)
{
    sim.random = sim.random * 6364136223846793005u + 1442695040888963407u;
    return sim.random >> 33;
}

static uint64_t below(uint64_t bound)
{
    return next_random() % bound;
}

/* Whatever is in the folder. */
static void remove_files(void)
{
    static const char *const ends[] = {"store", "store-lock", "store-owner", "image", "image-lock"};
    char path[128];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", sim.folder, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(sim.folder);
}

/* --- what was written */

static void make_write(struct making *making, uint32_t batch)
{
    const uint32_t key = (uint32_t)below(KEYS);
    const bool deletes = below(4) == 0;
    atamo_write *write = &making->writes[making->count];
    char *value = making->values[making->count];

    sim.written.model[batch][key] = deletes ? 0 : batch;
    if (deletes && sim.plant == LOST_DELETE && below(4) == 0)
        return;
    key_of(key, making->keys[making->count]);
    *write = (atamo_write){.size = sizeof *write,
                           .kind = deletes ? ATAMO_WRITE_DELETE : ATAMO_WRITE_PUT,
                           .space = atamo_text("s"),
                           .key = atamo_text(making->keys[making->count]),
                           .value = {"", 0}};
    if (!deletes)
        write->value = (atamo_bytes){value, value_of(batch, key, value)};
    making->count++;
}

static void make_batch(struct making *making, uint32_t batch)
{
    const uint64_t count = 1 + below(6);

    making->count = 0;
    (void)memcpy(sim.written.model[batch], sim.written.model[batch - 1],
                 sizeof sim.written.model[0]);
    for (uint64_t i = 0; i < count; i++)
        make_write(making, batch);
    (void)snprintf(making->number, sizeof making->number, "%u", batch);
    making->writes[making->count++] = (atamo_write){.size = sizeof(atamo_write),
                                                    .kind = ATAMO_WRITE_PUT,
                                                    .space = atamo_text("n"),
                                                    .key = atamo_text("n"),
                                                    .value = atamo_text(making->number)};
}

/* Whoever waits for the writer to have nothing to do hears of the last answer. */
static void note_answer(void)
{
    (void)pthread_mutex_lock(&sim.lock);
    sim.answered++;
    (void)pthread_cond_signal(&sim.quiet);
    (void)pthread_mutex_unlock(&sim.lock);
}

static int queue(const atamo_write *writes, size_t count, void (*done)(void *user, int status),
                 uint32_t batch)
{
    (void)pthread_mutex_lock(&sim.lock);
    sim.queued++;
    (void)pthread_mutex_unlock(&sim.lock);
    return writer_add(&sim.writer, writes, count, done, (void *)(uintptr_t)batch);
}

/* [committing thread] */
static void note_done(void *user, int status)
{
    const uint32_t batch = (uint32_t)(uintptr_t)user;

    (void)pthread_mutex_lock(&sim.lock);
    if (status == ATAMO_OK && batch > sim.written.acknowledged)
        sim.written.acknowledged = batch;
    if (status != ATAMO_OK && !sim.sync_failed)
        bad(&sim.remains, "batch %u was answered with \"%s\"", batch, atamo_status_text(status));
    if (sim.plant == RETRIED_SYNC)
        atomic_store(&sim.writer.broken, false);
    (void)pthread_mutex_unlock(&sim.lock);
    note_answer();
}

static void note_conflict(void *user, int status)
{
    (void)user;
    if (status != ATAMO_CONFLICT && !sim.sync_failed)
        bad(&sim.remains, "a version that was not there was answered with \"%s\"",
            atamo_status_text(status));
    note_answer();
}

static void note_nothing(void *user, int status)
{
    (void)user;
    (void)status;
    note_answer();
}

/* A batch that expects a key not to be there which is: none of it may take effect. */
static void submit_conflict(void)
{
    const atamo_write writes[] = {
        {.size = sizeof(atamo_write),
         .kind = ATAMO_WRITE_DELETE,
         .space = atamo_text("n"),
         .key = atamo_text("n"),
         .expected = sim.plant == NO_VERSIONS ? 0 : UINT64_MAX,
         .value = {"", 0}},
    };

    if (queue(writes, 1, note_conflict, 0) != ATAMO_OK)
        bad(&sim.remains, "a batch that conflicts was not taken");
}

static void submit(void)
{
    struct making *making = &sim.making;
    const uint32_t batch = ++sim.written.submitted;

    make_batch(making, batch);
    if (sim.plant == EARLY_ACK)
        sim.written.acknowledged = batch;
    if (sim.plant == TORN_BATCH && making->count > 2) {
        sim.torn = batch; /* the number comes by itself, and the rest while it is committed */
        making->count--;
        if (queue(&making->writes[making->count], 1, note_nothing, 0) != ATAMO_OK)
            bad(&sim.remains, "half of batch %u was not taken", batch);
        return;
    }
    if (queue(making->writes, making->count, note_done, batch) != ATAMO_OK)
        bad(&sim.remains, "batch %u was not taken", batch);
}

static void submit_rest(void)
{
    if (queue(sim.making.writes, sim.making.count, note_done, sim.torn) != ATAMO_OK)
        bad(&sim.remains, "the rest of batch %u was not taken", sim.torn);
    sim.torn = 0;
}

/* --- the power goes */

static bool reaches(void *user)
{
    const uint64_t *chance = user;

    return below(8) < *chance;
}

/* The power goes now, in some of all the ways it can. */
static void cut(void)
{
    const uint64_t images = disk_loose() == 0 ? 1 : 1 + below(IMAGES);

    for (uint64_t i = 0; i < images; i++) {
        uint64_t chance = below(9); /* of eight: none to all of it reaches the disk */
        const char *image;
        const size_t size = disk_image(reaches, &chance, &image);
        const uint32_t batches = remains_check(&sim.remains, image, size, KEYS);

        if (batches > 0 && sim.remains.place->histories % FLIP_EVERY == 0)
            remains_check_flipped(&sim.remains, image, size, batches, (uint32_t)below(KEYS));
    }
}

/* [committing thread] Between two calls of the store to its disk. */
static void step(void)
{
    if (sim.over)
        return;
    if (sim.torn != 0) {
        submit_rest();
    } else if (sim.written.submitted > 0 && sim.written.submitted < BATCHES && below(3) == 0) {
        submit();
        if (below(4) == 0)
            submit_conflict();
    }
    if (sim.plant == RETRIED_SYNC && sim.written.submitted == BATCHES / 2 && !sim.sync_failed) {
        sim.sync_failed = true;
        disk_fail(DISK_SYNC_FAILS, 0, false);
    }
    cut();
}

/* --- a run */

static void open_run(void)
{
    const struct database_settings settings = {
        .path = sim.path, .max_size = (size_t)64 << 20, .syncs = true};
    char why[DATABASE_WHY];
    int fd;

    sim.remains.place->seed = sim.run++;
    sim.random = sim.remains.place->seed * 2654435761u + 1;
    sim.written.submitted = 0;
    sim.written.acknowledged = 0;
    sim.torn = 0;
    sim.queued = 0;
    sim.answered = 0;
    sim.sync_failed = false;
    sim.over = false;
    fd = open(sim.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bad(&sim.remains, "no room for a store");
    (void)close(fd);
    disk_watch(sim.path, sim.disk_plant, step);
    if (database_open(&sim.database, &settings, why) != ATAMO_OK ||
        writer_start(&sim.writer, &sim.database, (size_t)64 << 20) != ATAMO_OK)
        bad(&sim.remains, "the store does not open: %s", why);
}

static void run(void)
{
    open_run();
    (void)pthread_mutex_lock(&sim.lock);
    while (sim.answered < sim.queued || sim.written.submitted < BATCHES) {
        if (sim.answered < sim.queued) {
            (void)pthread_cond_wait(&sim.quiet, &sim.lock);
            continue;
        }
        (void)pthread_mutex_unlock(&sim.lock);
        submit();
        (void)pthread_mutex_lock(&sim.lock);
    }
    (void)pthread_mutex_unlock(&sim.lock);
    sim.over = true;
    writer_stop(&sim.writer);
    database_close(&sim.database);
    disk_unwatch();
    (void)unlink(sim.path);
}

static void read_plant(const char *name)
{
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        if (strcmp(plants[i].name, name) != 0)
            continue;
        sim.plant = plants[i].store;
        sim.disk_plant = plants[i].disk;
        sim.remains.seals_again = sim.plant == NO_CHECKSUM;
        return;
    }
    (void)fprintf(stderr, "crash_disk: no plant %s\n", name);
    exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* In a process of its own: what was torn apart so far that it cannot even be looked at ends it. */
static int run_all(uint64_t seconds)
{
    const uint64_t first = sim.run;
    const time_t until = time(NULL) + (time_t)seconds;

    /* Nor does it set all bytes of a page: what malloc() leaves there is the same each time. */
    (void)mallopt(M_PERTURB, 1); /* NOLINT(concurrency-mt-unsafe): one thread */
    while (sim.remains.place->histories < sim.wanted && time(NULL) < until)
        run();
    (void)printf("%" PRIu64 " histories from seed %" PRIu64 " to %" PRIu64
                 ", all good, digest %016" PRIx64 "\n",
                 sim.remains.place->histories, first, sim.run - 1, sim.remains.digest);
    return 0;
}

/* LMDB links its loose pages by a pointer within the page, which goes to the file with it. Where
 * the system lets us, addresses are the same in every process, and so is every byte. */
static void fix_addresses(char **argv)
{
    const int before = personality(0xffffffff);

    if (before < 0 || (before & ADDR_NO_RANDOMIZE) != 0 ||
        personality((unsigned long)before | ADDR_NO_RANDOMIZE) < 0)
        return;
    (void)execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    uint64_t seconds = UINT32_MAX;
    int status = 0;
    pid_t child;

    fix_addresses(argv);
    sim.remains.place = mmap(NULL, sizeof *sim.remains.place, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sim.remains.place == MAP_FAILED)
        return 2;
    sim.remains.written = &sim.written;
    sim.wanted = 20000;
    sim.run = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--histories") == 0)
            sim.wanted = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            sim.run = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            read_plant(argv[i + 1]);
    }
    (void)pthread_mutex_init(&sim.lock, NULL);
    (void)pthread_cond_init(&sim.quiet, NULL);
    (void)snprintf(sim.folder, sizeof sim.folder, "/dev/shm/atamo-disk-XXXXXX");
    if (mkdtemp(sim.folder) == NULL)
        bad(&sim.remains, "no folder");
    (void)snprintf(sim.path, sizeof sim.path, "%s/store", sim.folder);
    (void)snprintf(sim.remains.path, sizeof sim.remains.path, "%s/image", sim.folder);
    child = fork();
    if (child == 0)
        exit(run_all(seconds)); /* NOLINT(concurrency-mt-unsafe): one thread */
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = 1;
    if (WIFSIGNALED(status))
        (void)printf("crash_disk: history %" PRIu64 ", seed %" PRIu64
                     ": the store's pages lead nowhere: signal %d\n",
                     sim.remains.place->histories, sim.remains.place->seed, WTERMSIG(status));
    remove_files();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
