/* process - one child process with pipes to its three standard streams.
 *
 * It leads a process group of its own, inherits no other descriptor and no signal setting, and is
 * killed by the kernel when the thread that started it ends. Belongs to that thread.
 */
#ifndef EXEC_PROCESS_H
#define EXEC_PROCESS_H

#include "settings.h"

#include <stdbool.h>
#include <sys/types.h>

struct process {
    pid_t pid; /* 0: none */
    int watch; /* pidfd: readable when it has ended */
    int in;    /* we write; none of the three blocks */
    int out;   /* we read */
    int err;   /* we read */
};

enum { PROCESS_WHY = 96 };

void process_init(struct process *process);

/* Start the program. ATAMO_IO with a reason in `why`; then nothing is left behind. */
int process_start(struct process *process, const struct settings *settings, char why[PROCESS_WHY]);

/* Send a signal to the process and all that it started in its group. */
void process_signal(const struct process *process, int number);

/* If it has ended: kill what is left of its group, reap it, and say in `how` what it did:
 * "exited with status 3", "killed by signal 9". The pipes stay open. */
bool process_reap(struct process *process, char how[PROCESS_WHY]);

/* Close all descriptors. The process must have been reaped. */
void process_close(struct process *process);

#endif
