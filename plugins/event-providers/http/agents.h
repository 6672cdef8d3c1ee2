/* agents - what is told of agents, here and in the metrics. */
#ifndef HTTP_AGENTS_H
#define HTTP_AGENTS_H

#include "server.h"

/* How many attempts were settled, and how long the fastest `percent` of them took at most, us. */
uint64_t agent_settled(const atamo_agent_state *state);
uint64_t agent_quantile(const atamo_agent_state *state, unsigned percent);
const char *agent_breaker(const atamo_agent_state *state);

/* Answer those who wait for an agent to be drained. */
void agents_tick(struct server *server);

#endif
