/* history - the steps of every message, in the store.
 *
 * Happy path: the journal shows each batch of records before it goes out; they gather in a chunk;
 * the next commit takes the chunk with it, and the ids of the events that it accepts. Without
 * memory a record is left out of the history; telemetry has it all the same.
 *
 * Left out on purpose: that an action is done (written before, by history_done()); that a message
 * is finished (it follows from its actions); and that a stopping hub lets go of what stays in the
 * store.
 */
#include "flow/history.h"

#include <stdlib.h>

enum { WRITE_AFTER_NS = 200 * NS_PER_MS, WRITE_AFTER_BYTES = 1 << 20 };

static const char series_name[] = "series";

static bool is_told_otherwise(const struct history *history, const atamo_telemetry *record)
{
    return record->step == ATAMO_STEP_DONE || record->step == ATAMO_STEP_FINISHED ||
           (record->step == ATAMO_STEP_CANCELLED && record->reason == ATAMO_REASON_STOPPING &&
            history->flow->ledger->handing_back);
}

static void add(struct history *history, const atamo_telemetry *span)
{
    if (history->flow->current == NULL || history->flow->current->hub.journal_size == 0)
        return;
    if (chunk_add(&history->chunk, span) && history->since == 0)
        history->since = history->flow->now;
}

/* A batch of the journal, before it goes out. */
static void note_batch(void *user, const atamo_telemetry *records, uint32_t count)
{
    struct history *history = user;

    for (uint32_t i = 0; i < count; i += (uint32_t)atamo_telemetry_span(&records[i]))
        if (!is_told_otherwise(history, &records[i]))
            add(history, &records[i]);
}

void history_done(struct history *history, const struct action *action)
{
    atamo_telemetry record = {.step = ATAMO_STEP_DONE, .time_ns = history->flow->now};

    journal_flush(&history->flow->journal); /* what came before it stands before it */
    flow_fill_record(&record, action);
    add(history, &record);
}

/* --- opening */

static int note_series(void *user, const atamo_record *record)
{
    struct history *history = user;

    if (record->value.size == (size_t)2 * SERIES_SIZE) {
        series_restore(&history->journal, record->value.data);
        series_restore(&history->seen, record->value.data + SERIES_SIZE);
    }
    return 0;
}

static int take_seen(void *user, const atamo_record *record)
{
    struct history *history = user;

    /* A damaged row costs ids of that moment: their events may come twice. */
    if (record->status == ATAMO_OK)
        (void)dedupe_restore(history->dedupe, record->value, history->flow->now);
    return 0;
}

static int open_dedupe(struct history *history)
{
    const struct hub_settings *hub = &history->flow->current->hub;
    const struct ledger *ledger = history->flow->ledger;
    const atamo_range rows = {.size = sizeof rows, .space = commit_space(SPACE_SEEN)};

    if (hub->dedupe_ns == 0)
        return ATAMO_OK;
    history->dedupe = dedupe_open((int64_t)hub->dedupe_ns, hub->dedupe_max, history->flow->node);
    if (history->dedupe == NULL)
        return ATAMO_NO_MEMORY;
    return ledger->store->scan(ledger->self, &rows, take_seen, history);
}

int history_open(struct flow *flow, struct history **history)
{
    const struct ledger *ledger = flow->ledger;
    struct history *made = calloc(1, sizeof *made);
    int status;

    if (made == NULL)
        return ATAMO_NO_MEMORY;
    *made = (struct history){
        .flow = flow, .journal = {.space = SPACE_JOURNAL}, .seen = {.space = SPACE_SEEN}};
    status = ledger->store->get(ledger->self, commit_space(SPACE_HUB), atamo_text(series_name),
                                note_series, made);
    if (status == ATAMO_OK || status == ATAMO_NOT_FOUND)
        status = open_dedupe(made);
    if (status != ATAMO_OK) {
        history_close(made);
        return status;
    }
    flow->journal.keep = note_batch;
    flow->journal.keep_user = made;
    *history = made;
    return ATAMO_OK;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    history->flow->journal.keep = NULL;
    chunk_free(&history->chunk);
    dedupe_close(history->dedupe);
    free(history);
}

/* --- writing */

bool history_is_kept(const struct history *history)
{
    return history->chunk.size == 0 &&
           (history->dedupe == NULL || dedupe_size(history->dedupe) == 0);
}

int64_t history_due(const struct history *history)
{
    return history_is_kept(history) ? INT64_MAX : history->since + WRITE_AFTER_NS;
}

bool history_is_due(const struct history *history)
{
    return !history_is_kept(history) &&
           (history->flow->ledger->handing_back || history->chunk.size > WRITE_AFTER_BYTES ||
            history->flow->now >= history->since + WRITE_AFTER_NS);
}

static void keep_chunk(struct history *history, struct commit *commit)
{
    struct flow *flow = history->flow;
    const struct hub_settings *hub = &flow->current->hub;
    const size_t size = chunk_size(&history->chunk, flow->names);
    char *out = size == 0 ? NULL : series_append(commit, &history->journal, size);

    if (out == NULL)
        return;
    chunk_put(&history->chunk, flow->names, out);
    chunk_reset(&history->chunk);
    series_trim(commit, &history->journal, flow->now - (int64_t)hub->journal_ns, hub->journal_size);
}

static void keep_seen(struct history *history, struct commit *commit)
{
    struct flow *flow = history->flow;
    const size_t size = history->dedupe == NULL ? 0 : dedupe_size(history->dedupe);
    char *out = size == 0 ? NULL : series_append(commit, &history->seen, size);

    if (out == NULL)
        return;
    dedupe_store(history->dedupe, out);
    series_trim(commit, &history->seen, flow->now - (int64_t)flow->current->hub.dedupe_ns,
                UINT64_MAX);
}

void history_keep(struct history *history, struct commit *commit)
{
    const size_t rows = commit->row_count;
    char *out;

    keep_chunk(history, commit);
    keep_seen(history, commit);
    history->since = 0;
    if (commit->row_count == rows)
        return;
    out = commit_add(commit, ATAMO_WRITE_PUT, SPACE_HUB, atamo_text(series_name),
                     (size_t)2 * SERIES_SIZE);
    if (out == NULL)
        return;
    series_store(&history->journal, out);
    series_store(&history->seen, out + SERIES_SIZE);
}
