/* atamo/control.h - the extension "atamo.control/1": what a program that embeds a hub can do, for
 * plugins that are an interface to it.
 *
 * An event provider that answers its clients (HTTP, MCP) needs more than submit(): receipts,
 * responses, telemetry, the state of agents. It gets the functions of hub.h as a table, since a
 * plugin links nothing. What hub.h says of each holds here, with two differences: clients are
 * opened in start() and closed in drain(), and the functions that wait for the hub's thread may be
 * called from threads of the plugin's own, between start() and the return of drain().
 *
 * In a simulation there is no such extension: extension() answers NULL.
 */
#ifndef ATAMO_CONTROL_H
#define ATAMO_CONTROL_H

#include "atamo/hub.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_CONTROL_EXTENSION "atamo.control/1"

typedef struct atamo_control {
    uint32_t size;
    uint32_t reserved;
    /* The hub that this instance belongs to. [any] */
    atamo_hub *(*hub)(const atamo_host *host);

    /* A client for one thread of the plugin's. In start(). */
    int (*client_open)(atamo_hub *hub, atamo_client **client);
    void (*client_close)(atamo_client *client);
    int (*request)(atamo_client *client, const atamo_event_draft *draft,
                   const atamo_request_options *options, atamo_reply_fn fn, void *user,
                   uint64_t *request);
    void (*wake)(atamo_client *client);
    int (*cancel)(atamo_client *client, uint64_t request);
    int (*watch_telemetry)(atamo_client *client, uint32_t flags, atamo_telemetry_fn fn, void *user);
    int (*fd)(const atamo_client *client);
    size_t (*dispatch)(atamo_client *client, uint32_t budget_us, int *more);

    int (*reader_open)(atamo_reader **reader);
    void (*reader_close)(atamo_reader *reader);
    int (*reader_read)(atamo_reader *reader, atamo_bytes json, const atamo_event_draft *fallback,
                       atamo_event_draft *draft, char why[256]);

    int (*stats_get)(atamo_hub *hub, const char *tenant, atamo_stats *stats);
    int (*agent_get)(atamo_hub *hub, size_t index, atamo_agent_state *state);
    int (*agent_pause)(atamo_hub *hub, const char *agent, int paused);
    int (*rule_get)(atamo_hub *hub, size_t index, atamo_rule_state *state);
    int (*rule_change)(atamo_hub *hub, const atamo_rule_draft *draft, uint32_t *version,
                       atamo_report **report);
    int (*rule_show)(atamo_hub *hub, const char *id, int history, char *buffer, size_t capacity,
                     size_t *size);
    int (*rules_try)(atamo_hub *hub, atamo_bytes rules, atamo_bytes event, char *buffer,
                     size_t capacity, size_t *size, atamo_report **report);
    size_t (*report_count)(const atamo_report *report);
    atamo_problem (*report_at)(const atamo_report *report, size_t index);
    void (*report_free)(atamo_report *report);
    int (*dead_next)(atamo_hub *hub, uint64_t after, atamo_dead_letter *letter);
    int (*dead_replay)(atamo_hub *hub, uint64_t id);
    int (*dead_drop)(atamo_hub *hub, uint64_t id);

    int (*why)(atamo_hub *hub, const char *id, char *buffer, size_t capacity, size_t *size);
    int (*trace)(atamo_hub *hub, const char *id, char *buffer, size_t capacity, size_t *size);
    size_t (*step_json)(const atamo_hub *hub, const atamo_telemetry *record, int alone,
                        char *buffer, size_t capacity);
    atamo_bytes (*name)(const atamo_hub *hub, uint32_t name);
    void (*message_id)(const atamo_hub *hub, uint64_t message, char uuid[37]);
    /* Put into telemetry who did what through this interface: ATAMO_STEP_ACCESS. Secrets do not
     * belong in `what`. ATAMO_NO_MEMORY. [any], does not wait. */
    int (*access)(atamo_hub *hub, const char *user, const char *what, uint64_t result, uint64_t us);
    uint64_t (*message_number)(const atamo_hub *hub, const char *uuid);
    int (*taken)(atamo_client *client, uint64_t request, uint32_t count);
} atamo_control;

#ifdef __cplusplus
}
#endif

#endif
