/* hearing - what follows from the lines that a worker writes.
 *
 * Happy path: the answer names an action that this worker has; its follow-up event, response and
 * progress go to the host at once, its outcome into the next batch. A line that is no answer, or
 * names an action that the worker does not have, is shown in the log by its first bytes and does
 * nothing else; many in a row, and the worker is not one of ours. A host that is busy stalls only
 * this worker: the line is taken up again later, at the part where it stopped.
 */
#include "hearing.h"

#include "answer.h"
#include "base64.h"
#include "level.h"

#include <stdlib.h>
#include <string.h>

enum { GARBAGE_MAX = 32, SHOWN = 80, LOGGED = 1000 };
enum { PART_EMIT = 1, PART_RESPONSE = 2, PART_PROGRESS = 4, PART_LOG = 8 };

enum heard { HEARD, HEARD_GARBAGE, HEARD_BUSY, HEARD_HELD_UP };

/* When a line is taken up again: if the hub is busy, and if a client is slow to take responses. The
 * hub says when he has taken some; but that is a hint. */
static const int64_t busy_pause_ns = 2000000;
static const int64_t held_up_pause_ns = 50000000;

/* A copy that fits a line of the log: control characters are shown as spaces. */
static void printable(char *copy, size_t capacity, atamo_bytes text)
{
    const size_t size = text.size < capacity - 1 ? text.size : capacity - 1;

    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        copy[i] = (char)(c < ' ' || c == 0x7f ? ' ' : c);
    }
    copy[size] = '\0';
}

static void say(struct agent *agent, struct worker *worker, int level, atamo_bytes text)
{
    char line[LOGGED + 1];
    uint64_t left_out;

    if (!quota_take(&worker->said, agent->now, &left_out))
        return;
    if (left_out > 0)
        atamo_log(agent->host, ATAMO_LOG_WARN, "worker %u: %llu lines left out", worker->number,
                  (unsigned long long)left_out);
    printable(line, sizeof line, text);
    atamo_log(agent->host, level, "worker %u: %s%s", worker->number, line,
              text.size > LOGGED ? "..." : "");
}

static void scold(struct agent *agent, struct worker *worker, atamo_bytes line, const char *why)
{
    char shown[SHOWN + 1];
    uint64_t left_out;

    if (!quota_take(&worker->scolded, agent->now, &left_out))
        return;
    if (left_out > 0)
        atamo_log(agent->host, ATAMO_LOG_WARN, "worker %u: %llu more bad lines", worker->number,
                  (unsigned long long)left_out);
    printable(shown, sizeof shown, line);
    atamo_log(agent->host, ATAMO_LOG_WARN, "worker %u wrote a bad line: %s: %s%s", worker->number,
              why, shown, line.size > SHOWN ? "..." : "");
}

/* --- the parts of an answer: HEARD, or why it has to wait. What the host refuses is not the line's
 * fault */

static enum heard emit(struct agent *agent, struct worker *worker, const struct flight *flight,
                       const struct answer *answer)
{
    atamo_event_draft draft;
    void *memory = NULL;
    char why[ANSWER_WHY] = "no memory";
    int status =
        answer_draft(agent->json, agent->writer.reader, &answer->emit, &draft, &memory, why);

    if (status == ATAMO_OK) {
        status = agent->host->emit(agent->host, flight->action, &draft);
        (void)snprintf(why, sizeof why, "the event was refused: %s", atamo_status_text(status));
    }
    free(memory);
    if (status == ATAMO_BUSY)
        return HEARD_BUSY;
    if (status != ATAMO_OK && status != ATAMO_GONE)
        scold(agent, worker, answer->emit.raw, why);
    return HEARD;
}

static enum heard respond(struct agent *agent, struct worker *worker, const struct flight *flight,
                          const struct answer *answer)
{
    atamo_bytes body = answer->response;
    char *memory = NULL;
    int status = ATAMO_OK;

    if (answer->is_base64) {
        memory = malloc(body.size / 4 * 3 + 1);
        if (memory == NULL)
            status = ATAMO_NO_MEMORY;
        else if (!base64_read(answer->response, memory, &body.size))
            status = ATAMO_INVALID;
        body.data = memory;
    }
    if (status == ATAMO_OK) {
        const atamo_response response = {
            .size = sizeof response, .kind = ATAMO_RESPONSE_DATA, .body = body, .key = answer->key};

        status = agent->host->respond(agent->host, flight->action, &response);
    }
    free(memory);
    if (status == ATAMO_BUSY)
        return HEARD_HELD_UP;
    if (status != ATAMO_OK && status != ATAMO_GONE)
        scold(agent, worker, answer->response, "the response was refused");
    return HEARD;
}

static enum heard progress(struct agent *agent, const struct flight *flight,
                           const struct answer *answer)
{
    const int status =
        atamo_progress(agent->host, flight->action, answer->progress, answer->text.data);

    return status == ATAMO_BUSY ? HEARD_HELD_UP : HEARD;
}

