/* supervise - work that needs a server beside it, and leaves neither the server nor its files. */
#ifndef TESTS_BENCH_SUPERVISE_H
#define TESTS_BENCH_SUPERVISE_H

/* Each of these ends the program with a message and exit code 1 when it fails, when the program is
 * told to end (SIGINT, SIGTERM, SIGHUP), and when the work fails; before that the processes are
 * ended and the folder is removed. Only one thread may run. */

struct supervised {
    const char *const *server; /* the words of its command, NULL behind them */
    double (*work)(
        const void *user); /* in a process of its own; if it fails it says why, _exit(1) */
    const void *user;
    unsigned limit_s; /* the work may take */
};

/* Makes a folder for the servers' files, below the current one. Returns its name. */
const char *supervise_open(void);

/* A port of 127.0.0.1 that nobody listens on just now. */
int supervise_port(void);

/* Returns what the work returned; 0 if the server is not installed. */
double supervise(const struct supervised *task);

void supervise_close(void);

#endif
