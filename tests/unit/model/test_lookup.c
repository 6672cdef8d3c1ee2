#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/lookup.h"

enum { MANY = 20000 };

static void test_a_text_added_twice_keeps_its_first_number(void **state)
{
    struct lookup lookup;
    struct arena arena;
    uint32_t number = 0;

    (void)state;
    arena_init(&arena);
    assert_int_equal(lookup_init(&lookup, &arena, 0), ATAMO_OK);
    assert_int_equal(lookup_add(&lookup, atamo_text("a"), 1), ATAMO_OK);
    assert_int_equal(lookup_add(&lookup, atamo_text("a"), 2), ATAMO_EXISTS);
    assert_int_equal(lookup_add(&lookup, atamo_text(""), 3), ATAMO_OK);
    assert_true(lookup_find(&lookup, atamo_text("a"), &number));
    assert_int_equal(number, 1);
    assert_true(lookup_find(&lookup, atamo_text(""), &number));
    assert_int_equal(number, 3);
    assert_false(lookup_find(&lookup, atamo_text("b"), &number));
    assert_int_equal(number, 3);
    arena_close(&arena);
}

static void test_a_table_grows_far_beyond_what_was_expected(void **state)
{
    static char texts[MANY][12];
    struct lookup lookup;
    struct arena arena;
    uint32_t number = 0;

    (void)state;
    arena_init(&arena);
    assert_int_equal(lookup_init(&lookup, &arena, 2), ATAMO_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%u", i);
        assert_int_equal(lookup_add(&lookup, atamo_text(texts[i]), i), ATAMO_OK);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_true(lookup_find(&lookup, atamo_text(texts[i]), &number));
        assert_int_equal(number, i);
    }
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_added_twice_keeps_its_first_number),
        cmocka_unit_test(test_a_table_grows_far_beyond_what_was_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
