/* openapi - GET /openapi.json: the description of this service, as it was built in. */
#include "routes.h"
#include "server.h"

extern const char openapi_text[];
extern const unsigned long openapi_size;

void openapi_get(struct exchange *exchange)
{
    struct text text = {0};

    text_add(&text, openapi_text, openapi_size);
    exchange_send_json(exchange, MHD_HTTP_OK, &text);
}
