/* errand - something that may take long, done by a thread of its own.
 *
 * Reading far back in a store's journal, or explaining every rule, must not hold up those who only
 * want to submit. Errands are done one at a time, in order; too many are refused.
 */
#ifndef HTTP_ERRAND_H
#define HTTP_ERRAND_H

#include "server.h"

struct errand {
    struct errand *next;
    struct server *server;
    struct exchange *exchange; /* NULL: nobody waits any more */
    /* [errand thread] Sets `status` and `text`. */
    void (*run)(struct errand *errand);
    /* [server] Answers. */
    void (*finish)(struct errand *errand);
    char id[EXCHANGE_ID_MAX];
    struct text body; /* of the exchange, taken over */
    char user[128], why[256];
    uint32_t number;      /* as the errand needs one */
    struct text text;     /* what came of it */
    atamo_report *report; /* and what was wrong; NULL: nothing to tell */
    int status;
};

struct errands *errands_open(struct server *server); /* NULL without memory or threads */
void errands_close(struct errands *errands);         /* NULL is fine */

/* Do it for the exchange, which is answered by `finish`, or at once if there are too many. Returns
 * the errand to be filled in further before anything else is done; NULL if it was not taken. */
struct errand *errand_make(struct exchange *exchange, void (*run)(struct errand *errand),
                           void (*finish)(struct errand *errand));
void errand_send(struct errand *errand);

/* Ask the hub with a buffer that grows until the answer fits. [errand thread] */
typedef int (*errand_question)(struct errand *errand, char *buffer, size_t capacity, size_t *size);
void errand_fetch(struct errand *errand, errand_question ask);

/* Answer those that are done. */
void errands_finish(struct server *server);

/* Answer with what the errand's text is, as JSON, or with its failure. */
void errand_answer(struct errand *errand);

#endif
