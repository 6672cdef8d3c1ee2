/* progress - a bar on standard error. It is drawn at most ten times a second and fits the
 * terminal's width; nothing here can fail. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { WORTH_IT = 1 << 20, DRAW_MS = 100, WIDTH_MAX = 40 };

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
    progress->shown = total >= WORTH_IT && isatty(STDERR_FILENO) == 1;
    progress->what = what;
    progress->total = total;
    progress->started = now_ms();
}

/* How many characters the bar itself may have. */
static int bar_width(void)
{
    struct winsize size;
    int width = 80;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    width -= 40;
    return width < 5 ? 5 : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static void draw(const struct progress *progress, int64_t now)
{
    const double part = (double)progress->done / (double)progress->total;
    const double seconds = (double)(now - progress->started) / 1000.0 + 0.001;
    const double speed = (double)progress->done / seconds;
    const int width = bar_width();
    char bar[WIDTH_MAX + 1];

    memset(bar, '.', sizeof bar);
    memset(bar, '#', (size_t)(part * width));
    bar[width] = '\0';
    (void)fprintf(stderr, "\r\033[K%.16s [%s] %3.0f%% %.1f MB/s %.0f s left", progress->what, bar,
                  part * 100.0, speed / 1e6, (double)(progress->total - progress->done) / speed);
}

void progress_add(struct progress *progress, uint64_t bytes)
{
    const int64_t now = progress->shown ? now_ms() : 0;

    progress->done += bytes;
    if (!progress->shown || now - progress->drawn < DRAW_MS || progress->done > progress->total)
        return;
    progress->drawn = now;
    draw(progress, now);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        (void)fputs("\r\033[K", stderr);
    progress->shown = false;
}
