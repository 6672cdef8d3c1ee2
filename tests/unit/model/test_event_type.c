#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/event_type.h"

enum { MANY = 5000 };

static void test_a_registered_type_is_found_with_its_template(void **state)
{
    const struct required_field required[] = {{.path = atamo_text("data.id"), .in_data = true}};
    const struct event_type types[] = {
        {.name = atamo_text("order.created"), .required = required, .required_count = 1},
        {.name = atamo_text("order.paid")},
    };
    const struct event_types *table = NULL;
    const struct event_type *found;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_int_equal(event_types_build(&arena, types, 2, false, &table), ATAMO_OK);
    found = event_types_find(table, atamo_text("order.created"));
    assert_non_null(found);
    assert_int_equal(found->required_count, 1);
    assert_string_equal(found->required[0].path.data, "data.id");
    assert_int_equal(event_types_find(table, atamo_text("order.paid"))->required_count, 0);
    assert_null(event_types_find(table, atamo_text("order.create")));
    assert_null(event_types_find(table, atamo_text("")));
    assert_false(event_types_open(table));
    arena_close(&arena);
}

static void test_an_empty_table_finds_nothing_and_may_be_open(void **state)
{
    const struct event_types *table = NULL;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_int_equal(event_types_build(&arena, NULL, 0, true, &table), ATAMO_OK);
    assert_null(event_types_find(table, atamo_text("anything")));
    assert_true(event_types_open(table));
    arena_close(&arena);
}

static void test_each_of_many_types_is_found(void **state)
{
    static char names[MANY][16];
    static struct event_type types[MANY];
    const struct event_types *table = NULL;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "type.%u", i);
        types[i] = (struct event_type){.name = atamo_text(names[i]), .name_id = i};
    }
    assert_int_equal(event_types_build(&arena, types, MANY, false, &table), ATAMO_OK);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(event_types_find(table, atamo_text(names[i]))->name_id, i);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_registered_type_is_found_with_its_template),
        cmocka_unit_test(test_an_empty_table_finds_nothing_and_may_be_open),
        cmocka_unit_test(test_each_of_many_types_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
