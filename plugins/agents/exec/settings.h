/* settings - the configuration of one instance, read and checked once. */
#ifndef EXEC_SETTINGS_H
#define EXEC_SETTINGS_H

#include <atamo/plugin.h>

enum { EXEC_WORKERS_MAX = 64, EXEC_IN_FLIGHT_MAX = 4096, EXEC_QUEUE_MAX = 1 << 19 };

enum event_part { EVENT_NONE, EVENT_ATTRIBUTES, EVENT_FULL };

struct settings {
    char *program;         /* the file that is run */
    char **arguments;      /* command, ends with NULL */
    char **environment;    /* "NAME=value", ends with NULL */
    const char *directory; /* "" is the hub's own; belongs to the host */
    uint32_t workers;
    uint32_t in_flight; /* per worker */
    uint32_t queue;
    enum event_part event;
    size_t max_line;
    int64_t timeout_ns;
    int64_t restart_delay_ns;
    int64_t restart_delay_max_ns;
    int64_t stop_grace_ns;
};

extern const atamo_option settings_options[];
enum { SETTINGS_OPTION_COUNT = 12 };

/* Read the host's configuration. What is wrong with it is said by refuse(); ATAMO_NO_MEMORY. */
int settings_read(const atamo_host *host, struct settings *settings);

void settings_close(struct settings *settings);

#endif
