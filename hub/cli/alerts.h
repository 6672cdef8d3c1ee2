/* alerts - what a person should look at, as lines of the log. */
#ifndef HUB_CLI_ALERTS_H
#define HUB_CLI_ALERTS_H

#include <atamo/hub.h>

enum { ALERTS_A_SECOND = 10 };

struct alerts {
    int64_t second;  /* of the last line, monotonic */
    uint32_t said;   /* in that second */
    uint64_t unsaid; /* since the last line */
    void (*log)(void *user, int level, const char *instance, const char *line);
    void *log_user;
};

/* Log the alert that `record` is, which stands in its batch; other records do nothing. */
void alerts_take(struct alerts *alerts, const atamo_hub *hub, const atamo_telemetry *record);

/* No more come: say how many were left out. */
void alerts_end(struct alerts *alerts);

#endif
