/* cmd_dead_change - let dead letters begin anew, or forget them.
 *
 * Happy path: the store is opened for writing, which a running hub does not allow; the dead letters
 * that the command line names are collected; then they are written in batches, each safe before the
 * next. A replay makes an action due again, as if it had never been attempted: the hub takes it up
 * when it starts. Dropping the last open action of an event takes the event with it. An id that is
 * not there is said, and then nothing is changed.
 */
#include "base/clock.h"
#include "cli/bar.h"
#include "cli/cli.h"
#include "cli/dead_choice.h"
#include "cli/remote.h"
#include "cli/remote_dead.h"
#include "cli/store_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 256, ROW_MAX = 64 };

/* One that is to be changed. */
struct chosen {
    uint64_t place;
    uint16_t ordinal;
    uint16_t open;    /* actions of its event that have not ended */
    uint16_t actions; /* that its event has had */
};

struct change {
    struct dead_choice choice;
    struct chosen *list;
    size_t count, room;
    bool no_memory;
    int64_t now_ns;
    int64_t step_ns; /* between two that are replayed */
    bool drops;
};

static int collect(void *user, const struct dead_row *dead)
{
    struct change *change = user;

    if (!dead_is_chosen(&change->choice, dead))
        return 0;
    if (change->count == change->room) {
        const size_t room = change->room * 2 + 64;
        struct chosen *grown = realloc(change->list, room * sizeof *grown);

        change->no_memory = grown == NULL;
        if (grown == NULL)
            return 1;
        change->list = grown;
        change->room = room;
    }
    change->list[change->count++] = (struct chosen){
        .place = dead->mark->place,
        .ordinal = dead->mark->ordinal,
        .open = dead->open,
        .actions = dead->actions,
    };
    return 0;
}

/* --- writing */

/* A batch of writes, with the bytes that they point at. */
struct batch {
    atamo_write *writes;
    char (*bytes)[ROW_MAX];
    size_t count, room;
};

static void add(struct batch *batch, uint32_t kind, const char *space, const char *key, size_t size)
{
    atamo_write *write = &batch->writes[batch->count];
    char *bytes = batch->bytes[batch->count++];

    memcpy(bytes, key, size);
    *write = (atamo_write){.size = sizeof *write,
                           .kind = kind,
                           .space = atamo_text(space),
                           .key = {bytes, size},
                           .value = {"", 0}};
}

static void add_mark(struct batch *batch, const struct chosen *chosen, const struct row_mark *mark)
{
    char key[ROW_KEY_ACTION];
    char *value = batch->bytes[batch->count] + ROW_KEY_ACTION;
    const size_t size = row_put_mark(value, mark);

    row_action_key(key, chosen->place, chosen->ordinal);
    add(batch, ATAMO_WRITE_PUT, "action", key, sizeof key);
    batch->writes[batch->count - 1].value = (atamo_bytes){value, size};
}

/* Its event has nothing left to do: all rows of it go. */
static void add_end(struct batch *batch, const struct chosen *chosen)
{
    char key[ROW_KEY_ACTION];

    row_event_key(key, chosen->place);
    add(batch, ATAMO_WRITE_DELETE, "event", key, ROW_KEY_EVENT);
    for (uint16_t i = 1; i <= chosen->actions; i++) {
        row_action_key(key, chosen->place, i);
        add(batch, ATAMO_WRITE_DELETE, "action", key, sizeof key);
    }
}

static void add_change(struct batch *batch, const struct change *change, size_t number)
{
    const struct chosen *chosen = &change->list[number];
    const struct row_mark again = {.state = ROW_BACKING_OFF,
                                   .at_ns = change->now_ns + (int64_t)number * change->step_ns,
                                   .wait_ns = (int64_t)number * change->step_ns,
                                   .text = {"", 0}};
    const struct row_mark ended = {.state = ROW_ENDED, .text = {"", 0}};

    if (!change->drops)
        add_mark(batch, chosen, &again);
    else if (chosen->open == 1)
        add_end(batch, chosen);
    else
        add_mark(batch, chosen, &ended);
}

