/* asker - one request of a test, and what came of it. */
#ifndef TESTS_UNIT_API_ASKER_H
#define TESTS_UNIT_API_ASKER_H

#include "fixture.h"

struct asker {
    uint64_t request;
    size_t data, progress;
    uint64_t last_sequence, lost;
    bool has_ended;
    int32_t status;
    char bodies[512]; /* of data, ' ' between them, as far as they fit */
    char why[128];
};

static inline void asker_take(const atamo_reply *replies, size_t count, void *user)
{
    struct asker *asker = user;

    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(asker->bodies);

        assert_false(asker->has_ended);
        asker->lost += replies[i].lost;
        assert_true(replies[i].sequence == asker->last_sequence + replies[i].lost + 1);
        asker->last_sequence = replies[i].sequence;
        if (replies[i].kind == ATAMO_REPLY_END) {
            asker->has_ended = true;
            asker->status = replies[i].status;
            (void)snprintf(asker->why, sizeof asker->why, "%.*s", (int)replies[i].body.size,
                           replies[i].body.data);
        } else if (replies[i].kind == ATAMO_REPLY_PROGRESS) {
            asker->progress++;
        } else {
            asker->data++;
            (void)snprintf(asker->bodies + used, sizeof asker->bodies - used, "%s%.*s",
                           used == 0 ? "" : " ", (int)replies[i].body.size, replies[i].body.data);
        }
    }
}

/* Ask with an event of this type, data and user. */
static inline void asker_ask(struct asker *asker, atamo_client *client, const char *type,
                             const char *data, const char *user,
                             const atamo_request_options *options)
{
    atamo_event_draft draft = atamo_draft(type);
    int status;

    draft.source = atamo_text("/test");
    draft.data = atamo_text(data);
    draft.user = atamo_text(user);
    *asker = (struct asker){0};
    while ((status = atamo_request(client, &draft, options, asker_take, asker, &asker->request)) ==
           ATAMO_BUSY) {
        (void)atamo_wait(client, 50);
        (void)atamo_dispatch(client, 0, NULL);
    }
    assert_int_equal(status, ATAMO_OK);
}

#endif
