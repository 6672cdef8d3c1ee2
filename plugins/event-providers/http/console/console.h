/* console - the web console as files in memory: the page, its scripts and styles, each compressed
 * with gzip when it was built.
 *
 * A server asks console_find() for the path of a request and sends `data` with Content-Encoding:
 * gzip, the type, the ETag and CONSOLE_POLICY. What is not in the table does not exist, so no path
 * leads elsewhere. A console that was not built (ATAMO_CONSOLE=OFF, or no npm) has one page, which
 * says so.
 */
#ifndef HTTP_CONSOLE_H
#define HTTP_CONSOLE_H

#include <stddef.h>

/* Content-Security-Policy: our own files only, nothing written into the page, no frames around it.
 */
#define CONSOLE_POLICY                                                                             \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' " \
    "data:; "                                                                                      \
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct console_file {
    const char *path;          /* begins with "/" */
    const char *type;          /* Content-Type */
    const char *etag;          /* with its quotes, as in the header */
    const unsigned char *data; /* gzip */
    size_t size;
};

/* The file at this path ("/" is "/index.html"), or NULL. The path is compared as it is: decoded,
   and without query. */
const struct console_file *console_find(const char *path);

/* The generated table, in the order of strcmp(). */
extern const struct console_file console_files[];
extern const size_t console_file_count;

#endif
