/* inlet - a port that all threads of one plugin share.
 *
 * Event providers submit from threads of their own, agents emit follow-up events from wherever they
 * work; both under a short lock. On the hub's own thread events go into a list of the flow's
 * instead and cross no thread.
 */
#ifndef HUB_FLOW_INLET_H
#define HUB_FLOW_INLET_H

#include "flow/flow.h"
#include "model/cloudevent.h"

struct inlet {
    struct flow *flow;
    struct port *port; /* given to the flow when the inlet closes */
    pthread_mutex_t lock;
    pthread_cond_t room;
    struct cloudevent_reader *reader;
    bool has_room; /* told by the hub's thread since the last refusal */
    bool closed;   /* the hub stops */
    bool finished; /* an event provider said so */
    const struct instance *instance;
    const struct atamo_event_provider *provider; /* NULL: an agent's inlet */
    bool ready_due;                              /* hub's thread: call ready() after this turn */
    int64_t produce_at; /* hub's thread: when produce() is worth asking again */
    struct inlet *next; /* hub's thread: the flow's list of event providers */
};

/* An inlet whose messages carry `client`. ATAMO_NO_MEMORY. */
int inlet_open(struct flow *flow, uint32_t client, uint64_t max_data, struct inlet **inlet);

/* [hub thread] Let an event provider produce from now on, or no more. */
void inlet_attach(struct inlet *inlet);
void inlet_detach(struct inlet *inlet);

/* [hub thread] Call ready() and produce() where they are due. Returns how many events came. */
size_t inlets_produce(struct flow *flow, size_t budget);

/* When produce() of some provider is worth asking again; INT64_MAX: never. */
int64_t inlets_next(const struct flow *flow);

/* Wake and refuse everybody who waits or comes. [any] */
void inlet_shut(struct inlet *inlet);

/* The message of a draft, not submitted: its block comes from this inlet. Errors as for
 * inlet_submit() but ATAMO_BUSY. [any] */
int inlet_build(struct inlet *inlet, const atamo_event_draft *draft,
                const struct message_origin *origin, struct message **message);

/* Free it; the port stays with the flow until its last message has ended. [hub thread, or no
 * thread] */
void inlet_close(struct inlet *inlet);

/* Submit one event; `why` (capacity 256) may be NULL. Statuses as host->submit(). [any] */
int inlet_submit(struct inlet *inlet, const atamo_event_draft *draft,
                 const struct message_origin *origin, char *why);

/* Submit one event from JSON text, see host->submit_json(). [any] */
int inlet_submit_json(struct inlet *inlet, atamo_bytes json, const atamo_event_draft *fallback,
                      char *why);

/* See host->wait(). */
int inlet_wait(struct inlet *inlet, uint32_t timeout_ms);

#endif
