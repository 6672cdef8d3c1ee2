/* answer - the lines that a worker writes. README.md says what may be in them. */
#ifndef EXEC_ANSWER_H
#define EXEC_ANSWER_H

#include <atamo/json.h>

#include <stdbool.h>

struct answer {
    uint64_t id;      /* 0: none, as of a log line */
    uint32_t outcome; /* enum atamo_outcome_kind, 0: not yet */
    uint64_t retry_after_ms;
    atamo_bytes reason;
    bool has_response;
    bool is_base64;       /* the response */
    atamo_bytes response; /* JSON text, or base64 */
    atamo_bytes key;      /* what the response is about; "": nothing */
    bool has_progress;
    double progress;  /* 0..1 */
    atamo_bytes text; /* of progress or log */
    int log;          /* ATAMO_LOG_*, -1: none */
    bool has_emit;
    atamo_json_value emit; /* an object: the event */
};

enum { ANSWER_WHY = 256 };

/* Read a line. What it points at is valid until the reader's next parse. ATAMO_INVALID with a
 * sentence in `why`, ATAMO_NO_MEMORY. */
int answer_read(const atamo_json *json, atamo_json_reader *reader, atamo_bytes line,
                struct answer *answer, char why[ANSWER_WHY]);

/* The same for the answers that are most common, {"id":"1","outcome":"done"}, without a parser.
 * False for all others, which may yet be right. */
bool answer_read_short(atamo_bytes line, struct answer *answer);

/* The id of a line that begins with it, else 0: for lines that cannot be read as a whole. */
uint64_t answer_leading_id(atamo_bytes line);

/* An event from the object in `emit`; the values are valid as long as those of the answer. Binary
 * data is decoded into malloc'd memory, which goes to *memory (else NULL). ATAMO_INVALID with a
 * sentence in `why`, ATAMO_NO_MEMORY. */
int answer_draft(const atamo_json *json, const atamo_json_reader *reader,
                 const atamo_json_value *emit, atamo_event_draft *draft, void **memory,
                 char why[ANSWER_WHY]);

#endif
