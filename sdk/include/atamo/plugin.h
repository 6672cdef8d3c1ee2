/* atamo/plugin.h - the table that a plugin exports, and the table that the hub lends it.
 *
 * A plugin is one constant table, `atamo_plugin_v1`. The hub reads it before any of the plugin's
 * code runs: it checks the configuration against the options, prints help and makes a JSON Schema
 * from it. An instance is one `self`, made by create(). Roles are tables of functions over that
 * self.
 *
 * Growth     Every table begins with its size. Fields are only ever added at the end; a reader asks
 *            ATAMO_HAS before it uses a field that is newer than the first version. Optional
 *            abilities come through extension(), by name and version: "atamo.json/1".
 * Threads    [control] the thread that opens, reloads or closes the hub. Life-cycle calls of one
 *                      instance never overlap, but may come on different threads.
 *            [loop]    the hub's own thread. Must never block: a watchdog names who does.
 *            [worker]  a thread of the instance's pool; may block; calls overlap.
 *            [auditor] the thread of that one auditor; may block.
 *            [any]     any thread, also the plugin's own, between start() and the return of
 * drain(). Ownership  Who allocates, frees. What the hub passes in is valid until the call returns,
 * except actions, which may be read until they are settled. What the plugin passes in is copied.
 * Errors     ATAMO_OK or a negative status. The hub never calls a plugin from within a call that
 * the plugin makes, so any host function may be called while holding a lock. Language   C11, or
 * C++. A plugin links nothing.
 */
#ifndef ATAMO_PLUGIN_H
#define ATAMO_PLUGIN_H

#include "atamo/action.h"
#include "atamo/telemetry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_ABI 1u

/* Is `field` there in a table that says its size? For fields newer than the first version. */
#define ATAMO_HAS(table, field)                                                         \
    ((table)->size >= offsetof(__typeof__(*(table)), field) + sizeof((table)->field) && \
     (table)->field)

typedef struct atamo_host atamo_host;
typedef struct atamo_agent atamo_agent;                   /* agent.h */
typedef struct atamo_rule_provider atamo_rule_provider;   /* rule_provider.h */
typedef struct atamo_auditor atamo_auditor;               /* auditor.h */
typedef struct atamo_event_provider atamo_event_provider; /* event_provider.h */
typedef struct atamo_store atamo_store;                   /* store.h */

/* --- options: the configuration keys that a plugin knows ------------------------------------- */

typedef enum atamo_option_type {
    ATAMO_OPTION_TEXT = 1,
    ATAMO_OPTION_INTEGER,
    ATAMO_OPTION_NUMBER,
    ATAMO_OPTION_BOOLEAN,  /* read with integer(): 0 or 1 */
    ATAMO_OPTION_DURATION, /* "250ms" "10s" "5m" "2h" "1d"; read with integer(): milliseconds */
    ATAMO_OPTION_SIZE,     /* "64KiB" "10MB" or bytes; read with integer(): bytes */
    ATAMO_OPTION_CHOICE,   /* one of `choices`, separated by '|' */
    ATAMO_OPTION_LIST,     /* of texts; a single text is a list of one */
    ATAMO_OPTION_MAP,      /* of texts to texts */
    ATAMO_OPTION_JSON      /* anything; read as JSON text with text() */
} atamo_option_type;

enum {
    ATAMO_OPTION_REQUIRED = 1u << 0,
    ATAMO_OPTION_SECRET = 1u << 1 /* never shown, logged or put into telemetry */
};

typedef struct atamo_option {
    const char *name; /* lower-case, words joined by '_' */
    uint32_t type;    /* enum atamo_option_type */
    uint32_t flags;
    const char *fallback; /* as it would be written in YAML; NULL: none */
    int64_t min, max;     /* for integers, durations (ms), sizes (bytes); both 0: unbounded */
    const char *choices;  /* ATAMO_OPTION_CHOICE: "block|drop" */
    const char *about;    /* one sentence */
} atamo_option;

/* --- the host: what the hub does for an instance --------------------------------------------- */

enum { ATAMO_LOG_DEBUG = 0, ATAMO_LOG_INFO = 1, ATAMO_LOG_WARN = 2, ATAMO_LOG_ERROR = 3 };

