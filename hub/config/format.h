/* format - every map of the configuration: what each may hold, and the struct it is read into.
 *
 * docs/man/atamo.yaml.5 describes the format for people, configs/atamo.schema.json for editors;
 * both are held against these tables by tests.
 */
#ifndef HUB_CONFIG_FORMAT_H
#define HUB_CONFIG_FORMAT_H

#include "config/keys.h"
#include "flow/generation.h"

/* Bytes of names: what telemetry and the tables of hub.h have room for. */
enum { FORMAT_NAME_MAX = 63, FORMAT_TYPE_MAX = 127, FORMAT_USER_MAX = 255 };

struct format_top {
    const struct yaml_node *schema, *hub, *plugins, *users, *access, *events;
    const struct yaml_node *agents, *auditors, *event_providers, *rule_providers, *store, *rules;
    atamo_bytes rules_folder;
};

enum format_mode { FORMAT_STATELESS = 1, FORMAT_DURABLE };

struct format_hub {
    uint32_t mode;
    struct hub_settings settings;
};

struct format_plugins {
    struct key_texts path;
};

struct format_user {
    struct key_texts groups;
    atamo_bytes tenant;
};

struct format_access {
    atamo_bytes tokens;
};

struct format_event {
    const struct yaml_node *required; /* a list of paths, or of maps from path to kind */
    const struct yaml_node *allow;
    atamo_bytes about;
};

/* Whom something is for: `for:` of a rule, `allow:` of an event type. */
struct format_scope {
    struct key_texts users, groups, tenants;
};

/* What all plugin instances have. */
struct format_instance {
    const struct yaml_node *plugin, *config;
};

struct format_agent {
    struct format_instance instance;
    uint32_t run; /* enum format_run, 0: as the plugin says */
    uint32_t workers, concurrency, queue;
    const struct yaml_node *rate, *retry, *breaker, *cache;
    uint64_t deadline;
};

enum format_run { FORMAT_INLINE = 1, FORMAT_POOL };

struct format_rate {
    uint32_t per_second, burst;
};

struct format_retry {
    uint32_t attempts;
    uint64_t base, max;
};

struct format_breaker {
    uint32_t failures;
    uint64_t open_for;
};

struct format_cache {
    uint64_t ttl, stale, negative_ttl, max_bytes;
    uint32_t max_entries;
    uint32_t scope; /* enum format_cache_scope */
};

enum format_cache_scope { FORMAT_CACHE_USER = 1, FORMAT_CACHE_TENANT };

struct format_auditor {
    struct format_instance instance;
    uint32_t when_slow; /* enum format_when_slow */
    uint32_t ring;
};

enum format_when_slow { FORMAT_BLOCK = 1, FORMAT_DROP };

struct format_rule {
    atamo_bytes id, provider;
    struct key_texts on;
    const struct yaml_node *scope, *when, *then;
    atamo_bytes about;
};

struct format_action {
    atamo_bytes agent, action, as;
    const struct yaml_node *with, *retry;
    uint64_t deadline;
};

struct format_action_retry {
    uint32_t attempts;
};

struct format_include {
    struct key_texts include;
};

/* A file of rules: instead of a bare list. */
struct format_rules_file {
    const struct yaml_node *rules;
};

/* A file of rule tests. */
struct format_suite {
    atamo_bytes config;
    const struct yaml_node *tests;
};

struct format_case {
    atamo_bytes name;
    const struct yaml_node *event, *expect;
};

struct format_expect {
    const struct yaml_node *actions;
    struct key_texts rules;
    const struct yaml_node *refused;
};

struct format_expected_action {
    atamo_bytes rule, agent, action, as;
    const struct yaml_node *body;
};

extern const struct key_table format_top, format_hub, format_plugins, format_user, format_access,
    format_event, format_allow, format_for, format_agent, format_rate, format_retry, format_breaker,
    format_cache, format_auditor, format_event_provider, format_rule_provider, format_store,
    format_rule, format_provider_rule, format_action, format_action_retry, format_include,
    format_rules_file, format_suite, format_case, format_expect, format_expected_action;

enum { FORMAT_TABLES = 27 };

extern const struct key_table *const format_tables[FORMAT_TABLES];

#endif
