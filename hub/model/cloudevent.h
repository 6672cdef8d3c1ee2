/* cloudevent - events as JSON text, both ways.
 *
 * The JSON event format of CloudEvents 1.0.2 (github.com/cloudevents/spec, formats/json-format.md):
 * attributes are members, JSON data is the member "data", bytes are "data_base64".
 */
#ifndef HUB_MODEL_CLOUDEVENT_H
#define HUB_MODEL_CLOUDEVENT_H

#include "model/message.h"
#include "json/json.h"

struct cloudevent_reader;

/* Parser and scratch for one thread. ATAMO_NO_MEMORY. */
int cloudevent_reader_open(struct cloudevent_reader **reader);
void cloudevent_reader_close(struct cloudevent_reader *reader);

enum { CLOUDEVENT_WHY = 256 };

/* Read one event into *draft, which points into `json` and the reader until the next call. JSON
 * without "specversion" is data for an event with the attributes of `fallback`, if there is one. On
 * failure `why` says what is wrong and where: ATAMO_INVALID, ATAMO_TOO_LARGE, ATAMO_NO_MEMORY. */
int cloudevent_read(struct cloudevent_reader *reader, atamo_bytes json,
                    const atamo_event_draft *fallback, atamo_event_draft *draft,
                    char why[CLOUDEVENT_WHY]);

/* Write a message as JSON into `buffer` as far as `capacity` goes; returns the size it has or would
 * have. `node`: see message_id(). [any] */
size_t cloudevent_write(const struct message *message, uint64_t node, char *buffer,
                        size_t capacity);

#endif
