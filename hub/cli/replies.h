/* replies - what comes of a request, for people or as JSON lines. */
#ifndef HUB_CLI_REPLIES_H
#define HUB_CLI_REPLIES_H

#include "cli/remote.h"

struct replies {
    const struct remote *remote;
    int64_t last; /* sequence of the last one that was printed */
    int64_t lost; /* that were told of as missing */
};

/* Print one, unless it has been: `at` is the object of a response. */
void replies_print(struct replies *replies, const struct answer *answer, uint32_t at);

/* Print how it ended; `answer` is the request, or the event that tells its end. */
enum exit_code replies_end(struct replies *replies, const struct answer *answer);

#endif
