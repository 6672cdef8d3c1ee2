/* sse - server-sent events, as the HTML standard has them (section 9.2.6, "interpreting an event
 * stream").
 *
 * Happy path: bytes gather until a line ends in LF, CR or CRLF; `data`, `event` and `id` lines fill
 * an event, an empty line sends it off. Comments and fields that are not known are passed over, so
 * is `retry`: the caller backs off by itself. An event that was not sent off when the stream ends
 * is none. Lines and events are bounded; whoever exceeds that ends the reading.
 */
#include "cli/sse.h"

#include <string.h>

void sse_open(struct sse *sse, size_t most, sse_take take, void *user)
{
    *sse = (struct sse){.most = most, .take = take, .user = user};
}

void sse_close(struct sse *sse)
{
    buffer_free(&sse->line);
    buffer_free(&sse->data);
    buffer_free(&sse->name);
    buffer_free(&sse->id);
}

static int set(struct sse *sse, struct buffer *buffer, atamo_bytes value)
{
    buffer_empty(buffer);
    return buffer_add(buffer, value, sse->most);
}

static int add_data(struct sse *sse, atamo_bytes value)
{
    int status = ATAMO_OK;

    if (sse->has_data)
        status = buffer_add(&sse->data, (atamo_bytes){"\n", 1}, sse->most);
    sse->has_data = true;
    return status == ATAMO_OK ? buffer_add(&sse->data, value, sse->most) : status;
}

static int send_off(struct sse *sse)
{
    const struct sse_event event = {
        .name = sse->name.size == 0 ? atamo_text("message") : buffer_bytes(&sse->name),
        .data = buffer_bytes(&sse->data),
        .id = buffer_bytes(&sse->id),
    };
    const int status = sse->has_data ? sse->take(sse->user, &event) : ATAMO_OK;

    sse->has_data = false;
    buffer_empty(&sse->data);
    buffer_empty(&sse->name);
    return status;
}

static bool is(atamo_bytes text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static int take_line(struct sse *sse, atamo_bytes line)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *colon;
    atamo_bytes field, value = {"", 0};

    if (!sse->begun && line.size >= 3 && memcmp(line.data, mark, 3) == 0)
        line = (atamo_bytes){line.data + 3, line.size - 3};
    sse->begun = true;
    if (line.size == 0)
        return send_off(sse);
    colon = memchr(line.data, ':', line.size);
    field = (atamo_bytes){line.data, colon == NULL ? line.size : (size_t)(colon - line.data)};
    if (colon != NULL)
        value = (atamo_bytes){colon + 1, line.size - field.size - 1};
    if (value.size > 0 && value.data[0] == ' ')
        value = (atamo_bytes){value.data + 1, value.size - 1};
    if (is(field, "data"))
        return add_data(sse, value);
    if (is(field, "event"))
        return set(sse, &sse->name, value);
    if (is(field, "id") && memchr(value.data, '\0', value.size) == NULL)
        return set(sse, &sse->id, value);
    return ATAMO_OK;
}

/* The bytes before the end of a line, or all. */
static size_t until_end(atamo_bytes bytes)
{
    size_t size = 0;

    while (size < bytes.size && bytes.data[size] != '\n' && bytes.data[size] != '\r')
        size++;
    return size;
}

int sse_feed(struct sse *sse, atamo_bytes bytes)
{
    int status = ATAMO_OK;

    while (bytes.size > 0 && status == ATAMO_OK) {
        size_t size = until_end(bytes);

        if (sse->skip_lf && bytes.data[0] == '\n') {
            sse->skip_lf = false;
            bytes = (atamo_bytes){bytes.data + 1, bytes.size - 1};
            continue;
        }
        sse->skip_lf = false;
        status = buffer_add(&sse->line, (atamo_bytes){bytes.data, size}, sse->most);
        if (status == ATAMO_OK && size < bytes.size) {
            sse->skip_lf = bytes.data[size++] == '\r';
            status = take_line(sse, buffer_bytes(&sse->line));
            buffer_empty(&sse->line);
        }
        bytes = (atamo_bytes){bytes.data + size, bytes.size - size};
    }
    return status;
}
