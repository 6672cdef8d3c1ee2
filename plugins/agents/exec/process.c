/* process - one child process with pipes to its three standard streams.
 *
 * Happy path: pipes, fork, and in the child: signals to their defaults, the pipes to 0, 1 and 2,
 * everything else closed on exec, execve. A fifth pipe tells the parent that execve failed, and
 * why: it closes by itself when execve succeeds. The child may be reaped by the program around,
 * which takes all of its children, or ignores SIGCHLD. Between fork and execve only
 * async-signal-safe functions are called, as other threads may have held any lock.
 *
 * PR_SET_PDEATHSIG is about the parent's thread: processes are started by the plugin's own thread,
 * which ends after its last worker.
 */
#include "process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_SIZE = 256 * 1024, CANNOT_RUN = 127, LOOK_MS = 10 };

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* --- pipes */

struct pipes {
    int in[2], out[2], err[2], report[2]; /* [0] is read, [1] is written */
};

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close_one(&pipes->in[i]);
        close_one(&pipes->out[i]);
        close_one(&pipes->err[i]);
        close_one(&pipes->report[i]);
    }
}

/* A pipe above the standard streams, which the child is going to replace. */
static bool open_pipe(int ends[2])
{
    int low[2];

    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        (void)close(low[i]);
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

static bool make_unblocking(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (!open_pipe(pipes->in) || !open_pipe(pipes->out) || !open_pipe(pipes->err) ||
        !open_pipe(pipes->report))
        return false;
    /* Larger pipes make larger batches; without them it works as well. */
    (void)fcntl(pipes->in[1], F_SETPIPE_SZ, PIPE_SIZE);
    (void)fcntl(pipes->out[0], F_SETPIPE_SZ, PIPE_SIZE);
    return make_unblocking(pipes->in[1]) && make_unblocking(pipes->out[0]) &&
           make_unblocking(pipes->err[0]) && make_unblocking(pipes->report[0]);
}

/* --- the child, between fork and execve */

static void reset_signals(void)
{
    struct sigaction plain;
    sigset_t none;

    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &plain, NULL);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static bool become_worker(const struct pipes *pipes, const struct settings *settings, pid_t parent)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    if (getppid() != parent) /* it died before that was set */
        return false;
    reset_signals();
    if (dup2(pipes->in[0], STDIN_FILENO) < 0 || dup2(pipes->out[1], STDOUT_FILENO) < 0 ||
        dup2(pipes->err[1], STDERR_FILENO) < 0)
        return false;
    if (settings->directory[0] != '\0' && chdir(settings->directory) != 0)
        return false;
    /* Descriptors that others forgot to close on exec. Kernels before 5.11 cannot. */
    (void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    return true;
}

static _Noreturn void run_child(const struct pipes *pipes, const struct settings *settings,
                                pid_t parent)
{
    int why;

    if (become_worker(pipes, settings, parent))
        (void)execve(settings->program, settings->arguments, settings->environment);
    why = errno;
    while (write(pipes->report[1], &why, sizeof why) < 0 && errno == EINTR)
        continue;
    _exit(CANNOT_RUN);
}

/* --- the parent */

static void say_why(char why[PROCESS_WHY], const char *what, int number)
{
    char text[64];

    (void)snprintf(why, PROCESS_WHY, "%s: %s", what, strerror_r(number, text, sizeof text));
}

/* Has the process this pipe, whose other end is `fd`, open as number `its`? */
static bool has_pipe(pid_t pid, int its, int fd)
{
    struct stat theirs;
    struct stat ours;
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, its);
    return stat(path, &theirs) == 0 && fstat(fd, &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

/* Wait until the child runs the program; 0, or the errno that kept it from doing so. The pipe ends
 * when the child has closed it, which is `its` there; but if the program around has forked just
 * now, that child has a copy for as long as it lives. So look, too, whether ours still has it. */
static int await_report(pid_t pid, int its, int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    bool runs = false;
    int number = 0;
    ssize_t got;

    while (!runs && poll(&poller, 1, LOOK_MS) <= 0)
        runs = !has_pipe(pid, its, fd);
    do {
        got = read(fd, &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof number ? number : 0;
}

static int end_failed_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return ATAMO_IO;
}

void process_init(struct process *process)
{
    *process = (struct process){.watch = -1, .in = -1, .out = -1, .err = -1};
}

int process_start(struct process *process, const struct settings *settings, char why[PROCESS_WHY])
{
    const pid_t parent = getpid();
    struct pipes pipes;
    pid_t pid = -1;
    int number;
    int status = ATAMO_IO;

    assert(process->pid == 0);
    if (!open_pipes(&pipes) || (pid = fork()) < 0) {
        say_why(why, "cannot start it", errno);
        goto done;
    }
    if (pid == 0)
        run_child(&pipes, settings, parent);
    (void)setpgid(pid, pid); /* also here, so that it is true whoever comes first */
    number = pipes.report[1];
    close_one(&pipes.report[1]);
    number = await_report(pid, number, pipes.report[0]);
    if (number != 0) {
        say_why(why, "cannot run it", number);
        status = end_failed_child(pid);
        goto done;
    }
    process->watch = pidfd_open(pid, 0);
    if (process->watch < 0) {
        say_why(why, "cannot watch it", errno);
        status = end_failed_child(pid);
        goto done;
    }
    process->pid = pid;
    process->in = pipes.in[1];
    process->out = pipes.out[0];
    process->err = pipes.err[0];
    pipes.in[1] = pipes.out[0] = pipes.err[0] = -1;
    status = ATAMO_OK;
done:
    close_pipes(&pipes);
    return status;
}

void process_signal(const struct process *process, int number)
{
    if (process->pid > 0)
        (void)kill(-process->pid, number);
}

/* Somebody else was told how it ended: the program around takes every child, or ignores them all.
 * Its group may be somebody else's by now, and is left alone. */
static bool forget(struct process *process, char how[PROCESS_WHY])
{
    process->pid = 0;
    (void)snprintf(how, PROCESS_WHY, "ended, and this program has not let the hub know how");
    return true;
}

bool process_reap(struct process *process, char how[PROCESS_WHY])
{
    siginfo_t about;
    int status = 0;
    pid_t taken;

    memset(&about, 0, sizeof about);
    if (process->pid == 0)
        return false;
    if (waitid(P_PID, (id_t)process->pid, &about, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno == ECHILD && forget(process, how);
    if (about.si_pid == 0)
        return false;
    /* While it is not reaped, nobody else can have its number: this hits only its own group. */
    process_signal(process, SIGKILL);
    do
        taken = waitpid(process->pid, &status, 0);
    while (taken < 0 && errno == EINTR);
    if (taken < 0)
        return forget(process, how);
    process->pid = 0;
    if (WIFSIGNALED(status))
        (void)snprintf(how, PROCESS_WHY, "killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, PROCESS_WHY, "exited with status %d", WEXITSTATUS(status));
    return true;
}

void process_close(struct process *process)
{
    assert(process->pid == 0);
    close_one(&process->watch);
    close_one(&process->in);
    close_one(&process->out);
    close_one(&process->err);
}
