/* number - numbers as event-ruler compares them.
 *
 * Happy path: at most 15 significant digits and a small exponent, which multiply or divide exactly
 * in a double and are always the shortest text of it. All others go the slow way: read correctly,
 * printed shortest, and the digits compared. Cannot fail; not comparable is an answer.
 */
#include "rules/number.h"

#include "json/json.h"
#include "json/scan.h"

#include <stdint.h>
#include <string.h>

enum { DIGITS_MAX = 17, EXPONENT_MAX = 100000 };

/* A decimal number: 0.d1d2d3... * 10^point, without zeros at either end. */
struct decimal {
    char digits[DIGITS_MAX];
    int count; /* DIGITS_MAX + 1: more than fit */
    int64_t point;
    bool negative;
};

static void add_digit(struct decimal *d, char digit, int *zeros)
{
    if (digit == '0') {
        ++*zeros; /* counts only if another digit follows */
        return;
    }
    for (; d->count > 0 && *zeros > 0 && d->count < DIGITS_MAX; --*zeros)
        d->digits[d->count++] = '0';
    *zeros = 0;
    if (d->count < DIGITS_MAX)
        d->digits[d->count++] = digit;
    else
        d->count = DIGITS_MAX + 1;
}

static int64_t read_exponent(const char *text, size_t size)
{
    const bool negative = size > 0 && text[0] == '-';
    int64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9' && value < EXPONENT_MAX)
            value = value * 10 + (text[i] - '0');
    }
    return negative ? -value : value;
}

static void read_decimal(atamo_bytes text, struct decimal *d)
{
    bool fraction = false;
    int zeros = 0;

    d->count = 0;
    d->point = 0;
    d->negative = false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];

        if (c == '-') {
            d->negative = true;
        } else if (c == '.') {
            fraction = true;
        } else if (c == 'e' || c == 'E') {
            d->point += read_exponent(text.data + i + 1, text.size - i - 1);
            break;
        } else {
            add_digit(d, c, &zeros);
            if (!fraction && (d->count > 0))
                d->point++;
            else if (fraction && d->count == 0)
                d->point--;
        }
    }
}

static bool same_decimal(const struct decimal *a, const struct decimal *b)
{
    return a->count == b->count && a->count <= DIGITS_MAX && a->point == b->point &&
           memcmp(a->digits, b->digits, (size_t)a->count) == 0;
}

static bool compare_slowly(atamo_bytes text, const struct decimal *wanted, double *value)
{
    char shortest[SCAN_NUMBER_TEXT_MAX];
    struct decimal printed;
    double number;

    if (wanted->count > DIGITS_MAX || !json_double(text, &number))
        return false;
    read_decimal((atamo_bytes){shortest, scan_shortest(number, shortest)}, &printed);
    if (!same_decimal(wanted, &printed))
        return false;
    *value = number;
    return true;
}

/* At most 15 digits without an exponent, the usual case. False if it is another. */
static bool read_short(atamo_bytes text, double *value)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const size_t sign = text.size > 0 && text.data[0] == '-';
    size_t decimals = 0;
    bool fraction = false;
    int64_t sum = 0;

    if (text.size > 15)
        return false;
    for (size_t i = sign; i < text.size; i++) {
        const char c = text.data[i];

        decimals += fraction;
        if (c == '.')
            fraction = true;
        else if (c >= '0' && c <= '9')
            sum = sum * 10 + (c - '0');
        else
            return false;
    }
    *value = (double)(sign ? -sum : sum) / powers[decimals];
    return true;
}

bool number_comparable(atamo_bytes text, double *value)
{
    struct decimal decimal;

    if (read_short(text, value))
        return true;
    read_decimal(text, &decimal);
    if (decimal.count == 0) {
        *value = 0;
        return true;
    }
    return compare_slowly(text, &decimal, value);
}
