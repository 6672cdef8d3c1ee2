/* canvas - lines with colours that are cut to a width: for a screen and for a file alike.
 *
 * Happy path: pieces of text are added, each in a style, until the line is full; colours are
 * switched off at the end of each piece. A character of several bytes counts as one column. It
 * cannot fail; without memory a piece is missing.
 */
#include "cli/canvas.h"

#include <stdarg.h>
#include <stdio.h>

enum { PIECE_MAX = 512 };

static void add(struct canvas *canvas, const char *text, size_t size)
{
    (void)buffer_add(&canvas->bytes, (atamo_bytes){text, size}, (size_t)1 << 24);
}

static void add_text(struct canvas *canvas, const char *text)
{
    const atamo_bytes bytes = atamo_text(text);

    add(canvas, bytes.data, bytes.size);
}

void canvas_put(struct canvas *canvas, enum canvas_style style, const char *text)
{
    static const char *const styles[] = {"",         "\033[1m",  "\033[2m", "\033[31m",
                                         "\033[32m", "\033[33m", "\033[7m"};
    const bool styled = canvas->colour && style != CANVAS_PLAIN;

    if (styled)
        add_text(canvas, styles[style]);
    for (; *text != '\0'; text++) {
        const bool begins = ((unsigned char)*text & 0xc0) != 0x80;

        if (begins && canvas->at >= canvas->columns)
            break;
        canvas->at += begins;
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            add(canvas, "?", 1);
        else
            add(canvas, text, 1);
    }
    if (styled)
        add_text(canvas, "\033[0m");
}

void canvas_print(struct canvas *canvas, enum canvas_style style, const char *format, ...)
{
    char text[PIECE_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    canvas_put(canvas, style, text);
}

void canvas_end_line(struct canvas *canvas)
{
    add_text(canvas, canvas->screen ? "\033[K\r\n" : "\n");
    canvas->at = 0;
    canvas->rows++;
}
