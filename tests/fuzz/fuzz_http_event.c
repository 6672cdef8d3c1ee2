/* fuzz_http_event - any bytes as headers and body of a POST to the plugin `http`: lines up to an
 * empty one are headers, the rest is the body; a first byte '!' means that a token came with it.
 * Either the events are read, each with a type and with the token's user, or the exchange is
 * answered once; what is counted is what is visited; the data of a binary event is the body.
 *
 * The plugin exports nothing but its table, so sources of it are part of this program; of the HTTP
 * library only the visit of the headers is needed, which is made here.
 */
// needs: plugins/event-providers/http plugins/event-providers/http/draft.c
// needs: plugins/event-providers/http/percent.c plugins/event-providers/http/text.c
#include "draft.h"
#include "percent.h"
#include "plugin/json_extension.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 64 };

struct header {
    char *name, *value; /* followed by a NUL, as the library's are */
};

static struct {
    struct header headers[HEADERS_MAX];
    size_t count;
    unsigned answers;
} fake;

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* --- what the sources want of the rest of the plugin and of the library */

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    (void)exchange;
    for (size_t i = 0; i < fake.count; i++)
        if (strcasecmp(fake.headers[i].name, name) == 0)
            return fake.headers[i].value;
    return NULL;
}

void exchange_problem(struct exchange *exchange, unsigned status, const char *format, ...)
{
    (void)exchange;
    require(status >= 400 && status < 600 && format != NULL);
    fake.answers++;
}

void exchange_failed(struct exchange *exchange, int status, const char *what)
{
    (void)exchange;
    require(status != ATAMO_OK && what != NULL);
    fake.answers++;
}

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *user)
{
    (void)connection;
    for (size_t i = 0; i < fake.count; i++) {
        const struct header *header = &fake.headers[i];

        if (iterator(user, kind, header->name, strlen(header->name), header->value,
                     strlen(header->value)) != MHD_YES)
            break;
    }
    return (int)fake.count;
}

/* --- the request */

static char *copy(const char *text, size_t size)
{
    char *copied = malloc(size + 1);

    require(copied != NULL);
    memcpy(copied, text, size);
    copied[size] = '\0';
    return copied;
}

/* The headers; returns what is behind them. */
static atamo_bytes take_headers(atamo_bytes text)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, '\n', text.size);
        const size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        const char *colon = memchr(text.data, ':', size);

        if (colon != NULL && fake.count < HEADERS_MAX) {
            struct header *header = &fake.headers[fake.count++];
            const char *value = colon + 1;

            while (value < text.data + size && *value == ' ')
                value++;
            header->name = copy(text.data, (size_t)(colon - text.data));
            header->value = copy(value, (size_t)(text.data + size - value));
        }
        text.data += end == NULL ? size : size + 1;
        text.size -= end == NULL ? size : size + 1;
        if (size == 0)
            break;
    }
    return text;
}

static void forget_headers(void)
{
    while (fake.count > 0) {
        fake.count--;
        free(fake.headers[fake.count].name);
        free(fake.headers[fake.count].value);
    }
    fake.answers = 0;
}

/* --- what must hold */

struct visit {
    const struct exchange *exchange;
    size_t count;
};

static int look(void *user, const atamo_event_draft *draft, size_t index)
{
    struct visit *visit = user;
    const struct exchange *exchange = visit->exchange;

    require(index == visit->count++);
    require(draft->type.size > 0);
    if (exchange->user[0] != '\0')
        require(draft->user.size == strlen(exchange->user) &&
                memcmp(draft->user.data, exchange->user, draft->user.size) == 0 &&
                draft->tenant.size == 0);
    if (draft->data.data == exchange->body.data)
        require(draft->data.size == exchange->body.size);
    return ATAMO_OK;
}

static void read_events(struct exchange *exchange)
{
    struct visit visit = {.exchange = exchange};
    bool batch = false;
    const int64_t count = drafts_count(exchange, &batch);

    if (count < 0) {
        require(fake.answers == 1);
        return;
    }
    require(fake.answers == 0 && (batch || count == 1));
    if (drafts_visit(exchange, look, &visit) == ATAMO_OK)
        require(fake.answers == 0 && visit.count == (size_t)count);
    else
        require(fake.answers == 1 && !batch);
}

static void check_percent(atamo_bytes text)
{
    char *out = malloc(text.size + 1);
    bool bad = false;
    size_t size;

    require(out != NULL);
    size = percent_decode(text, out, &bad);
    require(size <= text.size);
    if (text.size == 0 || memchr(text.data, '%', text.size) == NULL)
        require(!bad && size == text.size && (size == 0 || memcmp(out, text.data, size) == 0));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const atamo_control control = {.size = sizeof control, .reader_read = atamo_reader_read};
    struct server server = {.control = &control, .json = json_extension()};
    struct exchange exchange = {.server = &server};
    atamo_bytes body = {(const char *)data, size};

    check_percent(body);
    if (size > 0 && data[0] == '!') {
        memcpy(exchange.user, "anna", sizeof "anna");
        body.data++;
        body.size--;
    }
    body = take_headers(body);
    text_add(&exchange.body, body.data, body.size);
    require(!exchange.body.failed && atamo_reader_open(&server.reader) == ATAMO_OK);
    read_events(&exchange);
    atamo_reader_close(server.reader);
    text_free(&exchange.body);
    forget_headers();
    return 0;
}
