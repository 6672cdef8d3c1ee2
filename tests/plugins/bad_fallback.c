/* bad_fallback - a fallback outside of its own bounds, and one that is of another type. */
#include "broken.h"

BROKEN_AGENT(broken_done);

static const atamo_option options[] = {
    {.name = "times",
     .type = ATAMO_OPTION_INTEGER,
     .fallback = "10",
     .min = 1,
     .max = 9,
     .about = "how often"},
    {.name = "pause", .type = ATAMO_OPTION_DURATION, .fallback = "soon", .about = "how long"},
};

ATAMO_PLUGIN = {BROKEN_HEAD, ATAMO_OPTIONS(options), .agent = &agent};
