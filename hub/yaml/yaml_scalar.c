/* yaml_scalar - which type a plain scalar is, by YAML 1.2's core schema.
 *
 * A text is compared with the few words for null, true and false; if its first byte can begin a
 * number its shape is found by one pass over it, and only then is it converted. It fails for
 * infinities and not-a-number, which JSON does not have, for numbers beyond a double, and for
 * hexadecimal and octal ones beyond 63 bits.
 */
#include "yaml/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum shape { SHAPE_OTHER, SHAPE_DECIMAL, SHAPE_OCTAL, SHAPE_HEX, SHAPE_FLOAT, SHAPE_INFINITE };

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

#define IS_ONE_OF(text, words) is_one_of(text, words, sizeof(words) / sizeof(words)[0])

static bool is_null(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    return IS_ONE_OF(text, words);
}

static bool is_infinite(const char *text)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};

    if ((text[0] == '-' || text[0] == '+') && text[1] == '.' && (text[2] | 0x20) == 'i')
        text++;
    return IS_ONE_OF(text, words);
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static enum shape decimal_shape(const char *text)
{
    const char *whole = text + (text[0] == '-' || text[0] == '+');
    const char *at = skip_digits(whole);
    bool digits = at > whole;
    bool fraction = false;

    if (digits && *at == '\0')
        return SHAPE_DECIMAL;
    if (*at == '.') {
        const char *end = skip_digits(at + 1);

        digits = digits || end > at + 1;
        fraction = true;
        at = end;
    }
    if (!digits)
        return SHAPE_OTHER;
    if (*at == 'e' || *at == 'E') {
        const char *power = at + 1 + (at[1] == '-' || at[1] == '+');

        at = skip_digits(power);
        if (at == power)
            return SHAPE_OTHER;
        fraction = true;
    }
    return fraction && *at == '\0' ? SHAPE_FLOAT : SHAPE_OTHER;
}

static enum shape shape_of(atamo_bytes text)
{
    const char *rest = text.data + 2;

    if (text.size == 0 || strchr("+-.0123456789", text.data[0]) == NULL ||
        strlen(text.data) != text.size)
        return SHAPE_OTHER;
    if (is_infinite(text.data))
        return SHAPE_INFINITE;
    if (text.size > 2 && memcmp(text.data, "0o", 2) == 0)
        return rest[strspn(rest, "01234567")] == '\0' ? SHAPE_OCTAL : SHAPE_OTHER;
    if (text.size > 2 && memcmp(text.data, "0x", 2) == 0)
        return rest[strspn(rest, "0123456789abcdefABCDEF")] == '\0' ? SHAPE_HEX : SHAPE_OTHER;
    return decimal_shape(text.data);
}

static int convert_based(struct yaml_node *node, int base, const char **reason)
{
    unsigned long long value;

    errno = 0;
    value = strtoull(node->text.data + 2, NULL, base);
    if (errno != 0 || value > INT64_MAX) {
        *reason = "this number does not fit in 63 bits";
        return ATAMO_INVALID;
    }
    node->integral = true;
    node->integer = (int64_t)value;
    node->number = (double)node->integer;
    return ATAMO_OK;
}

static int convert_decimal(struct yaml_node *node, bool whole, locale_t c_locale,
                           const char **reason)
{
    const double number = strtod_l(node->text.data, NULL, c_locale);

    if (!isfinite(number)) {
        *reason = "this number is beyond what a 64-bit float can hold";
        return ATAMO_INVALID;
    }
    node->number = number;
    if (whole) {
        errno = 0;
        node->integer = strtoll(node->text.data, NULL, 10);
        node->integral = errno == 0;
        if (!node->integral)
            node->integer = 0;
    }
    return ATAMO_OK;
}

int yaml_scalar_resolve(struct yaml_node *node, locale_t c_locale, const char **reason)
{
    static const char *const yes[] = {"true", "True", "TRUE"};
    static const char *const no[] = {"false", "False", "FALSE"};
    const char *text = node->text.data;
    const enum shape shape = shape_of(node->text);

    node->kind = shape == SHAPE_OTHER ? YAML_TEXT : YAML_NUMBER;
    switch (shape) {
    case SHAPE_INFINITE:
        *reason = "infinity and not-a-number cannot be used: JSON has none; quote it if it is text";
        return ATAMO_INVALID;
    case SHAPE_OCTAL:
        return convert_based(node, 8, reason);
    case SHAPE_HEX:
        return convert_based(node, 16, reason);
    case SHAPE_DECIMAL:
    case SHAPE_FLOAT:
        return convert_decimal(node, shape == SHAPE_DECIMAL, c_locale, reason);
    case SHAPE_OTHER:
        break;
    }
    if (is_null(text)) {
        node->kind = YAML_NULL;
    } else if (IS_ONE_OF(text, yes) || IS_ONE_OF(text, no)) {
        node->kind = YAML_BOOL;
        node->truth = IS_ONE_OF(text, yes);
    }
    return ATAMO_OK;
}
