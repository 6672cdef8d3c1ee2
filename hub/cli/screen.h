/* screen - the whole terminal, given back as it was however the program ends. */
#ifndef HUB_CLI_SCREEN_H
#define HUB_CLI_SCREEN_H

#include "cli/canvas.h"
#include "cli/signals.h"

#include <stdint.h>
#include <termios.h>

/* What screen_wait() returns beside a key's character. */
enum screen_event { SCREEN_NOTHING = 0, SCREEN_RESIZED = -1, SCREEN_ENDED = -2 };

struct screen {
    struct termios before;
    struct signals signals;
    size_t rows, columns;
    int kept; /* an event that screen_peek() has seen; SCREEN_NOTHING: none */
};

/* Take the terminal on stdin and stdout: alternate screen, keys without echo. False, and nothing is
 * changed, if there is none. */
bool screen_open(struct screen *screen);
void screen_close(struct screen *screen);

/* Until a key, a new size, a signal that ends the program, or the time is over. */
int screen_wait(struct screen *screen, int64_t ms);

/* Is there such an event now? It stays for screen_wait(). */
bool screen_peek(struct screen *screen);

/* Show what was drawn, from the first line on; the canvas is empty afterwards. */
void screen_show(struct canvas *canvas);

#endif
