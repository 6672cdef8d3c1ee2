/* canvas - lines with colours that are cut to a width. */
#ifndef HUB_CLI_CANVAS_H
#define HUB_CLI_CANVAS_H

#include "cli/buffer.h"

#include <stdbool.h>

enum canvas_style {
    CANVAS_PLAIN,
    CANVAS_BOLD,
    CANVAS_DIM,
    CANVAS_RED,
    CANVAS_GREEN,
    CANVAS_YELLOW,
    CANVAS_REVERSE
};

struct canvas {
    struct buffer bytes;
    size_t columns; /* a line's width */
    size_t at;      /* columns that are used in this line */
    size_t rows;    /* lines that have been ended */
    bool colour;
    bool screen; /* lines end with "erase the rest" */
};

/* Add text to the line. What goes beyond the width is left out; control bytes become '?'. Without
 * memory nothing is added. */
void canvas_put(struct canvas *canvas, enum canvas_style style, const char *text);
__attribute__((format(printf, 3, 4))) void canvas_print(struct canvas *canvas,
                                                        enum canvas_style style, const char *format,
                                                        ...);
void canvas_end_line(struct canvas *canvas);

#endif
