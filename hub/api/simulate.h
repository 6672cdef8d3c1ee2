/* simulate - days of a hub's life in seconds: the real flow on a virtual clock, agents replaced.
 *
 * The rules, templates, limits, retries and breakers are those of the configuration; its agents are
 * replaced by stand-ins whose answers, delays and failures come from a seed, its auditors and event
 * providers are left out. One thread, one seed: the journal is the same to the byte every time.
 */
#ifndef HUB_API_SIMULATE_H
#define HUB_API_SIMULATE_H

#include "base/problems.h"

#include <atamo/hub.h>

#include <stdio.h>

struct simulation {
    const char *config_path;
    atamo_bytes events; /* JSON lines: CloudEvents; spread over the days in their order */
    uint32_t days;
    uint64_t seed;
    FILE *journal; /* one JSON object a record; NULL: none */
};

enum { SIMULATE_EVENTS_MAX = 1000000 };

/* Run it. *stats is what the hub counted; *bad_lines is how many lines were no events. What is
 * wrong with the configuration is in `problems`. ATAMO_INVALID, ATAMO_TOO_LARGE, ATAMO_IO,
 * ATAMO_NO_MEMORY. */
int simulate_run(const struct simulation *simulation, struct problems *problems, atamo_stats *stats,
                 uint64_t *bad_lines);

#endif
