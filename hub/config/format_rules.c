/* format_rules - the tables of rules, and of tests of rules; and the list of all tables.
 *
 * Only data.
 */
#include "config/format.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY           (86400 * NS_PER_SECOND)

#define TABLE(table_name, table_what, keys_array, type, table_about)                              \
    {                                                                                             \
        .what = (table_what), .name = (table_name), .about = (table_about), .keys = (keys_array), \
        .count = sizeof(keys_array) / sizeof((keys_array)[0]), .size = sizeof(struct type)        \
    }

#define AT(type, field) .offset = offsetof(struct type, field)

#define ID_KEY                                                                             \
    {                                                                                      \
        "id", KEY_TEXT, .required = true, AT(format_rule, id), .max = FORMAT_TYPE_MAX,     \
                        .about = "A name that no other rule has; it shows in every trace." \
    }

#define ON_KEY                                                                                  \
    {                                                                                           \
        "on", KEY_TEXTS, AT(format_rule, on),                                                   \
            .max = FORMAT_TYPE_MAX,                                                             \
            .about = "The event types it is for: a type, a prefix such as order.*, or a list. " \
                     "Absent: every type."                                                      \
    }

#define FOR_KEY                                                              \
    {                                                                        \
        "for", KEY_MAP, AT(format_rule, scope),                              \
            .inside = &format_for,                                           \
            .about = "On whose behalf the event must be. Absent: everybody." \
    }

static const struct key rule_keys[] = {
    ID_KEY,
    ON_KEY,
    FOR_KEY,
    {"when", KEY_MAP, AT(format_rule, when), .schema = "{\"$ref\":\"#/$defs/pattern\"}",
     .about = "An event pattern, as in Amazon EventBridge: what the event must look like. Absent: "
              "anything."},
    {"then", KEY_ANY, AT(format_rule, then),
     .schema = "{\"oneOf\":[{\"$ref\":\"#/$defs/action\"},"
               "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/action\"}}]}",
     .inside = &format_action, .about = "The action that it makes, or a list of them."},
    {"about", KEY_TEXT, AT(format_rule, about), .max = 1000,
     .about = "What it is for, for people."},
};

const struct key_table format_rule =
    TABLE("rule", "a rule", rule_keys, format_rule, "From an event to zero or more actions.");

static const struct key provider_rule_keys[] = {
    ID_KEY,
    {"provider", KEY_TEXT, .required = true, AT(format_rule, provider), .max = FORMAT_NAME_MAX,
     .about = "The rule provider that evaluates this rule; all other keys are its own."},
    ON_KEY,
    FOR_KEY,
};

const struct key_table format_provider_rule = {
    .what = "a rule",
    .name = "provider_rule",
    .about = "A rule that a rule provider evaluates; it knows further keys.",
    .keys = provider_rule_keys,
    .count = sizeof provider_rule_keys / sizeof provider_rule_keys[0],
    .size = sizeof(struct format_rule),
    .open = true,
};

static const struct key for_keys[] = {
    {"users", KEY_TEXTS, AT(format_scope, users), .max = FORMAT_USER_MAX,
     .about = "One of these users,"},
    {"groups", KEY_TEXTS, AT(format_scope, groups), .max = FORMAT_USER_MAX,
     .about = "or somebody in one of these groups;"},
    {"tenants", KEY_TEXTS, AT(format_scope, tenants), .max = FORMAT_USER_MAX,
     .about = "and, if given, in one of these tenants."},
};

const struct key_table format_for =
    TABLE("for", "\"for\"", for_keys, format_scope, "On whose behalf an event must be.");

static const struct key action_keys[] = {
    {"agent", KEY_TEXT, .required = true, AT(format_action, agent), .max = FORMAT_NAME_MAX,
     .about = "The agent that shall perform it."},
    {"action", KEY_TEXT, .required = true, AT(format_action, action), .max = FORMAT_TYPE_MAX,
     .about = "What the agent shall do, in its own words."},
    {"as", KEY_TEXT, AT(format_action, as), .max = FORMAT_USER_MAX,
     .about = "The user that it acts for. Default: the user of the event."},
    {"with", KEY_ANY, AT(format_action, with), .schema = "true",
     .about = "The body: any value, in which ${path} stands for a value of the event. Absent: the "
              "event's data as it came."},
    {"retry", KEY_MAP, AT(format_action, retry), .inside = &format_action_retry,
     .about = "Other than the agent's."},
    {"deadline", KEY_DURATION, AT(format_action, deadline), .min = 1000000, .max = 365 * DAY,
     .about = "How long one attempt may take. Default: as the agent is configured."},
};

