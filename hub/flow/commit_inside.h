/* commit_inside - a commit as keep.c fills it and commit.c hands it over. */
#ifndef HUB_FLOW_COMMIT_INSIDE_H
#define HUB_FLOW_COMMIT_INSIDE_H

#include "flow/commit.h"

#include "store/row.h"

enum space { SPACE_EVENT, SPACE_ACTION };

/* One row to write; its value lies in the commit's bytes. */
struct row {
    uint32_t kind; /* enum atamo_write_kind */
    enum space space;
    char key[ROW_KEY_ACTION];
    size_t offset, size;
};

struct kept_event {
    struct message *message;
    uint32_t count; /* of its actions, in the list of actions */
    bool put_off;
};

struct commit {
    struct flow_call call; /* first */
    struct ledger *ledger;
    int status;
    struct row *rows;
    size_t row_count, row_room;
    char *bytes;
    size_t size, room;
    struct kept_event *events;
    size_t event_count, event_room;
    struct action **actions;
    size_t action_count, action_room;
    struct action **ends;
    size_t end_count, end_room;
    atamo_write *writes;
    size_t write_room;
};

/* Room for `count` things of `size` in a list; `list` is the address of its pointer. False without
 * memory: nothing has changed. */
bool commit_reserve(void *list, size_t *room, size_t count, size_t size);

/* The commit that gathers; NULL without memory. */
struct commit *commit_gathering(struct ledger *ledger);

/* What became of one action of a message that is kept. False without memory. */
bool commit_mark(struct commit *commit, struct message *message, uint16_t ordinal,
                 const struct row_mark *mark);

/* An event that could not be kept: its actions end, nobody was told that it is safe. */
void commit_shed(struct flow *flow, struct message *message, struct action *const *actions,
                 uint32_t count);

/* The hold of flow_evaluate() on a message ends. */
void commit_let_go(struct flow *flow, struct message *message);

#endif
