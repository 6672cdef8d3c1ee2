/* signals - signals that are read when there is time for them, without a handler. */
#ifndef HUB_CLI_SIGNALS_H
#define HUB_CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
    int fd;
    sigset_t before; /* the mask that there was */
};

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are kept, and those in `more` (ends with 0, or
 * NULL). False if the system refuses. */
bool signals_open(struct signals *signals, const int *more);
void signals_close(struct signals *signals);

/* The next signal, 0 if there is none. */
int signals_next(struct signals *signals);

/* Is it one that ends a program? */
bool signals_is_end(int number);

/* For http_stop_when(), user: struct signals. Takes what it sees. */
bool signals_stop(void *user);

#endif
