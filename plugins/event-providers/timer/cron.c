/* cron - a time pattern of five fields and its next match.
 *
 * Each field becomes a set of bits. The next match is found by stepping from the coarsest part that
 * does not fit to the start of the next one: month, day, hour, minute; so it takes some hundred
 * steps at most. Fails for a field that is not understood, and for a day that never comes.
 */
#include "cron.h"

#include <atamo/status.h>

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { FIELDS = 5, MINUTE = 60, HOUR = 3600, FOREVER = 9 * 366 * 86400 };

struct field {
    const char *name;
    unsigned min, max;
    const char *names; /* three letters each */
    unsigned first;    /* the value of the first name */
};

static const struct field fields[FIELDS] = {
    {"minute", 0, 59, "", 0},
    {"hour", 0, 23, "", 0},
    {"day", 1, 31, "", 0},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1},
    {"weekday", 0, 7, "sunmontuewedthufrisat", 0},
};

static bool read_number(const char **at, unsigned *value)
{
    unsigned number = 0;

    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at) && number < 1000; (*at)++)
        number = number * 10 + (unsigned)(**at - '0');
    *value = number;
    return true;
}

/* A number or a name, within the field's bounds. */
static bool read_value(const struct field *field, const char **at, unsigned *value)
{
    if (read_number(at, value))
        return *value >= field->min && *value <= field->max;
    for (size_t i = 0; field->names[i] != '\0'; i += 3) {
        if (strncasecmp(*at, field->names + i, 3) != 0)
            continue;
        *value = field->first + (unsigned)(i / 3);
        *at += 3;
        return true;
    }
    return false;
}

/* One item of a list: star or value or range, with an optional step. */
static bool read_item(const struct field *field, const char **at, uint64_t *bits)
{
    unsigned low = field->min;
    unsigned high = field->max;
    unsigned step = 1;

    if (**at == '*') {
        (*at)++;
    } else {
        if (!read_value(field, at, &low))
            return false;
        high = low;
        if (**at == '-') {
            (*at)++;
            if (!read_value(field, at, &high))
                return false;
            if (field->max == 7 && high == 0)
                high = 7; /* fri-sun */
        } else if (**at == '/') {
            high = field->max;
        }
    }
    if (**at == '/') {
        (*at)++;
        if (!read_number(at, &step) || step == 0)
            return false;
    }
    for (unsigned value = low; value <= high; value += step)
        *bits |= UINT64_C(1) << value;
    return low <= high;
}

/* A whole field, up to a blank or the end. */
static bool read_field(const struct field *field, const char **at, uint64_t *bits)
{
    for (*bits = 0; read_item(field, at, bits); (*at)++)
        if (**at != ',')
            return **at == '\0' || isblank((unsigned char)**at);
    return false;
}

static const char *skip_blanks(const char *at)
{
    while (isblank((unsigned char)*at))
        at++;
    return at;
}

int cron_parse(const char *text, struct cron *cron, char *why)
{
    uint64_t bits[FIELDS];
    bool stars[FIELDS];
    const char *at = text;

    for (size_t i = 0; i < FIELDS; i++) {
        at = skip_blanks(at);
        stars[i] = *at == '*';
        if (!read_field(&fields[i], &at, &bits[i])) {
            (void)snprintf(why, CRON_WHY, "the %s is missing or not understood (%u to %u)",
                           fields[i].name, fields[i].min, fields[i].max);
            return ATAMO_INVALID;
        }
    }
    if (*skip_blanks(at) != '\0') {
        (void)snprintf(why, CRON_WHY, "more than five fields");
        return ATAMO_INVALID;
    }
    if ((bits[4] & UINT64_C(1) << 7) != 0)
        bits[4] |= 1;
    cron->minutes = bits[0];
    cron->hours = bits[1];
    cron->days = bits[2];
    cron->months = bits[3];
    cron->weekdays = bits[4];
    cron->either_day = !stars[2] && !stars[4];
    return ATAMO_OK;
}

static bool has(uint64_t bits, int value)
{
    return (bits >> (unsigned)value & 1) != 0;
}

static bool day_fits(const struct cron *cron, const struct tm *date)
{
    const bool day = has(cron->days, date->tm_mday);
    const bool weekday = has(cron->weekdays, date->tm_wday);

    return cron->either_day ? day || weekday : day && weekday;
}

/* Midnight `months` and `days` after that day; later than `from` whatever the zone's clock does. */
static time_t midnight(const struct tm *date, int months, int days, bool local, time_t from)
{
    struct tm to = {.tm_year = date->tm_year,
                    .tm_mon = date->tm_mon + months,
                    .tm_mday = months > 0 ? 1 : date->tm_mday + days,
                    .tm_isdst = -1};
    const time_t time = local ? mktime(&to) : timegm(&to);

    return time > from ? time : from + HOUR;
}

int cron_next(const struct cron *cron, int64_t after, bool local, int64_t *next)
{
    time_t at = (time_t)(after - after % MINUTE + MINUTE);
    const time_t end = at + FOREVER;
    struct tm date;

    assert(after >= 0);
    while (at < end) {
        if ((local ? localtime_r(&at, &date) : gmtime_r(&at, &date)) == NULL)
            break;
        if (!has(cron->months, date.tm_mon + 1)) {
            at = midnight(&date, 1, 0, local, at);
        } else if (!day_fits(cron, &date)) {
            at = midnight(&date, 0, 1, local, at);
        } else if (!has(cron->hours, date.tm_hour)) {
            at += HOUR - date.tm_min * MINUTE;
        } else if (!has(cron->minutes, date.tm_min)) {
            at += MINUTE;
        } else {
            *next = at;
            return ATAMO_OK;
        }
    }
    return ATAMO_NOT_FOUND;
}
