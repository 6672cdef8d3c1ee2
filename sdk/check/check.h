/* check - what the checks of atamo-plugin-check share.
 *
 * Each check runs in a child process of its own, so that a crash or a hang is a finding. What it
 * finds goes into memory shared with the parent, which prints it.
 */
#ifndef SDK_CHECK_CHECK_H
#define SDK_CHECK_CHECK_H

#include <atamo/test.h>

#include <stdbool.h>

enum { CHECK_FINDINGS = 16, CHECK_TEXT = 1024, CHECK_WHERE = 128 };

enum check_role {
    CHECK_AGENT = 1u << 0,
    CHECK_RULE_PROVIDER = 1u << 1,
    CHECK_AUDITOR = 1u << 2,
    CHECK_EVENT_PROVIDER = 1u << 3,
    CHECK_STORE = 1u << 4,
    CHECK_ANY = 1u << 5
};

/* Shared with the parent. */
struct check_shared {
    char where[CHECK_WHERE]; /* what runs just now, for crashes and hangs */
    char id[64], version[64], summary[256];
    uint32_t roles;
    uint32_t count; /* findings */
    char findings[CHECK_FINDINGS][CHECK_TEXT];
    char note[CHECK_TEXT]; /* what is worth saying of a check that passed */
};

/* What is checked, and how. */
struct check {
    const char *file;
    const char *config; /* NULL: none */
    const char *second; /* of a second instance; NULL: the same */
    const char *rule;   /* NULL: a sample */
    uint32_t limit_ms;  /* for each wait */
    struct check_shared *shared;
};

struct check_case {
    const char *name;
    uint32_t roles; /* only for plugins with one of these */
    void (*run)(const struct check *check);
};

/* Say what runs next. */
void check_at(const struct check *check, const char *where);

/* Add a finding: what is wrong, and what to do about it. */
__attribute__((format(printf, 2, 3))) void check_fail(const struct check *check, const char *format,
                                                      ...);
__attribute__((format(printf, 2, 3))) void check_note(const struct check *check, const char *format,
                                                      ...);

/* An instance that is created, and started; NULL if that failed, which is a finding. */
atamo_test_host *check_open(const struct check *check);
atamo_test_host *check_create(const struct check *check);
atamo_test_host *check_run(const struct check *check);

/* Drain, destroy and free; misuses become findings. */
void check_close(const struct check *check, atamo_test_host *host);

/* Run one check in a child process; false if there are findings. */
bool check_case_run(const struct check *check, const struct check_case *one);

/* The checks. */
void check_descriptor(const struct check *check);
void check_life(const struct check *check);
void check_create_only(const struct check *check);
void check_two(const struct check *check);
void check_leftovers(const struct check *check);

void check_agent_bodies(const struct check *check);
void check_agent_batch(const struct check *check);
void check_agent_threads(const struct check *check);
void check_agent_cancel(const struct check *check);
void check_agent_drain(const struct check *check);
void check_agent_slow_client(const struct check *check);

void check_rules_evaluate(const struct check *check);
void check_auditor_records(const struct check *check);
void check_events_submit(const struct check *check);
void check_events_busy(const struct check *check);

void check_store_reads(const struct check *check);
void check_store_versions(const struct check *check);
void check_store_order(const struct check *check);

/* A little of the work of its role, for checks of life. */
void check_work(const struct check *check, atamo_test_host *host);

#endif
