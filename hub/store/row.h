/* row - how events and actions stand in a store.
 *
 * Space "event": one row for each event that is not dealt with yet, under its place (8 bytes,
 * big-endian, in the order of acceptance): the message and the actions that rules made of it. Space
 * "action": what has changed of a single action while others of its event are open, under place and
 * ordinal. Space "hub": the hub's own. When an event's last action has ended all of its rows go.
 *
 * Everything is little-endian but keys. What is read is checked, since it comes from a disk.
 */
#ifndef HUB_STORE_ROW_H
#define HUB_STORE_ROW_H

#include "model/message.h"

enum { ROW_KEY_EVENT = 8, ROW_KEY_ACTION = 10 };

/* An action as it was made. Texts are borrowed. */
struct row_action {
    uint16_t ordinal;
    uint16_t attempts; /* it may have; 0: as the agent is configured */
    uint64_t deadline_ns;
    atamo_bytes rule, type, agent, as;
    atamo_bytes body;
    bool has_body; /* else the event's data */
};

enum row_state { ROW_BACKING_OFF = 1, ROW_ENDED = 2, ROW_DEAD = 3 };

/* What became of an action. */
struct row_mark {
    uint8_t state;     /* enum row_state */
    uint8_t reason;    /* dead: enum atamo_reason */
    uint16_t attempts; /* it has had */
    int64_t at_ns;     /* when it is due, or when it died; Unix */
    int64_t wait_ns;   /* backing off: how long in all, should the clock be set back */
    atamo_bytes text;  /* dead: what the agent said last */
};

void row_event_key(char key[ROW_KEY_EVENT], uint64_t place);
void row_action_key(char key[ROW_KEY_ACTION], uint64_t place, uint16_t ordinal);
uint64_t row_key_place(atamo_bytes key);
uint16_t row_key_ordinal(atamo_bytes key); /* 0 if it has none */

/* An event's row: begin, then its actions one after the other. Each returns the bytes written to
 * `out`, or that it would write if `data` is NULL. `put_off`: its rules are still to be evaluated.
 */
size_t row_put_event(char *data, const struct message *message, uint16_t actions, bool put_off);
size_t row_put_action(char *data, const struct row_action *action);
size_t row_put_mark(char *data, const struct row_mark *mark);

/* Reading a row of an event. */
struct row_event {
    atamo_bytes message; /* for message_restore() */
    uint16_t actions;    /* that follow */
    bool put_off;
    const char *at, *end;
};

/* ATAMO_DAMAGED. */
int row_get_event(atamo_bytes row, struct row_event *event);
int row_next_action(struct row_event *event, struct row_action *action);
int row_get_mark(atamo_bytes row, struct row_mark *mark);

#endif
