/* running - a hub that runs in the foreground, for `atamo run` and `atamo dev`.
 *
 * SIGHUP reloads, SIGINT and SIGTERM end it; under systemd it says when it is ready, that it is
 * alive, and that it ends.
 */
#ifndef HUB_CLI_RUNNING_H
#define HUB_CLI_RUNNING_H

#include "cli/alerts.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "cli/unmatched.h"

struct running {
    atamo_hub *hub;
    const char *path; /* of the configuration */
    const char *name; /* what people know it by */
    int signals;      /* descriptor */
    bool stopped;
    bool finished;        /* nothing runs any more */
    int64_t for_ms;       /* end after that; -1: no limit */
    atamo_client *client; /* to hear the telemetry; NULL: nobody listens */
    struct unmatched unmatched;
    struct alerts alerts;
    struct notify notify;
    struct cli_colours colours; /* of log lines */
    bool to_journal;            /* they go to the journal of systemd */
    int news;                   /* descriptor that says that `changed` is to be called; -1: none */
    void (*changed)(struct running *running);
};

/* Take signals and open the hub; what is wrong is said. */
int running_open(struct running *running);

/* Also listen: log alerts, and see which messages match no rule. */
void running_watch(struct running *running);

/* Until all input has ended and nothing is in flight, a signal, or its time; then let what runs
 * finish, unless another signal comes. */
void running_wait(struct running *running);

/* Read the configuration again; what came of it is said. */
void running_reload(struct running *running);

/* Close the hub. */
int running_close(struct running *running);

#endif
