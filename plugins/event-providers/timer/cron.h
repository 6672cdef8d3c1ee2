/* cron - a time pattern of five fields, "minute hour day month weekday", and its next match.
 *
 * A field is a list of `*`, `5`, `1-5`, each with an optional step: star/15, `9-17/2`. Months and
 * weekdays also have English names of three letters; Sunday is 0 or 7. As in POSIX crontab, if
 * both day and weekday are restricted a day matches that fits either.
 */
#ifndef PLUGINS_TIMER_CRON_H
#define PLUGINS_TIMER_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRON_WHY = 128 };

/* One bit for each value that matches. */
struct cron {
    uint64_t minutes;
    uint64_t hours;
    uint64_t days;
    uint64_t months;
    uint64_t weekdays;
    bool either_day; /* both day and weekday are restricted */
};

/* Read a pattern. ATAMO_INVALID with a sentence in `why` (CRON_WHY bytes). Thread: any. */
int cron_parse(const char *text, struct cron *cron, char *why);

/* The first matching minute after `after`, both Unix seconds, in UTC or in the process's time zone.
 * ATAMO_NOT_FOUND if there is none in the next nine years ("0 0 30 2 *"). Thread: any. */
int cron_next(const struct cron *cron, int64_t after, bool local, int64_t *next);

#endif
