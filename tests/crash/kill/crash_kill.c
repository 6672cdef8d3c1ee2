/* crash_kill - a durable hub is killed at random instants, also while it recovers, and a checker
 * that knows nothing of it compares what was acknowledged with what was done.
 *
 * usage: crash_kill [--cycles N] [--seed S] [--plant NAME] [--power ext4|xfs]
 *
 * Each life is a process: it submits numbered events, in eight keys, and tells the parent through a
 * pipe which ones were committed and which ones its agent has done. The agent counts each number in
 * the hub's store and emits an event that another agent counts again. Some attempts fail after that
 * and are tried again, some events are delayed. After a random time the parent kills the life; the
 * last ones end by themselves. Then:
 *
 *   - every event that was acknowledged has been done at least once;
 *   - every number that was done was counted exactly once by both agents, and no other;
 *   - within a key nothing is done again once its successor was done, and no successor before it;
 *   - the last hub's books balance, and its store has nothing left.
 *
 * With --power it is not only the process that goes: the store is on a file system of its own,
 * which is shut down without writing its log or anything that was not synced (power.h).
 *
 * --plant breaks something on purpose (faulty.h), and the checker must find it. Exit 0: all held;
 * 1: something did not, and a line says what.
 */
#include "faulty.h"
#include "life.h"
#include "power.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NUMBERS = 16000000, PER_LIFE_MS = 60 };

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the checker */

struct checker {
    uint8_t *acknowledged, *done, *counted; /* by number */
    uint32_t latest[KEYS];                  /* the highest number of each key that was done */
    uint32_t highest;                       /* number that any life told of */
    uint64_t acknowledgements, effects, repeated, miscounted;
    bool balanced;
};

