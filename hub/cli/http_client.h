/* http_client - one small face over libcurl: a call with an answer, and a stream of events. */
#ifndef HUB_CLI_HTTP_CLIENT_H
#define HUB_CLI_HTTP_CLIENT_H

#include "cli/sse.h"

#include <stdint.h>

enum { HTTP_ANSWER_MAX = 16 << 20, HTTP_EVENT_MAX = 1 << 20 };

struct http_settings {
    const char *url;    /* "http://host:port", "https://...", or "unix:/path" of a socket */
    const char *token;  /* NULL: none */
    const char *cacert; /* a file of certificates; NULL: those of the system */
};

struct http_call {
    const char *method;       /* NULL: GET */
    const char *path;         /* "/v1/stats", with its query, escaped */
    const char *content_type; /* of the body */
    atamo_bytes body;
    int64_t wait_ms; /* how long the server was asked to wait, beyond the usual time */
};

/* Free with http_answer_free(). */
struct http_answer {
    long code;
    struct buffer body;
    int64_t retry_after_ms; /* as the server said; -1: it did not */
};

struct http_client;

/* The settings are copied. ATAMO_NO_MEMORY. */
int http_open(const struct http_settings *settings, struct http_client **client);
void http_close(struct http_client *client); /* NULL is fine */

/* `stop` is asked about once a second while something is under way: true ends it (ATAMO_GONE). */
void http_stop_when(struct http_client *client, bool (*stop)(void *user), void *user);

/* ATAMO_OK with *answer, whatever its code. ATAMO_TIMEOUT, ATAMO_TOO_LARGE, ATAMO_GONE (stopped),
 * ATAMO_NO_MEMORY, ATAMO_IO: http_reason() says what happened. */
int http_call(struct http_client *client, const struct http_call *call, struct http_answer *answer);

/* Read a stream of events until it ends, `take` refuses one, or it falls silent: ATAMO_OK with the
 * code of *answer, and its body if it was no stream (then nothing came to `take`). `after`: the id
 * of the last event that is known; NULL: none. Other statuses as http_call(), or that of `take`. */
int http_stream(struct http_client *client, const char *path, const char *after, struct sse *sse,
                struct http_answer *answer);

/* Why the last call had no answer. */
const char *http_reason(const struct http_client *client);

void http_answer_free(struct http_answer *answer);

#endif
