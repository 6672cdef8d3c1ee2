/* exchange - one HTTP request and its answer.
 *
 * It begins when the request line is there and ends when the answer has gone out or the client has
 * gone. A handler is called when the whole body is there; it answers at once, or returns without an
 * answer and answers later, or opens a stream. All on the server's thread.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "text.h"

#include <atamo/status.h>

#include <microhttpd.h>
#include <stdbool.h>

struct server;
struct route;

enum { EXCHANGE_ID_MAX = 512, EXCHANGE_HEADERS_MAX = 6, EXCHANGE_VALUE_MAX = 256 };

struct exchange {
    struct server *server;
    struct MHD_Connection *connection;
    struct exchange *next, *previous; /* of all that there are */
    const struct route *route;        /* NULL: not looked for yet */
    char *target;                     /* path and query, as they came */
    const char *method;               /* valid as long as the exchange */
    uint64_t begun_us;                /* when its headers were there */
    char id[EXCHANGE_ID_MAX];         /* what stands for * in the route's pattern, decoded */
    struct text body;
    struct MHD_Response *response; /* NULL: none yet */
    unsigned status;
    bool suspended; /* its connection waits for an answer */
    bool begun;     /* its headers were looked at */
    bool handled;   /* its handler was called */
    bool brief;     /* its handler says: the answer will be there in a moment */
    int64_t handled_ms;
    bool ended; /* the connection has gone: nothing can be answered */
    struct {
        const char *name;
        char value[EXCHANGE_VALUE_MAX];
    } headers[EXCHANGE_HEADERS_MAX]; /* of the answer */
    size_t header_count;
    /* What a handler keeps until the exchange ends; `drop` frees it. */
    void *work;
    void (*drop)(struct exchange *exchange);
    char user[128], tenant[128]; /* who asks; "": nobody in particular */
};

/* --- for handlers */

/* A header of the request, an argument of its query (decoded); NULL: not there. */
const char *exchange_header(const struct exchange *exchange, const char *name);
const char *exchange_argument(const struct exchange *exchange, const char *name);

/* An argument as milliseconds ("5s"), or as a number; `fallback` if it is not there. False: it is
 * neither, and the exchange is answered with the problem. */
bool exchange_duration(struct exchange *exchange, const char *name, uint64_t most,
                       uint64_t fallback, uint64_t *ms);
bool exchange_count(struct exchange *exchange, const char *name, uint64_t most, uint64_t fallback,
                    uint64_t *count);

/* A header for the answer. */
void exchange_set(struct exchange *exchange, const char *name, const char *value);

/* Answer. The text is taken over. */
void exchange_send(struct exchange *exchange, unsigned status, const char *type, struct text *text);
void exchange_send_json(struct exchange *exchange, unsigned status, struct text *text);
/* Bytes that stay where they are. */
void exchange_send_bytes(struct exchange *exchange, const char *type, const void *data,
                         size_t size);
void exchange_send_empty(struct exchange *exchange, unsigned status);

/* Answer with a problem (RFC 9457). */
__attribute__((format(printf, 3, 4))) void exchange_problem(struct exchange *exchange,
                                                            unsigned status, const char *format,
                                                            ...);

/* The problem that a status of the hub is, and its HTTP status. */
unsigned exchange_status(int status);
void exchange_failed(struct exchange *exchange, int status, const char *what);

/* Answer with a stream: `read` writes at most `size` bytes and says how many, 0: nothing now, call
 * exchange_wake() when there is; -1: that was all. `read` is called until the exchange ends. */
typedef ssize_t (*exchange_read)(struct exchange *exchange, char *out, size_t size);
void exchange_stream(struct exchange *exchange, const char *type, exchange_read read);
void exchange_wake(struct exchange *exchange);

#endif
