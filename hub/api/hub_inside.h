/* hub_inside - what a hub is made of; shared by the files of this folder only.
 *
 * Threads of a hub: the loop (everything in `flow`), one for each auditor, the workers of pools,
 * and the keeper, which watches the loop and frees what nothing uses any more. The control lock
 * serializes open, reload and close.
 */
#ifndef HUB_API_HUB_INSIDE_H
#define HUB_API_HUB_INSIDE_H

#include "api/auditing.h"
#include "api/keeper.h"
#include "api/loop.h"
#include "config/config.h"
#include "flow/flow.h"
#include "flow/host.h"

#include <atamo/hub.h>

struct atamo_hub {
    struct flow flow; /* first: aligned */
    struct names *names;
    struct host_services services;
    struct token_slot tokens; /* of the current generation */
    struct loop loop;
    pthread_mutex_t control;
    struct generation *latest; /* the flow's current one; control lock */
    struct audit *audits;      /* running auditor threads; control lock */
    atamo_registration *plugins;
    size_t plugin_count;
    char *plugin_path;
    char *config_path;
    uint64_t clients[NUMBER_CLIENTS / 64]; /* client numbers in use; control lock */
    struct keeper *keeper;
    uint64_t max_data;             /* of the latest configuration; control lock */
    _Atomic uint64_t records_lost; /* as it was last added up */
    bool started;
};

/* A number for a client or a plugin's inlet; ATAMO_BUSY if all are taken. [control lock held] */
int hub_take_client(atamo_hub *hub, uint32_t *number);
void hub_give_client(atamo_hub *hub, uint32_t number);

/* atamo_client_open(), for who has the lock. [control lock held] */
int hub_open_client(atamo_hub *hub, atamo_client **client);

/* Build a generation from a source; problems say what was wrong. [control lock held] */
int hub_build(atamo_hub *hub, const struct config_source *source, struct problems *problems,
              struct generation **generation);

/* Start what is new in a generation. On failure hub_stop() undoes it. [control lock held] */
int hub_start(atamo_hub *hub, struct generation *generation, struct problems *problems);

/* Start what is new and make the generation current; on failure nothing has changed, and the
 * generation is freed. [control lock held] */
int hub_put_in_place(atamo_hub *hub, struct generation *generation, struct problems *problems);

/* Give up a generation's hold on its event providers, agents and auditors, and end those that no
 * other generation holds. Agents are given `limit_ms` to settle. ATAMO_TIMEOUT if some did not.
 * [control lock held] */
int hub_stop(atamo_hub *hub, struct generation *old, uint32_t limit_ms);

/* Free generations and ports that nothing uses any more. [control lock held] */
void hub_free_retired(atamo_hub *hub);

/* Turn problems into a report for the caller; `report` may be NULL. */
void hub_report(const struct problems *problems, atamo_report **report);

#endif
