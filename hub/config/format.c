/* format - the tables of the configuration: hub, plugins, users, events, and plugin instances.
 *
 * Only data. Rules and their tests are in format_rules.c.
 */
#include "config/format.h"

#include "base/bucket.h"
#include "flow/pool.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY           (86400 * NS_PER_SECOND)

#define TABLE(table_name, table_what, keys_array, type, table_about)                              \
    {                                                                                             \
        .what = (table_what), .name = (table_name), .about = (table_about), .keys = (keys_array), \
        .count = sizeof(keys_array) / sizeof((keys_array)[0]), .size = sizeof(struct type)        \
    }

#define AT(type, field) .offset = offsetof(struct type, field)

static const struct key top_keys[] = {
    {"$schema", KEY_ANY, AT(format_top, schema), .schema = "{\"type\":\"string\"}",
     .about = "Where editors find the JSON Schema of this file; the hub does not read it."},
    {"hub", KEY_MAP, AT(format_top, hub), .inside = &format_hub, .about = "Limits of the hub."},
    {"plugins", KEY_MAP, AT(format_top, plugins), .inside = &format_plugins,
     .about = "Where plugins are."},
    {"users", KEY_NAMED, AT(format_top, users), .inside = &format_user,
     .about = "Groups and tenants of users, by user. Who is not listed has neither."},
    {"access", KEY_MAP, AT(format_top, access), .inside = &format_access,
     .about = "Who may come in through plugins that listen for clients."},
    {"events", KEY_NAMED, AT(format_top, events), .inside = &format_event,
     .schema =
         "{\"type\":[\"object\",\"null\"],\"properties\":{\"*\":{\"enum\":[\"accept\","
         "\"refuse\"],\"description\":\"What becomes of all other types. Default: refuse.\"}},"
         "\"additionalProperties\":{\"$ref\":\"#/$defs/event\"}}",
     .about =
         "The event types that are known, by type; \"*\": accept or refuse says what becomes of "
         "all others (they are refused). Absent: every type is taken."},
    {"agents", KEY_NAMED, AT(format_top, agents), .inside = &format_agent,
     .about = "The agents, by name: instances of plugins that perform actions."},
    {"auditors", KEY_NAMED, AT(format_top, auditors), .inside = &format_auditor,
     .about = "The auditors, by name: instances of plugins that are told about every step."},
    {"event_providers", KEY_NAMED, AT(format_top, event_providers),
     .inside = &format_event_provider,
     .about = "The event providers, by name: instances of plugins through which events come."},
    {"rule_providers", KEY_NAMED, AT(format_top, rule_providers), .inside = &format_rule_provider,
     .about = "The rule providers, by name: instances of plugins that evaluate rules of their own "
              "kind."},
    {"store", KEY_MAP, AT(format_top, store), .inside = &format_store,
     .about =
         "Where a durable hub keeps what it has accepted: the file atamo.store in the folder where "
         "it runs, unless another is named. A hub that is not durable may have one that is gone "
         "with the process."},
    {"rules", KEY_LIST, AT(format_top, rules), .inside = &format_rule,
     .schema = "{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/$defs/rules_entry\"}}",
     .about = "The rules, and files of rules to include, in order."},
    {"rules_folder", KEY_TEXT, AT(format_top, rules_folder), .max = 4000,
     .about = "A folder of further rules, one file each, relative to this file: those that may be "
              "changed while the hub runs. They come after the others, by name. It need not be "
              "there yet."},
};

const struct key_table format_top =
    TABLE("configuration", "the configuration", top_keys, format_top, "A hub.");

