/* atamo/json.h - the extension "atamo.json/1": read JSON text without a library of your own.
 *
 * A reader belongs to one thread and holds the last document parsed; values are valid until its
 * next parse. Parsing validates everything: malformed text is refused with a reason.
 */
#ifndef ATAMO_JSON_H
#define ATAMO_JSON_H

#include "atamo/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATAMO_JSON_EXTENSION "atamo.json/1"

typedef struct atamo_json_reader atamo_json_reader;

typedef enum atamo_json_kind {
    ATAMO_JSON_MISSING = 0,
    ATAMO_JSON_NULL,
    ATAMO_JSON_FALSE,
    ATAMO_JSON_TRUE,
    ATAMO_JSON_NUMBER,
    ATAMO_JSON_TEXT,
    ATAMO_JSON_OBJECT,
    ATAMO_JSON_ARRAY
} atamo_json_kind;

typedef struct atamo_json_value {
    uint32_t kind;     /* enum atamo_json_kind */
    uint32_t count;    /* of members or items */
    double number;     /* ATAMO_JSON_NUMBER */
    int64_t integer;   /* ATAMO_JSON_NUMBER, if it is one that fits; else 0 */
    atamo_bytes text;  /* ATAMO_JSON_TEXT: unescaped, with a NUL after it */
    atamo_bytes raw;   /* the value as JSON text */
    uint64_t position; /* for find() below this value */
} atamo_json_value;

typedef struct atamo_json {
    uint32_t size;
    int (*open)(const atamo_host *host, atamo_json_reader **reader);
    void (*close)(atamo_json_reader *reader);
    /* Parse; *root is the document. ATAMO_INVALID with a sentence in `why` (capacity 256; may be
     * NULL), ATAMO_TOO_LARGE, ATAMO_NO_MEMORY. The text is copied. */
    int (*parse)(atamo_json_reader *reader, atamo_bytes json, atamo_json_value *root, char *why);
    /* The member `name` of an object; kind ATAMO_JSON_MISSING if there is none. */
    atamo_json_value (*member)(const atamo_json_reader *reader, const atamo_json_value *object,
                               const char *name);
    /* The index-th item of an array or member of an object; *name is the member's (may be NULL). */
    atamo_json_value (*at)(const atamo_json_reader *reader, const atamo_json_value *value,
                           size_t index, atamo_bytes *name);
    /* Write text as a JSON string with quotes, and no NUL, into buffer if it fits. Returns the size
     * needed. */
    size_t (*quote)(atamo_bytes text, char *buffer, size_t capacity);
} atamo_json;

#ifdef __cplusplus
}
#endif

#endif
