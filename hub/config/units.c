/* units - rates as people write them, durations and sizes written back. */
#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", INT64_C(1000000000)},
    {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)},
    {"d", INT64_C(86400000000000)},
};

static const struct unit sizes[] = {
    {"B", 1},
    {"KiB", 1024},
    {"MiB", 1048576},
    {"GiB", 1073741824},
};

int units_rate(atamo_bytes text, int64_t *per_second)
{
    int64_t number = 0;
    size_t at = 0;

    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.data[at] - '0', &number))
            return ATAMO_INVALID;
    if (at == 0 || text.size - at != 2 || text.data[at] != '/' || text.data[at + 1] != 's')
        return ATAMO_INVALID;
    *per_second = number;
    return ATAMO_OK;
}

static const char *write(int64_t value, const struct unit *units, size_t count,
                         char text[UNITS_TEXT_MAX])
{
    const struct unit *best = &units[0];

    for (size_t i = 0; i < count; i++)
        if (value != 0 && value % units[i].factor == 0)
            best = &units[i];
    (void)snprintf(text, UNITS_TEXT_MAX, "%" PRId64 "%s", value / best->factor,
                   value == 0 ? "" : best->name);
    return text;
}

const char *units_duration_text(int64_t ns, char text[UNITS_TEXT_MAX])
{
    return write(ns, durations, sizeof durations / sizeof durations[0], text);
}

const char *units_size_text(int64_t bytes, char text[UNITS_TEXT_MAX])
{
    return write(bytes, sizes, sizeof sizes / sizeof sizes[0], text);
}

const char *units_count_text(int64_t count, char text[UNITS_TEXT_MAX])
{
    (void)snprintf(text, UNITS_TEXT_MAX, "%" PRId64, count);
    return text;
}
