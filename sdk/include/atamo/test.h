/* atamo/test.h - a fake hub for one plugin instance, for unit tests.
 *
 * It lends the plugin the whole host table, records what the plugin does, and notices misuse: an
 * action settled twice or never, a handle that nobody gave out, an option that is not in the
 * plugin's table, a call after destroy().
 *
 *     atamo_test_host *host = atamo_test_run(&atamo_plugin_v1, "greeting: hello");
 *     atamo_action action = atamo_test_do(host, "greet", "{\"name\": \"Ada\"}");
 *     assert(atamo_test_settled(host, action, NULL) == ATAMO_OK);
 *     assert(atamo_test_close(host) == 0);
 *
 * The clock is virtual and moves by atamo_test_advance() alone; random numbers follow a seed.
 *
 * Threads    [test] the one thread that runs the test. It stands for [control], [loop], [worker]
 *                   and [auditor]: plugin functions are called on it, from within these calls.
 *            The host table may be used on any thread, as plugin.h says.
 * Ownership  What these functions return is valid until atamo_test_close().
 * Library    libatamo-test.
 */
#ifndef ATAMO_TEST_H
#define ATAMO_TEST_H

#include "atamo/access.h"
#include "atamo/agent.h"
#include "atamo/auditor.h"
#include "atamo/event_provider.h"
#include "atamo/plugin.h"
#include "atamo/rule_provider.h"
#include "atamo/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ATAMO_API
#define ATAMO_API __attribute__((visibility("default")))
#endif

typedef struct atamo_test_host atamo_test_host;

/* --- life ------------------------------------------------------------------------------------- */

enum {
    ATAMO_TEST_REAL_TIME = 1u << 0, /* the system's clock instead of the virtual one */
    ATAMO_TEST_QUIET = 1u << 1,     /* misuse and refusals are recorded, not printed on stderr */
    ATAMO_TEST_NO_STORE = 1u << 2   /* a hub without a store: no "atamo.kv/1" */
};

enum { ATAMO_TEST_WHY = 2048 };

typedef struct atamo_test_settings {
    uint32_t size;              /* sizeof(atamo_test_settings) */
    uint32_t flags;             /* ATAMO_TEST_* */
    const atamo_plugin *plugin; /* linked to the test; or NULL and */
    const char *file;           /* a shared object, loaded and checked as the hub does */
    const char *config;         /* the options, as YAML or JSON; NULL: none */
    const char *instance;       /* its name in the configuration; NULL: "test" */
    void *context;              /* what host->context() gives */
    uint64_t seed;              /* of host->random() */
    int64_t now_ns;             /* where the virtual clock begins; 0: 2026-01-01T00:00:00Z */
} atamo_test_settings;

/* Check plugin and configuration; nothing of the plugin runs. On failure `why` (capacity
 * ATAMO_TEST_WHY, may be NULL) has a line for each problem. ATAMO_INVALID, ATAMO_NOT_FOUND,
 * ATAMO_NO_MEMORY. [test] */
ATAMO_API int atamo_test_open(const atamo_test_settings *settings, atamo_test_host **host,
                              char *why);

/* The steps of an instance's life, each in its turn; ATAMO_INVALID if it is not. A plugin without
 * the function passes. [test] */
ATAMO_API int atamo_test_create(atamo_test_host *host);
ATAMO_API int atamo_test_start(atamo_test_host *host);
ATAMO_API int atamo_test_drain(atamo_test_host *host);
ATAMO_API int atamo_test_destroy(atamo_test_host *host);

/* Open, create and start; NULL, with the reason on stderr, if one of them fails. [test] */
ATAMO_API atamo_test_host *atamo_test_run(const atamo_plugin *plugin, const char *config);

/* Take the remaining steps and free everything. Returns the number of misuses; each is also printed
 * on stderr. NULL is none. [test] */
ATAMO_API size_t atamo_test_close(atamo_test_host *host);

/* The table that the plugin was lent, its `self`, its own table. [any] */
ATAMO_API const atamo_host *atamo_test_table(const atamo_test_host *host);
ATAMO_API void *atamo_test_self(const atamo_test_host *host);
ATAMO_API const atamo_plugin *atamo_test_plugin(const atamo_test_host *host);

/* What the plugin did that it must not. A sentence each. [any] */
ATAMO_API size_t atamo_test_misuse_count(const atamo_test_host *host);
ATAMO_API const char *atamo_test_misuse(const atamo_test_host *host, size_t index);

