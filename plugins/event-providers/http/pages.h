/* pages - the console at "/". */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include "exchange.h"

/* Is there a file of that path? */
bool pages_has(const char *path);

/* Answer with the file whose path is the exchange's id. */
void pages_get(struct exchange *exchange);

#endif
