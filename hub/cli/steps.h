/* steps - the path of one message, for people. */
#ifndef HUB_CLI_STEPS_H
#define HUB_CLI_STEPS_H

#include "store/steps.h"

#include <stdio.h>

/* One line a step; `action` 0: of all actions. */
void steps_print(const struct steps *steps, uint64_t action, FILE *out);

#endif
