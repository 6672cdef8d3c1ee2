/* level - which log level a line of a worker's stderr has.
 *
 * Three spellings are known, which between them cover what most logging libraries write:
 * "[warn] text", "Error: text" or "ERROR:module:text", and "DEBUG text", this one in capitals only,
 * as a sentence may begin with "Error" or "Info".
 */
#include "level.h"

#include <atamo/plugin.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *word;
    int level;
} words[] = {
    {"debug", ATAMO_LOG_DEBUG}, {"trace", ATAMO_LOG_DEBUG}, {"info", ATAMO_LOG_INFO},
    {"notice", ATAMO_LOG_INFO}, {"warn", ATAMO_LOG_WARN},   {"warning", ATAMO_LOG_WARN},
    {"error", ATAMO_LOG_ERROR}, {"err", ATAMO_LOG_ERROR},   {"critical", ATAMO_LOG_ERROR},
    {"fatal", ATAMO_LOG_ERROR},
};
enum { WORDS = sizeof words / sizeof words[0] };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int level_of_word(atamo_bytes word)
{
    for (size_t i = 0; i < WORDS; i++)
        if (strlen(words[i].word) == word.size &&
            strncasecmp(words[i].word, word.data, word.size) == 0)
            return words[i].level;
    return -1;
}

/* The letters at the beginning of a text. */
static atamo_bytes first_word(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && is_letter(*at))
        at++;
    return (atamo_bytes){from, (size_t)(at - from)};
}

static bool is_capital(atamo_bytes word)
{
    for (size_t i = 0; i < word.size; i++)
        if (word.data[i] > 'Z')
            return false;
    return word.size > 0;
}

int level_of_line(atamo_bytes line, atamo_bytes *text)
{
    const char *end = line.data + line.size;
    const bool bracket = line.size > 0 && line.data[0] == '[';
    const atamo_bytes word = first_word(line.data + (bracket ? 1 : 0), end);
    const char *behind = word.data + word.size;
    const bool is_end = behind == end; /* a level alone is a text */
    const int level = level_of_word(word);

    *text = line;
    if (level < 0 || is_end ||
        !(bracket ? *behind == ']' : *behind == ':' || (*behind == ' ' && is_capital(word))))
        return ATAMO_LOG_INFO;
    behind++;
    while (behind < end && *behind == ' ')
        behind++;
    *text = (atamo_bytes){behind, (size_t)(end - behind)};
    return level;
}
