/* draft - events out of HTTP requests: the HTTP protocol binding of CloudEvents 1.0.2
 * (github.com/cloudevents/spec, bindings/http-protocol-binding.md), all three modes.
 */
#ifndef HTTP_DRAFT_H
#define HTTP_DRAFT_H

#include "server.h"

/* Called for each event; borrowed during the call. Another value than ATAMO_OK ends the visit. */
typedef int (*draft_fn)(void *user, const atamo_event_draft *draft, size_t index);

/* How many events the exchange brings, all of them checked; -1: something is wrong, and the
 * exchange is answered. *batch: the answer is to be one, too. */
int64_t drafts_count(struct exchange *exchange, bool *batch);

/* Visit them. To be called after drafts_count(). */
int drafts_visit(struct exchange *exchange, draft_fn fn, void *user);

/* Why the hub does not take a draft that could be read, if that is for the draft; else "". */
const char *draft_fault(int status);

#endif
