/* text_match - prefixes, suffixes and wildcards, as event-ruler matches them.
 *
 * event-ruler compares JSON text with its quotes on. That shows in two corners, kept so that both
 * engines agree: a prefix may end, and a suffix may begin, with the quote around the value.
 */
#ifndef HUB_RULES_TEXT_MATCH_H
#define HUB_RULES_TEXT_MATCH_H

#include <atamo/status.h>

#include <stdbool.h>

bool text_has_prefix(atamo_bytes text, atamo_bytes prefix);
bool text_has_suffix(atamo_bytes text, atamo_bytes suffix);

/* What is wrong with a wildcard, or NULL: "**", or a backslash before something else than '*' and
 * another backslash. */
const char *text_check_wildcard(atamo_bytes wildcard);

/* '*' stands for any bytes, also none; "\*" and "\\" for themselves. */
bool text_fits_wildcard(atamo_bytes text, atamo_bytes wildcard);

#endif
