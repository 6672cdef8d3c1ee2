/* explain_text - clauses and values as words, for explain.c only. Never overruns: what does not fit
 * is cut.
 */
#ifndef HUB_RULES_EXPLAIN_TEXT_H
#define HUB_RULES_EXPLAIN_TEXT_H

#include "rules/index_inside.h"

struct sentence {
    char *text; /* NUL-terminated */
    size_t room, size;
};

void say_begin(struct sentence *sentence, char *text, size_t room);
void say(struct sentence *sentence, const char *words);
void say_bytes(struct sentence *sentence, atamo_bytes bytes); /* cut after a while */

/* "80", or "[a, b, ... 7 more]", or "missing". Texts in quotes if asked. */
void say_values(struct sentence *sentence, const struct leaf_table *table, uint32_t field,
                bool quotes);

/* "numeric >= 100 or prefix a". */
void say_tests(struct sentence *sentence, const struct clause *clause, bool quotes);

/* "[sales, support]". */
void say_names(struct sentence *sentence, const struct clause *clause);

#endif
