/* screen - the whole terminal, given back as it was however the program ends.
 *
 * Happy path: the alternate screen is switched on, keys come without echo and without Enter;
 * signals are read between two pictures, so that the terminal is given back before any of them
 * takes effect: those that end the program, Ctrl-Z, and a new size. A crash gives it back in a
 * handler, by calls that are allowed there. Fails if stdin or stdout is no terminal.
 */
#include "cli/screen.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Alternate screen on, cursor away, no line breaks by itself; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

enum { COLUMNS_USUAL = 80, ROWS_USUAL = 24 };

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, size);

        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
}

/* The state before is not known here, but how a terminal is usually is. */
static void on_crash(int number)
{
    struct termios state;

    write_all(LEAVE, sizeof LEAVE - 1);
    if (tcgetattr(STDIN_FILENO, &state) == 0) {
        state.c_lflag |= ICANON | ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &state);
    }
    (void)raise(number); /* SA_RESETHAND: as if there were no handler */
}

static void catch_crashes(bool on)
{
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND};

    action.sa_handler = on ? on_crash : SIG_DFL;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaction(crashes[i], &action, NULL);
}

static void measure(struct screen *screen)
{
    struct winsize size = {.ws_row = 0};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;

    screen->rows = known && size.ws_row > 0 ? size.ws_row : ROWS_USUAL;
    screen->columns = known && size.ws_col > 0 ? size.ws_col : COLUMNS_USUAL;
}

static void enter(struct screen *screen)
{
    struct termios state = screen->before;

    state.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    state.c_cc[VMIN] = 0;
    state.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &state);
    write_all(ENTER, sizeof ENTER - 1);
    measure(screen);
}

static void leave(const struct screen *screen)
{
    write_all(LEAVE, sizeof LEAVE - 1);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

bool screen_open(struct screen *screen)
{
    static const int more[] = {SIGWINCH, SIGTSTP, SIGCONT, 0};

    *screen = (struct screen){.kept = SCREEN_NOTHING};
    if (isatty(STDOUT_FILENO) != 1 || tcgetattr(STDIN_FILENO, &screen->before) != 0 ||
        !signals_open(&screen->signals, more))
        return false;
    catch_crashes(true);
    enter(screen);
    return true;
}

void screen_close(struct screen *screen)
{
    leave(screen);
    catch_crashes(false);
    signals_close(&screen->signals);
}

/* Give the terminal back, stop, and take it again when somebody wants us to go on. */
static void suspend(struct screen *screen)
{
    leave(screen);
    (void)raise(SIGSTOP);
    enter(screen);
}

static int take_signal(struct screen *screen)
{
    const int number = signals_next(&screen->signals);

    if (signals_is_end(number))
        return SCREEN_ENDED;
    if (number == SIGTSTP)
        suspend(screen);
    if (number == SIGWINCH)
        measure(screen);
    return number == SIGTSTP || number == SIGWINCH ? SCREEN_RESIZED : SCREEN_NOTHING;
}

static int take_key(void)
{
    unsigned char key;
    const ssize_t size = read(STDIN_FILENO, &key, 1);

    return size == 1 ? key : SCREEN_NOTHING;
}

/* One event, if there is one within the time. */
static int look(struct screen *screen, int64_t ms)
{
    struct pollfd polls[] = {{.fd = screen->signals.fd, .events = POLLIN},
                             {.fd = STDIN_FILENO, .events = POLLIN}};

    if (poll(polls, 2, ms > 1000 ? 1000 : (int)ms) <= 0)
        return SCREEN_NOTHING;
    if (polls[0].revents != 0)
        return take_signal(screen);
    return (polls[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? SCREEN_ENDED : take_key();
}

int screen_wait(struct screen *screen, int64_t ms)
{
    const int64_t end = clock_monotonic() + ms * NS_PER_MS;
    int64_t left = ms;
    int event = screen->kept;

    screen->kept = SCREEN_NOTHING;
    while (event == SCREEN_NOTHING && left >= 0) {
        event = look(screen, left);
        left = (end - clock_monotonic() + NS_PER_MS - 1) / NS_PER_MS;
        left = left == 0 ? -1 : left;
    }
    return event;
}

bool screen_peek(struct screen *screen)
{
    if (screen->kept == SCREEN_NOTHING)
        screen->kept = look(screen, 0);
    return screen->kept != SCREEN_NOTHING;
}

void screen_show(struct canvas *canvas)
{
    const atamo_bytes bytes = buffer_bytes(&canvas->bytes);
    size_t size = bytes.size;

    /* No line's end after the last line: it would move everything up. */
    if (size >= 2 && bytes.data[size - 1] == '\n')
        size -= 2;
    write_all("\033[H", 3);
    write_all(bytes.data, size);
    write_all("\033[J", 3);
    buffer_empty(&canvas->bytes);
    canvas->at = 0;
    canvas->rows = 0;
}
