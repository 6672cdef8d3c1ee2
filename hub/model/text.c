/* text - what texts of events must be. Checks only; nothing is allocated, nothing can fail. */
#include "model/text.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Length of the UTF-8 sequence at `at`, 0 if it is not one. RFC 3629, section 4. */
static size_t sequence(const unsigned char *at, size_t left)
{
    const unsigned char lead = at[0];
    const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

    if (lead < 0xc2 || lead > 0xf4 || left < size || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Are all eight bytes printable ASCII? Exact for bytes below 0x80; others count as not. */
static bool all_printable(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    const uint64_t control = (word - ones * 0x20) & ~word & tops; /* some byte below 0x20 */
    const uint64_t is_delete = ((word ^ ones * 0x7f) - ones) & ~(word ^ ones * 0x7f) & tops;

    return ((word & tops) | control | is_delete) == 0;
}

bool text_is_clean(atamo_bytes text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.size;

    while (left > 0) {
        size_t size = 1;

        if (left >= 8 && all_printable(hash_load((const char *)at, 8)))
            size = 8;
        else if (at[0] < 0x20 || at[0] == 0x7f)
            return false;
        else if (at[0] >= 0x80)
            size = sequence(at, left);
        if (size == 0 || (at[0] == 0xc2 && at[1] < 0xa0)) /* U+0080 to U+009F */
            return false;
        at += size;
        left -= size;
    }
    return true;
}

bool text_is_attribute_name(atamo_bytes text)
{
    if (text.size == 0 || text.size > 20)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= 'a' && text.data[i] <= 'z') ||
              (text.data[i] >= '0' && text.data[i] <= '9')))
            return false;
    return true;
}

atamo_bytes text_from_time(int64_t unix_ms, char buffer[TEXT_TIME_SIZE])
{
    const int64_t seconds = unix_ms >= 0 ? unix_ms / 1000 : -((999 - unix_ms) / 1000);
    const time_t t = (time_t)seconds;
    struct tm tm;
    int size;

    if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0)
        return (atamo_bytes){"", 0};
    size = snprintf(buffer, TEXT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                    (int)(unix_ms - seconds * 1000));
    return (atamo_bytes){buffer, (size_t)size};
}

/* Read `digits` digits at text->data and step over them; -1 if they are not there. */
static int take_digits(atamo_bytes *text, size_t digits)
{
    int value = 0;

    if (text->size < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return -1;
        value = value * 10 + (text->data[i] - '0');
    }
    text->data += digits;
    text->size -= digits;
    return value;
}

static bool take(atamo_bytes *text, const char *any_of)
{
    if (text->size == 0 || strchr(any_of, text->data[0]) == NULL || text->data[0] == '\0')
        return false;
    text->data++;
    text->size--;
    return true;
}

/* "Z", "+01:00", "-05:30": minutes east of UTC. */
static bool take_offset(atamo_bytes *text, int *minutes)
{
    const bool west = text->size > 0 && text->data[0] == '-';
    int hours;
    int rest;

    *minutes = 0;
    if (take(text, "Zz"))
        return true;
    if (!take(text, "+-"))
        return false;
    hours = take_digits(text, 2);
    if (hours < 0 || hours > 23 || !take(text, ":"))
        return false;
    rest = take_digits(text, 2);
    if (rest < 0 || rest > 59)
        return false;
    *minutes = (hours * 60 + rest) * (west ? -1 : 1);
    return true;
}

static bool take_date(atamo_bytes *text, struct tm *tm)
{
    tm->tm_year = take_digits(text, 4) - 1900;
    if (tm->tm_year < -1900 || !take(text, "-"))
        return false;
    tm->tm_mon = take_digits(text, 2) - 1;
    if (tm->tm_mon < 0 || tm->tm_mon > 11 || !take(text, "-"))
        return false;
    tm->tm_mday = take_digits(text, 2);
    return tm->tm_mday >= 1 && tm->tm_mday <= 31 && take(text, "Tt ");
}

static bool take_clock(atamo_bytes *text, struct tm *tm, int *ms)
{
    int scale = 100;

    *ms = 0;
    tm->tm_hour = take_digits(text, 2);
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || !take(text, ":"))
        return false;
    tm->tm_min = take_digits(text, 2);
    if (tm->tm_min < 0 || tm->tm_min > 59 || !take(text, ":"))
        return false;
    tm->tm_sec = take_digits(text, 2);
    if (tm->tm_sec < 0 || tm->tm_sec > 60)
        return false;
    if (!take(text, "."))
        return true;
    if (text->size == 0 || text->data[0] < '0' || text->data[0] > '9')
        return false;
    for (; text->size > 0 && text->data[0] >= '0' && text->data[0] <= '9'; scale /= 10)
        *ms += take_digits(text, 1) * scale;
    return true;
}

int text_to_time(atamo_bytes text, int64_t *unix_ms)
{
    struct tm tm = {0};
    struct tm check;
    int minutes = 0;
    int ms = 0;
    time_t seconds;

    if (!take_date(&text, &tm) || !take_clock(&text, &tm, &ms) || !take_offset(&text, &minutes) ||
        text.size != 0)
        return ATAMO_INVALID;
    check = tm;
    seconds = timegm(&check);
    if (check.tm_mday != tm.tm_mday) /* the 30th of February */
        return ATAMO_INVALID;
    *unix_ms = ((int64_t)seconds - (int64_t)minutes * 60) * 1000 + ms;
    return ATAMO_OK;
}