/* How many of one event are dropped: then it has so many open actions less. */
static void count_dropped(struct change *change)
{
    for (size_t i = 1; i < change->count; i++)
        if (change->list[i].place == change->list[i - 1].place)
            change->list[i].open = (uint16_t)(change->list[i - 1].open - 1);
}

static int apply(const struct store_file *file, struct change *change, bool quiet)
{
    struct batch batch = {.room = BATCH + 1 + UINT16_MAX};
    struct bar bar;
    int status = ATAMO_OK;

    batch.writes = calloc(batch.room, sizeof *batch.writes);
    batch.bytes = calloc(batch.room, sizeof *batch.bytes);
    if (batch.writes == NULL || batch.bytes == NULL)
        status = ATAMO_NO_MEMORY;
    bar_begin(&bar, change->drops ? "drop" : "replay", quiet);
    for (size_t i = 0; i < change->count && status == ATAMO_OK; i++) {
        add_change(&batch, change, i);
        if (batch.count < BATCH && i + 1 < change->count)
            continue;
        status = store_file_write(file, batch.writes, batch.count);
        batch.count = 0;
        bar_set(&bar, i + 1, change->count);
    }
    bar_end(&bar);
    free(batch.writes);
    free(batch.bytes);
    if (status != ATAMO_OK)
        cli_say("the store: %s", atamo_status_text(status));
    return status;
}

/* --- the command */

static int find(const struct store_file *file, struct change *change)
{
    struct dead_rows rows;
    int status = dead_rows_open(&rows, file->store, file->self);

    if (status != ATAMO_OK)
        return status;
    status = dead_rows_visit(&rows, collect, change);
    if (rows.damaged > 0)
        cli_say("%" PRIu64 " records are damaged and were passed over", rows.damaged);
    dead_rows_close(&rows);
    if (change->no_memory)
        return ATAMO_NO_MEMORY;
    return status == ATAMO_OK && !dead_all_found(&change->choice) ? ATAMO_NOT_FOUND : status;
}

static enum exit_code change_some(const struct cli_line *line, bool drops)
{
    struct change change = {.drops = drops, .now_ns = (int64_t)time(NULL) * NS_PER_S};
    const bool dry = cli_value(line, "dry-run") != NULL;
    struct store_file file;
    long rate = 0;
    int status;

    if (!dead_choose(line, 1, &change.choice) || (!drops && !dead_rate(line, &rate)) ||
        !dead_says_which(line, &change.choice) || !remote_is_absent(line))
        return EXIT_USAGE;
    change.step_ns = rate == 0 ? 0 : NS_PER_S / rate;
    status = store_file_open(&file, line->arguments[0], NULL, dry ? STORE_READ : STORE_WRITE);
    if (status != ATAMO_OK)
        return cli_exit(status);
    status = find(&file, &change);
    if (status == ATAMO_OK && drops)
        count_dropped(&change);
    if (status == ATAMO_OK && !dry)
        status = apply(&file, &change, cli_value(line, "quiet") != NULL);
    if (status == ATAMO_OK && cli_value(line, "json") != NULL)
        (void)printf("{\"%s\":%zu,\"dry_run\":%s}\n", drops ? "dropped" : "replayed", change.count,
                     dry ? "true" : "false");
    else if (status == ATAMO_OK && cli_value(line, "quiet") == NULL)
        (void)printf("%zu %s%s\n", change.count, dry ? "would be " : "",
                     drops ? "dropped" : "replayed when the hub starts");
    free(change.list);
    store_file_close(&file);
    return cli_exit(status);
}

enum exit_code cmd_dead_replay(const struct cli_line *line)
{
    return dead_has_config(line) ? change_some(line, false) : remote_dead_change(line, false);
}

enum exit_code cmd_dead_drop(const struct cli_line *line)
{
    return dead_has_config(line) ? change_some(line, true) : remote_dead_change(line, true);
}
