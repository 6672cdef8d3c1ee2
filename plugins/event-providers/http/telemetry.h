/* telemetry - GET /v1/telemetry: every step of every message as a stream of server-sent events. */
#ifndef HTTP_TELEMETRY_H
#define HTTP_TELEMETRY_H

#include "server.h"

/* What the hub's client calls with records; `user` is the server. */
void telemetry_take(const atamo_telemetry *records, size_t count, uint64_t lost, void *user);

/* Wake the streams if it is time; in how many ms that is; pings. */
void telemetry_flush(struct server *server);
int64_t telemetry_due(const struct server *server);
void telemetry_tick(struct server *server);

#endif
