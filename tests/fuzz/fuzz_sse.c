/* fuzz_sse - any bytes as an event stream: in one piece and in pieces of the size that the first
 * byte says the same events must come out, as long as no limit ends it.
 */
// needs: hub hub/cli/sse.c hub/cli/buffer.c
#include "cli/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static int take(void *user, const struct sse_event *event)
{
    struct buffer *seen = user;

    require(event->name.size > 0 && event->name.size <= MOST && event->data.size <= MOST &&
            event->id.size <= MOST);
    require(memchr(event->id.data, '\0', event->id.size) == NULL);
    require(memchr(event->data.data, '\r', event->data.size) == NULL);
    require(buffer_add(seen, event->name, SIZE_MAX / 2) == ATAMO_OK);
    require(buffer_add(seen, (atamo_bytes){"", 1}, SIZE_MAX / 2) == ATAMO_OK);
    require(buffer_add(seen, event->id, SIZE_MAX / 2) == ATAMO_OK);
    require(buffer_add(seen, (atamo_bytes){"", 1}, SIZE_MAX / 2) == ATAMO_OK);
    return buffer_add(seen, event->data, SIZE_MAX / 2);
}

static int feed(struct buffer *seen, atamo_bytes bytes, size_t piece)
{
    struct sse sse;
    int status = ATAMO_OK;

    sse_open(&sse, MOST, take, seen);
    for (size_t at = 0; at < bytes.size && status == ATAMO_OK; at += piece) {
        const size_t left = bytes.size - at;

        status = sse_feed(&sse, (atamo_bytes){bytes.data + at, left < piece ? left : piece});
    }
    sse_close(&sse);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t piece = size == 0 ? 1 : 1 + data[0] % 32u;
    const atamo_bytes bytes = {(const char *)data + (size > 0), size - (size > 0)};
    struct buffer whole = {.data = NULL}, pieces = {.data = NULL};
    const int first = feed(&whole, bytes, size + 1);
    const int second = feed(&pieces, bytes, piece);

    require(first == second);
    require(whole.size == pieces.size &&
            (whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0));
    buffer_free(&whole);
    buffer_free(&pieces);
    return 0;
}
