/* faulty - the LMDB store with a bug planted between it and the hub: what the crash test must find.
 */
#ifndef TESTS_CRASH_FAULTY_H
#define TESTS_CRASH_FAULTY_H

#include <atamo/store.h>

/* skip-event      some events are not written
 * skip-end        some actions that are done are not marked so
 * skip-kv         some key-value writes are not written
 * torn-outcome    key-value writes are in a transaction of their own
 * early-commit    a commit is acknowledged before it is written
 * lost-follow-up  some events that agents emit are not written
 * NULL if there is no such bug. */
const atamo_plugin *faulty_store(const char *bug);

#endif
