/* One text for all spellings of a number, and never the same for two numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "json/decimal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 130, TEXT = 400 };

/* Digits enough for an exponent to be shorter by two with the point among them. */
#define FORTY_BUT_ONE "111111111111111111111111111111111111111"
#define FORTY         "1" FORTY_BUT_ONE

/* Into room that ends exactly where the number's does, so that a sanitizer sees any overrun. */
static void shorten(const char *number, char text[TEXT])
{
    const size_t size = strlen(number);
    char *exact = malloc(size);
    size_t written;

    assert_non_null(exact);
    written = decimal_shortest((atamo_bytes){number, size}, exact);
    assert_true(written <= size && written < TEXT);
    memcpy(text, exact, written);
    text[written] = '\0';
    free(exact);
}

static void test_each_spelling_has_the_shortest_text(void **state)
{
    static const struct {
        const char *number, *text;
    } cases[] = {
        {"0", "0"},
        {"0.000", "0"},
        {"0e5", "0"},
        {"0E-99999999999999999999999", "0"},
        {"1", "1"},
        {"1.0", "1"},
        {"1.00", "1"},
        {"10e-1", "1"},
        {"0.1E+1", "1"},
        {"1e0", "1"},
        {"1e00000000000000000000000000003", "1e3"},
        {"1000", "1e3"},
        {"100", "100"},
        {"-100.0", "-100"},
        {"1e2", "100"},
        {"120000", "12e4"},
        {"2.50e1", "25"},
        {"12.50", "12.5"},
        {"1.25e1", "12.5"},
        {"0.5", "0.5"},
        {"0.05", "0.05"},
        {"0.005", "5e-3"},
        {"0.0123", "0.0123"},
        {"0.00123", "123e-5"},
        {"12.3e-10", "123e-11"},
        {"1.234567e-9", "1234567e-15"},
        {"1.23456789012e-9", "123456789012e-20"},
        {FORTY "." FORTY "1234567890123456e-45", "1." FORTY_BUT_ONE FORTY "1234567890123456e-6"},
        {"1e-1", "0.1"},
        {"9007199254740993", "9007199254740993"},
        {"9007199254740993.0", "9007199254740993"},
        {"9007199254740993e0", "9007199254740993"},
        {"1e400", "1e400"},
        {"10e399", "1e400"},
        {"1e999999999999999999", "1e999999999999999999"},
        {"1.0e-999999999999999999", "1e-999999999999999999"},
        {"1e1000000000000000000", "1e1000000000000000000"},
        {"1.0e+1000000000000000000", "1.0e+1000000000000000000"}, /* as written */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TEXT];

        shorten(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
        shorten(cases[i].text, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_negative_zero_is_not_zero(void **state)
{
    static const char *const spellings[] = {"-0", "-0.0", "-0e3", "-0.00E-7"};
    char text[TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        shorten(spellings[i], text);
        assert_string_equal(text, "-0");
    }
}

/* The model: digits without zeros at their ends, and a power of ten. */
struct number {
    bool negative;
    char digits[DIGITS + 1];
    int power;
};

static struct number random_number(struct random *random)
{
    const size_t count = 1 + random_below(random, 1 + random_below(random, DIGITS));
    struct number number = {.negative = random_below(random, 2) == 0};

    for (size_t i = 0; i < count; i++)
        number.digits[i] = (char)('0' + random_below(random, 10));
    for (size_t end = 0; end<count; end += count> 1 ? count - 1 : 1)
        if (number.digits[end] == '0')
            number.digits[end] = '7';
    number.power =
        (int)random_below(random, random_below(random, 2) == 0 ? 12 : 240) - (int)count - 5;
    return number;
}

/* Any way to write it: the point somewhere, zeros where they do not count, the exponent for that.
 */
static void spell(const struct number *number, struct random *random, char out[TEXT])
{
    const int back = (int)random_below(random, 4);
    const int front = (int)random_below(random, 4);
    char digits[DIGITS + 7];
    const int size =
        snprintf(digits, sizeof digits, "%.*s%s%.*s", front, "000", number->digits, back, "000");
    const int point = (int)random_below(random, (uint64_t)size + 1); /* digits before it */
    int whole = 0; /* the first digit that is written before it: only a single zero may lead */
    int exponent = number->power - back + (size - point);
    char sign[2] = "";
    int at;

    while (whole < point - 1 && digits[whole] == '0')
        whole++;
    at = snprintf(out, TEXT, "%s%.*s%s%s", number->negative ? "-" : "", point - whole,
                  digits + whole, point == 0 ? "0" : "", point < size ? "." : "");
    at += snprintf(out + at, TEXT - (size_t)at, "%s", digits + point);
    if (exponent == 0 && random_below(random, 2) == 0)
        return;
    if (exponent < 0)
        sign[0] = '-';
    else if (random_below(random, 2) == 0)
        sign[0] = '+';
    (void)snprintf(out + at, TEXT - (size_t)at, "%c%s%0*d",
                   random_below(random, 2) == 0 ? 'e' : 'E', sign, 1 + (int)random_below(random, 5),
                   abs(exponent));
}

/* What a text says, worked out without any of the module's code. */
static struct number read_number(const char *text)
{
    const char *exponent = strchr(text, 'e');
    const char *end = exponent == NULL ? text + strlen(text) : exponent;
    struct number number = {.negative = *text == '-'};
    size_t count = 0;
    bool behind_point = false;

    number.power = exponent == NULL ? 0 : (int)strtol(exponent + 1, NULL, 10);
    for (const char *at = text + number.negative; at < end; at++) {
        if (*at == '.') {
            behind_point = true;
            continue;
        }
        if (behind_point)
            number.power--;
        if (count > 0 || *at != '0')
            number.digits[count++] = *at;
    }
    while (count > 0 && number.digits[count - 1] == '0') {
        number.digits[--count] = '\0';
        number.power++;
    }
    return number;
}

static void test_random_numbers_keep_their_value_however_they_are_written(void **state)
{
    struct random random = {.state = 11};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const struct number number = random_number(&random);
        struct number read;
        char first[TEXT] = "";

        for (int i = 0; i < 6; i++) {
            char spelling[TEXT];
            char text[TEXT];

            spell(&number, &random, spelling);
            shorten(spelling, text);
            if (i == 0)
                memcpy(first, text, sizeof first);
            assert_string_equal(text, first);
        }
        read = read_number(first);
        assert_string_equal(read.digits, number.digits);
        assert_int_equal(read.power, number.power);
        assert_int_equal(read.negative, number.negative);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_spelling_has_the_shortest_text),
        cmocka_unit_test(test_negative_zero_is_not_zero),
        cmocka_unit_test(test_random_numbers_keep_their_value_however_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
