/* atamo/hub.h - a hub inside your program.
 *
 * The hub runs on threads of its own. Your program talks to it through *clients*: one client for
 * each thread that submits or listens (a GUI needs one). Submitting and asking never block; a full
 * hub answers ATAMO_BUSY. Replies and telemetry come in batches, as callbacks from atamo_dispatch()
 * on the thread that calls it, and from nowhere else.
 *
 *     atamo_hub *hub;
 *     atamo_client *client;
 *     atamo_settings settings = {.size = sizeof settings, .config_path = "hub.yaml"};
 *     if (atamo_open(&settings, &hub, NULL) == ATAMO_OK && atamo_client_open(hub, &client) ==
 * ATAMO_OK) atamo_request(client, &draft, NULL, show, window, NULL);
 *     ... poll(atamo_fd(client)), then atamo_dispatch(client, 4000) ...
 *
 * Threads    [any]    any thread.
 *            [client] the one thread that uses this client.
 * Hub threads block all signals. After fork() the child must not use a hub of its parent.
 * Libraries: libatamo. Several hubs may live in one process; they share nothing.
 */
#ifndef ATAMO_HUB_H
#define ATAMO_HUB_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ATAMO_API
#define ATAMO_API __attribute__((visibility("default")))
#endif

typedef struct atamo_hub atamo_hub;
typedef struct atamo_client atamo_client;
typedef struct atamo_report atamo_report;

/* --- reports: everything that was wrong with a configuration ---------------------------------- */

typedef struct atamo_problem {
    const char *file; /* NULL: the text given */
    uint32_t line;    /* from 1; 0: the whole file */
    uint32_t column;
    uint32_t warning; /* 1: used all the same */
    const char *text;
} atamo_problem;

/* [any] */
ATAMO_API size_t atamo_report_count(const atamo_report *report);
/* Valid until the report is freed. */
ATAMO_API atamo_problem atamo_report_at(const atamo_report *report, size_t index);
ATAMO_API void atamo_report_free(atamo_report *report);

/* --- the hub ---------------------------------------------------------------------------------- */

/* A plugin of your own program: configuration names it like one that is loaded (`plugin: ID`). */
typedef struct atamo_registration {
    const atamo_plugin *plugin; /* must outlive the hub */
    void *context;              /* host->context() of its instances */
} atamo_registration;

enum {
    ATAMO_SPIN = 1u << 0 /* while traffic lasts, look for more for 50 us before sleeping: answers in
                            under a microsecond, for a core that is kept busy. For daemons */
};

typedef struct atamo_settings {
    uint32_t size; /* sizeof(atamo_settings) */
    uint32_t flags;
    const char *config_path; /* a YAML file; or NULL and */
    atamo_bytes config;      /* YAML text */
    const atamo_registration *plugins;
    size_t plugin_count;
    const char *plugin_path; /* folders searched first, ':' between them; NULL: none */
    /* A clock in Unix nanoseconds, never going backwards; NULL: the system's. [any] */
    int64_t (*now)(void *user);
    void *now_user;
    /* Log lines of hub and plugins; NULL: to stderr. [any] */
    void (*log)(void *user, int level, const char *instance, const char *line);
    void *log_user;
} atamo_settings;

/* Load the configuration, start everything. If `report` is not NULL, *report is set, also on
 * success (warnings), and is the caller's to free. ATAMO_INVALID: nothing was started. [any], may
 * block. */
ATAMO_API int atamo_open(const atamo_settings *settings, atamo_hub **hub, atamo_report **report);

/* Replace rules and agents by those of the configuration at `config_path`, or of the text. All or
 * nothing: on failure the hub goes on as before and *report says why. [any], may block. */
ATAMO_API int atamo_reload(atamo_hub *hub, const char *config_path, atamo_bytes config,
                           atamo_report **report);

/* Refuse new events, let what runs finish for at most `limit_ms`, cancel the rest, stop and free.
 * Close all clients first. ATAMO_TIMEOUT if something had to be cancelled. [any], may block. */
ATAMO_API int atamo_close(atamo_hub *hub, uint32_t limit_ms);

/* How long the configuration lets a stop wait for actions that run, ms. [any] */
ATAMO_API uint32_t atamo_stop_limit(atamo_hub *hub);

