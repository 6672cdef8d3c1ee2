/* series - rows that are only ever appended, and let go from the front.
 *
 * Happy path: a row more at the end of the commit that gathers; then the oldest row's time and size
 * are read once and compared with the limits. A row that is not there, or damaged, is passed over.
 */
#include "flow/series.h"

#include "store/chunk.h"

#include <endian.h>
#include <string.h>

enum { TRIM_ROWS = 8, ON_THE_WAY = 4 };

char *series_append(struct commit *commit, struct series *series, size_t size)
{
    char *out = commit_add_numbered(commit, ATAMO_WRITE_PUT, series->space, series->next, size);

    if (out == NULL)
        return NULL;
    series->next++;
    series->bytes += size;
    return out;
}

static int note_first(void *user, const atamo_record *record)
{
    struct series *series = user;

    series->first_size = record->value.size > 0 ? record->value.size : 1;
    series->first_time = chunk_time(record->value);
    return 0;
}

/* Size and time of the oldest row; false if it is not in the store (yet). */
static bool know_first(const struct ledger *ledger, struct series *series)
{
    char key[ROW_KEY_EVENT];

    if (series->first_size > 0)
        return true;
    row_event_key(key, series->first);
    (void)ledger->store->get(ledger->self, commit_space(series->space),
                             (atamo_bytes){key, sizeof key}, note_first, series);
    return series->first_size > 0;
}

static bool is_due(const struct series *series, int64_t before, uint64_t max_bytes)
{
    return series->bytes > max_bytes || series->first_time < before;
}

void series_trim(struct commit *commit, struct series *series, int64_t before, uint64_t max_bytes)
{
    for (int i = 0; i < TRIM_ROWS && series->next - series->first > 1; i++) {
        if (!know_first(commit->ledger, series)) {
            if (series->next - series->first > ON_THE_WAY)
                series->first++; /* not on its way: it is missing */
            return;
        }
        if (!is_due(series, before, max_bytes) ||
            commit_add_numbered(commit, ATAMO_WRITE_DELETE, series->space, series->first, 0) ==
                NULL)
            return;
        series->bytes -= series->first_size < series->bytes ? series->first_size : series->bytes;
        series->first++;
        series->first_size = 0;
    }
}

void series_store(const struct series *series, char out[SERIES_SIZE])
{
    const uint64_t numbers[] = {htole64(series->first), htole64(series->next),
                                htole64(series->bytes)};

    memcpy(out, numbers, sizeof numbers);
}

void series_restore(struct series *series, const char in[SERIES_SIZE])
{
    uint64_t numbers[3];

    memcpy(numbers, in, sizeof numbers);
    series->first = le64toh(numbers[0]);
    series->next = le64toh(numbers[1]);
    series->bytes = le64toh(numbers[2]);
    series->first_size = 0;
}
