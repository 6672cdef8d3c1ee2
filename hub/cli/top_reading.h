/* top_reading - what a hub counts at one moment, and the rates since the moment before. */
#ifndef HUB_CLI_TOP_READING_H
#define HUB_CLI_TOP_READING_H

#include "cli/remote.h"

enum top_stat {
    TOP_ACCEPTED,
    TOP_REFUSED,
    TOP_FINISHED,
    TOP_ATTEMPTS,
    TOP_DONE,
    TOP_RETRIES,
    TOP_DEAD,
    TOP_SHED,
    TOP_UNMATCHED,
    TOP_IN_FLIGHT, /* from here on: no rates, they go up and down */
    TOP_WAITING,
    TOP_RUNNING,
    TOP_DEAD_LETTERS,
    TOP_RECORDS_LOST,
    TOP_RULES,
    TOP_GENERATION,
    TOP_CLIENTS,
    TOP_FEEDS,
    TOP_REPLIES_LOST,
    TOP_STATS,
};
enum { TOP_RATES = TOP_IN_FLIGHT };

struct top_agent {
    char id[64], plugin[32], state[16], breaker[16];
    int64_t queued, parked, running, concurrency, done, retries, dead, shed, p50_us, p99_us;
    double done_rate, retry_rate; /* a second; -1: not known yet */
    double cached; /* of its actions that its cache was asked for: 0 to 1; -1: of none */
};

/* All zero is none. */
struct top_reading {
    int64_t at_ns; /* by the monotonic clock; 0: there is none */
    int64_t t_us;  /* by the hub's */
    bool durable;
    int64_t stats[TOP_STATS];
    double rates[TOP_RATES]; /* a second; -1: not known yet */
    struct top_agent *agents;
    bool has_caches;
    size_t count;
};

/* Ask the hub. What it says to both questions stays in the answers, which are the caller's to free.
 * Nothing is said about failures: remote_judge() with *status and *failed, which is one of them. */
enum exit_code top_read(struct remote *remote, struct answer answers[2],
                        struct top_reading *reading, int *status, struct answer **failed);

/* Rates by an earlier reading; those of a hub that has started again are 0. */
void top_compare(struct top_reading *reading, const struct top_reading *before);

void top_reading_free(struct top_reading *reading);

#endif