/* Wait until nothing is in flight and every event provider has finished. ATAMO_TIMEOUT. [any] */
ATAMO_API int atamo_wait_idle(atamo_hub *hub, uint32_t timeout_ms);

/* The conservation law: accepted = finished + in_flight, and
 * actions = done + dead + shed + cancelled + expired + waiting + running. */
typedef struct atamo_stats {
    uint32_t size; /* sizeof(atamo_stats), set by the caller */
    uint32_t clients;
    uint64_t accepted, refused, finished, in_flight;                          /* messages */
    uint64_t actions, done, dead, shed, cancelled, expired, waiting, running; /* actions */
    uint64_t attempts, retries, unmatched, rules_failed, stale_settles;
    uint64_t records, records_lost;
    uint64_t dead_letters; /* kept just now */
    /* durable is 1 if a store keeps what is open for the next start. */
    uint64_t rules, generation, durable;
    uint64_t duplicates; /* events that came again and were not accepted twice */
    uint64_t refusing;   /* ATAMO_REASON_* for which events are refused just now; 0: they are not */
    /* Requests that have not ended, of them feeds; replies handed to clients, and left out because
     * a client was slow. Of all tenants. */
    uint64_t requests, feeds, replies, replies_lost;
} atamo_stats;

/* A consistent snapshot, of one tenant or (tenant NULL) of all. [any], waits for the hub's thread.
 */
ATAMO_API int atamo_stats_get(atamo_hub *hub, const char *tenant, atamo_stats *stats);

enum { ATAMO_LATENCY_BUCKETS = 32 };

/* One agent, as it stands. */
typedef struct atamo_agent_state {
    uint32_t size; /* sizeof(atamo_agent_state), set by the caller */
    uint32_t paused;
    uint32_t breaker; /* 0 closed, 1 half open, 2 open */
    uint32_t mode;    /* enum atamo_agent_mode */
    char name[64];
    char plugin[64];
    uint64_t queued, running, done, retries, dead, shed;
    uint64_t attempts, parked; /* parked: waiting in the store only */
    uint32_t concurrency;      /* how many it may hold at once */
    uint32_t reserved;
    /* How long attempts took that were settled, from their hand-over: latency[0] under 1 us,
     * latency[i] from 2^(i-1) us to under 2^i us, the last one all that is longer. */
    uint64_t latency_sum_us;
    uint64_t latency[ATAMO_LATENCY_BUCKETS];
    /* Its cache: requests answered from it, of them while it was refreshed; that joined an
     * identical one in flight; that found nothing; results that went for want of room or of age;
     * what it holds now. */
    uint64_t cache_hits, cache_stale, cache_joins, cache_misses, cache_evicted;
    uint64_t cache_entries, cache_bytes;
} atamo_agent_state;

/* The index-th agent; ATAMO_NOT_FOUND past the last. [any], waits for the hub's thread. */
ATAMO_API int atamo_agent_get(atamo_hub *hub, size_t index, atamo_agent_state *state);
/* Hold an agent's actions back, or let them go on. ATAMO_NOT_FOUND. [any] */
ATAMO_API int atamo_agent_pause(atamo_hub *hub, const char *agent, int paused);

/* One rule, as it runs. Texts are cut to the arrays. */
typedef struct atamo_rule_state {
    uint32_t size;         /* sizeof(atamo_rule_state), set by the caller */
    uint32_t line;         /* where it is written; 0: nowhere */
    uint64_t hits;         /* events that it matched since it was loaded */
    int64_t last_match_ns; /* Unix ns; 0: never */
    /* Actions of it that were done, and how long that was after their events came in, in all; times
     * are exact to a millisecond. */
    uint64_t done, took_us;
    uint32_t editable; /* 1: it stands in the configuration's rules_folder */
    uint32_t reserved;
    char id[128];
    char on[256];      /* the types of events that it is for, blanks between them */
    char provider[64]; /* "": the hub's own */
    char file[512];
} atamo_rule_state;

/* The index-th rule; ATAMO_NOT_FOUND past the last. [any], waits for the hub's thread. */
ATAMO_API int atamo_rule_get(atamo_hub *hub, size_t index, atamo_rule_state *state);

