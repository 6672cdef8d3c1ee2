/* notify - what systemd wants to know of a service: sd_notify(3). */
#ifndef HUB_CLI_NOTIFY_H
#define HUB_CLI_NOTIFY_H

#include <atamo/hub.h>

#include <stdbool.h>

struct notify {
    int fd;           /* -1: nobody listens */
    int64_t alive_ns; /* how often to say that it is alive; 0: never */
    int64_t told_ns;  /* when it last did, monotonic */
};

void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* "READY=1". */
void notify_say(const struct notify *notify, const char *state);

/* The hub is alive if its own thread answers: say so, if it is time. */
void notify_alive(struct notify *notify, atamo_hub *hub);

/* Does what is written to a descriptor go to the journal? sd-daemon(3), JOURNAL_STREAM. */
bool notify_is_journal(int fd);

#endif
