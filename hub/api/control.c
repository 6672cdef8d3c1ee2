/* control - "atamo.control/1": the public API as a table, for plugins that are an interface to the
 * hub. Only opening a client differs: start() runs under the control lock already.
 */
#include "api/control.h"

#include "api/hub_inside.h"

#include <atamo/control.h>

#include <stdlib.h>
#include <string.h>

static atamo_hub *control_hub(const atamo_host *host)
{
    return host_services_of(host)->extension_user;
}

/* A step that waits for the hub's thread; one malloc. */
struct access {
    struct flow_call call; /* first */
    struct flow *flow;
    uint32_t user;
    uint64_t result, us;
    char what[];
};

/* [hub thread] */
static void record_access(void *argument)
{
    struct access *access = argument;
    struct journal *journal = &access->flow->journal;
    atamo_telemetry *record = journal_next(journal, ATAMO_STEP_ACCESS);

    record->user = access->user;
    record->value[0] = access->result;
    record->value[1] = access->us;
    journal_text(journal, atamo_text(access->what));
    free(access);
}

static int control_access(atamo_hub *hub, const char *user, const char *what, uint64_t result,
                          uint64_t us)
{
    const size_t size = strlen(what) + 1;
    struct access *access = malloc(sizeof *access + size);

    if (access == NULL)
        return ATAMO_NO_MEMORY;
    *access = (struct access){.call = {.fn = record_access, .argument = access},
                              .flow = &hub->flow,
                              .user = names_add(hub->names, atamo_text(user)),
                              .result = result,
                              .us = us};
    memcpy(access->what, what, size);
    flow_post(&hub->flow, &access->call);
    return ATAMO_OK;
}

const void *control_extension(const char *name)
{
    static const atamo_control table = {
        .size = sizeof table,
        .hub = control_hub,
        .client_open = hub_open_client,
        .client_close = atamo_client_close,
        .request = atamo_request,
        .wake = atamo_wake,
        .cancel = atamo_cancel,
        .watch_telemetry = atamo_watch_telemetry,
        .fd = atamo_fd,
        .dispatch = atamo_dispatch,
        .reader_open = atamo_reader_open,
        .reader_close = atamo_reader_close,
        .reader_read = atamo_reader_read,
        .stats_get = atamo_stats_get,
        .agent_get = atamo_agent_get,
        .agent_pause = atamo_agent_pause,
        .rule_get = atamo_rule_get,
        .rule_change = atamo_rule_change,
        .rule_show = atamo_rule_show,
        .rules_try = atamo_rules_try,
        .report_count = atamo_report_count,
        .report_at = atamo_report_at,
        .report_free = atamo_report_free,
        .dead_next = atamo_dead_next,
        .dead_replay = atamo_dead_replay,
        .dead_drop = atamo_dead_drop,
        .why = atamo_why,
        .trace = atamo_trace,
        .step_json = atamo_step_json,
        .name = atamo_name,
        .message_id = atamo_message_id,
        .access = control_access,
        .message_number = atamo_message_number,
        .taken = atamo_taken,
    };

    return strcmp(name, ATAMO_CONTROL_EXTENSION) == 0 ? &table : NULL;
}
