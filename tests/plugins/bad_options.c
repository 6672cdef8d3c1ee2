/* bad_options - rows of the option table that cannot be. */
#include "broken.h"

BROKEN_AGENT(broken_done);

static const atamo_option options[] = {
    {.name = "Path", .type = ATAMO_OPTION_TEXT, .about = "upper case"},
    {.name = "twice", .type = ATAMO_OPTION_TEXT, .about = "is there twice"},
    {.name = "twice", .type = ATAMO_OPTION_TEXT, .about = "is there twice"},
    {.name = "kind", .type = 99, .about = "is of no type"},
    {.name = "mute", .type = ATAMO_OPTION_TEXT},
    {.name = "choice", .type = ATAMO_OPTION_CHOICE, .about = "has no choices"},
    {.name = "bounds", .type = ATAMO_OPTION_INTEGER, .min = 9, .max = 1, .about = "turned round"},
};

ATAMO_PLUGIN = {BROKEN_HEAD, ATAMO_OPTIONS(options), .agent = &agent};