/* What a rule of the configuration's `rules_folder` shall be. Texts end with a NUL. */
typedef struct atamo_rule_draft {
    uint32_t size;      /* sizeof(atamo_rule_draft) */
    uint32_t expected;  /* the version it must have now; 0: any; UINT32_MAX: there must be none */
    const char *id;     /* letters, digits, '.', '_' and '-', at most 100 */
    atamo_bytes source; /* YAML or JSON: one rule, with this id; empty: the rule goes */
    const char *user;   /* who does it, and why: kept with the version; NULL: nobody says */
    const char *why;
} atamo_rule_draft;

/* Make a rule, change it, or delete it: checked with the whole configuration, written to its file,
 * swapped in; or nothing of it happens. *version (may be NULL) is the new one. ATAMO_INVALID:
 * *report says what is wrong, places within the source. ATAMO_UNSUPPORTED: there is no
 * rules_folder. ATAMO_EXISTS: a rule of that id stands in a file of the configuration.
 * ATAMO_CONFLICT: the version is not as expected, or files of the configuration have changed in
 * other ways since it was loaded. ATAMO_NOT_FOUND: nothing to delete. ATAMO_BUSY: the hub is being
 * reloaded or closed. ATAMO_IO, ATAMO_FULL, ATAMO_NO_MEMORY. [any], may block. */
ATAMO_API int atamo_rule_change(atamo_hub *hub, const atamo_rule_draft *draft, uint32_t *version,
                                atamo_report **report);

/* {"id", "version", "file", "line", "editable", "on", "hits", "last_match_us", "source"}: a rule as
 * it is written, and with `history` not 0 also "versions": [{"version", "t_us", "user", "why",
 * "deleted", "source"}], oldest first. `buffer` and `size` as for atamo_why(). ATAMO_NOT_FOUND,
 * ATAMO_IO, ATAMO_NO_MEMORY. [any], may block. */
ATAMO_API int atamo_rule_show(atamo_hub *hub, const char *id, int history, char *buffer,
                              size_t capacity, size_t *size);

/* What would rules make of an event? Nothing fires. `rules`: a list of rules, YAML; empty: those of
 * the configuration as it is written now. `event`: CloudEvents JSON. {"event", "rules": [{"id",
 * "matched", "reason"}], "actions": [{"rule", "agent", "action", "as", "body"}]}, and "refused"
 * with the reason if the event is not taken. `buffer` and `size` as for atamo_why(). ATAMO_INVALID:
 * *report says what is wrong. ATAMO_UNSUPPORTED: the hub's configuration is no file.
 * ATAMO_NO_MEMORY. [any], may block. */
ATAMO_API int atamo_rules_try(atamo_hub *hub, atamo_bytes rules, atamo_bytes event, char *buffer,
                              size_t capacity, size_t *size, atamo_report **report);

/* A dead letter: an action that failed for good. Texts are cut to the arrays. */
typedef struct atamo_dead_letter {
    uint32_t size; /* sizeof(atamo_dead_letter), set by the caller */
    uint32_t attempts;
    uint64_t id; /* for replay and drop */
    uint64_t message;
    int64_t died_ns; /* Unix ns */
    uint32_t reason; /* ATAMO_REASON_* */
    uint32_t reserved;
    char event_id[64], event_type[128], rule[128], agent[64], action[128];
    char text[256]; /* what the agent said last */
} atamo_dead_letter;

/* The oldest dead letter with an id above `after` (0: the first). ATAMO_NOT_FOUND. [any] */
ATAMO_API int atamo_dead_next(atamo_hub *hub, uint64_t after, atamo_dead_letter *letter);
/* Try it again, as a new action of the same message. ATAMO_NOT_FOUND, ATAMO_BUSY. [any] */
ATAMO_API int atamo_dead_replay(atamo_hub *hub, uint64_t id);
ATAMO_API int atamo_dead_drop(atamo_hub *hub, uint64_t id);

