/* rule_test - what would the rules of a configuration make of this event? Nothing fires.
 *
 * The configuration is built without its agents; rules match, templates are rendered and rule
 * providers evaluate as they would in a hub. Belongs to one thread.
 */
#ifndef HUB_CONFIG_RULE_TEST_H
#define HUB_CONFIG_RULE_TEST_H

#include "config/config.h"

#include <stdio.h>

struct rule_test;

struct rule_test_settings {
    struct config_source source;
    const char *plugin_path; /* as in config_context */
    const atamo_registration *plugins;
    size_t plugin_count;
};

struct rule_test_rule {
    atamo_bytes id;
    bool matched;
    const char *reason; /* what matched, the first clause that failed, or why it makes no action */
};

struct rule_test_action {
    atamo_bytes rule, agent, action;
    atamo_bytes as;   /* empty: nobody */
    atamo_bytes body; /* JSON */
};

/* All texts live in the arena, or as long as the test. */
struct rule_test_result {
    struct arena arena;
    atamo_bytes event;            /* JSON: what was evaluated */
    const char *refused;          /* why the event is not taken at all; NULL: it is */
    struct rule_test_rule *rules; /* every rule, in order; none if it is refused */
    size_t rule_count;
    struct rule_test_action *actions;
    size_t action_count;
};

/* Read and build a configuration. Status and problems as those of config_read() and
 * config_build(). */
int rule_test_open(const struct rule_test_settings *settings, struct problems *problems,
                   struct rule_test **test);
void rule_test_close(struct rule_test *test); /* NULL is fine */

enum { RULE_TEST_WHY = 256 };

/* Try one event in the CloudEvents JSON format; "specversion", "id" and "source" may be missing.
 * ATAMO_INVALID or ATAMO_TOO_LARGE with a sentence in `why`: no event; ATAMO_NO_MEMORY. */
int rule_test_run(struct rule_test *test, atamo_bytes json, struct rule_test_result *result,
                  char why[RULE_TEST_WHY]);
void rule_test_result_close(struct rule_test_result *result);

/* {"event", "rules": [{"id", "matched", "reason"}], "actions": [{"rule", "agent", "action", "as",
 * "body"}]}, and "refused" with the reason if it is. "as" is null if there is no user. ATAMO_IO,
 * ATAMO_NO_MEMORY. */
int rule_test_write_json(const struct rule_test_result *result, FILE *out);

/* The same for people: a line for each rule and action. ATAMO_IO. */
int rule_test_write_text(const struct rule_test_result *result, FILE *out);

#endif
