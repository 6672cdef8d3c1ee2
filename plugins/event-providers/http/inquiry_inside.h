/* inquiry_inside - what an inquiry is made of; for inquiry.c, waiting.c and requests.c only. */
#ifndef HTTP_INQUIRY_INSIDE_H
#define HTTP_INQUIRY_INSIDE_H

#include "inquiry.h"

enum { INQUIRY_BUCKETS = 4096 };

struct response {
    struct response *next;
    uint64_t sequence;
    uint32_t kind;
    bool is_json;
    double progress;
    char *agent, *rule, *body; /* one malloc, with the response */
    size_t size;
};

/* An exchange that waits for responses. */
struct waiter {
    struct waiter *next, *previous;
    struct inquiry *inquiry;
    struct exchange *exchange;
    uint64_t after;      /* the last sequence that it has */
    int64_t deadline_ms; /* of a long poll */
    int64_t written_ms;  /* of a stream: when something went out last */
    bool streams, ended;
    struct text frame; /* of a stream: what does not fit */
    size_t sent;
};

struct inquiry {
    struct inquiry *next; /* in its bucket */
    struct server *server;
    uint64_t message;
    char uuid[37];
    char user[128], tenant[128]; /* whose it is; "": everybody's */
    const char *state;
    char *detail;
    struct response *first, *last;
    struct waiter *waiters;
    size_t count, bytes;
    uint64_t lost;
    int64_t forget_ms; /* 0: it is open */
};

struct inquiries {
    struct inquiry *buckets[INQUIRY_BUCKETS];
    size_t count, most;
    int64_t keep_ms;
    atamo_json_reader *reader;
    const atamo_json *json;
};

/* --- inquiry.c */

/* The place in its list of the one with that message, or where it would go. */
struct inquiry **inquiry_place(struct inquiries *inquiries, uint64_t message);

/* It is over. */
void inquiry_end(struct inquiry *inquiry, const char *state, atamo_bytes detail);

/* Replies of the hub; `user` is the inquiry. */
void inquiry_take(const atamo_reply *replies, size_t count, void *user);

/* --- waiting.c */

/* Does it have a response after that one, or an end? */
bool inquiry_has_more(const struct inquiry *inquiry, uint64_t after);

/* Answer with the responses after that one. */
void inquiry_answer(struct exchange *exchange, const struct inquiry *inquiry, uint64_t after);

/* Let the exchange wait for responses after that one; NULL without memory, and it is answered. */
struct waiter *inquiry_wait(struct exchange *exchange, struct inquiry *inquiry, uint64_t after);

/* Answer with a stream of them. */
void inquiry_stream(struct waiter *waiter);

/* There is something new; time has passed. */
void inquiry_tell(struct inquiry *inquiry);
void inquiry_tick(struct inquiry *inquiry);

#endif
