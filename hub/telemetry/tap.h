/* tap - telemetry records on their way to one listener: an auditor's thread or a client.
 *
 * A bounded ring of 64-byte records with one writer, the hub's thread, and one reader, who works on
 * the records where they lie. A record and the text records behind it always come in one piece.
 * What happens when the reader is slow is the tap's policy: with TAP_BLOCK the writer must wait for
 * room; with TAP_DROP what does not fit is lost, counted, and the count handed over with the next
 * records.
 */
#ifndef HUB_TELEMETRY_TAP_H
#define HUB_TELEMETRY_TAP_H

#include <atamo/telemetry.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum tap_policy { TAP_BLOCK, TAP_DROP };

/* What the reader does. One that dozes looks for records by itself after a moment, so the writer
 * wakes it only if many wait; one that sleeps is woken by the first. */
enum tap_rest { TAP_AWAKE, TAP_DOZING, TAP_ASLEEP };

struct tap {
    atamo_telemetry *records;
    uint32_t mask; /* capacity - 1 */
    enum tap_policy policy;
    bool own_only; /* take only messages of `client` */
    uint32_t client;
    void (*wake)(void *user); /* tell a reader that sleeps; NULL: nobody */
    void *wake_user;
    uint64_t lost;                      /* writer's: not handed over yet */
    _Alignas(64) _Atomic uint32_t tail; /* writer's */
    uint32_t head_seen;
    _Atomic uint64_t lost_total;        /* in all */
    _Atomic uint64_t lost_handed;       /* published to the reader */
    _Alignas(64) _Atomic uint32_t head; /* reader's */
    _Atomic uint8_t rest;               /* enum tap_rest */
    uint64_t lost_taken;
};

/* `capacity` is a power of two, at least TAP_CAPACITY_MIN. ATAMO_NO_MEMORY. */
enum { TAP_CAPACITY_MIN = 1024 };
int tap_open(struct tap *tap, uint32_t capacity, enum tap_policy policy);
void tap_close(struct tap *tap);

/* How many records fit now. [writer] */
uint32_t tap_room(struct tap *tap);

/* Write records that begin and end with whole spans. False, and nothing was written, if there is no
 * room and the policy is TAP_BLOCK. [writer] */
bool tap_write(struct tap *tap, const atamo_telemetry *records, size_t count);

/* There is something to read: wake the reader if it sleeps, or dozes and a good part of the ring is
 * full. Waking a thread costs the writer microseconds. [writer] */
void tap_tell(struct tap *tap);

/* Wake the reader, sleeping or dozing. [writer] */
void tap_wake(struct tap *tap);

/* The records that can be read now, in one piece; *lost were dropped before them. 0: none. [reader]
 */
size_t tap_read(struct tap *tap, const atamo_telemetry **records, uint64_t *lost);

/* Give back what was read. [reader] */
void tap_release(struct tap *tap, size_t count);

/* Announce that the reader will doze or sleep. False: something has come meanwhile, do not. After
 * waking, or instead of resting, call tap_awake(). [reader] */
bool tap_rest(struct tap *tap, enum tap_rest rest);
void tap_awake(struct tap *tap);

#endif
