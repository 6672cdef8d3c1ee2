/* history - the latest steps of all messages, remembered for whoever asks.
 *
 * A ring of telemetry records as the hub gave them. Each step has a number, from 1, which a stream
 * can resume from; the steps of one message, and the message of an event's id, are found without
 * looking through all. What the hub could not hand over in time is a gap, which counts. Belongs to
 * the server's thread.
 */
#ifndef HTTP_HISTORY_H
#define HTTP_HISTORY_H

#include <atamo/telemetry.h>

#include <stdbool.h>

struct history;

/* A ring of `count` records, rounded up to a power of two. NULL without memory. */
struct history *history_open(size_t count);
void history_close(struct history *history);

/* Records in a batch, `lost` before them. */
void history_add(struct history *history, const atamo_telemetry *records, size_t count,
                 uint64_t lost);

/* The numbers of the first step that is remembered and of the last; last 0: there was none. */
uint64_t history_oldest(const struct history *history);
uint64_t history_newest(const struct history *history);

/* Where a reader stands. */
struct history_reader {
    uint64_t wanted; /* number of the step that it reads next */
    uint64_t place;  /* where to look for it */
};

struct history_reader history_read_from(const struct history *history, uint64_t number);

/* The next step, and how many before it are not there any more; NULL: none yet. Valid until
 * something is added. */
const atamo_telemetry *history_next(const struct history *history, struct history_reader *reader,
                                    uint64_t *lost);

/* Visit the steps of a message, oldest first. Returns how many there were. */
size_t history_visit(const struct history *history, uint64_t message,
                     void (*fn)(void *user, const atamo_telemetry *record), void *user);

/* The number of the latest message that came in with this id; 0: none is known. */
uint64_t history_find(const struct history *history, atamo_bytes id);

#endif
