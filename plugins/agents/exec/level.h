/* level - which log level a line of a worker's stderr has. */
#ifndef EXEC_LEVEL_H
#define EXEC_LEVEL_H

#include <atamo/status.h>

/* "warning", "ERROR": an ATAMO_LOG_*, or -1 if it is no level. Case does not matter. */
int level_of_word(atamo_bytes word);

/* The level of a line by how it begins, "[warn] ", "ERROR: ", "DEBUG "; *text is what follows. A
 * line without one is ATAMO_LOG_INFO, and *text is all of it. */
int level_of_line(atamo_bytes line, atamo_bytes *text);

#endif