static const struct key hub_keys[] = {
    {"mode", KEY_CHOICE, AT(format_hub, mode), .choices = "stateless|durable",
     .fallback = "stateless",
     .about = "stateless: everything is in memory only. durable: what is accepted is in the store "
              "before anything is done about it, and is taken up again after a stop or a crash."},
    {"max_messages", KEY_COUNT, AT(format_hub, settings.max_messages), .min = 1, .max = 100000000,
     .fallback = "100000",
     .about = "Messages in flight at once; more wait in front of the hub, then clients are told "
              "that it is busy."},
    {"max_clients", KEY_COUNT, AT(format_hub, settings.max_clients), .min = 1, .max = 1000,
     .fallback = "64", .about = "Clients of the embedding interface that may be open at once."},
    {"hop_limit", KEY_COUNT, AT(format_hub, settings.hop_limit), .max = 1000, .fallback = "16",
     .about = "How many events may cause one another in a chain before the next one is refused."},
    {"dead_letters", KEY_COUNT, AT(format_hub, settings.dead_letters), .max = 10000000,
     .fallback = "10000", .about = "Dead letters that are kept for replay."},
    {"recent", KEY_COUNT, AT(format_hub, settings.recent), .max = 1000000, .fallback = "256",
     .about = "Finished messages that are kept to answer why."},
    {"stop_limit", KEY_DURATION, AT(format_hub, settings.stop_ns), .max = DAY, .fallback = "10s",
     .about = "How long a stop waits for actions that run before it cancels them."},
    {"blocked_after", KEY_DURATION, AT(format_hub, settings.blocked_ns), .min = 1000000, .max = DAY,
     .fallback = "500ms",
     .about = "A plugin that holds up the hub's own thread for longer is named in the log."},
    {"max_data", KEY_SIZE, AT(format_hub, settings.max_data), .min = 1, .max = 16 << 20,
     .fallback = "16MiB", .about = "The most data that an event may have."},
    {"dedupe", KEY_DURATION, AT(format_hub, settings.dedupe_ns), .max = 30 * DAY, .fallback = "10m",
     .about =
         "How long a durable hub remembers an event's source and id, or its idempotencykey: the "
         "same one again is told as a duplicate and not accepted twice. 0s: it does not."},
    {"dedupe_max", KEY_COUNT, AT(format_hub, settings.dedupe_max), .max = 100000000,
     .fallback = "1000000", .about = "How many of them it remembers; the oldest give way."},
    {"journal_age", KEY_DURATION, AT(format_hub, settings.journal_ns), .max = 3650 * DAY,
     .fallback = "7d", .about = "How long a durable hub keeps the steps of messages, for trace."},
    {"journal_size", KEY_SIZE, AT(format_hub, settings.journal_size), .max = INT64_C(1) << 46,
     .fallback = "1GiB",
     .about = "How much room they may take; the oldest give way. 0: none are kept."},
};

const struct key_table format_hub =
    TABLE("hub", "\"hub\"", hub_keys, format_hub, "Limits of the hub.");

static const struct key plugins_keys[] = {
    {"path", KEY_TEXTS, AT(format_plugins, path), .max = 4000,
     .about = "Folders that are searched for plugins first, relative to this file."},
};

const struct key_table format_plugins =
    TABLE("plugins", "\"plugins\"", plugins_keys, format_plugins, "Where plugins are.");

static const struct key user_keys[] = {
    {"groups", KEY_TEXTS, AT(format_user, groups), .max = FORMAT_USER_MAX,
     .about = "The groups that this user is in."},
    {"tenant", KEY_TEXT, AT(format_user, tenant), .max = FORMAT_USER_MAX,
     .about = "Whose data this user works with."},
};

const struct key_table format_user = TABLE("user", "a user", user_keys, format_user, "A user.");

static const struct key access_keys[] = {
    {"tokens", KEY_TEXT, AT(format_access, tokens), .max = 4000,
     .about =
         "The file of bearer tokens, relative to this file: see `atamo token`. What changes in "
         "it holds within a second. Absent: no tokens are asked for."},
};

const struct key_table format_access =
    TABLE("access", "\"access\"", access_keys, format_access, "Who may come in.");

