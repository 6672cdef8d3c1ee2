/* why - the answer of atamo_why(), for people. */
#ifndef HUB_CLI_WHY_H
#define HUB_CLI_WHY_H

#include <atamo/hub.h>

#include <stdio.h>

/* Print a message's type and id and, for the first rules of its type, the clause that failed.
 * `id` is an event's id or a UUID. ATAMO_NOT_FOUND: the hub does not remember it. */
int why_print_unmatched(atamo_hub *hub, const char *id, FILE *stream);

#endif
