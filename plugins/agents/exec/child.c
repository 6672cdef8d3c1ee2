/* child - one worker process.
 *
 * Happy path: three pipes, fork, exec; our ends are non-blocking and closed on exec, the process
 * has a group of its own and dies with us. Only descriptors, memory or the process table can be
 * lacking; the command itself was looked up before, and if exec fails all the same the process ends
 * with 127.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_pair(int pair[2])
{
    close_fd(&pair[0]);
    close_fd(&pair[1]);
}

/* In the new process, between fork and exec: only async-signal-safe calls. */
static void become(const struct child_settings *settings, int in, int out, int err)
{
    sigset_t none;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(126);
    if (settings->directory != NULL && chdir(settings->directory) != 0)
        _exit(126);
    (void)execve(settings->command[0], settings->command, settings->environment);
    _exit(127);
}

int child_start(struct child *child, const struct child_settings *settings)
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    pid_t pid = -1;

    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0)
        become(settings, in[0], out[1], err[1]);
    if (pid < 0) {
        close_pair(in);
        close_pair(out);
        close_pair(err);
        return ATAMO_IO;
    }
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&err[1]);
    (void)fcntl(in[1], F_SETFL, O_NONBLOCK);
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->in = in[1];
    child->out = out[0];
    child->err = err[0];
    return ATAMO_OK;
}

static void close_pipes(struct child *child)
{
    close_fd(&child->in);
    close_fd(&child->out);
    close_fd(&child->err);
    buffer_free(&child->to);
    buffer_free(&child->from);
    buffer_free(&child->errors);
}

static bool reap_within(struct child *child, int ms, int *status)
{
    const struct timespec look = {0, LOOK_MS * 1000000L};

    for (int waited = 0;; waited += LOOK_MS) {
        if (waitpid(child->pid, status, WNOHANG) != 0)
            return true;
        if (waited >= ms)
            return false;
        (void)nanosleep(&look, NULL);
    }
}

int child_end(struct child *child, int grace_ms)
{
    int status = 0;

    if (child->pid == 0)
        return 0;
    close_pipes(child);
    if (!reap_within(child, grace_ms, &status)) {
        (void)kill(-child->pid, SIGTERM);
        if (!reap_within(child, grace_ms, &status)) {
            (void)kill(-child->pid, SIGKILL);
            (void)waitpid(child->pid, &status, 0);
        }
    }
    child->pid = 0;
    return status;
}

bool child_is_alive(struct child *child, int *status)
{
    if (child->pid == 0)
        return false;
    if (waitpid(child->pid, status, WNOHANG) == 0)
        return true;
    child->pid = 0;
    close_pipes(child);
    return false;
}

void child_say(int status, char *text, size_t capacity)
{
    if (WIFSIGNALED(status))
        (void)snprintf(text, capacity, "was killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(text, capacity, "exited with status %d", WEXITSTATUS(status));
}
