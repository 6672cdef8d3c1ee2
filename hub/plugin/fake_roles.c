/* fake_roles - rules that a test has compiled and evaluated, and telemetry that it has audited.
 *
 * Proposals of one evaluation and the records of one batch are kept until the next. A proposal
 * outside of evaluate(), or one without agent or action, is misuse.
 */
#include "plugin/fake.h"

#include <stdlib.h>
#include <string.h>

enum { FAKE_WHY = 256 };

/* --- rules */

int atamo_test_compile(atamo_test_host *host, const char *json, void **rule)
{
    const atamo_rule_provider *provider = host->plugin->rule_provider;
    const atamo_json *reading = host->table.extension(&host->table, ATAMO_JSON_EXTENSION);
    atamo_json_reader *reader = NULL;
    atamo_json_value root;
    atamo_json_value id;
    char why[FAKE_WHY] = "";
    int status;

    if (provider == NULL)
        return ATAMO_UNSUPPORTED;
    status = reading->open(&host->table, &reader);
    if (status != ATAMO_OK)
        return status;
    status = reading->parse(reader, atamo_text(json), &root, why);
    if (status == ATAMO_OK) {
        id = reading->member(reader, &root, "id");
        status = provider->compile(host->self,
                                   id.kind == ATAMO_JSON_TEXT ? id.text : atamo_text("test-rule"),
                                   atamo_text(json), rule);
    } else {
        (void)host->table.refuse(&host->table, why);
    }
    reading->close(reader);
    return status;
}

int atamo_test_evaluate(atamo_test_host *host, void *rule, const atamo_event_draft *event,
                        char *why)
{
    const atamo_rule_provider *provider = host->plugin->rule_provider;
    struct message *message = NULL;
    char reason[FAKE_WHY] = "";
    const char *refused = "";
    int status;

    if (provider == NULL)
        return ATAMO_UNSUPPORTED;
    fake_lock(host);
    host->proposals.count = 0;
    status = fake_message(host, event, &message, &refused);
    host->evaluating = status == ATAMO_OK;
    fake_unlock(host);
    if (status == ATAMO_OK)
        status = provider->evaluate(host->self, rule, (const atamo_event *)(const void *)message,
                                    host, reason);
    else
        (void)snprintf(reason, sizeof reason, "%s", refused);
    fake_lock(host);
    host->evaluating = false;
    if (status != ATAMO_OK)
        host->proposals.count = 0;
    fake_unlock(host);
    if (why != NULL)
        memcpy(why, reason, sizeof reason);
    return status;
}

/* Under the lock. */
static int keep_proposal(struct atamo_test_host *host, const atamo_proposal *proposal)
{
    atamo_proposal *kept = arena_alloc(&host->arena, sizeof *kept);
    atamo_bytes *texts[4];

    if (kept == NULL)
        return ATAMO_NO_MEMORY;
    *kept = *proposal;
    texts[0] = &kept->agent;
    texts[1] = &kept->action;
    texts[2] = &kept->as;
    texts[3] = &kept->body;
    for (size_t i = 0; i < 4; i++) {
        if (texts[i]->data == NULL)
            *texts[i] = (atamo_bytes){"", 0};
        *texts[i] = arena_copy(&host->arena, *texts[i]);
        if (texts[i]->data == NULL)
            return ATAMO_NO_MEMORY;
    }
    return fake_list_add(&host->proposals, kept) ? ATAMO_OK : ATAMO_NO_MEMORY;
}

int fake_propose(const atamo_host *table, void *evaluation, const void *proposal)
{
    struct atamo_test_host *host = fake_enter(table, "propose()");
    const atamo_proposal *asked = proposal;
    bool evaluating;
    int status = ATAMO_INVALID;

    fake_lock(host);
    evaluating = host->evaluating && evaluation == host;
    if (evaluating && asked->size >= sizeof *asked && asked->agent.size > 0 &&
        asked->action.size > 0)
        status = keep_proposal(host, asked);
    fake_unlock(host);
    if (!evaluating)
        fake_misuse(host, "propose() outside of evaluate(), or with another evaluation");
    else if (status == ATAMO_INVALID)
        fake_misuse(host, "propose() needs size, agent and action");
    return status;
}

size_t atamo_test_proposal_count(const atamo_test_host *host)
{
    return host->proposals.count;
}

int atamo_test_proposal(const atamo_test_host *host, size_t index, atamo_proposal *proposal)
{
    if (index >= host->proposals.count)
        return ATAMO_NOT_FOUND;
    *proposal = *(const atamo_proposal *)host->proposals.items[index];
    return ATAMO_OK;
}

void atamo_test_release(atamo_test_host *host, void *rule)
{
    if (host->plugin->rule_provider != NULL && host->plugin->rule_provider->release != NULL)
        host->plugin->rule_provider->release(host->self, rule);
}

/* --- telemetry */

uint32_t atamo_test_name(atamo_test_host *host, const char *text)
{
    return names_add(host->names, atamo_text(text));
}

static bool make_room(struct atamo_test_host *host, size_t records)
{
    const size_t room = (host->batch_count + records) * 2;
    atamo_telemetry *batch;

    if (host->batch_count + records <= host->batch_room)
        return true;
    batch = realloc(host->batch, room * sizeof *batch);
    if (batch == NULL)
        return false;
    host->batch = batch;
    host->batch_room = room;
    return true;
}

static void add_piece(struct atamo_test_host *host, const char *text, size_t size)
{
    atamo_telemetry_piece piece = {.step = ATAMO_STEP_TEXT, .size = (uint16_t)size};

    memcpy(piece.bytes, text, size);
    memcpy(&host->batch[host->batch_count++], &piece, sizeof piece);
}

int atamo_test_record(atamo_test_host *host, const atamo_telemetry *record, const char *text)
{
    const size_t size = text == NULL ? 0 : strlen(text);
    atamo_telemetry head = *record;

    if (size > UINT16_MAX)
        return ATAMO_TOO_LARGE;
    head.text = (uint16_t)size;
    if (head.time_ns == 0)
        head.time_ns = fake_now(host);
    if (!make_room(host, atamo_telemetry_span(&head)))
        return ATAMO_NO_MEMORY;
    host->batch[host->batch_count++] = head;
    for (size_t at = 0; at < size; at += ATAMO_PIECE_BYTES)
        add_piece(host, text + at, size - at < ATAMO_PIECE_BYTES ? size - at : ATAMO_PIECE_BYTES);
    return ATAMO_OK;
}

int atamo_test_deliver(atamo_test_host *host, uint64_t lost)
{
    const atamo_auditor *auditor = host->plugin->auditor;
    int status;

    if (auditor == NULL)
        return ATAMO_UNSUPPORTED;
    status = auditor->records(host->self, host->batch, host->batch_count, lost);
    host->batch_count = 0;
    return status;
}

void atamo_test_idle(atamo_test_host *host)
{
    if (host->plugin->auditor != NULL && host->plugin->auditor->idle != NULL)
        host->plugin->auditor->idle(host->self);
}
