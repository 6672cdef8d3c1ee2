/* yaml_json - text as the inside of a JSON string. */
#ifndef HUB_YAML_YAML_JSON_H
#define HUB_YAML_YAML_JSON_H

#include <atamo/status.h>

/* Write UTF-8 text escaped for the inside of a JSON string (RFC 8259, section 7), without quotes.
 * Returns the bytes written; with `out` NULL only counts. At most 6 bytes for each byte of text. */
size_t yaml_json_escape(char *out, atamo_bytes text);

#endif
