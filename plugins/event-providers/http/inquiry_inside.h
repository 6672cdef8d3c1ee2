/* inquiry_inside - what an inquiry is made of; for inquiry.c, waiting.c and requests.c only. */
#ifndef HTTP_INQUIRY_INSIDE_H
#define HTTP_INQUIRY_INSIDE_H

#include "inquiry.h"
#include "results.h"
#include "wish.h"

enum { INQUIRY_BUCKETS = 4096 };

/* An exchange that waits for responses: a long poll, or a reader of a stream. */
struct waiter {
    struct waiter *next, *previous;
    struct inquiry *inquiry;
    struct exchange *exchange;
    uint64_t after;      /* the last sequence that it has, or that is in its chunk */
    uint64_t written;    /* of a stream: the last one that has gone out as a whole */
    int64_t deadline_ms; /* of a long poll */
    int64_t written_ms;  /* of a stream: when something went out last */
    bool streams, ended;
    struct text chunk; /* of a stream: what is on its way */
    size_t sent;
    struct result *large; /* what follows on the chunk: the rest of its JSON; NULL: nothing */
    size_t large_sent;
};

struct inquiry {
    struct inquiry *next;       /* in its bucket */
    struct inquiry *next_moved; /* readers have gone on: the hub is to be told */
    bool has_moved;
    struct server *server;
    uint64_t message;
    char uuid[37];
    char user[128], tenant[128]; /* whose it is; "": everybody's */
    struct wish wish;
    const char *state;
    char *detail;
    struct results results;
    struct waiter *waiters;
    uint64_t sequence;     /* of the last reply; when it has ended, of its end */
    uint64_t acknowledged; /* by those who poll */
    uint32_t done, actions;
    int64_t attended_ms; /* when somebody read from it last */
    int64_t forget_ms;   /* 0: it is open */
};

struct inquiries {
    struct inquiry *buckets[INQUIRY_BUCKETS];
    struct inquiry *moved;
    size_t count, most;
    uint64_t readers; /* streams */
    struct results_pool pool;
    int64_t keep_ms;
    struct text scratch; /* a result's JSON while it is made */
    atamo_json_reader *reader;
    const atamo_json *json;
};

/* --- inquiry.c */

/* The place in its list of the one with that message, or where it would go. */
struct inquiry **inquiry_place(struct inquiries *inquiries, uint64_t message);

/* Somebody of this exchange asks for it. NULL without memory. */
struct inquiry *inquiry_make(const struct exchange *exchange, const struct wish *wish);

/* It has its message: from now on it is known. */
void inquiry_list(struct inquiry *inquiry);

/* It has none, and is not known. */
void inquiry_free(struct inquiry *inquiry);

/* The client does not want it any more. */
void inquiry_cancel(struct inquiry *inquiry);

/* Replies of the hub; `user` is the inquiry. */
void inquiry_take(const atamo_reply *replies, size_t count, void *user);

/* One of its readers has gone on, or away. */
void inquiry_moved(struct inquiry *inquiry);

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
