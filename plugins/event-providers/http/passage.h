/* passage - the way of a request: what the HTTP library calls; `user` is the server. */
#ifndef HTTP_PASSAGE_H
#define HTTP_PASSAGE_H

#include "exchange.h"

/* The request line is there: the exchange begins, and ends with its connection's part in it. */
void *passage_begin(void *user, const char *target, struct MHD_Connection *connection);
enum MHD_Result passage_go_on(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **place);
void passage_end(void *user, struct MHD_Connection *connection, void **place,
                 enum MHD_RequestTerminationCode how);

#endif
