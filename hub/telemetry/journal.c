/* journal - where the hub's thread writes every step, once.
 *
 * Happy path: a record is filled in in the stage; a full stage, or the end of a turn, copies it to
 * each tap. A tap that blocks and is full makes the flush wait in short sleeps until there is room,
 * or until the hub gives up because it must stop; what is lost then is counted.
 */
#include "telemetry/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_NS = 50000 };

int journal_open(struct journal *journal, uint32_t recent, _Atomic bool *giving_up)
{
    assert(recent >= JOURNAL_STAGE && (recent & (recent - 1)) == 0);
    memset(journal, 0, sizeof *journal);
    journal->recent = calloc(recent, sizeof *journal->recent);
    if (journal->recent == NULL)
        return ATAMO_NO_MEMORY;
    journal->recent_mask = recent - 1;
    journal->giving_up = giving_up;
    return ATAMO_OK;
}

void journal_close(struct journal *journal)
{
    free(journal->recent);
    free(journal->taps);
    memset(journal, 0, sizeof *journal);
}

int journal_add(struct journal *journal, struct tap *tap)
{
    journal_flush(journal);
    if (journal->tap_count == journal->tap_room) {
        const uint32_t room = journal->tap_room * 2 + 8;
        struct tap **taps = realloc(journal->taps, room * sizeof(struct tap *));

        if (taps == NULL)
            return ATAMO_NO_MEMORY;
        journal->taps = taps;
        journal->tap_room = room;
    }
    journal->taps[journal->tap_count++] = tap;
    return ATAMO_OK;
}

void journal_remove(struct journal *journal, struct tap *tap)
{
    journal_flush(journal);
    for (uint32_t i = 0; i < journal->tap_count; i++) {
        if (journal->taps[i] != tap)
            continue;
        journal->tap_count--;
        memmove(&journal->taps[i], &journal->taps[i + 1],
                (journal->tap_count - i) * sizeof(struct tap *));
        return;
    }
}

static void write_waiting(struct journal *journal, struct tap *tap)
{
    const struct timespec pause = {0, WAIT_NS};

    while (!tap_write(tap, journal->stage, journal->staged)) {
        if (atomic_load_explicit(journal->giving_up, memory_order_relaxed)) {
            journal->abandoned += journal->staged;
            atomic_fetch_add_explicit(&tap->lost_total, journal->staged, memory_order_relaxed);
            return;
        }
        tap_wake(tap);
        (void)nanosleep(&pause, NULL);
    }
}

/* Keep the latest: spans may wrap around in this ring. */
static void keep_recent(struct journal *journal)
{
    const uint32_t at = (uint32_t)journal->recent_end & journal->recent_mask;
    const uint32_t left = journal->recent_mask + 1 - at;
    const uint32_t first = journal->staged < left ? journal->staged : left;

    memcpy(&journal->recent[at], journal->stage, first * sizeof journal->stage[0]);
    memcpy(journal->recent, journal->stage + first,
           (journal->staged - first) * sizeof journal->stage[0]);
    journal->recent_end += journal->staged;
}

void journal_flush(struct journal *journal)
{
    if (journal->staged == 0)
        return;
    if (journal->keep != NULL)
        journal->keep(journal->keep_user, journal->stage, journal->staged);
    for (uint32_t i = 0; i < journal->tap_count; i++)
        write_waiting(journal, journal->taps[i]);
    journal->news = true;
    keep_recent(journal);
    journal->staged = 0;
}

void journal_tell(struct journal *journal)
{
    if (!journal->news)
        return;
    for (uint32_t i = 0; i < journal->tap_count; i++)
        tap_tell(journal->taps[i]);
    journal->news = false;
}

bool journal_pressed(struct journal *journal)
{
    for (uint32_t i = 0; i < journal->tap_count; i++) {
        struct tap *tap = journal->taps[i];

        if (tap->policy == TAP_BLOCK && tap_room(tap) < (tap->mask + 1) / 4)
            return true;
    }
    return false;
}

void journal_text(struct journal *journal, atamo_bytes text)
{
    const size_t size = text.size < JOURNAL_TEXT_MAX ? text.size : JOURNAL_TEXT_MAX;
    const size_t pieces = (size + ATAMO_PIECE_BYTES - 1) / ATAMO_PIECE_BYTES;

    assert(journal->staged > 0);
    if (journal->staged + pieces > JOURNAL_STAGE) {
        const atamo_telemetry record = journal->stage[--journal->staged];

        journal_flush(journal);
        journal->stage[journal->staged++] = record;
    }
    journal->stage[journal->staged - 1].text = (uint16_t)size;
    for (size_t done = 0; done < size; done += ATAMO_PIECE_BYTES) {
        atamo_telemetry_piece *piece =
            (atamo_telemetry_piece *)(void *)&journal->stage[journal->staged++];
        const size_t left = size - done;

        *piece = (atamo_telemetry_piece){.step = ATAMO_STEP_TEXT};
        piece->size = (uint16_t)(left < ATAMO_PIECE_BYTES ? left : ATAMO_PIECE_BYTES);
        memcpy(piece->bytes, text.data + done, piece->size);
    }
}

void journal_visit(const struct journal *journal, uint64_t message,
                   void (*fn)(void *user, const atamo_telemetry *span), void *user)
{
    atamo_telemetry span[1 + (JOURNAL_TEXT_MAX + ATAMO_PIECE_BYTES - 1) / ATAMO_PIECE_BYTES];
    const uint64_t kept = journal->recent_mask + UINT64_C(1);
    uint64_t at = journal->recent_end > kept ? journal->recent_end - kept : 0;

    while (at < journal->recent_end) {
        const atamo_telemetry *record = &journal->recent[at & journal->recent_mask];
        const size_t size = record->step == ATAMO_STEP_TEXT ? 1 : atamo_telemetry_span(record);

        if (record->step != ATAMO_STEP_TEXT && record->message == message &&
            at + size <= journal->recent_end) {
            for (size_t i = 0; i < size; i++)
                span[i] = journal->recent[(at + i) & journal->recent_mask];
            fn(user, span);
        }
        at += size;
    }
}
