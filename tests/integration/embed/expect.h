/* expect - what programs that embed a hub say when something is not as it should be. */
#ifndef TESTS_EMBED_EXPECT_H
#define TESTS_EMBED_EXPECT_H

#include <stdatomic.h>
#include <stdio.h>

/* How many things were not so; by now, if `more` is 0. */
static inline int expect_count(int more)
{
    static atomic_int failures;

    return atomic_fetch_add(&failures, more) + more;
}

static inline void expect_at(int holds, const char *what, const char *function)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s: not so: %s\n", function, what);
    (void)expect_count(1);
}

#define expect(holds, what) expect_at((holds) ? 1 : 0, what, __func__)

/* What main() returns. */
static inline int expect_failures(void)
{
    return expect_count(0) == 0 ? 0 : 1;
}

#endif