/* Why did this message go the way it went? Writes a JSON object {"id", "message", "type", "state",
 * "event": the event itself, "rules":
 * [{"id", "matched", "reason"}], "actions": [{"ordinal", "rule", "agent", "action", "state",
 * "attempt", "reason"}]} to `buffer` and the size it has or would have to *size. For messages in
 * flight and the last ones finished (`hub: {recent: N}`); else ATAMO_NOT_FOUND. `id` is an event id
 * as the client gave it, or the hub's UUID. [any] */
ATAMO_API int atamo_why(atamo_hub *hub, const char *id, char *buffer, size_t capacity,
                        size_t *size);

/* The path of a message: {"id", "message", "type", "state", "steps": [{"t_us", "step", "action",
 * "type", "rule", "agent", "user", "attempt", "outcome", "reason", "text", "id"...}]}, members that
 * say nothing left out. "state" is "in flight", "finished" or "dead". Of messages that atamo_why()
 * knows, and in a durable hub of all that its journal goes back to; then a file is read, which may
 * take seconds. `buffer`, `size` and `id` as for atamo_why(). ATAMO_NOT_FOUND, ATAMO_DAMAGED,
 * ATAMO_IO, ATAMO_NO_MEMORY. [any], may block. */
ATAMO_API int atamo_trace(atamo_hub *hub, const char *id, char *buffer, size_t capacity,
                          size_t *size);

/* One telemetry record as the members of a JSON object without its braces, as atamo_trace() says of
 * a step; with `alone` not 0 also "message", whose it is. `record` stands in its batch. Returns the
 * size it has or would have. [any] */
ATAMO_API size_t atamo_step_json(const atamo_hub *hub, const atamo_telemetry *record, int alone,
                                 char *buffer, size_t capacity);

/* The text of a name in a telemetry record. Valid until the hub is closed. [any] */
ATAMO_API atamo_bytes atamo_name(const atamo_hub *hub, uint32_t name);
/* The UUID of a message number, and back; 0: it is none of this hub's. [any] */
ATAMO_API void atamo_message_id(const atamo_hub *hub, uint64_t message, char uuid[37]);
ATAMO_API uint64_t atamo_message_number(const atamo_hub *hub, const char *uuid);

/* --- clients ---------------------------------------------------------------------------------- */

/* A client for one thread. ATAMO_BUSY: too many clients. [any] */
ATAMO_API int atamo_client_open(atamo_hub *hub, atamo_client **client);
/* No callback follows. Requests that are open are cancelled, but for those with `keep_ms`. [client]
 */
ATAMO_API void atamo_client_close(atamo_client *client);

/* What a submitter gets back. */
typedef struct atamo_receipt {
    uint32_t size;       /* sizeof(atamo_receipt), set by the caller */
    uint32_t durability; /* 1: memory */
    uint64_t message;    /* the message's number: atamo_message_id() */
} atamo_receipt;

/* Events in the CloudEvents JSON format, read into drafts. A reader belongs to one thread. */
typedef struct atamo_reader atamo_reader;
/* ATAMO_NO_MEMORY. [any] */
ATAMO_API int atamo_reader_open(atamo_reader **reader);
ATAMO_API void atamo_reader_close(atamo_reader *reader);
/* Read one event. *draft points into `json` and the reader until the next call. JSON without
 * "specversion" becomes the data of an event with the attributes of `fallback`, if that is not
 * NULL. ATAMO_INVALID or ATAMO_TOO_LARGE with a sentence in `why`, ATAMO_NO_MEMORY. */
ATAMO_API int atamo_reader_read(atamo_reader *reader, atamo_bytes json,
                                const atamo_event_draft *fallback, atamo_event_draft *draft,
                                char why[256]);

/* Submit an event: fire and forget. The draft is copied. `receipt` may be NULL. ATAMO_BUSY: the hub
 * is full, nothing was taken; ATAMO_INVALID: no type, or an attribute that cannot be;
 * ATAMO_TOO_LARGE; ATAMO_CLOSED. What rules or event types refuse later is told by telemetry; so
 * is, by a durable hub, that the event is on stable storage: ATAMO_STEP_COMMITTED with this
 * message's number (atamo_watch_telemetry() with ATAMO_WATCH_OWN). Until then it may be lost. The
 * same event again (source and id, or the extension attribute "idempotencykey") is told as
 * ATAMO_STEP_DUPLICATE when the first one is safe.
 * [client] */
