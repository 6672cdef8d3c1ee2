/* no_role - a plugin that does nothing. */
#include "broken.h"

ATAMO_PLUGIN = {BROKEN_HEAD};
