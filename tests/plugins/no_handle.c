/* no_handle - an agent without handle() and handle_batch(). */
#include "broken.h"

BROKEN_AGENT(NULL);

ATAMO_PLUGIN = {BROKEN_HEAD, .agent = &agent};