ATAMO_API int atamo_submit(atamo_client *client, const atamo_event_draft *draft,
                           atamo_receipt *receipt);

/* Submit up to `count` events; returns how many were taken, from the front, or a negative status if
 * the first was not. [client] */
ATAMO_API int64_t atamo_submit_batch(atamo_client *client, const atamo_event_draft *drafts,
                                     size_t count);

typedef enum atamo_reply_kind {
    ATAMO_REPLY_DATA = 1,     /* a response of an agent */
    ATAMO_REPLY_PROGRESS = 2, /* how far an agent is */
    ATAMO_REPLY_END = 3,      /* the last one: `status` says how it ended */
    ATAMO_REPLY_PART = 4      /* an agent has ended its part (ATAMO_PARTS): `status` says how */
} atamo_reply_kind;

/* One reply to a request. Valid during the callback. */
typedef struct atamo_reply {
    uint64_t request;
    uint32_t kind;     /* enum atamo_reply_kind */
    int32_t status;    /* END: ATAMO_OK all actions done, or as many as were asked for,
                          ATAMO_TIMEOUT, ATAMO_GONE cancelled, ATAMO_IO some action or rule failed,
                          ATAMO_NOT_FOUND no rule matched,
                          ATAMO_EXISTS the event had come before: the body is that message's UUID.
                          Refused: ATAMO_INVALID, ATAMO_DENIED, ATAMO_TOO_LARGE; or, to be tried
                          again later, ATAMO_BUSY, ATAMO_FULL, ATAMO_NO_MEMORY, ATAMO_CLOSED.
                          PART: ATAMO_OK done, ATAMO_IO failed, ATAMO_GONE not wanted any more */
    uint64_t sequence; /* within the request, from 1; it jumps where replies were left out */
    atamo_bytes agent; /* who answered; END: "" */
    atamo_bytes rule;
    atamo_bytes body; /* PROGRESS: a text for people; END, PART: a sentence, if something failed */
    double progress;  /* PROGRESS: 0..1 */
    void *user;       /* as given with this request */
    atamo_bytes key;  /* DATA: what it is about, if the agent says so */
    uint64_t lost;    /* replies that were left out right before this one */
    uint32_t done;    /* END: actions that were done... */
    uint32_t actions; /* ...of so many: the replies are partial if that is more */
    uint64_t reserved;
} atamo_reply;

/* Replies, in order, `count` of them; they may belong to several requests of this client that were
 * made with the same function and `user`. [client], from atamo_dispatch() */
typedef void (*atamo_reply_fn)(const atamo_reply *replies, size_t count, void *user);

enum {
    /* END comes as soon as the event is accepted: let in, and in a durable hub on stable storage.
     * What its actions do is not waited for, and nothing cancels it. */
    ATAMO_UNTIL_ACCEPTED = 1u << 0,
    /* Only listen: a timeout, atamo_cancel() and closing the client end the request, not the
     * actions. */
    ATAMO_DETACHED = 1u << 1,
    /* One of several: the hub is not woken for it, but by atamo_wake() after the last one. */
    ATAMO_MORE = 1u << 2,
    /* A feed: agents go on responding until each has ended its part or the request is cancelled. An
     * agent's deadline is for its first response. Feeds are not kept in a store: they end with the
     * hub. */
    ATAMO_FEED = 1u << 3,
    /* Tell the end of each agent's part, too: ATAMO_REPLY_PART. */
    ATAMO_PARTS = 1u << 4,
    /* Replies wait until atamo_taken() says that the program is done with them, not only until they
     * are handed out. */
    ATAMO_BY_HAND = 1u << 5
};

/* When `queue` replies wait for a program that is slow to take them. END and PART always find
 * room. */
typedef enum atamo_slow {
    ATAMO_SLOW_BLOCK = 0, /* agents are held up: their respond() says ATAMO_BUSY. Nothing is lost */
    ATAMO_SLOW_OLDEST = 1, /* the oldest that is not handed out yet is dropped */
    ATAMO_SLOW_LATEST = 2  /* of each key only the newest waits; then as ATAMO_SLOW_OLDEST */
} atamo_slow;

