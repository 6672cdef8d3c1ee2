/* commit_inside - a commit as keep.c fills it and commit.c hands it over. */
#ifndef HUB_FLOW_COMMIT_INSIDE_H
#define HUB_FLOW_COMMIT_INSIDE_H

#include "flow/commit.h"

#include "store/row.h"

enum space { SPACE_EVENT, SPACE_ACTION, SPACE_KV, SPACE_JOURNAL, SPACE_SEEN, SPACE_HUB };

/* One row to write; key and value lie in the commit's bytes. */
struct row {
    uint32_t kind; /* enum atamo_write_kind */
    enum space space;
    uint32_t key_size;
    uint32_t same_bucket; /* SPACE_KV: the row before it in its bucket, from 1; 0: none */
    size_t offset;        /* of the key */
    size_t size;          /* of the value */
};

struct kept_event {
    struct message *message;
    uint32_t count; /* of its actions, in the list of actions */
    size_t row;
    bool put_off;
    bool again;    /* it is in the store already: its client was told */
    bool promised; /* it may not be shed: it is in the store, or part of an outcome */
};

enum { COMMIT_BUCKETS = 256 };

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
    struct message **held; /* marked: in memory until the mark is written */
    size_t held_count, held_room;
    atamo_write *writes;
    size_t write_room;
    uint32_t kv[COMMIT_BUCKETS]; /* the latest row of each bucket of keys, from 1; 0: none */
};

/* Room for `count` things of `size` in a list; `list` is the address of its pointer. False without
 * memory: nothing has changed. */
bool commit_reserve(void *list, size_t *room, size_t count, size_t size);

/* The commit that gathers; NULL without memory. */
struct commit *commit_gathering(struct ledger *ledger);

atamo_bytes commit_space(enum space space);

/* A row with room for `size` bytes of value, which stay where they are until the next row; NULL
 * without memory. */
char *commit_add(struct commit *commit, uint32_t kind, enum space space, atamo_bytes key,
                 size_t size);
/* The same with a number as its key. */
char *commit_add_numbered(struct commit *commit, uint32_t kind, enum space space, uint64_t number,
                          size_t size);

/* Room for so many more events or key-value writes that have so many bytes in all. False without
 * memory. */
bool commit_make_room(struct commit *commit, size_t count, size_t bytes);

/* A key-value write; commit_make_room() has made room for it. */
void commit_put_kv(struct commit *commit, uint32_t kind, atamo_bytes key, atamo_bytes value);

/* Does the commit write this key? `commit` may be NULL. */
bool commit_writes_kv(const struct commit *commit, atamo_bytes key);

/* What became of one action of a message that is kept. False without memory. */
bool commit_mark(struct commit *commit, struct message *message, uint16_t ordinal,
                 const struct row_mark *mark);

/* An event that could not be kept: its actions end, nobody was told that it is safe. */
void commit_shed(struct flow *flow, struct message *message, struct action *const *actions,
                 uint32_t count);

/* The hold of flow_evaluate() on a message ends. */
void commit_let_go(struct flow *flow, struct message *message);

#endif