const struct key_table format_action =
    TABLE("action", "an action", action_keys, format_action, "What an agent shall do.");

static const struct key action_retry_keys[] = {
    {"attempts", KEY_COUNT, .required = true, AT(format_action_retry, attempts), .min = 1,
     .max = 65535, .about = "Attempts in all."},
};

const struct key_table format_action_retry =
    TABLE("action_retry", "\"retry\" of an action", action_retry_keys, format_action_retry,
          "How often this action is tried.");

static const struct key include_keys[] = {
    {"include", KEY_TEXTS, .required = true, AT(format_include, include), .max = 4000,
     .about = "Files of rules, relative to this file; * and ? in the file name stand for anything. "
              "Each file is a list of rules, or a map with the key rules. Files that end in "
              ".test.yaml are left out."},
};

const struct key_table format_include =
    TABLE("include", "an include", include_keys, format_include, "Rules from other files.");

static const struct key rules_file_keys[] = {
    {"rules", KEY_LIST, .required = true, AT(format_rules_file, rules), .inside = &format_rule,
     .schema = "{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/$defs/rules_entry\"}}",
     .about = "The rules, and further files of rules, in order."},
};

const struct key_table format_rules_file =
    TABLE("rules_file", "a file of rules", rules_file_keys, format_rules_file, "A file of rules.");

static const struct key suite_keys[] = {
    {"config", KEY_TEXT, .required = true, AT(format_suite, config), .max = 4000,
     .about = "The configuration whose rules are tested, relative to this file."},
    {"tests", KEY_LIST, .required = true, AT(format_suite, tests), .inside = &format_case,
     .about = "The tests, in order."},
};

const struct key_table format_suite =
    TABLE("tests", "a file of tests", suite_keys, format_suite, "Tests of rules.");

static const struct key case_keys[] = {
    {"name", KEY_TEXT, .required = true, AT(format_case, name), .max = 200,
     .about = "A sentence that says what is expected."},
    {"event", KEY_MAP, .required = true, AT(format_case, event), .schema = "{\"type\":\"object\"}",
     .about = "The event that comes in: CloudEvents attributes and data; at least a type."},
    {"expect", KEY_MAP, .required = true, AT(format_case, expect), .inside = &format_expect,
     .about = "What must come out."},
};

const struct key_table format_case = TABLE("test", "a test", case_keys, format_case, "One test.");

static const struct key expect_keys[] = {
    {"actions", KEY_LIST, AT(format_expect, actions), .inside = &format_expected_action,
     .about = "All actions, in order; [] means none. Each needs only the keys that matter."},
    {"rules", KEY_TEXTS, AT(format_expect, rules), .max = FORMAT_TYPE_MAX,
     .about = "The ids of all rules that match, in any order."},
    {"refused", KEY_ANY, AT(format_expect, refused),
     .schema = "{\"type\":[\"boolean\",\"string\"]}",
     .about = "true, or words of the reason: the event is not taken at all."},
};

const struct key_table format_expect =
    TABLE("expect", "\"expect\"", expect_keys, format_expect, "What must come out of a test.");

static const struct key expected_action_keys[] = {
    {"rule", KEY_TEXT, AT(format_expected_action, rule), .max = FORMAT_TYPE_MAX,
     .about = "The rule that makes it."},
    {"agent", KEY_TEXT, AT(format_expected_action, agent), .max = FORMAT_NAME_MAX,
     .about = "The agent."},
    {"action", KEY_TEXT, AT(format_expected_action, action), .max = FORMAT_TYPE_MAX,
     .about = "What the agent shall do."},
    {"as", KEY_TEXT, AT(format_expected_action, as), .max = FORMAT_USER_MAX,
     .about = "The user that it acts for."},
    {"body", KEY_ANY, AT(format_expected_action, body), .schema = "true",
     .about = "The body. Maps may leave out keys, at any depth; lists and all else are compared "
              "whole."},
};

const struct key_table format_expected_action =
    TABLE("expected_action", "an expected action", expected_action_keys, format_expected_action,
          "What an action must look like.");

const struct key_table *const format_tables[FORMAT_TABLES] = {
    &format_top,
    &format_hub,
    &format_plugins,
    &format_user,
    &format_access,
    &format_event,
    &format_allow,
    &format_agent,
    &format_rate,
    &format_retry,
    &format_breaker,
    &format_cache,
    &format_auditor,
    &format_event_provider,
    &format_store,
    &format_rule_provider,
    &format_rule,
    &format_for,
    &format_provider_rule,
    &format_action,
    &format_action_retry,
    &format_include,
    &format_rules_file,
    &format_suite,
    &format_case,
    &format_expect,
    &format_expected_action,
};
