/* progress - a bar on standard error. It is drawn at most ten times a second and fits the
 * terminal's width; nothing here can fail. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    WORTH_IT = 1 << 20,
    DRAW_MS = 100,
    BAR_MIN = 5,
    BAR_MAX = 40,
    BAR_FRAME = 3,
    NAME_MAX_BYTES = 16
};

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

static size_t columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* How many bytes of the name fit. A character has no more columns than bytes, and is not cut. */
static size_t name_size(const char *name, size_t room)
{
    size_t size = strnlen(name, room < NAME_MAX_BYTES ? room : NAME_MAX_BYTES);

    while (size > 0 && ((unsigned char)name[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* " [###...]", or nothing where there is too little room. */
static void write_bar(char *bar, size_t room, double part)
{
    const size_t most = room < BAR_FRAME ? 0 : room - BAR_FRAME;
    const size_t width = most > BAR_MAX ? BAR_MAX : most;

    bar[0] = '\0';
    if (width < BAR_MIN)
        return;
    memcpy(bar, " [", 2);
    memset(bar + 2, '.', width);
    memset(bar + 2, '#', (size_t)(part * (double)width));
    memcpy(bar + 2 + width, "]", 2);
}

/* The last column stays free: some terminals wrap as soon as it is written. Where it is narrow,
 * speed and time go first, then the bar, then the name. */
static void draw(const struct progress *progress, int64_t now)
{
    const double part = (double)progress->done / (double)progress->total;
    const double seconds = (double)(now - progress->started) / 1000.0 + 0.001;
    const double speed = (double)progress->done / seconds;
    size_t room = columns() - 1;
    char bar[BAR_MAX + BAR_FRAME + 1];
    char tail[128];
    size_t name;

    (void)snprintf(tail, sizeof tail, " %3.0f%% %.1f MB/s %.0f s left", part * 100.0, speed / 1e6,
                   (double)(progress->total - progress->done) / speed);
    if (strlen(tail) + NAME_MAX_BYTES + BAR_FRAME + BAR_MIN > room)
        (void)snprintf(tail, sizeof tail, " %3.0f%%", part * 100.0);
    if (strlen(tail) > room)
        return;
    room -= strlen(tail);
    name = name_size(progress->what, room);
    write_bar(bar, room - name, part);
    (void)fprintf(stderr, "\r\033[K%.*s%s%s", (int)name, progress->what, bar, tail);
    (void)fflush(stderr);
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
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
    }
    progress->shown = false;
}