static void check(struct checker *checker, const struct news *news)
{
    const uint32_t number = news->number;
    uint32_t *latest = &checker->latest[number % KEYS];

    if (news->kind == ENDED) {
        checker->balanced = number == 1;
        return;
    }
    must(number < NUMBERS && checker->acknowledged != NULL, "a number that nobody sent");
    checker->highest = number > checker->highest ? number : checker->highest;
    if (news->kind == ACKNOWLEDGED) {
        checker->acknowledged[number] = 1;
        checker->acknowledgements++;
        return;
    }
    if (news->kind == COUNTED || news->kind == COUNTED_AGAIN) {
        checker->counted[number] |= (uint8_t)news->kind;
        return;
    }
    if (news->kind == MISCOUNTED) {
        checker->miscounted++;
        return;
    }
    checker->effects++;
    checker->repeated += checker->done[number];
    checker->done[number] = 1;
    if (is_delayed(number))
        return;
    if (number < *latest) {
        (void)fprintf(stderr, "crash_kill: %u was done after %u of the same key\n", number,
                      *latest);
        exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
    *latest = number;
}

/* When a life ends, and whether the power goes with it. */
struct death {
    int64_t at_ms;
    struct power *power; /* NULL: only the process */
};

/* What was told before counts: it is heard before the disk forgets. */
static void kill_it(struct checker *checker, int pipe, pid_t child, struct power *power)
{
    struct pollfd poller = {.fd = pipe, .events = POLLIN};
    struct news news;

    if (power != NULL) {
        int status = 0;

        /* All of its threads stand still before the disk forgets. */
        must(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child &&
                 WIFSTOPPED(status),
             "stop");
        while (poll(&poller, 1, 0) > 0 && read(pipe, &news, sizeof news) == sizeof news)
            check(checker, &news);
        power_cut(power);
    }
    (void)kill(child, SIGKILL);
}

/* Hear a life until it is killed or ends. */
static void hear(struct checker *checker, int pipe, pid_t child, const struct death *death)
{
    bool killed = false;

    for (;;) {
        struct pollfd poller = {.fd = pipe, .events = POLLIN};
        const int64_t left = death->at_ms - now_ms();
        struct news news;

        if (!killed && left <= 0) {
            kill_it(checker, pipe, child, death->power);
            killed = true;
        }
        if (poll(&poller, 1, killed ? -1 : (int)left) <= 0)
            continue;
        if (read(pipe, &news, sizeof news) != sizeof news)
            break;
        check(checker, &news);
    }
}

static void run_life(struct checker *checker, struct life *life, const struct death *death)
{
    int pipes[2];
    int status = 0;
    pid_t child;

    must(pipe(pipes) == 0, "no pipe");
    child = fork();
    must(child >= 0, "no process");
    if (child == 0) {
        (void)close(pipes[0]);
        life->pipe = pipes[1];
        live(life);
    }
    (void)close(pipes[1]);
    hear(checker, pipes[0], child, death);
    (void)close(pipes[0]);
    must(waitpid(child, &status, 0) == child, "wait");
    must(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : status == 0,
         "a life ended in a way that nobody asked for");
}

static int verdict(const struct checker *checker, uint32_t cycles, uint64_t seed)
{
    uint64_t lost = 0;
    uint64_t wrong = checker->miscounted;

    for (uint32_t i = 0; i <= checker->highest; i++) {
        lost += checker->acknowledged[i] && !checker->done[i];
        wrong += checker->counted[i] != (checker->done[i] ? COUNTED | COUNTED_AGAIN : 0);
    }
    (void)printf("%u lives killed, seed %" PRIu64 ": %" PRIu64 " acknowledged, %" PRIu64
                 " done (%" PRIu64 " more than once), %" PRIu64 " lost, %" PRIu64
                 " not counted exactly once, books %s\n",
                 cycles, seed, checker->acknowledgements, checker->effects, checker->repeated, lost,
                 wrong, checker->balanced ? "balance" : "DO NOT BALANCE");
    return lost == 0 && wrong == 0 && checker->balanced && checker->acknowledgements > 0 ? 0 : 1;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

struct wish {
    uint32_t cycles;
    uint64_t seed;
    const char *power; /* kind of file system; NULL: only the process is killed */
    const char *plant; /* NULL: nothing */
};

static struct wish read_wish(int argc, char **argv)
{
    struct wish wish = {.cycles = 100, .seed = (uint64_t)time(NULL)};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cycles") == 0)
            wish.cycles = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            wish.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            wish.plant = argv[i + 1];
        else if (strcmp(argv[i], "--power") == 0)
            wish.power = argv[i + 1];
    }
    return wish;
}

static void break_something(struct life *life, const char *plant)
{
    if (plant == NULL)
        return;
    if (strcmp(plant, "early-ack") == 0)
        life->early = true;
    else if (strcmp(plant, "no-sync") == 0)
        power_never_sync();
    else
        life->store = faulty_store(plant);
    must(life->early || life->store != NULL || strcmp(plant, "no-sync") == 0, "no such plant");
}

/* All lives, one after the other; the last two end by themselves. */
static void run_lives(struct checker *checker, struct life *life, const struct wish *wish,
                      struct power *power)
{
    uint64_t random = wish->seed;
    struct death death = {.power = power};

    for (uint32_t i = 0; i < wish->cycles; i++) {
        death.at_ms = now_ms() + (int64_t)(next_random(&random) % PER_LIFE_MS);
        run_life(checker, life, &death);
        if (power != NULL)
            power_back(power);
        /* No number twice: a life may have sent so many of which it could tell nothing. */
        life->next = (checker->highest > life->next ? checker->highest : life->next) + WINDOW + 1;
    }
    death = (struct death){.at_ms = now_ms() + LIMIT_MS};
    life->last = true;
    run_life(checker, life, &death);
    checker->balanced = false;
    life->counts = true;
    death.at_ms = now_ms() + LIMIT_MS;
    run_life(checker, life, &death); /* and nothing is left for another one */
}

static const char *the_folder;
static pid_t owner;

/* A life that is forked must not do it when it ends. */
static void remove_folder(void)
{
    char command[64];

    (void)snprintf(command, sizeof command, "rm -rf %s", the_folder);
    if (getpid() == owner)
        (void)!system(command); /* NOLINT(concurrency-mt-unsafe): one thread */
}

int main(int argc, char **argv)
{
    const struct wish wish = read_wish(argc, argv);
    struct checker checker = {.balanced = false};
    struct power *power = NULL;
    static char folder[] = "/tmp/atamo-kill-XXXXXX";
    struct life life = {.folder = folder};
    int status;

    checker.acknowledged = calloc(NUMBERS, 1);
    checker.done = calloc(NUMBERS, 1);
    checker.counted = calloc(NUMBERS, 1);
    must(checker.acknowledged != NULL && checker.done != NULL && checker.counted != NULL &&
             mkdtemp(folder) != NULL,
         "memory");
    the_folder = folder;
    owner = getpid();
    (void)atexit(remove_folder);
    if (wish.power != NULL) {
        power = power_on(folder, wish.power);
        life.folder = power_folder(power);
    }
    break_something(&life, wish.plant);
    run_lives(&checker, &life, &wish, power);
    status = verdict(&checker, wish.cycles, wish.seed);
    power_off(power);
    free(checker.acknowledged);
    free(checker.done);
    free(checker.counted);
    return status;
}