/* Do a part of the line unless it was done before the host was busy. */
static bool is_new_part(struct worker *worker, uint32_t part, bool is_there)
{
    return is_there && (worker->parts & part) == 0;
}

static enum heard perform(struct agent *agent, struct worker *worker, struct flight *flight,
                          const struct answer *answer)
{
    if (is_new_part(worker, PART_EMIT, answer->has_emit)) {
        if (emit(agent, worker, flight, answer) == HEARD_BUSY)
            return HEARD_BUSY;
        worker->parts |= PART_EMIT;
    }
    if (is_new_part(worker, PART_RESPONSE, answer->has_response)) {
        if (respond(agent, worker, flight, answer) == HEARD_HELD_UP)
            return HEARD_HELD_UP;
        worker->parts |= PART_RESPONSE;
    }
    if (is_new_part(worker, PART_PROGRESS, answer->has_progress)) {
        if (progress(agent, flight, answer) == HEARD_HELD_UP)
            return HEARD_HELD_UP;
        worker->parts |= PART_PROGRESS;
    }
    if (flight->is_feed && flight->state == FLIGHT_RUNNING &&
        (worker->parts & (PART_RESPONSE | PART_PROGRESS)) != 0)
        flights_move(&agent->flights, flight, FLIGHT_FED, agent->now);
    if (answer->outcome != 0)
        agent_settle(agent, flight, answer->outcome, answer->retry_after_ms, answer->reason);
    return HEARD;
}

/* --- lines */

/* The action, if it is one that this worker has. */
static struct flight *flight_of(const struct agent *agent, const struct worker *worker, uint64_t id)
{
    struct flight *flight = flights_by_id(&agent->flights, id);

    if (flight == NULL || flight->state == FLIGHT_WAITING || flight->worker != worker->number - 1)
        return NULL;
    return flight;
}

static enum heard hear_line(struct agent *agent, struct worker *worker, atamo_bytes line)
{
    struct answer answer;
    struct flight *flight;
    char why[ANSWER_WHY] = "no memory";

    if (!answer_read_short(line, &answer) &&
        answer_read(agent->json, agent->writer.reader, line, &answer, why) != ATAMO_OK) {
        scold(agent, worker, line, why);
        return HEARD_GARBAGE;
    }
    if (is_new_part(worker, PART_LOG, answer.log >= 0)) {
        say(agent, worker, answer.log, answer.text);
        worker->parts |= PART_LOG;
    }
    if (answer.id == 0)
        return HEARD;
    flight = flight_of(agent, worker, answer.id);
    if (flight == NULL) {
        scold(agent, worker, line, "it has no such action");
        return HEARD_GARBAGE;
    }
    if (flight->state != FLIGHT_OVERDUE)
        return perform(agent, worker, flight, &answer);
    if (answer.outcome != 0) { /* too late, but it has let go of it */
        worker->held--;
        flights_remove(&agent->flights, flight);
    }
    return HEARD;
}

static enum heard hear_too_long(struct agent *agent, struct worker *worker, atamo_bytes line)
{
    const uint64_t id = answer_leading_id(line);
    struct flight *flight = id == 0 ? NULL : flight_of(agent, worker, id);
    char why[64];

    (void)snprintf(why, sizeof why, "an answer of over %zu bytes (max_line)",
                   agent->settings.max_line);
    scold(agent, worker, line, why);
    if (flight != NULL && flight->state != FLIGHT_OVERDUE)
        agent_settle(agent, flight, ATAMO_FAIL, 0, atamo_text(why));
    return HEARD_GARBAGE;
}

bool hearing_answers(struct agent *agent, struct worker *worker)
{
    atamo_bytes line;
    enum lines_next next;

    while ((next = lines_peek(&worker->answers, &line)) != LINES_NONE) {
        enum heard heard = HEARD;

        if (next == LINES_TOO_LONG)
            heard = hear_too_long(agent, worker, line);
        else if (line.size > 0)
            heard = hear_line(agent, worker, line);
        if (heard == HEARD_BUSY || heard == HEARD_HELD_UP) {
            worker->stalled_until =
                agent->now + (heard == HEARD_BUSY ? busy_pause_ns : held_up_pause_ns);
            return true;
        }
        worker->parts = 0;
        lines_take(&worker->answers, line);
        worker->garbage = heard == HEARD_GARBAGE ? worker->garbage + 1 : 0;
        if (worker->garbage >= GARBAGE_MAX)
            return false;
    }
    return true;
}

static void relay(struct agent *agent, struct worker *worker, atamo_bytes line)
{
    atamo_bytes text;
    const int level = level_of_line(line, &text);

    if (text.size > 0)
        say(agent, worker, level, text);
}

void hearing_errors(struct agent *agent, struct worker *worker, bool all)
{
    atamo_bytes line;

    while (lines_peek(&worker->errors, &line) != LINES_NONE) {
        relay(agent, worker, line);
        lines_take(&worker->errors, line);
    }
    if (all)
        relay(agent, worker, lines_rest(&worker->errors));
}
