/* atamo/inline.h - comfort over the host's table. Nothing here is part of the ABI. */
#ifndef ATAMO_INLINE_H
#define ATAMO_INLINE_H

#include "atamo/plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* printf into the log; a line is cut at 1023 bytes. */
__attribute__((format(printf, 3, 4))) static inline void atamo_log(const atamo_host *host,
                                                                   int level, const char *format,
                                                                   ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    host->log(host, level, line);
}

/* printf the reason why create(), start() or compile() fails; returns what to return. */
__attribute__((format(printf, 2, 3))) static inline int atamo_refuse(const atamo_host *host,
                                                                     const char *format, ...)
{
    char why[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    return host->refuse(host, why);
}

static inline void atamo_settle(const atamo_host *host, atamo_action action, uint32_t kind,
                                uint64_t retry_after_ms, const char *reason)
{
    atamo_outcome outcome;

    memset(&outcome, 0, sizeof outcome);
    outcome.size = (uint32_t)sizeof outcome;
    outcome.kind = kind;
    outcome.retry_after_ms = retry_after_ms;
    outcome.reason = atamo_text(reason);
    host->settle(host, &action, &outcome, 1);
}

/* The action is done. */
static inline void atamo_done(const atamo_host *host, atamo_action action)
{
    host->settle(host, &action, NULL, 1);
}

/* It failed this time; try again, not before `after_ms` (0: as the back-off says). */
static inline void atamo_retry(const atamo_host *host, atamo_action action, uint64_t after_ms,
                               const char *reason)
{
    atamo_settle(host, action, ATAMO_RETRY, after_ms, reason);
}

/* It failed for good. */
static inline void atamo_fail(const atamo_host *host, atamo_action action, const char *reason)
{
    atamo_settle(host, action, ATAMO_FAIL, 0, reason);
}

/* One response with data. */
static inline int atamo_respond(const atamo_host *host, atamo_action action, atamo_bytes body)
{
    atamo_response response;

    memset(&response, 0, sizeof response);
    response.size = (uint32_t)sizeof response;
    response.kind = ATAMO_RESPONSE_DATA;
    response.body = body;
    return host->respond(host, action, &response);
}

/* One response with data about `key`: see atamo_response. */
static inline int atamo_respond_about(const atamo_host *host, atamo_action action, atamo_bytes key,
                                      atamo_bytes body)
{
    atamo_response response;

    memset(&response, 0, sizeof response);
    response.size = (uint32_t)sizeof response;
    response.kind = ATAMO_RESPONSE_DATA;
    response.body = body;
    response.key = key;
    return host->respond(host, action, &response);
}

/* How far it is, 0..1, with a text for people. */
static inline int atamo_progress(const atamo_host *host, atamo_action action, double progress,
                                 const char *text)
{
    atamo_response response;

    memset(&response, 0, sizeof response);
    response.size = (uint32_t)sizeof response;
    response.kind = ATAMO_RESPONSE_PROGRESS;
    response.progress = progress;
    response.body = atamo_text(text);
    return host->respond(host, action, &response);
}

/* Respond and be done. */
static inline void atamo_answer(const atamo_host *host, atamo_action action, atamo_bytes body)
{
    (void)atamo_respond(host, action, body);
    atamo_done(host, action);
}

/* An empty draft with its size set. */
static inline atamo_event_draft atamo_draft(const char *type)
{
    atamo_event_draft draft;

    memset(&draft, 0, sizeof draft);
    draft.size = (uint32_t)sizeof draft;
    draft.type = atamo_text(type);
    return draft;
}

#ifdef __cplusplus
}
#endif

#endif
