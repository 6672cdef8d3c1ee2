/* dead_rows - dead letters as they stand in a store. */
#ifndef HUB_STORE_DEAD_ROWS_H
#define HUB_STORE_DEAD_ROWS_H

#include "store/row.h"

#include <atamo/store.h>

/* What became of an action; owned by the list. */
struct dead_mark {
    uint64_t place;
    uint16_t ordinal;
    struct row_mark mark; /* the text of a dead one is malloc'ed */
};

struct dead_rows {
    const struct atamo_store *store;
    void *self;
    struct dead_mark *marks; /* of all actions that are marked, in order */
    size_t count, room;
    uint64_t damaged; /* rows that could not be read */
    int status;
    struct blocks blocks; /* of the message that is shown */
};

/* One dead letter. Valid during the call. */
struct dead_row {
    size_t number; /* of its mark */
    const struct dead_mark *mark;
    const struct row_action *action;
    const struct message *message;
    uint16_t open;    /* actions of the same event that have not ended, this one among them */
    uint16_t actions; /* that the event has had */
};

/* Read all marks. ATAMO_NO_MEMORY, or the store's failure. */
int dead_rows_open(struct dead_rows *rows, const struct atamo_store *store, void *self);
void dead_rows_close(struct dead_rows *rows);

/* Show each dead letter in order of acceptance; another value than 0 ends it. */
int dead_rows_visit(struct dead_rows *rows, int (*fn)(void *user, const struct dead_row *dead),
                    void *user);

#endif
