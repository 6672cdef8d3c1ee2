/* bar - how far long work is, on stderr; only on a terminal, and not for what is over at once. */
#ifndef HUB_CLI_BAR_H
#define HUB_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

struct bar {
    const char *what; /* "backup" */
    bool shown;
    bool drawn;
    int64_t begun_ms, drawn_ms;
};

/* `quiet`: nothing is drawn. */
void bar_begin(struct bar *bar, const char *what, bool quiet);
void bar_set(struct bar *bar, uint64_t done, uint64_t total);
void bar_end(struct bar *bar);

#endif