typedef struct atamo_request_options {
    uint32_t size;       /* sizeof(atamo_request_options) */
    uint32_t timeout_ms; /* 0: 30 s, a feed: none; UINT32_MAX: none */
    uint32_t flags;      /* ATAMO_UNTIL_ACCEPTED ... ATAMO_BY_HAND */
    uint32_t answers;    /* END comes when so many actions are done, and the others are cancelled: 1
                            for the first, more for a quorum; 0: all */
    uint32_t slow;       /* enum atamo_slow */
    uint32_t queue;      /* replies that may wait; 0: 1,024; at most 65,535 */
    /* When the client leaves the request, or is closed: how long the request waits for somebody to
     * take it up with atamo_attach(), before and after its end. 0: it ends with the client. */
    uint32_t keep_ms;
    uint32_t reserved;
} atamo_request_options;

/* Submit an event and hear what the agents respond, until the END reply. `options` and `request`
 * may be NULL. Errors as for atamo_submit(), and ATAMO_NO_MEMORY. [client] */
ATAMO_API int atamo_request(atamo_client *client, const atamo_event_draft *draft,
                            const atamo_request_options *options, atamo_reply_fn fn, void *user,
                            uint64_t *request);

/* Wake the hub for requests that were made with ATAMO_MORE. [client] */
ATAMO_API void atamo_wake(atamo_client *client);

/* End a request: no callback for it follows, its actions are cancelled unless others share them.
 * ATAMO_NOT_FOUND. [client] */
ATAMO_API int atamo_cancel(atamo_client *client, uint64_t request);

/* Hear no more of a request that has `keep_ms`: no callback for it follows on this client. It goes
 * on, and what this client has not been handed waits for the next one. ATAMO_NOT_FOUND,
 * ATAMO_UNSUPPORTED without keep_ms. [client] */
ATAMO_API int atamo_leave(atamo_client *client, uint64_t request);

/* Take up a request that another client left, or that was closed: the replies that wait, then those
 * to come. ATAMO_NOT_FOUND: there is none, its time is over, or somebody has it. [client] */
ATAMO_API int atamo_attach(atamo_client *client, uint64_t request, atamo_reply_fn fn, void *user);

/* The program is done with `count` more replies (DATA, PROGRESS) of a request with ATAMO_BY_HAND.
 * ATAMO_NOT_FOUND, also after END; ATAMO_INVALID: more than it was handed. [client] */
ATAMO_API int atamo_taken(atamo_client *client, uint64_t request, uint32_t count);

/* Telemetry records, as an auditor gets them; `lost` were dropped before these. [client] */
typedef void (*atamo_telemetry_fn)(const atamo_telemetry *records, size_t count, uint64_t lost,
                                   void *user);

enum {
    ATAMO_WATCH_OWN = 1u << 0, /* only messages of this client */
    ATAMO_WATCH_DROP = 1u << 1 /* lose records when this client is slow; without it the hub waits */
};

/* Hear telemetry from now on; fn NULL ends it. One at a time. [client] */
ATAMO_API int atamo_watch_telemetry(atamo_client *client, uint32_t flags, atamo_telemetry_fn fn,
                                    void *user);

/* Readable when atamo_dispatch() has something to do, or after ATAMO_BUSY when there is room again.
 * Only wait for it: the library reads it. Valid until the client is closed. [client] */
ATAMO_API int atamo_fd(const atamo_client *client);

/* For loops without descriptors: `fn` is called, on a thread of the hub, when the descriptor
 * becomes readable. It must only wake the program's loop. NULL ends it. [client] */
ATAMO_API void atamo_on_wakeup(atamo_client *client, void (*fn)(void *user), void *user);

/* Run callbacks for at most about `budget_us` microseconds (0: until nothing waits). Returns how
 * many replies and records were delivered; *more (may be NULL) is 1 if some still wait. [client] */
ATAMO_API size_t atamo_dispatch(atamo_client *client, uint32_t budget_us, int *more);

/* Block until the descriptor is readable. ATAMO_OK; ATAMO_TIMEOUT, also when a handler of a signal
 * has run meanwhile. [client] */
ATAMO_API int atamo_wait(atamo_client *client, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
