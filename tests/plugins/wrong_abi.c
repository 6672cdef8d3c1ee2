/* wrong_abi - built against headers of another time. */
#include "broken.h"

BROKEN_AGENT(broken_done);

ATAMO_PLUGIN = {.size = sizeof(atamo_plugin),
                .abi = ATAMO_ABI + 1,
                .id = "broken",
                .version = "1.0.0",
                .summary = "does one thing wrong",
                .agent = &agent};
