/* answer - the lines that a worker writes.
 *
 * Happy path: nearly every line is an id and "done", and is read by a few comparisons; the others
 * go through the host's JSON parser, and the members that are known are checked one by one. Unknown
 * members are ignored, so that workers may be newer than this. A line that is not JSON, or in which
 * a known member has a wrong type, is refused as a whole with a sentence that names it.
 */
#include "answer.h"

#include "level.h"

#include <string.h>

static const uint64_t retry_after_max_ms = UINT64_C(366) * 86400000;

/* --- without a parser */

struct scan {
    const char *at, *end;
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

/* Take a token, and the space before it. */
static bool take(struct scan *scan, const char *token, size_t size)
{
    skip_space(scan);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, token, size) != 0)
        return false;
    scan->at += size;
    return true;
}

/* Digits without a sign or leading zeros; false if it is 0 or does not fit. */
static bool read_id(const char *at, const char *end, uint64_t *id)
{
    uint64_t value = 0;

    if (at == end || *at == '0')
        return false;
    for (; at < end; at++) {
        const unsigned digit = (unsigned)(unsigned char)*at - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *id = value;
    return true;
}

static bool take_id(struct scan *scan, uint64_t *id)
{
    const char *from;

    if (!take(scan, "{", 1) || !take(scan, "\"id\"", 4) || !take(scan, ":", 1) ||
        !take(scan, "\"", 1))
        return false;
    from = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return read_id(from, scan->at, id) && scan->at < scan->end && *scan->at++ == '"';
}

static void clear(struct answer *answer)
{
    *answer = (struct answer){
        .reason = {"", 0}, .response = {"", 0}, .key = {"", 0}, .text = {"", 0}, .log = -1};
}

bool answer_read_short(atamo_bytes line, struct answer *answer)
{
    struct scan scan = {line.data, line.data + line.size};
    uint64_t id;

    if (!take_id(&scan, &id) || !take(&scan, ",", 1) || !take(&scan, "\"outcome\"", 9) ||
        !take(&scan, ":", 1) || !take(&scan, "\"done\"", 6) || !take(&scan, "}", 1))
        return false;
    skip_space(&scan);
    if (scan.at != scan.end)
        return false;
    clear(answer);
    answer->id = id;
    answer->outcome = ATAMO_DONE;
    return true;
}

uint64_t answer_leading_id(atamo_bytes line)
{
    struct scan scan = {line.data, line.data + line.size};
    uint64_t id = 0;

    return take_id(&scan, &id) ? id : 0;
}

/* --- with a parser */

struct reading {
    const atamo_json *json;
    const atamo_json_reader *reader;
    const atamo_json_value *object;
    char *why;
};

static int refuse(const struct reading *reading, const char *sentence)
{
    (void)snprintf(reading->why, ANSWER_WHY, "%s", sentence);
    return ATAMO_INVALID;
}

static atamo_json_value member(const struct reading *reading, const char *name)
{
    return reading->json->member(reading->reader, reading->object, name);
}

/* A text, if the member is there. */
static int text_member(const struct reading *reading, const char *name, atamo_bytes *text)
{
    const atamo_json_value value = member(reading, name);

    if (value.kind == ATAMO_JSON_MISSING || value.kind == ATAMO_JSON_NULL)
        return ATAMO_OK;
    if (value.kind != ATAMO_JSON_TEXT) {
        (void)snprintf(reading->why, ANSWER_WHY, "\"%s\" is not a text", name);
        return ATAMO_INVALID;
    }
    *text = value.text;
    return ATAMO_OK;
}

/* Milliseconds, if the member is there. */
static int time_member(const struct reading *reading, const char *name, uint64_t *ms)
{
    const atamo_json_value value = member(reading, name);

    if (value.kind == ATAMO_JSON_MISSING || value.kind == ATAMO_JSON_NULL)
        return ATAMO_OK;
    if (value.kind != ATAMO_JSON_NUMBER || !(value.number >= 0) ||
        value.number > (double)retry_after_max_ms) {
        (void)snprintf(reading->why, ANSWER_WHY, "\"%s\" is not a number of milliseconds", name);
        return ATAMO_INVALID;
    }
    *ms = (uint64_t)value.number;
    return ATAMO_OK;
}

static int read_id_member(const struct reading *reading, struct answer *answer)
{
    atamo_bytes text = {"", 0};
    const int status = text_member(reading, "id", &text);

    if (status != ATAMO_OK || text.size == 0)
        return status;
    if (!read_id(text.data, text.data + text.size, &answer->id))
        return refuse(reading, "\"id\" is not one that a worker was given");
    return ATAMO_OK;
}

static int read_outcome(const struct reading *reading, struct answer *answer)
{
    static const char *const names[] = {
        [ATAMO_DONE] = "done", [ATAMO_RETRY] = "retry", [ATAMO_FAIL] = "fail"};
    atamo_bytes text = {"", 0};
    int status = text_member(reading, "outcome", &text);

    for (uint32_t kind = ATAMO_DONE; kind <= ATAMO_FAIL && text.size > 0; kind++)
        if (strcmp(text.data, names[kind]) == 0)
            answer->outcome = kind;
    if (status == ATAMO_OK && text.size > 0 && answer->outcome == 0)
        status = refuse(reading, "\"outcome\" is none of done, retry, fail");
    if (status == ATAMO_OK)
        status = text_member(reading, "reason", &answer->reason);
    if (status == ATAMO_OK)
        status = time_member(reading, "retry_after_ms", &answer->retry_after_ms);
    return status;
}

static int read_response(const struct reading *reading, struct answer *answer)
{
    const atamo_json_value value = member(reading, "response");
    int status = text_member(reading, "key", &answer->key);

    if (status != ATAMO_OK)
        return status;
    if (value.kind != ATAMO_JSON_MISSING) {
        answer->has_response = true;
        answer->response = value.raw;
        return ATAMO_OK;
    }
    if (member(reading, "response_base64").kind == ATAMO_JSON_MISSING)
        return ATAMO_OK;
    status = text_member(reading, "response_base64", &answer->response);
    answer->has_response = true;
    answer->is_base64 = true;
    return status;
}

static int read_progress(const struct reading *reading, struct answer *answer)
{
    const atamo_json_value value = member(reading, "progress");
    const int status = text_member(reading, "text", &answer->text);

    if (status != ATAMO_OK || value.kind == ATAMO_JSON_MISSING)
        return status;
    if (value.kind != ATAMO_JSON_NUMBER || !(value.number >= 0 && value.number <= 1))
        return refuse(reading, "\"progress\" is not a number from 0 to 1");
    answer->has_progress = true;
    answer->progress = value.number;
    return ATAMO_OK;
}

static int read_log(const struct reading *reading, struct answer *answer)
{
    atamo_bytes text = {"", 0};
    const int status = text_member(reading, "log", &text);

    if (status != ATAMO_OK || text.size == 0)
        return status;
    answer->log = level_of_word(text);
    if (answer->log < 0)
        return refuse(reading, "\"log\" is none of debug, info, warn, error");
    return ATAMO_OK;
}

static int read_emit(const struct reading *reading, struct answer *answer)
{
    answer->emit = member(reading, "emit");
    if (answer->emit.kind == ATAMO_JSON_MISSING)
        return ATAMO_OK;
    if (answer->emit.kind != ATAMO_JSON_OBJECT)
        return refuse(reading, "\"emit\" is not an object");
    answer->has_emit = true;
    return ATAMO_OK;
}

static int check_whole(const struct reading *reading, const struct answer *answer)
{
    const bool about_action =
        answer->outcome != 0 || answer->has_response || answer->has_progress || answer->has_emit;

    if (about_action && answer->id == 0)
        return refuse(reading, "there is no \"id\"");
    if (!about_action && answer->log < 0)
        return refuse(reading, "there is none of outcome, response, progress, emit, log");
    return ATAMO_OK;
}

int answer_read(const atamo_json *json, atamo_json_reader *reader, atamo_bytes line,
                struct answer *answer, char why[ANSWER_WHY])
{
    atamo_json_value root;
    const struct reading reading = {json, reader, &root, why};
    struct answer read;
    int status = json->parse(reader, line, &root, why);

    if (status != ATAMO_OK)
        return status == ATAMO_NO_MEMORY ? status : ATAMO_INVALID;
    if (root.kind != ATAMO_JSON_OBJECT)
        return refuse(&reading, "it is not an object");
    clear(&read);
    status = read_id_member(&reading, &read);
    if (status == ATAMO_OK)
        status = read_outcome(&reading, &read);
    if (status == ATAMO_OK)
        status = read_response(&reading, &read);
    if (status == ATAMO_OK)
        status = read_progress(&reading, &read);
    if (status == ATAMO_OK)
        status = read_log(&reading, &read);
    if (status == ATAMO_OK)
        status = read_emit(&reading, &read);
    if (status == ATAMO_OK)
        status = check_whole(&reading, &read);
    if (status == ATAMO_OK)
        *answer = read;
    return status;
}
