/* process - what a hub does to the process around it: nothing. Signals of children, fork(),
 * descriptors, threads and other hubs are as if it were not there. The program says what is not so
 * and exits with 1, or is silent and exits with 0.
 *
 *     embed_process PLUGINS          run the tests; the folder has the exec agent
 *     embed_process --descriptors    exit with the number of descriptors beside 0, 1 and 2
 */
#include "flood.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HUBS = 3, CYCLES = 200, CHILDREN = 20, ROUNDS = 5, SOME = 50, NAP_MS = 1, CODE = 42 };

static void nap(void)
{
    const struct timespec time = {.tv_nsec = NAP_MS * 1000000L};

    (void)nanosleep(&time, NULL);
}

/* --- a request and its answer */

struct answer {
    size_t responses;
    unsigned ends;
    int status;
};

static void hear(const atamo_reply *replies, size_t count, void *user)
{
    struct answer *answer = user;

    for (size_t i = 0; i < count; i++) {
        answer->responses += replies[i].kind == ATAMO_REPLY_DATA;
        answer->ends += replies[i].kind == ATAMO_REPLY_END;
        answer->status = replies[i].status;
    }
}

static void await(atamo_client *client, const struct answer *answer)
{
    while (answer->ends == 0) {
        (void)atamo_wait(client, LIMIT_MS); /* which a signal may end */
        (void)atamo_dispatch(client, 0, NULL);
    }
    expect(answer->ends == 1 && answer->status == ATAMO_OK, "the request ends well");
}

static void expect_answers(atamo_client *client)
{
    struct answer answer = {0};

    (void)flood_ask(client, SOME, NULL, hear, &answer);
    await(client, &answer);
    expect(answer.responses == SOME, "with all responses");
}

/* --- children */

