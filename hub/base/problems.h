/* problems - everything that is wrong with an input, said in one run.
 *
 * A problem has a place (file:line:column), a severity and a sentence that names what was found,
 * what was expected and, where a name was misspelt, the nearest valid one. Whoever checks an input
 * goes on after the first problem and adds them all; whoever asked shows the list.
 *
 * Bounded: after PROBLEMS_MAX the rest is only counted. Adding never fails: without memory the
 * problem is counted and `no_memory` is set, so a caller that looks at problems_status() cannot
 * mistake a lost problem for none.
 */
#ifndef HUB_BASE_PROBLEMS_H
#define HUB_BASE_PROBLEMS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROBLEMS_MAX = 100 };

/* Where something stands. line and column count from 1; line 0: the whole file. */
struct place {
    const char *file; /* NULL if the input is not a file */
    uint32_t line;
    uint32_t column;
};

struct problem {
    struct place place;
    bool warning; /* not an error: the input is still used */
    const char *text;
};

struct problems {
    struct arena arena;
    struct problem list[PROBLEMS_MAX];
    size_t count;   /* in the list */
    size_t errors;  /* all errors, also those past the end of the list */
    size_t omitted; /* not in the list */
    bool no_memory;
};

void problems_init(struct problems *problems);
void problems_close(struct problems *problems);

/* Add an error; the text is copied, the file name too. Always returns ATAMO_INVALID, so that a
 * check can end with `return problems_add(...)`. */
__attribute__((format(printf, 3, 4))) int problems_add(struct problems *problems,
                                                       struct place place, const char *format, ...);
__attribute__((format(printf, 3, 4))) void problems_warn(struct problems *problems,
                                                         struct place place, const char *format,
                                                         ...);

/* ATAMO_OK without errors, else ATAMO_INVALID or ATAMO_NO_MEMORY. */
int problems_status(const struct problems *problems);

/* Of `count` names the one nearest to `name` (edit distance at most a third of its length, at least
 * one), or NULL. For "did you mean ...?". */
const char *problems_nearest(atamo_bytes name, const char *const *names, size_t count);

#endif
