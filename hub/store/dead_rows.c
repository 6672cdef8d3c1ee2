/* dead_rows - dead letters as they stand in a store.
 *
 * Happy path: the marks of all actions are read into a list; for each that is dead the event's row
 * is fetched, and the action in it found by its ordinal. Rows that cannot be read are counted and
 * passed over.
 */
#include "store/dead_rows.h"

#include <stdlib.h>
#include <string.h>

/* Whatever bytes an agent gave as its reason. NULL without memory. */
static char *copy_text(atamo_bytes text)
{
    char *copy = malloc(text.size + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static int note(void *user, const atamo_record *record)
{
    struct dead_rows *rows = user;
    struct dead_mark mark = {.place = row_key_place(record->key),
                             .ordinal = row_key_ordinal(record->key)};

    if (record->status != ATAMO_OK || row_get_mark(record->value, &mark.mark) != ATAMO_OK) {
        rows->damaged++;
        return 0;
    }
    if (rows->count == rows->room) {
        const size_t room = rows->room * 2 + 64;
        struct dead_mark *grown = realloc(rows->marks, room * sizeof *grown);

        if (grown == NULL) {
            rows->status = ATAMO_NO_MEMORY;
            return 1;
        }
        rows->marks = grown;
        rows->room = room;
    }
    if (mark.mark.state == ROW_DEAD) {
        mark.mark.text.data = copy_text(mark.mark.text);
        if (mark.mark.text.data == NULL) {
            rows->status = ATAMO_NO_MEMORY;
            return 1;
        }
    }
    rows->marks[rows->count++] = mark;
    return 0;
}

int dead_rows_open(struct dead_rows *rows, const struct atamo_store *store, void *self)
{
    const atamo_range all = {.size = sizeof all, .space = {"action", 6}};
    int status;

    *rows = (struct dead_rows){.store = store, .self = self};
    blocks_init(&rows->blocks);
    status = store->scan(self, &all, note, rows);
    if (status == ATAMO_OK)
        status = rows->status;
    if (status != ATAMO_OK)
        dead_rows_close(rows);
    return status;
}

void dead_rows_close(struct dead_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->marks[i].mark.state == ROW_DEAD)
            free((char *)(uintptr_t)rows->marks[i].mark.text.data);
    free(rows->marks);
    blocks_close(&rows->blocks);
    *rows = (struct dead_rows){0};
}

/* How many actions of an event have not ended, of `actions` in all. */
static uint16_t count_open(const struct dead_rows *rows, size_t number, uint16_t actions)
{
    const uint64_t place = rows->marks[number].place;
    unsigned open = actions;
    size_t at = number;

    while (at > 0 && rows->marks[at - 1].place == place)
        at--;
    for (; at < rows->count && rows->marks[at].place == place; at++)
        open -= rows->marks[at].mark.state == ROW_ENDED;
    return (uint16_t)open;
}

/* A visit of one event's row. */
struct showing {
    struct dead_rows *rows;
    size_t number;
    int (*fn)(void *user, const struct dead_row *dead);
    void *user;
    int result;
};

static int show(void *user, const atamo_record *record)
{
    struct showing *showing = user;
    struct dead_rows *rows = showing->rows;
    const struct dead_mark *mark = &rows->marks[showing->number];
    struct message *message;
    struct row_event event;
    struct row_action action = {.ordinal = 0};

    if (record->status != ATAMO_OK || row_get_event(record->value, &event) != ATAMO_OK ||
        message_restore(&rows->blocks, event.message, &message) != ATAMO_OK) {
        rows->damaged++;
        return 0;
    }
    for (uint16_t i = 0; i < event.actions && action.ordinal != mark->ordinal; i++)
        if (row_next_action(&event, &action) != ATAMO_OK)
            break;
    if (action.ordinal == mark->ordinal) {
        const struct dead_row dead = {
            .number = showing->number,
            .mark = mark,
            .action = &action,
            .message = message,
            .open = count_open(rows, showing->number, event.actions),
            .actions = event.actions,
        };

        showing->result = showing->fn(showing->user, &dead);
    } else {
        rows->damaged++;
    }
    message->refs = 0;
    message_release(message);
    blocks_give(&message->block);
    return 0;
}

int dead_rows_visit(struct dead_rows *rows, int (*fn)(void *user, const struct dead_row *dead),
                    void *user)
{
    struct showing showing = {.rows = rows, .fn = fn, .user = user};

    for (size_t i = 0; i < rows->count && showing.result == 0; i++) {
        char key[ROW_KEY_EVENT];
        int status;

        if (rows->marks[i].mark.state != ROW_DEAD)
            continue;
        showing.number = i;
        row_event_key(key, rows->marks[i].place);
        status = rows->store->get(rows->self, (atamo_bytes){"event", 5},
                                  (atamo_bytes){key, sizeof key}, show, &showing);
        if (status != ATAMO_OK && status != ATAMO_NOT_FOUND && status != ATAMO_DAMAGED)
            return status;
    }
    return ATAMO_OK;
}