/* Its exit status; -1 if it does not end, or by a signal. */
static int status_of(pid_t child)
{
    int status = 0;
    pid_t ended = 0;

    for (unsigned waited = 0; ended == 0 && waited < LIMIT_MS; waited += NAP_MS) {
        do
            ended = waitpid(child, &status, WNOHANG);
        while (ended < 0 && errno == EINTR);
        if (ended == 0)
            nap();
    }
    if (ended == 0)
        (void)kill(child, SIGKILL);
    return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child that only ends, or runs the program. */
static pid_t fork_one(const char *program)
{
    const pid_t child = fork();

    if (child == 0 && program != NULL)
        (void)execl(program, program, "--descriptors", (char *)NULL);
    if (child == 0)
        _exit(CODE);
    expect(child > 0, "a child starts");
    return child;
}

static unsigned entries(const char *folder)
{
    DIR *directory = opendir(folder);
    unsigned count = 0;

    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

static int count_descriptors(void)
{
    return (int)entries("/proc/self/fd") - 2 - 3 - 1; /* "." and "..", 0 to 2, and the folder */
}

static void test_children_of_a_fork_leave_the_hub_alone(const char *program, int descriptors)
{
    const atamo_request_options options = {.size = sizeof options, .flags = ATAMO_FEED};
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);
    struct answer feed = {0};
    const uint64_t request = flood_ask(client, (unsigned long)-1, &options, hear, &feed);

    for (unsigned i = 0; i < CHILDREN; i++) {
        const size_t before = feed.responses;
        const pid_t ends = fork_one(NULL);
        const pid_t runs = fork_one(program);

        while (feed.responses == before && atamo_wait(client, LIMIT_MS) == ATAMO_OK)
            (void)atamo_dispatch(client, 1000, NULL);
        expect(status_of(ends) == CODE, "a child that only ends does so");
        expect(status_of(runs) == descriptors, "nor has a program any descriptor of the hub");
        expect_answers(client);
    }
    expect(atamo_cancel(client, request) == ATAMO_OK, "the feed was there all the time");
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

/* --- SIGCHLD */

static volatile sig_atomic_t calls;

static void on_child(int number, siginfo_t *about, void *context)
{
    (void)number;
    (void)about;
    (void)context;
    calls = 1;
}

/* A program that takes all children that end, also those that are not its own. */
static void take_all(int number, siginfo_t *about, void *context)
{
    const int before = errno;

    (void)number;
    (void)about;
    (void)context;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = before;
}

static void set_handler(void (*handler)(int, siginfo_t *, void *), struct sigaction *before)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    expect(sigaction(SIGCHLD, &action, before) == 0, "a handler is set");
}

/* A hub whose worker answers one action and ends. */
static atamo_hub *open_exec(const char *plugins)
{
    static const char config[] =
        "agents:\n"
        "  once:\n"
        "    plugin: exec\n"
        "    retry: {base: 1ms, max: 1ms, attempts: 100}\n"
        "    config:\n"
        "      command: [sh, -c, 'read -r line; id=${line#*\\\"id\\\":\\\"}; id=${id%%\\\"*};\n"
        "        echo \"{\\\"id\\\":\\\"$id\\\",\\\"response\\\":1}\";\n"
        "        echo \"{\\\"id\\\":\\\"$id\\\",\\\"outcome\\\":\\\"done\\\"}\"']\n"
        "      in_flight: 1\n"
        "      restart_delay: 1ms\n"
        "      restart_delay_max: 1ms\n"
        "rules:\n"
        "  - {id: once, on: flood, then: {agent: once, action: say}}\n";
    const atamo_settings settings = {
        .size = sizeof settings, .config = atamo_text(config), .plugin_path = plugins};
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;

    expect(atamo_open(&settings, &hub, &report) == ATAMO_OK, "the hub opens");
    for (size_t i = 0; hub == NULL && i < atamo_report_count(report); i++)
        (void)fprintf(stderr, "%s\n", atamo_report_at(report, i).text);
    atamo_report_free(report);
    return hub;
}

static void expect_worker_answers(atamo_client *client)
{
    struct answer answer = {0};

    (void)flood_ask(client, 1, NULL, hear, &answer);
    await(client, &answer);
    expect(answer.responses == 1, "a worker has answered");
}

/* Ends when nobody has the other end of the pipe open any more. */
static pid_t fork_waiting(const int ready[2])
{
    const pid_t child = fork();
    char none;

    if (child == 0) {
        (void)close(ready[1]);
        _exit(read(ready[0], &none, 1) == 0 ? CODE : 1);
    }
    expect(child > 0, "a child starts");
    return child;
}

/* A child that is looked after a while after its end. Workers come and go all the time. */
static void expect_own_child(atamo_client *client)
{
    int ready[2] = {-1, -1};
    siginfo_t about;
    pid_t child;

    expect(pipe(ready) == 0, "a pipe opens");
    child = fork_waiting(ready);
    (void)close(ready[0]);
    expect_worker_answers(client);
    calls = 0;
    (void)close(ready[1]);
    while (waitid(P_PID, (id_t)child, &about, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    for (unsigned waited = 0; calls == 0 && waited < LIMIT_MS; waited += NAP_MS)
        nap();
    expect(calls > 0, "the program's handler is called");
    expect_worker_answers(client);
    expect(status_of(child) == CODE, "its child is there for waitpid()");
}

static void test_a_program_hears_of_its_own_children(const char *plugins)
{
    struct sigaction before;
    struct sigaction now;
    atamo_hub *hub;
    atamo_client *client;

    set_handler(on_child, &before);
    hub = open_exec(plugins);
    client = flood_client(hub);
    for (unsigned i = 0; i < CHILDREN; i++)
        expect_own_child(client);
    expect(sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_sigaction == on_child,
           "the handler stays");
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
    expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "and leaves no children");
    expect(sigaction(SIGCHLD, &before, NULL) == 0, "the handler goes");
}

/* One after the other without a pause: some of them have copies of what a worker is started with.
 */
static void test_children_that_live_on_hold_up_no_worker(const char *plugins)
{
    atamo_hub *hub = open_exec(plugins);
    atamo_client *client = flood_client(hub);

    for (unsigned round = 0; round < ROUNDS; round++) {
        int ready[2] = {-1, -1};
        pid_t children[CHILDREN];

        expect_worker_answers(client);
        expect(pipe(ready) == 0, "a pipe opens");
        for (unsigned i = 0; i < CHILDREN; i++)
            children[i] = fork_waiting(ready);
        (void)close(ready[0]);
        expect_worker_answers(client);
        (void)close(ready[1]);
        for (unsigned i = 0; i < CHILDREN; i++)
            expect(status_of(children[i]) == CODE, "a child ends");
    }
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

static void test_a_program_may_take_or_ignore_all_children(const char *plugins, bool ignores)
{
    struct sigaction before;
    atamo_hub *hub;
    atamo_client *client;

    set_handler(take_all, &before);
    if (ignores)
        (void)signal(SIGCHLD, SIG_IGN);
    hub = open_exec(plugins);
    client = flood_client(hub);
    for (unsigned i = 0; i < CHILDREN; i++)
        expect_worker_answers(client);
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
    expect(sigaction(SIGCHLD, &before, NULL) == 0, "the handler goes");
}

/* --- several hubs */

static void test_hubs_close_in_any_order(void)
{
    static const unsigned orders[][HUBS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                            {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (size_t order = 0; order < sizeof orders / sizeof orders[0]; order++) {
        struct flood floods[HUBS] = {0};
        atamo_hub *hubs[HUBS];
        atamo_client *clients[HUBS];

        for (size_t i = 0; i < HUBS; i++) {
            hubs[i] = flood_open(&floods[i], NULL);
            clients[i] = flood_client(hubs[i]);
        }
        for (size_t closed = 0; closed < HUBS; closed++) {
            const size_t gone = orders[order][closed];

            for (size_t i = closed; i < HUBS; i++)
                expect_answers(clients[orders[order][i]]);
            atamo_client_close(clients[gone]);
            expect(atamo_close(hubs[gone], LIMIT_MS) == ATAMO_OK, "a hub closes");
            expect(atomic_load(&floods[gone].said) == (closed + 1) * SOME, "its agent was its own");
        }
    }
}

/* --- again and again */

static void open_and_close(void)
{
    struct flood flood = {0};
    atamo_hub *hub = flood_open(&flood, NULL);
    atamo_client *client = flood_client(hub);

    expect_answers(client);
    atamo_client_close(client);
    expect(atamo_close(hub, LIMIT_MS) == ATAMO_OK, "the hub closes");
}

static void test_hubs_leave_nothing_behind(void)
{
    unsigned threads;
    unsigned descriptors;

    open_and_close(); /* what libraries keep for good is there now */
    threads = entries("/proc/self/task");
    descriptors = entries("/proc/self/fd");
    for (unsigned i = 0; i < CYCLES; i++)
        open_and_close();
    /* The kernel may list a thread for a moment after it was joined. */
    for (unsigned waited = 0; entries("/proc/self/task") > threads && waited < LIMIT_MS;
         waited += NAP_MS)
        nap();
    expect(entries("/proc/self/task") == threads, "as many threads as before");
    expect(entries("/proc/self/fd") == descriptors, "as many descriptors as before");
}

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    if (strcmp(arguments[1], "--descriptors") == 0)
        return count_descriptors();
    test_children_of_a_fork_leave_the_hub_alone("/proc/self/exe", count_descriptors());
    test_a_program_hears_of_its_own_children(arguments[1]);
    test_children_that_live_on_hold_up_no_worker(arguments[1]);
    test_a_program_may_take_or_ignore_all_children(arguments[1], false);
    test_a_program_may_take_or_ignore_all_children(arguments[1], true);
    test_hubs_close_in_any_order();
    test_hubs_leave_nothing_behind();
    return expect_failures();
}