/* One per instance, valid from create() until destroy() returns. */
struct atamo_host {
    uint32_t size;
    uint32_t abi;

    /* -- configuration, checked against the options already. Never fails for an option that is
     *    required or has a fallback. Values stay valid until destroy() returns. [any], and in
     *    create(). */
    atamo_bytes (*text)(const atamo_host *host, const char *option);
    int64_t (*integer)(const atamo_host *host, const char *option);
    double (*number)(const atamo_host *host, const char *option);
    /* Lists and maps: how many, the key of the i-th (maps only, else ""), its value. */
    size_t (*count)(const atamo_host *host, const char *option);
    atamo_bytes (*key_at)(const atamo_host *host, const char *option, size_t index);
    atamo_bytes (*text_at)(const atamo_host *host, const char *option, size_t index);
    /* The instance's name in the configuration ("mail"). */
    atamo_bytes (*instance)(const atamo_host *host);
    /* What an embedding program registered with the plugin (hub.h), else NULL. */
    void *(*context)(const atamo_host *host);

    /* -- talk */
    /* Log one line, level ATAMO_LOG_*. Use atamo_log(). [any], and in create() and destroy(). */
    void (*log)(const atamo_host *host, int level, const char *line);
    /* Say why create(), start() or compile() fails; returns ATAMO_INVALID for the caller to return.
     * Use atamo_refuse(). [control] */
    int (*refuse)(const atamo_host *host, const char *why);

    /* -- time and chance, from the hub's faces: virtual in simulations */
    int64_t (*now)(const atamo_host *host);     /* Unix nanoseconds. [any] */
    uint64_t (*random)(const atamo_host *host); /* not for secrets. [any] */

    /* -- actions (agents). The getters may be called until the action is settled. [any] */
    int (*info)(const atamo_host *host, atamo_action action, atamo_action_info *info);
    const atamo_event *(*event)(const atamo_host *host, atamo_action action); /* NULL if stale */
    atamo_bytes (*body)(const atamo_host *host, atamo_action action);
    /* Answer the client. ATAMO_BUSY if its queue is full and the policy is to wait: try again when
     * room() of the agent is called, or later; ATAMO_GONE if the action is settled, or nobody
     * needs it any more, as cancel() says: an agent on a thread may stop by this alone. [any] */
    int (*respond)(const atamo_host *host, atamo_action action, const atamo_response *response);
    /* End `count` actions, outcomes[i] for actions[i]; exactly once for each. NULL outcomes: all
     * done. A stale action is skipped and counted. [any] */
    void (*settle)(const atamo_host *host, const atamo_action *actions,
                   const atamo_outcome *outcomes, size_t count);
    /* Submit a follow-up event from within an action: it carries the action's correlation id, and
     * the event's id as its causation id. In a durable hub it takes effect with the outcome: once
     * if the action ends done, not at all otherwise; elsewhere it is submitted at once. ATAMO_BUSY,
     * ATAMO_INVALID, ATAMO_GONE, ATAMO_TOO_LARGE (over 1,024 in one durable action). [any] */
    int (*emit)(const atamo_host *host, atamo_action action, const atamo_event_draft *draft);

    /* -- events. Values are valid as long as the event. [any] */
    atamo_bytes (*attribute)(const atamo_host *host, const atamo_event *event,
                             atamo_attribute attribute);
    atamo_bytes (*extension_attribute)(const atamo_host *host, const atamo_event *event,
                                       const char *name);
    atamo_bytes (*data)(const atamo_host *host, const atamo_event *event);
    /* The whole event in the CloudEvents JSON format, written to `buffer` if it fits `capacity`.
     * Returns the size it has or would have. */
    size_t (*event_json)(const atamo_host *host, const atamo_event *event, char *buffer,
                         size_t capacity);

    /* -- names in telemetry records: valid until destroy() returns. [any] */
    atamo_bytes (*name)(const atamo_host *host, uint32_t name);
    /* The id text of a message number: what the client gave is in the ADMITTED record's text;
     * without that, this UUID. Writes 36 characters and a NUL. [any] */
    void (*message_id)(const atamo_host *host, uint64_t message, char uuid[37]);

