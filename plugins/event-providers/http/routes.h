/* routes - which call is meant by method and path. */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include "exchange.h"

struct route {
    const char *method;
    const char *path; /* a * stands for one part of it, which goes to exchange->id */
    uint32_t scope;   /* what who asks must be allowed; 0: nothing */
    void (*handle)(struct exchange *exchange);
};

/* Find the route of an exchange and decode its id. False: there is none, and it is answered. */
bool routes_find(struct exchange *exchange, const char *method);

/* The calls, each in the file of its name. */
void events_post(struct exchange *exchange);
void events_get(struct exchange *exchange);
void events_why(struct exchange *exchange);
void requests_post(struct exchange *exchange);
void requests_get(struct exchange *exchange);
void requests_stream(struct exchange *exchange);
void requests_delete(struct exchange *exchange);
void telemetry_get(struct exchange *exchange);
void stats_get(struct exchange *exchange);
void agents_get(struct exchange *exchange);
void agents_pause(struct exchange *exchange);
void agents_resume(struct exchange *exchange);
void agents_drain(struct exchange *exchange);
void rules_list(struct exchange *exchange);
void rules_show(struct exchange *exchange);
void rules_versions(struct exchange *exchange);
void rules_put(struct exchange *exchange);
void rules_delete(struct exchange *exchange);
void rules_rollback(struct exchange *exchange);
void rules_test(struct exchange *exchange);
void dead_list(struct exchange *exchange);
void dead_show(struct exchange *exchange);
void dead_replay(struct exchange *exchange);
void dead_replay_many(struct exchange *exchange);
void dead_drop(struct exchange *exchange);
void health_get(struct exchange *exchange);
void ready_get(struct exchange *exchange);
void metrics_get(struct exchange *exchange);
void openapi_get(struct exchange *exchange);

#endif
