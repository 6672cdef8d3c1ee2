/* short_table - its table says fewer bytes than it needs. */
#include "broken.h"

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {.size = 16,
                .abi = ATAMO_ABI,
                .id = "broken",
                .version = "1.0.0",
                .summary = "does one thing wrong",
                .agent = &agent};