/* The JSON Schema of a plugin's options, as the hub makes it from the table. Writes a
 * NUL-terminated text as far as `capacity` goes; returns the size it has or would have. [any] */
ATAMO_API size_t atamo_test_schema(const atamo_plugin *plugin, char *buffer, size_t capacity);

/* --- time and log ----------------------------------------------------------------------------- */

/* Move the virtual clock; timers of the loop that become due fire. [test] */
ATAMO_API void atamo_test_advance(atamo_test_host *host, uint64_t ms);

/* Run the loop: watched descriptors, posted calls, timers that are due. Waits for the first of them
 * at most `timeout_ms` of real time. Returns how many callbacks ran. The functions that wait do
 * this by themselves. [test] */
ATAMO_API size_t atamo_test_loop(atamo_test_host *host, uint32_t timeout_ms);

/* Log lines, in order; *level may be NULL. "" past the last. [any] */
ATAMO_API size_t atamo_test_log_count(const atamo_test_host *host);
ATAMO_API const char *atamo_test_log(const atamo_test_host *host, size_t index, int *level);
/* 1 if some line contains this text. [any] */
ATAMO_API int atamo_test_logged(const atamo_test_host *host, const char *text);

/* What the plugin said last with refuse(); "" if nothing. [any] */
ATAMO_API const char *atamo_test_refusal(const atamo_test_host *host);

/* --- actions (agents) ------------------------------------------------------------------------- */

/* Make an action; the agent is not told yet. `event` is the event that caused it (NULL: one of type
 * "test" whose data is the body). Returns 0 without memory or if the draft is refused. [test] */
ATAMO_API atamo_action atamo_test_action(atamo_test_host *host, const char *type, const char *body,
                                         const atamo_event_draft *event);
/* The same with everything that an action has: fields that are not 0 replace the defaults, `event`
 * and `message` of the info are not read. */
ATAMO_API atamo_action atamo_test_action_like(atamo_test_host *host, const atamo_action_info *info,
                                              const atamo_event_draft *event);

/* Hand actions to the agent: handle() for each, handle_batch() if there are several or there is no
 * handle(). ATAMO_UNSUPPORTED if it is no agent, ATAMO_INVALID if one was given before. [test] */
ATAMO_API int atamo_test_give(atamo_test_host *host, const atamo_action *actions, size_t count);

/* Make one, give it, wait until it is settled for at most 10 s. 0 if that fails. [test] */
ATAMO_API atamo_action atamo_test_do(atamo_test_host *host, const char *type, const char *body);

/* After ATAMO_RETRY: the next attempt of the same action, given to the agent. 0 if that fails.
 * [test] */
ATAMO_API atamo_action atamo_test_again(atamo_test_host *host, atamo_action action);

/* Tell the agent that nobody needs the action; `reason` is an ATAMO_REASON_*. [test] */
ATAMO_API void atamo_test_cancel(atamo_test_host *host, atamo_action action, uint32_t reason);

/* ATAMO_OK if it is settled, and how (may be NULL); ATAMO_BUSY if not yet; ATAMO_NOT_FOUND. [any]
 */
ATAMO_API int atamo_test_settled(const atamo_test_host *host, atamo_action action,
                                 atamo_outcome *outcome);
/* Wait for that, running the loop. action 0: until all that were given are settled. ATAMO_OK,
 * ATAMO_TIMEOUT, ATAMO_NOT_FOUND. [test] */
ATAMO_API int atamo_test_wait_settled(atamo_test_host *host, atamo_action action,
                                      uint32_t timeout_ms);

/* The responses of an action, with body and, if they have one, key; else that is "".
 * ATAMO_NOT_FOUND past the last. [any] */
ATAMO_API size_t atamo_test_response_count(const atamo_test_host *host, atamo_action action);
ATAMO_API int atamo_test_response(const atamo_test_host *host, atamo_action action, size_t index,
                                  atamo_response *response);
/* The body of a response, "" past the last. [any] */
ATAMO_API atamo_bytes atamo_test_response_body(const atamo_test_host *host, atamo_action action,
                                               size_t index);

/* The client's queue takes so many more responses, then respond() says ATAMO_BUSY. SIZE_MAX: no
 * limit. [any] */
ATAMO_API void atamo_test_respond_limit(atamo_test_host *host, size_t count);

