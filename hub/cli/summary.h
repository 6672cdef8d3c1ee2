/* summary - what a hub has done, on one screen or as JSON. */
#ifndef HUB_CLI_SUMMARY_H
#define HUB_CLI_SUMMARY_H

#include "cli/unmatched.h"

#include <atamo/hub.h>

#include <stdio.h>

struct summary {
    atamo_hub *hub;
    const char *path; /* of the configuration */
    atamo_stats stats;
    const struct unmatched *unmatched; /* the last ones that were seen */
};

/* For people; with what to try next if stdout is a terminal. */
void summary_print(const struct summary *summary, FILE *stream);

/* One JSON object: the figures of atamo_stats, "balanced", "agents", "dead_letters". ATAMO_IO. */
int summary_write_json(const struct summary *summary, FILE *out);

#endif
