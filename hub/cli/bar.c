/* bar - how far long work is. Drawn at most ten times a second, the first time after half a second;
 * taken away when the work is over. */
#include "cli/bar.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 30, FIRST_MS = 500, AGAIN_MS = 100 };

void bar_begin(struct bar *bar, const char *what, bool quiet)
{
    *bar = (struct bar){.what = what,
                        .shown = !quiet && isatty(STDERR_FILENO) == 1,
                        .begun_ms = clock_monotonic() / NS_PER_MS};
    bar->drawn_ms = bar->begun_ms + FIRST_MS - AGAIN_MS;
}

void bar_set(struct bar *bar, uint64_t done, uint64_t total)
{
    const int64_t now = clock_monotonic() / NS_PER_MS;
    const double part = total == 0 ? 1 : (double)done / (double)total;
    const int full = (int)(part * WIDTH);
    const double left = part > 0 ? (double)(now - bar->begun_ms) / 1000 * (1 - part) / part : 0;

    if (!bar->shown || part > 1 || now - bar->drawn_ms < AGAIN_MS)
        return;
    bar->drawn_ms = now;
    bar->drawn = true;
    (void)fprintf(stderr, "\r\033[K%s [%.*s%*s] %3.0f %%  %.0f s left", bar->what, full,
                  "##############################", WIDTH - full, "", part * 100, left);
    (void)fflush(stderr);
}

void bar_end(struct bar *bar)
{
    if (bar->drawn)
        (void)fputs("\r\033[K", stderr);
    bar->drawn = false;
}
