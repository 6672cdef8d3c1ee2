/* text_match - prefixes, suffixes and wildcards.
 *
 * A wildcard is matched with one resumption point, behind the last '*': the shortest text for each
 * star is always good enough, so no other need be tried. Cost is at most text times wildcard.
 */
#include "rules/text_match.h"

#include <string.h>

static bool same(const char *a, const char *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

bool text_has_prefix(atamo_bytes text, atamo_bytes prefix)
{
    if (prefix.size <= text.size)
        return same(text.data, prefix.data, prefix.size);
    return prefix.size == text.size + 1 && prefix.data[text.size] == '"' &&
           same(text.data, prefix.data, text.size);
}

bool text_has_suffix(atamo_bytes text, atamo_bytes suffix)
{
    if (suffix.size <= text.size)
        return same(text.data + text.size - suffix.size, suffix.data, suffix.size);
    return suffix.size == text.size + 1 && suffix.data[0] == '"' &&
           same(text.data, suffix.data + 1, text.size);
}

const char *text_check_wildcard(atamo_bytes wildcard)
{
    for (size_t i = 0; i < wildcard.size; i++) {
        const char next = (char)(i + 1 < wildcard.size ? wildcard.data[i + 1] : '\0');

        if (wildcard.data[i] == '*' && next == '*')
            return "no two '*' in a row";
        if (wildcard.data[i] != '\\')
            continue;
        if (next != '*' && next != '\\')
            return "'*' or '\\' after a '\\'";
        i++;
    }
    return NULL;
}

bool text_fits_wildcard(atamo_bytes text, atamo_bytes wildcard)
{
    size_t at = 0;
    size_t w = 0;
    size_t resume_at = 0;
    size_t resume_w = 0; /* 0: no star yet; else behind it */

    while (at < text.size || w < wildcard.size) {
        const bool escaped = w < wildcard.size && wildcard.data[w] == '\\';
        const size_t letter = w + escaped;

        if (w < wildcard.size && wildcard.data[w] == '*') {
            resume_w = ++w;
            resume_at = at;
        } else if (letter < wildcard.size && at < text.size &&
                   text.data[at] == wildcard.data[letter]) {
            at++;
            w = letter + 1;
        } else if (resume_w > 0 && resume_at < text.size) {
            at = ++resume_at;
            w = resume_w;
        } else {
            return false;
        }
    }
    return true;
}
