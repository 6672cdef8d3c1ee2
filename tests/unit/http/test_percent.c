/* Percent-encoding undone: what is encoded, what is not, what is badly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../plugins/event-providers/http/percent.h"

#include <stdio.h>
#include <string.h>

static void expect(const char *text, const char *wanted, bool wanted_bad)
{
    char out[64];
    bool bad = !wanted_bad;
    const size_t size = percent_decode(atamo_text(text), out, &bad);

    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(out, wanted, size);
    assert_true(bad == wanted_bad);
}

static void test_what_is_encoded_is_decoded_once(void **state)
{
    (void)state;
    expect("", "", false);
    expect("plain+text", "plain+text", false);
    expect("%41%2f%2F%7e", "A//~", false);
    expect("%2541", "%41", false);
    expect("a%20", "a ", false);
    expect("%c3%BC", "\xc3\xbc", false);
}

static void test_what_is_badly_encoded_stays_and_is_told(void **state)
{
    (void)state;
    expect("%", "%", true);
    expect("a%4", "a%4", true);
    expect("%zz", "%zz", true);
    expect("%4z", "%4z", true);
    expect("%z4", "%z4", true);
    expect("%%41", "%A", true);
    expect("%-1", "%-1", true);
    expect("% 41", "% 41", true);
}

static void test_every_byte_comes_back(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[4];
        char out[3];
        bool bad = true;

        (void)snprintf(text, sizeof text, "%%%02x", byte);
        assert_int_equal(percent_decode(atamo_text(text), out, &bad), 1);
        assert_int_equal((unsigned char)out[0], byte);
        assert_false(bad);
    }
}

static void test_a_text_may_be_decoded_in_place(void **state)
{
    char text[] = "%41b%43";
    bool bad = true;

    (void)state;
    assert_int_equal(percent_decode(atamo_text(text), text, &bad), 3);
    assert_memory_equal(text, "AbC", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_encoded_is_decoded_once),
        cmocka_unit_test(test_what_is_badly_encoded_stays_and_is_told),
        cmocka_unit_test(test_every_byte_comes_back),
        cmocka_unit_test(test_a_text_may_be_decoded_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
