/* signals - signals that are read when there is time for them, without a handler.
 *
 * Happy path: they are blocked and come through a descriptor; closing brings the old mask back,
 * with which a signal that nobody read takes its usual effect.
 */
#include "cli/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool signals_open(struct signals *signals, const int *more)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGQUIT);
    for (size_t i = 0; more != NULL && more[i] != 0; i++)
        (void)sigaddset(&set, more[i]);
    (void)pthread_sigmask(SIG_BLOCK, &set, &signals->before);
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0)
        (void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    return signals->fd >= 0;
}

void signals_close(struct signals *signals)
{
    (void)close(signals->fd);
    (void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}

int signals_next(struct signals *signals)
{
    struct signalfd_siginfo info;

    return read(signals->fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

bool signals_is_end(int number)
{
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

bool signals_stop(void *user)
{
    return signals_is_end(signals_next(user));
}
