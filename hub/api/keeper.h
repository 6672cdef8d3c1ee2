/* keeper - a thread that looks after the hub: who blocks the loop, what can be freed.
 *
 * It never enters a plugin and never holds the hub up. A callback on the loop that takes too long
 * is named in the log while it lasts, and in telemetry as soon as the loop moves again.
 */
#ifndef HUB_API_KEEPER_H
#define HUB_API_KEEPER_H

#include <atamo/hub.h>

struct keeper;

/* ATAMO_NO_MEMORY, ATAMO_IO. */
int keeper_start(atamo_hub *hub, int64_t blocked_ns, struct keeper **keeper);
void keeper_stop(struct keeper *keeper); /* NULL is fine */

#endif
