/* rule_test_inside - shared by the files of rule_test only. */
#ifndef HUB_CONFIG_RULE_TEST_INSIDE_H
#define HUB_CONFIG_RULE_TEST_INSIDE_H

#include "config/rule_test.h"
#include "flow/flow.h"
#include "flow/host.h"
#include "model/message.h"

struct cloudevent_reader;

enum { TEST_ACTIONS_MAX = FLOW_ACTIONS_MAX };

struct rule_test {
    struct flow flow; /* first: aligned */
    struct names *names;
    struct host_services services;
    struct cloudevent_reader *reader;
    struct generation *generation;
    bool flow_is_open;
};

/* A run under way: what a provider's propose() gets as `evaluation`. */
struct trial {
    struct rule_test *test;
    const struct message *message;
    struct rule_test_result *result;
    const struct rule *rule;
};

/* The actions of trial->rule, added to the result. *failed, NULL before, says why it makes none.
 * ATAMO_NO_MEMORY. */
int rule_test_actions(struct trial *trial, const char **failed);

/* host->propose() of rule providers. */
int rule_test_propose(const atamo_host *host, void *evaluation, const void *argument);

#endif
