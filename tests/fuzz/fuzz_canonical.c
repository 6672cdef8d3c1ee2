/* fuzz_canonical - any bytes as JSON: what the parser refuses has no canonical text; what it
 * accepts has one that is no longer, holds as many values, is its own canonical text and stays the
 * same however the text is spaced.
 */
#include "json/canonical.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct spaced {
    char *text;
    size_t size;
};

static void *exactly(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1); /* so that any overrun shows */

    if (memory == NULL)
        abort();
    return memory;
}

static void put(struct spaced *out, atamo_bytes bytes)
{
    memcpy(out->text + out->size, bytes.data, bytes.size);
    out->size += bytes.size;
}

/* The text with a line's end before and behind each token: what stands in quotes stays. */
static struct spaced space_out(const char *text, size_t size)
{
    struct spaced out = {exactly(3 * size), 0};
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        const bool token = !quoted && strchr("{}[]:,", text[i]) != NULL && text[i] != '\0';

        if (token)
            put(&out, (atamo_bytes){"\n", 1});
        put(&out, (atamo_bytes){text + i, 1});
        if (token)
            put(&out, (atamo_bytes){"\t", 1});
        if (quoted && text[i] == '\\')
            put(&out, (atamo_bytes){text + ++i, 1});
        else if (text[i] == '"')
            quoted = !quoted;
    }
    return out;
}

static void check_same(struct canonical *canonical, const char *text, size_t size,
                       atamo_bytes expected)
{
    char *out = exactly(size);
    size_t written = 0;

    if (canonical_write(canonical, (atamo_bytes){text, size}, size, out, &written) != ATAMO_OK ||
        written != expected.size || memcmp(out, expected.data, written) != 0)
        abort();
    free(out);
}

static void check_values(struct json_parser *parser, atamo_bytes text, uint32_t count)
{
    struct json_document document;

    if (json_parse(parser, text, text.size, &document, NULL) != ATAMO_OK || document.count != count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_document document = {0};
    struct canonical *canonical;
    struct json_parser *parser;
    char *text = exactly(size);
    char *out = exactly(size);
    size_t written = 0;
    int status;

    if (canonical_open(&canonical) != ATAMO_OK || json_parser_open(&parser) != ATAMO_OK)
        abort();
    memcpy(text, data, size);
    status = canonical_write(canonical, (atamo_bytes){text, size}, size, out, &written);
    if (status != json_parse(parser, (atamo_bytes){text, size}, size, &document, NULL))
        abort();
    if (status == ATAMO_OK) {
        const struct spaced spaced = space_out(text, size);
        const atamo_bytes result = {out, written};

        if (written > size)
            abort();
        check_values(parser, result, document.count);
        check_same(canonical, out, written, result);
        check_same(canonical, spaced.text, spaced.size, result);
        free(spaced.text);
    } else if (written != 0) {
        abort();
    }
    json_parser_close(parser);
    canonical_close(canonical);
    free(text);
    free(out);
    return 0;
}
