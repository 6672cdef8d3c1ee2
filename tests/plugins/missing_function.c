/* missing_function - needs a function that no library has. */
#include "broken.h"

void function_of_no_library(void);

static void handle(void *self, atamo_action action)
{
    function_of_no_library();
    broken_done(self, action);
}

BROKEN_AGENT(handle);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
