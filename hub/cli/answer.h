/* answer - what a hub has answered, and its members. */
#ifndef HUB_CLI_ANSWER_H
#define HUB_CLI_ANSWER_H

#include "cli/http_client.h"
#include "json/json.h"

#include <stdio.h>

/* All zero is none. */
struct answer {
    struct http_answer http;
    struct json_parser *parser;
    struct json_document document; /* count 0: there is no JSON */
};

/* Parse text into `document`; the text must stay. ATAMO_INVALID with *why, ATAMO_NO_MEMORY. */
int answer_parse(struct answer *answer, atamo_bytes text, const char **why);
void answer_free(struct answer *answer);

/* Members by name. What is not there, or of another kind, is "", 0 or false. */
uint32_t answer_member(const struct answer *answer, uint32_t object, const char *name);
atamo_bytes answer_text(const struct answer *answer, uint32_t object, const char *name);
int64_t answer_int(const struct answer *answer, uint32_t object, const char *name);
double answer_double(const struct answer *answer, uint32_t object, const char *name);
bool answer_bool(const struct answer *answer, uint32_t object, const char *name);

/* Elements of a list: for (at = answer_first(a, list); at != 0; at = answer_after(a, list, at)) */
uint32_t answer_first(const struct answer *answer, uint32_t list);
uint32_t answer_after(const struct answer *answer, uint32_t list, uint32_t at);

bool answer_is(atamo_bytes text, const char *word);

/* Print the JSON as it came, and a line's end. */
void answer_print(const struct answer *answer);

/* Print text of a hub for people: a byte that could move the cursor becomes '?'. */
void answer_put(atamo_bytes text, FILE *out);

/* The same, with spaces up to `width` bytes behind it, or a single one. */
void answer_put_wide(atamo_bytes text, size_t width, FILE *out);

/* The same into memory, cut where the room ends. */
void answer_copy(atamo_bytes text, char *out, size_t room);

/* "2026-11-21 08:10:08.123456", "08:10:08.123456" */
enum answer_time { ANSWER_DATE, ANSWER_CLOCK };
void answer_put_time(int64_t t_us, enum answer_time how, FILE *out);

#endif