    /* -- events (event providers) */
    /* Submit `count` events; *taken says how many were, from the front. ATAMO_OK if all;
     * ATAMO_BUSY: the hub is full, wait() or wait for ready(); ATAMO_INVALID: drafts[*taken] is
     * refused, and why goes to `why` (may be NULL; capacity 256). [any] */
    int (*submit)(const atamo_host *host, const atamo_event_draft *drafts, size_t count,
                  size_t *taken, char *why);
    /* The same for text: one event in the CloudEvents JSON format (an object with "specversion"),
     * or, if `fallback` is not NULL, plain JSON which becomes the data of an event with the
     * fallback's attributes. [any] */
    int (*submit_json)(const atamo_host *host, atamo_bytes json, const atamo_event_draft *fallback,
                       char *why);
    /* Block the calling thread of the plugin's own until the hub has room again, or `timeout_ms`
     * passed. ATAMO_OK, ATAMO_TIMEOUT, ATAMO_CLOSED. Never on [loop]. */
    int (*wait)(const atamo_host *host, uint32_t timeout_ms);
    /* This provider will submit no more: a hub that runs until its input ends may stop. [any] */
    void (*finished)(const atamo_host *host);

    /* -- rule providers, within evaluate(): propose one action. See rule_provider.h. [loop] */
    int (*propose)(const atamo_host *host, void *evaluation, const void *proposal);

    /* -- abilities by name and version, or NULL: "atamo.json/1" (json.h), "atamo.loop/1" (loop.h),
     *    "atamo.kv/1" (kv.h), "atamo.access/1" (access.h). The table is valid until destroy()
     *    returns. [any], and in create(). */
    const void *(*extension)(const atamo_host *host, const char *name);
};

/* --- the plugin ------------------------------------------------------------------------------- */

typedef struct atamo_plugin {
    uint32_t size;       /* sizeof(atamo_plugin) */
    uint32_t abi;        /* ATAMO_ABI */
    const char *id;      /* lower-case, words joined by '-': "redis-streams" */
    const char *version; /* "1.0.0" */
    const char *summary; /* one sentence */
    const atamo_option *options;
    uint32_t option_count;
    uint32_t option_stride; /* sizeof(atamo_option) when the plugin was compiled */
    uint64_t flags;         /* none yet */

    /* Make an instance. May be NULL: then self is the host. On failure say why with refuse() and
     * leave nothing behind. [control] */
    int (*create)(const atamo_host *host, void **self);
    /* Begin: connect, start threads. May be NULL. After a failure destroy() follows. [control] */
    int (*start)(void *self);
    /* No new work follows. Settle what you hold, or hand it back with ATAMO_RETRY; stop calling the
     * host. May return before the last is settled. May be NULL. [control] */
    void (*drain)(void *self);
    /* The end: join threads, free all. Always follows create(), with or without start(). May be
     * NULL. [control] */
    void (*destroy)(void *self);

    /* The roles it plays; NULL for the others. */
    const atamo_agent *agent;
    const atamo_rule_provider *rule_provider;
    const atamo_auditor *auditor;
    const atamo_event_provider *event_provider;
    const atamo_store *store;
    /* What extension() offers to the hub, by name; may be NULL. [control] */
    const void *(*get_extension)(const char *name);
} atamo_plugin;

#define ATAMO_PLUGIN_SYMBOL "atamo_plugin_v1"

#ifdef __cplusplus
#define ATAMO_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define ATAMO_EXPORT extern __attribute__((visibility("default")))
#endif

/* The definition of a plugin's table: ATAMO_PLUGIN = { ATAMO_PLUGIN_HEAD, .id = ... };
 * C++ before C++20 has no designated initializers by standard: gcc and clang take them anyway. */
#define ATAMO_PLUGIN                                 \
    ATAMO_EXPORT const atamo_plugin atamo_plugin_v1; \
    const atamo_plugin atamo_plugin_v1
#define ATAMO_PLUGIN_HEAD .size = sizeof(atamo_plugin), .abi = ATAMO_ABI
#define ATAMO_OPTIONS(array)                                                \
    .options = (array), .option_count = sizeof(array) / sizeof((array)[0]), \
    .option_stride = sizeof((array)[0])

#ifdef __cplusplus
}
#endif

#include "atamo/inline.h"

#endif
