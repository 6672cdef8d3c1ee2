/* protocol - the lines between the hub and a worker; README.md is the specification.
 *
 * Happy path: a job becomes one JSON object and a line break; an answer is either the short form
 * that most workers send, recognised without parsing, or any JSON object with an id. What is not
 * JSON, or names no job of this worker, is logged with its first bytes.
 */
#include "exec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 80 };

static bool put_quoted(struct exec *exec, struct buffer *to, atamo_bytes text)
{
    const size_t need = exec->json->quote(text, NULL, 0);

    if (!buffer_reserve(to, need))
        return false;
    to->end += exec->json->quote(text, to->data + to->end, need);
    return true;
}

static bool put_member(struct exec *exec, struct buffer *to, const char *name, atamo_bytes text)
{
    if (text.size == 0)
        return true;
    return buffer_put_text(to, ",\"") && buffer_put_text(to, name) && buffer_put_text(to, "\":") &&
           put_quoted(exec, to, text);
}

static bool put_event(struct exec *exec, struct buffer *to, const atamo_event *event)
{
    static const atamo_attribute attributes[] = {
        ATAMO_TYPE, ATAMO_SOURCE, ATAMO_SUBJECT,      ATAMO_TIME,
        ATAMO_USER, ATAMO_TENANT, ATAMO_PARTITIONKEY, ATAMO_CORRELATIONID};
    const atamo_host *host = exec->host;
    bool good = buffer_put_text(to, ",\"event\":{\"id\":") &&
                put_quoted(exec, to, host->attribute(host, event, ATAMO_ID));

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0] && good; i++)
        good = put_member(exec, to, atamo_attribute_name(attributes[i]),
                          host->attribute(host, event, attributes[i]));
    return good && buffer_put_text(to, "}");
}

/* JSON as it is, line breaks between its tokens as spaces; anything else in base64. */
static bool put_body(struct exec *exec, struct buffer *to, const atamo_action_info *info)
{
    const atamo_bytes data = exec->host->data(exec->host, info->event);
    const bool own = info->body.data == data.data; /* not rendered by a template: unchecked */
    atamo_json_value root;
    size_t from;

    if (info->body.size == 0)
        return true;
    if (own && exec->json->parse(exec->reader, info->body, &root, NULL) != ATAMO_OK)
        return buffer_put_text(to, ",\"body_base64\":\"") && buffer_put_base64(to, info->body) &&
               buffer_put_text(to, "\"");
    if (!buffer_put_text(to, ",\"body\":"))
        return false;
    from = buffer_size(to);
    if (!buffer_put(to, info->body.data, info->body.size))
        return false;
    for (char *at = to->data + to->start + from; own && at < to->data + to->end; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    return true;
}

bool exec_write_job(struct exec *exec, struct buffer *to, const struct job *job)
{
    const size_t before = buffer_size(to);
    atamo_action_info info = {.size = sizeof info};
    char head[160];
    bool good;

    if (exec->host->info(exec->host, job->action, &info) != ATAMO_OK)
        return false;
    (void)snprintf(head, sizeof head,
                   "{\"id\":\"%" PRIu64 "\",\"attempt\":%u,\"attempts\":%u,\"key\":\"%016" PRIx64
                   "\"",
                   exec_job_id(exec, job), info.attempt, info.attempts, info.idempotency_key);
    good = buffer_put_text(to, head) && put_member(exec, to, "action", info.type) &&
           put_member(exec, to, "agent", info.agent) && put_member(exec, to, "rule", info.rule) &&
           put_member(exec, to, "user", info.user) && put_member(exec, to, "tenant", info.tenant);
    if (good && info.deadline_ns != 0) {
        (void)snprintf(head, sizeof head, ",\"deadline_ms\":%" PRId64, info.deadline_ns / 1000000);
        good = buffer_put_text(to, head);
    }
    good = good && put_event(exec, to, info.event) && put_body(exec, to, &info) &&
           buffer_put_text(to, "}\n");
    if (!good)
        to->end = to->start + before; /* half a line is worse than none */
    return good;
}

bool exec_write_cancel(struct exec *exec, struct buffer *to, uint64_t id)
{
    char line[64];

    (void)exec;
    (void)snprintf(line, sizeof line, "{\"cancel\":\"%" PRIu64 "\"}\n", id);
    return buffer_put_text(to, line);
}

/* --- answers */

/* {"id":"123","outcome":"done"} with or without spaces behind ':' and ','. */
static bool is_short_done(atamo_bytes line, uint64_t *id)
{
    static const char *const heads[] = {"{\"id\":\"", "{\"id\": \""};
    static const char *const tails[] = {"\",\"outcome\":\"done\"}", "\", \"outcome\": \"done\"}"};

    for (int form = 0; form < 2; form++) {
        const size_t head = strlen(heads[form]);
        const size_t tail = strlen(tails[form]);
        uint64_t number = 0;
        size_t at = head;

        if (line.size < head + tail + 1 || memcmp(line.data, heads[form], head) != 0)
            continue;
        for (; at < line.size && line.data[at] >= '0' && line.data[at] <= '9'; at++)
            number = number * 10 + (uint64_t)(line.data[at] - '0');
        if (line.size - at != tail || memcmp(line.data + at, tails[form], tail) != 0)
            return false;
        *id = number;
        return true;
    }
    return false;
}

static void log_worker(struct exec *exec, const char *level, atamo_bytes text)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    int at = ATAMO_LOG_INFO;

    for (int i = 0; i < 4; i++)
        if (strcmp(level, names[i]) == 0)
            at = i;
    atamo_log(exec->host, at, "%.*s", (int)(text.size < 900 ? text.size : 900), text.data);
}

