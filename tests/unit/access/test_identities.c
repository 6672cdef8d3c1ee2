#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/identities.h"

static void test_a_listed_user_has_its_groups_and_tenant(void **state)
{
    const atamo_bytes groups[] = {atamo_text("sales"), atamo_text("staff")};
    const struct identity list[] = {
        {.user = atamo_text("anna"),
         .tenant = atamo_text("acme"),
         .groups = groups,
         .group_count = 2},
        {.user = atamo_text("ben")},
    };
    const struct identities *table = NULL;
    const struct identity *anna;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_int_equal(identities_build(&arena, list, 2, &table), ATAMO_OK);
    anna = identities_find(table, atamo_text("anna"));
    assert_non_null(anna);
    assert_string_equal(anna->tenant.data, "acme");
    assert_int_equal(anna->group_count, 2);
    assert_string_equal(anna->groups[1].data, "staff");
    assert_int_equal(identities_find(table, atamo_text("ben"))->group_count, 0);
    arena_close(&arena);
}

static void test_a_user_who_is_not_listed_is_nobody(void **state)
{
    const struct identities *table = NULL;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    assert_int_equal(identities_build(&arena, NULL, 0, &table), ATAMO_OK);
    assert_null(identities_find(table, atamo_text("anna")));
    assert_null(identities_find(table, atamo_text("")));
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_listed_user_has_its_groups_and_tenant),
        cmocka_unit_test(test_a_user_who_is_not_listed_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