/* The client has taken something: call room() for each action that was told ATAMO_BUSY since its
 * last call and is not settled, as long as there is room. Returns for how many it was due, also if
 * the agent has no room(). [test] */
ATAMO_API size_t atamo_test_room(atamo_test_host *host);

/* --- key-value state (kv.h), kept in memory --------------------------------------------------- */

/* Set a key, as if an earlier action had. ATAMO_NO_MEMORY. [test] */
ATAMO_API int atamo_test_kv_put(atamo_test_host *host, const char *tenant, const char *key,
                                const char *value);
/* What a key has; "" if it is not there. [any] */
ATAMO_API atamo_bytes atamo_test_kv_get(const atamo_test_host *host, const char *tenant,
                                        const char *key);

/* --- bearer tokens (access.h) ----------------------------------------------------------------- */

/* From now on `token`, which may be any text, is that of `who`; NULL: it is revoked. Copied. Before
 * the first of these calls the hub has no tokens: required() is 0, check() is ATAMO_UNSUPPORTED.
 * ATAMO_NO_MEMORY. [any] */
ATAMO_API int atamo_test_token(atamo_test_host *host, const char *token, const atamo_identity *who);

/* --- events that the plugin submitted or emitted -----------------------------------------------
 */

/* Events in order: read them with the host table, or by atamo_test_event_text(). NULL past the
 * last. [any] */
ATAMO_API size_t atamo_test_event_count(const atamo_test_host *host);
ATAMO_API const atamo_event *atamo_test_event(const atamo_test_host *host, size_t index);
ATAMO_API atamo_bytes atamo_test_event_text(const atamo_test_host *host, size_t index,
                                            atamo_attribute attribute);
ATAMO_API atamo_bytes atamo_test_event_data(const atamo_test_host *host, size_t index);
/* The action that emitted it; 0: it was submitted. [any] */
ATAMO_API atamo_action atamo_test_event_cause(const atamo_test_host *host, size_t index);

/* The hub takes so many more events, then it says ATAMO_BUSY. SIZE_MAX: no limit. More room wakes
 * those who wait and makes ready() due. [test] */
ATAMO_API void atamo_test_submit_limit(atamo_test_host *host, size_t count);

/* Call ready() if it is due, then produce(). Returns what produce() did. [test] */
ATAMO_API size_t atamo_test_produce(atamo_test_host *host, size_t budget);

/* Wait until there are `count` events in all, calling produce() and running the loop. ATAMO_OK,
 * ATAMO_TIMEOUT. [test] */
ATAMO_API int atamo_test_wait_events(atamo_test_host *host, size_t count, uint32_t timeout_ms);
/* Wait until the provider has finished. [test] */
ATAMO_API int atamo_test_wait_finished(atamo_test_host *host, uint32_t timeout_ms);

/* --- rules (rule providers) ---------------------------------------------------------------------
 */

/* Compile a rule, JSON as the provider gets it: {"id", "on", ...}. [test] */
ATAMO_API int atamo_test_compile(atamo_test_host *host, const char *json, void **rule);

/* Evaluate it for an event. The proposals replace those of the last evaluation. `why` (capacity
 * 256) may be NULL. [test] */
ATAMO_API int atamo_test_evaluate(atamo_test_host *host, void *rule, const atamo_event_draft *event,
                                  char *why);
ATAMO_API size_t atamo_test_proposal_count(const atamo_test_host *host);
/* ATAMO_NOT_FOUND past the last. */
ATAMO_API int atamo_test_proposal(const atamo_test_host *host, size_t index,
                                  atamo_proposal *proposal);
ATAMO_API void atamo_test_release(atamo_test_host *host, void *rule);

/* --- telemetry (auditors) -----------------------------------------------------------------------
 */

/* The number that stands for a text in records. 0 without memory. [test] */
ATAMO_API uint32_t atamo_test_name(atamo_test_host *host, const char *text);

/* Append a record to the next batch, with its text (may be NULL) in pieces behind it; its `text`
 * field is set, and its time if that is 0. [test] */
ATAMO_API int atamo_test_record(atamo_test_host *host, const atamo_telemetry *record,
                                const char *text);

/* Hand the batch to the auditor, and begin a new one. Returns what records() returned. [test] */
ATAMO_API int atamo_test_deliver(atamo_test_host *host, uint64_t lost);

/* Call idle(). [test] */
ATAMO_API void atamo_test_idle(atamo_test_host *host);

#ifdef __cplusplus
}
#endif

#endif
