/* quantity - durations and sizes as people write them. Only whole texts are taken; what overflows
 * 63 bits is refused. */
#include "plugin/quantity.h"

#include <string.h>

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
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"KiB", 1024},
    {"MiB", INT64_C(1024) * 1024},
    {"GiB", INT64_C(1024) * 1024 * 1024},
};

/* Digits at the front of the text; steps over them. */
static int take_number(atamo_bytes *text, int64_t *number)
{
    int64_t value = 0;
    size_t digits = 0;

    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text->data[digits] - '0', &value))
            return ATAMO_INVALID;
        digits++;
    }
    if (digits == 0)
        return ATAMO_INVALID;
    text->data += digits;
    text->size -= digits;
    *number = value;
    return ATAMO_OK;
}

/* Letters at the front of the text, as one of the units; steps over them. */
static int take_unit(atamo_bytes *text, const struct unit *units, size_t count, int64_t *factor)
{
    size_t letters = 0;

    while (letters < text->size && (text->data[letters] < '0' || text->data[letters] > '9'))
        letters++;
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) != letters || memcmp(units[i].name, text->data, letters) != 0)
            continue;
        text->data += letters;
        text->size -= letters;
        *factor = units[i].factor;
        return ATAMO_OK;
    }
    return ATAMO_INVALID;
}

int quantity_duration(atamo_bytes text, int64_t *ns)
{
    int64_t total = 0;

    if (text.size == 1 && text.data[0] == '0') {
        *ns = 0;
        return ATAMO_OK;
    }
    do {
        int64_t number;
        int64_t factor;

        if (take_number(&text, &number) != ATAMO_OK ||
            take_unit(&text, durations, sizeof durations / sizeof durations[0], &factor) !=
                ATAMO_OK ||
            __builtin_mul_overflow(number, factor, &number) ||
            __builtin_add_overflow(total, number, &total))
            return ATAMO_INVALID;
    } while (text.size > 0);
    *ns = total;
    return ATAMO_OK;
}

int quantity_size(atamo_bytes text, int64_t *bytes)
{
    int64_t number;
    int64_t factor = 1;

    if (take_number(&text, &number) != ATAMO_OK)
        return ATAMO_INVALID;
    if (text.size > 0 &&
        take_unit(&text, sizes, sizeof sizes / sizeof sizes[0], &factor) != ATAMO_OK)
        return ATAMO_INVALID;
    if (text.size > 0 || __builtin_mul_overflow(number, factor, &number))
        return ATAMO_INVALID;
    *bytes = number;
    return ATAMO_OK;
}
