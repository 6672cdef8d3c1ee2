/* yaml_edges - what stands before and after the one document of an input.
 *
 * libyaml reads all directives before its first event and compares each %TAG with all others, so
 * many of them take it seconds; and it starts the next document when asked for the event after the
 * end. Both are looked at here instead, in the bytes.
 */
#ifndef HUB_YAML_YAML_EDGES_H
#define HUB_YAML_YAML_EDGES_H

#include "base/arena.h"
#include "base/problems.h"

/* Refuse %TAG directives before the document. ATAMO_OK or ATAMO_INVALID; sets line and column of
 * *place, and *sentence, if refused. */
int yaml_edges_before(atamo_bytes input, struct place *place, const char **sentence);

/* Refuse anything but comments and "..." after the document, which ended `characters` (not bytes)
 * into the input at *place. */
int yaml_edges_after(atamo_bytes input, size_t characters, struct place *place,
                     const char **sentence);

/* The line and column of a byte, from 1. */
void yaml_edges_locate(atamo_bytes input, size_t offset, struct place *place);

#endif
