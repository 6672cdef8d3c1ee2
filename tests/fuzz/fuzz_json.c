/* fuzz_json - any bytes as JSON: parsed or refused; what is accepted can be walked, its texts are
 * UTF-8 and each value's own text is JSON again.
 */
#include "json/json.h"
#include "json/scan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct json_document *d)
{
    for (uint32_t at = 0; at < d->count; at++) {
        const atamo_bytes raw = json_raw(d, at);
        double number;
        int64_t integer;

        if (raw.size == 0 || json_next(d, at) <= at || json_next(d, at) > d->count)
            abort();
        if (json_kind_of(d, at) == JSON_TEXT) {
            const atamo_bytes text = json_text(d, at);

            if (!scan_is_utf8(text.data, text.size))
                abort();
        } else if (json_kind_of(d, at) == JSON_NUMBER) {
            (void)json_double(raw, &number);
            (void)json_int64(raw, &integer);
        } else {
            (void)json_count(d, at);
            (void)json_member(d, at, atamo_text("a"));
            (void)json_element(d, at, 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_document document;
    struct json_problem problem;
    struct json_parser *parser;
    struct json_parser *again;
    char *exact = malloc(size + 1); /* so that any overrun shows */

    if (exact == NULL || json_parser_open(&parser) != ATAMO_OK)
        abort();
    if (json_parser_open(&again) != ATAMO_OK)
        abort();
    memcpy(exact, data, size);
    if (json_parse(parser, (atamo_bytes){exact, size}, size, &document, &problem) == ATAMO_OK) {
        const uint32_t middle = document.count / 2;
        struct json_document part;
        atamo_bytes raw;

        walk(&document);
        raw = json_raw(&document, middle);
        if (json_parse(again, raw, raw.size, &part, NULL) != ATAMO_OK)
            abort();
    } else if (problem.reason == NULL) {
        abort();
    }
    json_parser_close(parser);
    json_parser_close(again);
    free(exact);
    return 0;
}
