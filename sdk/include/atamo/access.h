/* atamo/access.h - who comes with a token: the extension "atamo.access/1", for event providers.
 *
 *     const atamo_access *access = host->extension(host, ATAMO_ACCESS_EXTENSION);
 *     atamo_identity who = {.size = sizeof who};
 *     ...
 *     if (access->required(host) != 0) {
 *         if (access->check(host, token, &who) != ATAMO_OK)
 *             return refuse(request); // 401
 *         if ((who.scopes & ATAMO_SCOPE_EVENTS_WRITE) == 0)
 *             return refuse(request); // 403
 *         draft.user = atamo_text(who.user);
 *     }
 *
 * The operator makes tokens with `atamo token new` and lists them in the file that the
 * configuration names. That file may change while the hub runs, and a reload may name another or
 * none: ask for each request, and keep no answer for longer than the request takes.
 */
#ifndef ATAMO_ACCESS_H
#define ATAMO_ACCESS_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_ACCESS_EXTENSION "atamo.access/1"

/* What the owner of a token may do: bits of atamo_identity.scopes. Newer hubs may set others. */
typedef enum atamo_scope {
    ATAMO_SCOPE_EVENTS_WRITE = 1u << 0,   /* "events:write": submit events */
    ATAMO_SCOPE_REQUESTS_WRITE = 1u << 1, /* "requests:write": submit and be answered */
    ATAMO_SCOPE_TELEMETRY_READ = 1u << 2, /* "telemetry:read": numbers, records, why */
    ATAMO_SCOPE_RULES_READ = 1u << 3,     /* "rules:read": see and try rules */
    ATAMO_SCOPE_RULES_WRITE = 1u << 4,    /* "rules:write": change the configuration */
    ATAMO_SCOPE_AGENTS_MANAGE = 1u << 5,  /* "agents:manage": pause and resume agents */
    ATAMO_SCOPE_DEAD_MANAGE = 1u << 6,    /* "dead:manage": replay and drop dead letters */
    ATAMO_SCOPE_LAST = ATAMO_SCOPE_DEAD_MANAGE
} atamo_scope;

/* The owner of a token. Texts are followed by a NUL. */
typedef struct atamo_identity {
    uint32_t size;   /* sizeof(atamo_identity), set by the caller */
    uint32_t scopes; /* ATAMO_SCOPE_* */
    char user[128];
    char tenant[128];  /* "" if the token names none: that of the user, as configured */
    char token_id[16]; /* public: for logs */
} atamo_identity;

typedef struct atamo_access {
    uint32_t size; /* sizeof(atamo_access) */
    uint32_t reserved;

    /* Whose token is it? `token` is the text after "Bearer ", nothing around it; it is read during
     * the call only and never logged. *who is the caller's, written on success. Takes some
     * microseconds; once a second it may read a file. ATAMO_DENIED: nobody's, expired, revoked or
     * no token at all; which of these is not told. ATAMO_UNSUPPORTED: this hub has no tokens.
     * ATAMO_INVALID: the size of *who is not set. [any] */
    int (*check)(const atamo_host *host, atamo_bytes token, atamo_identity *who);

    /* 1 if the configuration names a file of tokens: then nobody may be let in without one. 0 if
     * not. [any], and in create() and start(); but a reload may change it. */
    int (*required)(const atamo_host *host);
} atamo_access;

/* "events:write" of ATAMO_SCOPE_EVENTS_WRITE; "" of what is not exactly one known scope. */
static inline const char *atamo_scope_name(unsigned scope)
{
    switch (scope) {
    case ATAMO_SCOPE_EVENTS_WRITE:
        return "events:write";
    case ATAMO_SCOPE_REQUESTS_WRITE:
        return "requests:write";
    case ATAMO_SCOPE_TELEMETRY_READ:
        return "telemetry:read";
    case ATAMO_SCOPE_RULES_READ:
        return "rules:read";
    case ATAMO_SCOPE_RULES_WRITE:
        return "rules:write";
    case ATAMO_SCOPE_AGENTS_MANAGE:
        return "agents:manage";
    case ATAMO_SCOPE_DEAD_MANAGE:
        return "dead:manage";
    default:
        return "";
    }
}

#ifdef __cplusplus
}
#endif

#endif
