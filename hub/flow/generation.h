/* generation - one configuration, ready to run: rules, event types, identities, agents.
 *
 * Immutable once built. A hub has one current generation; messages that were evaluated with an
 * older one keep it alive until they end. Swapping is one pointer store on the hub's thread.
 */
#ifndef HUB_FLOW_GENERATION_H
#define HUB_FLOW_GENERATION_H

#include "access/identities.h"
#include "access/tokens.h"
#include "base/arena.h"
#include "model/event_type.h"
#include "plugin/instance.h"
#include "rules/fields.h"
#include "rules/rule.h"

struct index; /* rules/index.h */

struct retry_policy {
    uint32_t attempts; /* in all, at least 1 */
    uint64_t base_ns;  /* the n-th wait is a random part of min(max, base * 2^(n-1)): full jitter */
    uint64_t max_ns;
};

struct breaker_policy {
    uint32_t failures; /* consecutive failed attempts that open it; 0: no breaker */
    uint64_t open_ns;  /* how long it stays open before one attempt is let through */
};

/* Whether requests for the same share one result, and how long it is kept. */
struct sharing_policy {
    bool is_on;
    bool per_tenant;      /* the users of a tenant share, not only a user with himself */
    uint32_t max_entries; /* results kept */
    uint64_t max_bytes;
    uint64_t fresh_ns;  /* how long it answers; 0: only who asks while it is being made */
    uint64_t stale_ns;  /* and how long after that it answers while it is made anew */
    uint64_t failed_ns; /* how long a failure answers */
};

enum slow_policy { SLOW_BLOCK, SLOW_DROP };

struct agent_settings {
    atamo_bytes name;
    uint32_t name_id;
    uint32_t mode;        /* enum atamo_agent_mode */
    uint32_t workers;     /* pool threads, at least 1; 0 inline */
    uint32_t concurrency; /* actions handed over and not settled, at once */
    uint32_t queue;       /* actions waiting; more are shed */
    uint32_t rate;        /* attempts a second; 0: no limit */
    uint32_t burst;       /* attempts that may come at once, if rate */
    uint64_t deadline_ns; /* of one attempt; 0: none */
    struct retry_policy retry;
    struct breaker_policy breaker;
    struct sharing_policy sharing;
    struct instance *instance;
    uint16_t lane; /* the flow's lane of this agent; set when the generation is swapped in */
};

struct auditor_settings {
    atamo_bytes name;
    struct instance *instance;
    enum slow_policy when_slow;
    uint32_t ring; /* records it may lag behind: a power of two */
};

struct provider_settings {
    atamo_bytes name;
    struct instance *instance; /* of an event provider, or a rule provider */
};

struct hub_settings {
    uint32_t max_messages; /* in flight; more wait in the submitters' rings, then ATAMO_BUSY */
    uint32_t max_clients;
    uint32_t hop_limit;    /* follow-up events of follow-up events of... */
    uint32_t dead_letters; /* kept in memory */
    uint32_t recent;       /* finished messages kept for `why` */
    uint64_t stop_ns;      /* how long a stop may take */
    uint64_t blocked_ns;   /* a callback on the loop that takes longer is named by the watchdog */
    uint64_t max_data;     /* bytes of an event's data */
    uint64_t dedupe_ns;    /* durable: how long ids of events are remembered; 0: not */
    uint32_t dedupe_max;   /* and how many */
    uint64_t journal_ns;   /* durable: how long steps are kept */
    uint64_t journal_size; /* and how many bytes of them; 0: none */
};

/* What a rule has matched since it was loaded. */
struct rule_seen {
    uint64_t hits;
    int64_t last_ns;
    uint64_t done, took_us; /* actions that were done, and how long after their events came in */
    uint32_t before;        /* its place in the generation before, from 1; 0: it is new */
};

struct generation {
    uint32_t refs;              /* hub thread: current, and each message evaluated with it */
    struct generation *retired; /* the next one that nothing uses any more */
    uint64_t number;
    struct arena arena; /* everything below, and the generation itself is freed apart */
    struct hub_settings hub;

    struct field_plan *plan;
    const struct index *index; /* rule numbers are places in `rules` */
    const struct rule *rules;
    const char *rules_folder; /* of rules that may be changed while the hub runs; NULL: none */
    struct rule_seen *seen;   /* one for each rule; hub thread */
    size_t rule_count;

    const struct event_types *types;
    const struct identities *identities;
    struct tokens *tokens; /* a reference; NULL: none are configured */

    struct agent_settings *agents;
    size_t agent_count;
    struct auditor_settings *auditors;
    size_t auditor_count;
    struct provider_settings *event_providers;
    size_t event_provider_count;
    struct provider_settings *rule_providers;
    size_t rule_provider_count;
    struct provider_settings *store; /* of a durable hub, else NULL */
};

/* Free a generation that nothing uses: compiled rules of providers, then its hold on instances
 * (those whose refs reach 0 are closed; a NULL instance was released before), then everything else.
 */
void generation_free(struct generation *generation);

#endif
