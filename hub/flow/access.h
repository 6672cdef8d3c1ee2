/* access - "atamo.access/1" for plugins: whose token is it? */
#ifndef HUB_FLOW_ACCESS_H
#define HUB_FLOW_ACCESS_H

#include <atamo/access.h>

/* The table; it finds the tokens of the moment by the instance's host, and lives for ever. */
const atamo_access *access_extension(void);

#endif
