/* child - one worker process: its pipes and its life. */
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

#include "buffer.h"

#include <sys/types.h>

struct child {
    pid_t pid;        /* 0: not running */
    int in, out, err; /* our ends, non-blocking; -1: closed */
    struct buffer to, from, errors;
};

struct child_settings {
    char *const *command;     /* NULL-terminated */
    char *const *environment; /* NULL-terminated */
    const char *directory;    /* NULL: ours */
};

/* Start the process. ATAMO_IO, with errno. */
int child_start(struct child *child, const struct child_settings *settings);

/* Close the pipes, and wait for the process: at most `grace_ms` by itself, as long again after
 * SIGTERM, then SIGKILL. Returns what waitpid() says. */
int child_end(struct child *child, int grace_ms);

/* Is the process still there? If not, *status is what waitpid() says and the pipes are closed. */
bool child_is_alive(struct child *child, int *status);

/* "exited with status 3", "was killed by signal 9". */
void child_say(int status, char *text, size_t capacity);

#endif
