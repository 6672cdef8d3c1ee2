/* supervise - work that needs a server beside it, and leaves neither the server nor its files.
 *
 * Happy path: this process starts the server and the work, each as a child, and sleeps until one of
 * them ends or a signal comes; the work leaves its result in memory that both see, then the server
 * is ended by its process id. So nothing that goes wrong in the work, not even a crash or a call
 * that never returns, can keep this process from cleaning up. Any failure ends the program, as
 * supervise.h says. If this process is killed by SIGKILL the kernel ends its children; then, and
 * only then, the folder stays.
 */
#include "supervise.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENDS_MS = 5000, NOT_INSTALLED = 127 };

static struct {
    char folder[32];
    pid_t server, worker;     /* 0: none */
    sigset_t awaited, before; /* signals */
    double *result;           /* shared with the worker */
} own;

static double now(void)
{
    struct timespec moment;

    (void)clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

/* Not waited for yet, so the number is still the child's own. */
static void end_child(pid_t *child, int signal)
{
    const pid_t id = *child;
    const double until = now() + ENDS_MS / 1000.0;

    if (id == 0)
        return;
    *child = 0;
    (void)kill(id, signal);
    while (waitpid(id, NULL, WNOHANG) == 0) {
        if (now() > until)
            (void)kill(id, SIGKILL);
        (void)usleep(10000);
    }
}

static bool clean_up(void)
{
    char command[sizeof own.folder + 8];

    end_child(&own.worker, SIGKILL);
    end_child(&own.server, SIGTERM);
    if (own.folder[0] == '\0')
        return true;
    (void)snprintf(command, sizeof command, "rm -rf %s", own.folder);
    own.folder[0] = '\0';
    return system(command) == 0; /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* The message comes last: whoever reads it may be gone, and writing it may end us. */
__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list list;

    (void)clean_up();
    (void)fprintf(stderr, "bench_peers: ");
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fprintf(stderr, "\n");
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* Signals wait until somebody asks for them. One that our caller has us ignore stays ignored. */
static void hold_signals(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;

    (void)sigemptyset(&own.awaited);
    (void)sigaddset(&own.awaited, SIGCHLD);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (sigaction(ends[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&own.awaited, ends[i]);
    (void)pthread_sigmask(SIG_BLOCK, &own.awaited, &own.before);
}

const char *supervise_open(void)
{
    hold_signals();
    own.result =
        mmap(NULL, sizeof *own.result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (own.result == MAP_FAILED)
        fail("no memory");
    (void)snprintf(own.folder, sizeof own.folder, "./atamo-peers-XXXXXX");
    if (mkdtemp(own.folder) == NULL) {
        own.folder[0] = '\0';
        fail("no folder");
    }
    return own.folder;
}

int supervise_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        fail("no free port");
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* As fork(). The child has the signals that our caller gave us, and ends when we do. */
static pid_t start_child(int last_signal)
{
    const pid_t parent = getpid();
    const pid_t child = fork();

    if (child < 0)
        fail("no process");
    if (child == 0) {
        (void)pthread_sigmask(SIG_SETMASK, &own.before, NULL);
        if (prctl(PR_SET_PDEATHSIG, last_signal) != 0 || getppid() != parent)
            _exit(1);
    }
    return child;
}

static void start_server(const char *const *words)
{
    own.server = start_child(SIGTERM);
    if (own.server != 0)
        return;
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
        _exit(1);
    (void)execvp(words[0], (char *const *)(uintptr_t)words);
    _exit(NOT_INSTALLED);
}

static void start_worker(const struct supervised *task)
{
    own.worker = start_child(SIGKILL);
    if (own.worker != 0)
        return;
    /* A server that went away is then an error of some call, which has a message. */
    (void)signal(SIGPIPE, SIG_IGN);
    *own.result = task->work(task->user);
    _exit(0);
}

__attribute__((noreturn)) static void fail_ended(const char *name, const char *what, int status)
{
    if (WIFSIGNALED(status))
        fail("%s: %s was ended by signal %d", name, what, WTERMSIG(status));
    fail("%s: %s ended with exit code %d", name, what, WEXITSTATUS(status));
}

static bool has_ended(pid_t *child, int *status)
{
    if (waitpid(*child, status, WNOHANG) != *child)
        return false;
    *child = 0;
    return true;
}

/* Until a child ends, or something else wakes us. */
static void sleep_until(double until, const struct supervised *task)
{
    const double left = until - now();
    struct timespec time;
    int signal;

    if (left <= 0)
        fail("%s: not done after %u s", task->server[0], task->limit_s);
    time.tv_sec = (time_t)left;
    time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
    signal = sigtimedwait(&own.awaited, NULL, &time);
    if (signal > 0 && signal != SIGCHLD)
        fail("%s: told to end by signal %d", task->server[0], signal);
}

double supervise(const struct supervised *task)
{
    const char *name = task->server[0];
    const double until = now() + task->limit_s;
    int status;

    *own.result = 0;
    start_server(task->server);
    start_worker(task);
    while (!has_ended(&own.worker, &status)) {
        if (has_ended(&own.server, &status)) {
            if (!WIFEXITED(status) || WEXITSTATUS(status) != NOT_INSTALLED)
                fail_ended(name, "the server", status);
            end_child(&own.worker, SIGKILL);
            return 0;
        }
        sleep_until(until, task);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_ended(name, "the work", status);
    end_child(&own.server, SIGTERM);
    return *own.result;
}

void supervise_close(void)
{
    if (!clean_up())
        fail("the folder cannot be removed");
}
