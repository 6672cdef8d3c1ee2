/* pages - the console at "/". */
#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include "exchange.h"

/* Answer with the file of that path; false: there is none. */
bool pages_answer(struct exchange *exchange, const char *path);

#endif
