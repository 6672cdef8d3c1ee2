/* stand_ins - agents for rules whose own agents are not there: each logs what it gets. */
#ifndef HUB_CLI_STAND_INS_H
#define HUB_CLI_STAND_INS_H

#include <stdio.h>

/* Write an entry for each agent that the rules in a file name, as YAML for `agents:`; "log" and
 * "flaky", which fails twice, are always there. Rules that cannot be read name none: whoever loads
 * them says why. ATAMO_NO_MEMORY, ATAMO_IO. */
int stand_ins_write(const char *rules, FILE *out);

#endif