static uint64_t read_id(atamo_json_value value)
{
    uint64_t id = 0;

    if (value.kind == ATAMO_JSON_NUMBER)
        return (uint64_t)value.integer;
    if (value.kind != ATAMO_JSON_TEXT || value.text.size == 0 || value.text.size > 20)
        return 0;
    for (size_t i = 0; i < value.text.size; i++) {
        if (value.text.data[i] < '0' || value.text.data[i] > '9')
            return 0;
        id = id * 10 + (uint64_t)(value.text.data[i] - '0');
    }
    return id;
}

static void take_response(struct exec *exec, const struct job *job, const atamo_json_value *root)
{
    const atamo_json_value response = exec->json->member(exec->reader, root, "response");
    const atamo_json_value progress = exec->json->member(exec->reader, root, "progress");
    const atamo_json_value text = exec->json->member(exec->reader, root, "text");

    if (response.kind != ATAMO_JSON_MISSING)
        (void)atamo_respond(exec->host, job->action, response.raw);
    if (progress.kind == ATAMO_JSON_NUMBER)
        (void)atamo_progress(exec->host, job->action, progress.number, text.text.data);
}

static void take_emit(struct exec *exec, const struct job *job, const atamo_json_value *root)
{
    const atamo_json_value emit = exec->json->member(exec->reader, root, "emit");
    const atamo_json_value type = exec->json->member(exec->reader, &emit, "type");
    const atamo_json_value subject = exec->json->member(exec->reader, &emit, "subject");
    const atamo_json_value source = exec->json->member(exec->reader, &emit, "source");
    const atamo_json_value data = exec->json->member(exec->reader, &emit, "data");
    atamo_event_draft draft = atamo_draft("");
    int status;

    if (emit.kind == ATAMO_JSON_MISSING)
        return;
    draft.type = type.text;
    draft.subject = subject.text;
    draft.source = source.text;
    draft.data = data.raw;
    status = exec->host->emit(exec->host, job->action, &draft);
    if (status != ATAMO_OK)
        atamo_log(exec->host, ATAMO_LOG_WARN, "a follow-up event was not taken: %s",
                  atamo_status_text(status));
}

static bool take_outcome(struct exec *exec, struct job *job, const atamo_json_value *root)
{
    static const char *const kinds[] = {"", "done", "retry", "fail"};
    const atamo_json_value outcome = exec->json->member(exec->reader, root, "outcome");
    const atamo_json_value reason = exec->json->member(exec->reader, root, "reason");
    const atamo_json_value after = exec->json->member(exec->reader, root, "retry_after_ms");
    atamo_outcome settled = {.size = sizeof settled, .reason = reason.text};

    if (outcome.kind == ATAMO_JSON_MISSING)
        return true;
    for (uint32_t i = ATAMO_DONE; i <= ATAMO_FAIL; i++)
        if (strcmp(outcome.text.data, kinds[i]) == 0)
            settled.kind = i;
    if (settled.kind == 0)
        return false;
    if (after.integer > 0)
        settled.retry_after_ms = (uint64_t)after.integer;
    exec_end_job(exec, job, settled.kind == ATAMO_DONE ? NULL : &settled);
    return true;
}

static bool take_object(struct exec *exec, int worker, const atamo_json_value *root)
{
    const atamo_json_value log = exec->json->member(exec->reader, root, "log");
    const atamo_json_value id = exec->json->member(exec->reader, root, "id");
    struct job *job;

    if (log.kind == ATAMO_JSON_TEXT) {
        log_worker(exec, log.text.data, exec->json->member(exec->reader, root, "text").text);
        return true;
    }
    if (id.kind == ATAMO_JSON_MISSING)
        return false;
    job = exec_find_job(exec, worker, read_id(id));
    if (job == NULL) {
        atamo_log(exec->host, ATAMO_LOG_DEBUG, "an answer to an action that has ended");
        return true;
    }
    take_response(exec, job, root);
    take_emit(exec, job, root);
    return take_outcome(exec, job, root);
}

bool exec_read_line(struct exec *exec, int worker, atamo_bytes line)
{
    atamo_json_value root;
    uint64_t id;
    char why[256] = "not an answer: it needs \"id\", and an \"outcome\" of done, retry or fail";

    if (line.size == 0)
        return true;
    if (is_short_done(line, &id)) {
        struct job *job = exec_find_job(exec, worker, id);

        if (job != NULL)
            exec_end_job(exec, job, NULL);
        return true;
    }
    if (exec->json->parse(exec->reader, line, &root, why) == ATAMO_OK &&
        root.kind == ATAMO_JSON_OBJECT && take_object(exec, worker, &root))
        return true;
    atamo_log(exec->host, ATAMO_LOG_WARN, "worker %d wrote \"%.*s\": %s", worker + 1,
              (int)(line.size < SHOWN ? line.size : SHOWN), line.data, why);
    return false;
}

void exec_log_line(struct exec *exec, atamo_bytes line)
{
    static const struct {
        const char *prefix;
        const char *level;
    } prefixes[] = {
        {"DEBUG", "debug"}, {"[debug]", "debug"},   {"INFO", "info"},      {"[info]", "info"},
        {"WARN", "warn"},   {"[warn]", "warn"},     {"ERROR", "error"},    {"[error]", "error"},
        {"FATAL", "error"}, {"Traceback", "error"}, {"CRITICAL", "error"},
    };

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        const size_t size = strlen(prefixes[i].prefix);

        if (line.size < size || strncasecmp(line.data, prefixes[i].prefix, size) != 0)
            continue;
        log_worker(exec, prefixes[i].level, line);
        return;
    }
    log_worker(exec, "info", line);
}
