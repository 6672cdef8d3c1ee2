/* journal - where the hub's thread writes every step, once.
 *
 * Records gather in a small stage that stays in cache and go out in batches: to every tap
 * (auditors, watching clients) and to a ring of the latest records, from which `why` tells the past
 * of a message. Time is stamped once for a batch of steps, by whoever sets `now`.
 *
 * A tap that blocks holds up the hub's thread when its ring is full; before it comes to that,
 * journal_pressed() asks the flow to take no new events.
 */
#ifndef HUB_TELEMETRY_JOURNAL_H
#define HUB_TELEMETRY_JOURNAL_H

#include "telemetry/tap.h"

enum {
    JOURNAL_STAGE = 256,
    JOURNAL_TEXT_MAX = 1024,
    JOURNAL_WAKE_AFTER_NS =
        1000000, /* records that are too few to wake a listener wake it after this */
};

struct journal {
    int64_t now; /* Unix ns, stamped on records */
    uint32_t staged;
    uint32_t tap_count;
    struct tap **taps;
    uint32_t tap_room;
    bool news; /* written since the listeners were told */
    /* Shown each batch before it goes out; NULL: nobody. */
    void (*keep)(void *user, const atamo_telemetry *records, uint32_t count);
    void *keep_user;
    uint64_t records;        /* written in all, text records not counted */
    atamo_telemetry *recent; /* ring of the latest */
    uint32_t recent_mask;
    uint64_t recent_end;     /* records ever put into the ring */
    _Atomic bool *giving_up; /* set: do not wait for slow taps any more */
    uint64_t abandoned;      /* records that were lost that way */
    atamo_telemetry stage[JOURNAL_STAGE];
};

/* `recent` records are kept: a power of two. ATAMO_NO_MEMORY. */
int journal_open(struct journal *journal, uint32_t recent, _Atomic bool *giving_up);
void journal_close(struct journal *journal);

/* Add or remove a listener. It sees what is written from now on. ATAMO_NO_MEMORY. */
int journal_add(struct journal *journal, struct tap *tap);
void journal_remove(struct journal *journal, struct tap *tap);

/* Send out what is staged. May wait for taps that block. */
void journal_flush(struct journal *journal);

/* Tell listeners that there is something. */
void journal_tell(struct journal *journal);

/* Is some tap that blocks so full that no new work should begin? */
bool journal_pressed(struct journal *journal);

/* The next record to fill in: step and time are set, the rest is 0. */
static inline atamo_telemetry *journal_next(struct journal *journal, unsigned step)
{
    atamo_telemetry *record;

    if (journal->staged == JOURNAL_STAGE)
        journal_flush(journal);
    record = &journal->stage[journal->staged++];
    *record = (atamo_telemetry){.step = (uint16_t)step, .time_ns = journal->now};
    journal->records++;
    return record;
}

/* Put text behind the record that was just made, cut at JOURNAL_TEXT_MAX bytes. */
void journal_text(struct journal *journal, atamo_bytes text);

/* Visit the latest records of a message, oldest first; records with text come with it. */
void journal_visit(const struct journal *journal, uint64_t message,
                   void (*fn)(void *user, const atamo_telemetry *span), void *user);

#endif
