/* decimal - one text for all spellings of a number.
 *
 * Happy path: most numbers are written in their shortest way already and are copied. Any other is
 * taken apart into its digits, from the first that is not zero to the last, and a power of ten; the
 * text is made of these two alone, and they are the same for equal numbers only. Nothing can fail.
 */
#include "json/decimal.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { EXPONENT_DIGITS = 18 }; /* with room in 64 bits for the size of any text */

/* Digits times ten to the power. */
struct decimal {
    bool negative;
    atamo_bytes whole; /* the digits that stand before the point, */
    atamo_bytes part;  /* and behind it: no zero in front of both or behind both */
    int64_t power;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a number is written as write_decimal() would: a cheap look that may miss some. */
static bool is_shortest(atamo_bytes number)
{
    const char *last = number.data + number.size - 1;
    const char *at = number.data + (number.data[0] == '-');
    const bool below_one = *at == '0';

    while (at <= last && is_digit(*at))
        at++;
    if (at > last)
        return *last != '0' || number.size < 4 || last[-1] != '0' || last[-2] != '0';
    if (*at != '.' || *last == '0' || (below_one && at[1] == '0'))
        return false;
    while (at < last && is_digit(at[1]))
        at++;
    return at == last;
}

/* The digits at the start of `text`, which is moved behind them. */
static atamo_bytes take_digits(atamo_bytes *text)
{
    atamo_bytes digits = {text->data, 0};

    while (digits.size < text->size && is_digit(digits.data[digits.size]))
        digits.size++;
    text->data += digits.size;
    text->size -= digits.size;
    return digits;
}

static void skip(atamo_bytes *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

static void strip_front(atamo_bytes *digits)
{
    while (digits->size > 0 && digits->data[0] == '0')
        skip(digits, 1);
}

static void strip_back(atamo_bytes *digits)
{
    while (digits->size > 0 && digits->data[digits->size - 1] == '0')
        digits->size--;
}

/* What follows the mantissa: nothing, or "e", perhaps a sign, digits. False if it is too long. */
static bool read_exponent(atamo_bytes text, int64_t *exponent)
{
    bool negative;

    *exponent = 0;
    if (text.size == 0)
        return true;
    negative = text.data[1] == '-';
    skip(&text, is_digit(text.data[1]) ? 1 : 2);
    strip_front(&text);
    if (text.size > EXPONENT_DIGITS)
        return false;
    for (size_t i = 0; i < text.size; i++)
        *exponent = *exponent * 10 + (text.data[i] - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* False if the exponent is too long; zero has no digits. */
static bool read_decimal(atamo_bytes number, struct decimal *d)
{
    size_t places = 0;
    size_t written;

    *d = (struct decimal){.negative = number.data[0] == '-', .part = {number.data, 0}};
    skip(&number, d->negative);
    d->whole = take_digits(&number);
    if (number.size > 0 && number.data[0] == '.') {
        skip(&number, 1);
        d->part = take_digits(&number);
    }
    strip_back(&d->part);
    places = d->part.size;
    strip_front(&d->whole);
    if (d->whole.size == 0)
        strip_front(&d->part);
    written = d->whole.size;
    if (d->part.size == 0)
        strip_back(&d->whole);
    if (d->whole.size + d->part.size == 0)
        return true;
    if (!read_exponent(number, &d->power))
        return false;
    d->power += (int64_t)(written - d->whole.size) - (int64_t)places;
    return true;
}

static char *put(char *out, atamo_bytes bytes)
{
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

static char *put_zeros(char *out, size_t count)
{
    memset(out, '0', count);
    return out + count;
}

/* The digits from number `from` up to, not with, number `to`. */
static char *put_digits(const struct decimal *d, size_t from, size_t to, char *out)
{
    const size_t whole = d->whole.size;

    if (from < whole)
        out = put(out, (atamo_bytes){d->whole.data + from, (to < whole ? to : whole) - from});
    if (to <= whole)
        return out;
    from = from > whole ? from : whole;
    return put(out, (atamo_bytes){d->part.data + (from - whole), to - from});
}

static size_t digits_of(int64_t value)
{
    size_t digits = 1;

    for (; value >= 10; value /= 10)
        digits++;
    return digits;
}

static char *put_exponent(char *out, bool negative, int64_t value)
{
    const size_t digits = digits_of(value);

    assert(value > 0);
    *out++ = 'e';
    if (negative)
        *out++ = '-';
    for (size_t i = digits; i > 0; i--, value /= 10)
        out[i - 1] = (char)('0' + value % 10);
    return out + digits;
}

/* A number below one, `places` behind the point, `count` of them from the first that is not 0. */
static char *write_small(const struct decimal *d, size_t count, int64_t places, char *out)
{
    const int64_t behind_first = places - (int64_t)count + 1; /* 1.23e-behind_first */
    const size_t as_whole = count + 2 + digits_of(places);
    const size_t with_point = count > 1 ? count + 3 + digits_of(behind_first) : SIZE_MAX;
    const size_t shorter = as_whole <= with_point ? as_whole : with_point;

    if ((uint64_t)places + 2 <= shorter) {
        out = put(out, (atamo_bytes){"0.", 2});
        return put_digits(d, 0, count, put_zeros(out, (size_t)places - count));
    }
    if (as_whole <= with_point)
        return put_exponent(put_digits(d, 0, count, out), true, places);
    out = put_digits(d, 0, 1, out);
    *out++ = '.';
    return put_exponent(put_digits(d, 1, count, out), true, behind_first);
}

static char *write_decimal(const struct decimal *d, char *out)
{
    const size_t count = d->whole.size + d->part.size;

    if (d->negative)
        *out++ = '-';
    if (count == 0)
        return put_zeros(out, 1);
    if (d->power > 2)
        return put_exponent(put_digits(d, 0, count, out), false, d->power);
    if (d->power >= 0)
        return put_zeros(put_digits(d, 0, count, out), (size_t)d->power);
    if (-d->power >= (int64_t)count)
        return write_small(d, count, -d->power, out);
    out = put_digits(d, 0, count - (size_t)-d->power, out);
    *out++ = '.';
    return put_digits(d, count - (size_t)-d->power, count, out);
}

size_t decimal_shortest(atamo_bytes number, char *out)
{
    struct decimal decimal;
    size_t size;

    assert(number.size > 0);
    if (is_shortest(number) || !read_decimal(number, &decimal))
        return (size_t)(put(out, number) - out);
    size = (size_t)(write_decimal(&decimal, out) - out);
    assert(size <= number.size);
    return size;
}