static const struct key event_keys[] = {
    {"required", KEY_LIST, AT(format_event, required),
     .schema = "{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"string\",\"minLength\":1},"
               "{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":{\"enum\":["
               "\"any\",\"text\",\"number\",\"boolean\",\"object\",\"array\"]}}]}}",
     .about = "Attributes and data fields that an event of this type must have: a path, or a path "
              "and its kind (any, text, number, boolean, object, array)."},
    {"allow", KEY_MAP, AT(format_event, allow), .inside = &format_allow,
     .about = "Who may submit it. Absent: everybody."},
    {"about", KEY_TEXT, AT(format_event, about), .max = 1000, .about = "What it is, for people."},
};

const struct key_table format_event =
    TABLE("event", "an event type", event_keys, format_event, "The template of an event type.");

static const struct key allow_keys[] = {
    {"users", KEY_TEXTS, AT(format_scope, users), .max = FORMAT_USER_MAX,
     .about = "These users may."},
    {"groups", KEY_TEXTS, AT(format_scope, groups), .max = FORMAT_USER_MAX,
     .about = "Users of these groups may."},
};

const struct key_table format_allow =
    TABLE("allow", "\"allow\"", allow_keys, format_scope, "Who may submit an event.");

#define INSTANCE_KEYS(type)                                      \
    {"plugin",                                                   \
     KEY_ANY,                                                    \
     .required = true,                                           \
     AT(type, instance.plugin),                                  \
     .schema = "{\"type\":\"string\",\"minLength\":1}",          \
     .about = "The plugin's name, as in `atamo plugin list`."},  \
    {                                                            \
        "config", KEY_MAP, AT(type, instance.config),            \
            .schema = "{\"type\":[\"object\",\"null\"]}",        \
            .about = "The plugin's own options: see its README." \
    }

static const struct key agent_keys[] = {
    INSTANCE_KEYS(format_agent),
    {"run", KEY_CHOICE, AT(format_agent, run), .choices = "inline|pool",
     .about = "On the hub's own thread, or on worker threads. Default: as the plugin says; a "
              "plugin that blocks cannot be run inline."},
    {"workers", KEY_COUNT, AT(format_agent, workers), .min = 1, .max = POOL_WORKERS_MAX,
     .about = "Worker threads, for run: pool. Default: 4."},
    {"concurrency", KEY_COUNT, AT(format_agent, concurrency), .min = 1, .max = 1000000,
     .about = "Actions that it may have in hand at once. Default: 4096 inline, 1024 in a "
              "pool, where it cannot be more than 4096."},
    {"queue", KEY_COUNT, AT(format_agent, queue), .max = 16000000, .fallback = "10000",
     .about =
         "Actions that may wait for it in memory; more are shed, or, in a durable hub, wait in the "
         "store."},
    {"rate", KEY_ANY, AT(format_agent, rate), .inside = &format_rate,
     .schema = "{\"oneOf\":[{\"type\":\"string\",\"pattern\":\"^[0-9]+/s$\"},"
               "{\"$ref\":\"#/$defs/rate\"}]}",
     .about = "Attempts a second, as in 100/s, or a map. Absent: no limit."},
    {"deadline", KEY_DURATION, AT(format_agent, deadline), .max = 365 * DAY, .fallback = "30s",
     .about = "How long one attempt may take; 0: no limit."},
    {"retry", KEY_MAP, AT(format_agent, retry), .inside = &format_retry,
     .about = "How often and when a failed action is tried again."},
    {"breaker", KEY_MAP, AT(format_agent, breaker), .inside = &format_breaker,
     .about = "Leave an agent alone that fails again and again. Absent: never."},
    {"cache", KEY_MAP, AT(format_agent, cache), .inside = &format_cache,
     .about = "Requests for the same share one attempt and its result. Absent: each has its own."},
};

const struct key_table format_agent = TABLE("agent", "an agent", agent_keys, format_agent,
                                            "A plugin instance that performs actions.");

static const struct key rate_keys[] = {
    {"per_second", KEY_COUNT, .required = true, AT(format_rate, per_second), .min = 1,
     .max = BUCKET_RATE_MAX, .about = "Attempts a second."},
    {"burst", KEY_COUNT, AT(format_rate, burst), .min = 1, .max = BUCKET_BURST_MAX,
     .about = "Attempts that may come at once after a quiet time. Default: those of one second."},
};

const struct key_table format_rate =
    TABLE("rate", "\"rate\"", rate_keys, format_rate, "A limit of attempts in time.");

static const struct key retry_keys[] = {
    {"attempts", KEY_COUNT, AT(format_retry, attempts), .min = 1, .max = 65535, .fallback = "5",
     .about = "Attempts in all; after the last the action is a dead letter."},
    {"base", KEY_DURATION, AT(format_retry, base), .min = 1000, .max = DAY, .fallback = "200ms",
     .about = "The first wait is a random part of this, each further one of twice as much."},
    {"max", KEY_DURATION, AT(format_retry, max), .min = 1000, .max = 365 * DAY, .fallback = "1m",
     .about = "No wait is longer."},
};

const struct key_table format_retry = TABLE("retry", "\"retry\"", retry_keys, format_retry,
                                            "How often and when a failed action is tried again.");

static const struct key breaker_keys[] = {
    {"failures", KEY_COUNT, AT(format_breaker, failures), .min = 1, .max = 1000000, .fallback = "5",
     .about = "Failed attempts in a row that open it."},
    {"open_for", KEY_DURATION, AT(format_breaker, open_for), .min = 1000000, .max = 365 * DAY,
     .fallback = "10s",
     .about = "How long the agent is left alone before one attempt is let through."},
};

const struct key_table format_breaker =
    TABLE("breaker", "\"breaker\"", breaker_keys, format_breaker, "A circuit breaker.");

static const struct key cache_keys[] = {
    {"ttl", KEY_DURATION, AT(format_cache, ttl), .max = 365 * DAY, .fallback = "0s",
     .about = "How long a result answers requests for the same. 0: only those that come while it "
              "is being made."},
    {"stale", KEY_DURATION, AT(format_cache, stale), .max = 365 * DAY, .fallback = "0s",
     .about = "How long after that it still answers, while the first such request has it made "
              "anew."},
    {"negative_ttl", KEY_DURATION, AT(format_cache, negative_ttl), .max = DAY, .fallback = "0s",
     .about = "How long a failure answers, so that an agent is not asked again at once."},
    {"max_entries", KEY_COUNT, AT(format_cache, max_entries), .min = 1, .max = 10000000,
     .fallback = "10000",
     .about = "Results kept; then the one that was not used for longest goes."},
    {"max_bytes", KEY_SIZE, AT(format_cache, max_bytes), .min = 65536, .max = INT64_C(1) << 40,
     .fallback = "64MiB",
     .about = "Memory for them, and for those being made. One result may be an eighth of it."},
    {"scope", KEY_CHOICE, AT(format_cache, scope), .choices = "user|tenant",
     .about =
         "Who shares: each acting user with himself, or all users of a tenant. Default: user."},
};

const struct key_table format_cache =
    TABLE("cache", "\"cache\"", cache_keys, format_cache,
          "Requests with the same tenant, user, action and body share one result.");

static const struct key auditor_keys[] = {
    INSTANCE_KEYS(format_auditor),
    {"when_slow", KEY_CHOICE, AT(format_auditor, when_slow), .choices = "block|drop",
     .fallback = "block",
     .about = "What happens when it lags behind: the hub waits, or it loses records and is told "
              "how many."},
    {"ring", KEY_COUNT, AT(format_auditor, ring), .min = 1024, .max = 1 << 24, .fallback = "16384",
     .about = "Records it may lag behind: a power of two."},
};

const struct key_table format_auditor =
    TABLE("auditor", "an auditor", auditor_keys, format_auditor,
          "A plugin instance that is told about every step of every message.");

static const struct key event_provider_keys[] = {INSTANCE_KEYS(format_agent)};

const struct key_table format_event_provider =
    TABLE("event_provider", "an event provider", event_provider_keys, format_agent,
          "A plugin instance through which events come.");

static const struct key store_keys[] = {INSTANCE_KEYS(format_agent)};

const struct key_table format_store =
    TABLE("store", "\"store\"", store_keys, format_agent,
          "The plugin instance in which a durable hub keeps what it has accepted.");

static const struct key rule_provider_keys[] = {INSTANCE_KEYS(format_agent)};

const struct key_table format_rule_provider =
    TABLE("rule_provider", "a rule provider", rule_provider_keys, format_agent,
          "A plugin instance that evaluates rules of its own kind.");
