/* scan - the one face to simdjson and to C++: where the tokens of a JSON text begin, and decimal
 * numbers both ways.
 *
 * Thread: a scanner belongs to one thread at a time; the number functions to any.
 */
#ifndef HUB_JSON_SCAN_H
#define HUB_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SCAN_BYTES_MAX = 1 << 28,  /* of one text */
    SCAN_NUMBER_TEXT_MAX = 32, /* bytes that scan_shortest() may write */
};

enum scan_result {
    SCAN_OK,
    SCAN_EMPTY,
    SCAN_NOT_UTF8,
    SCAN_OPEN_STRING,  /* a string does not end */
    SCAN_CONTROL_BYTE, /* a byte below 0x20 inside a string */
    SCAN_TOO_LARGE,
    SCAN_NO_MEMORY,
};

struct scanner;

/* NULL without memory. */
struct scanner *scanner_open(void);
void scanner_close(struct scanner *s);

/* Find the first byte of every token of `text`: { } [ ] : , and the start of each string, number
 * and word. Checks UTF-8 and that strings end; nothing else. Reads
 * nothing past `size`. On SCAN_OK *starts has *count offsets, followed by one that is
 * `size`; they last until the next call. */
enum scan_result scanner_run(struct scanner *s, const char *text, size_t size,
                             const uint32_t **starts, size_t *count);

bool scan_is_utf8(const char *text, size_t size);

/* The double nearest to a decimal number (JSON's grammar, checked by the caller). False if it is
 * out of range. */
bool scan_double(const char *text, size_t size, double *number);

/* The shortest decimal text that reads back as this finite double, as digits and exponent
 * ("1.5e+300"). Returns its size. */
size_t scan_shortest(double number, char text[SCAN_NUMBER_TEXT_MAX]);

#ifdef __cplusplus
}
#endif

#endif
