/* Blocks that another thread gives back: they come home, and the large ones go back to malloc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/blocks.h"

enum { ROUNDS = 1000 };

/* How many blocks are out after each of many was given back through the stack. */
static uint64_t out_after(size_t size)
{
    struct blocks blocks;
    uint64_t out;

    blocks_init(&blocks);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct block *block = blocks_take(&blocks, size);

        assert_non_null(block);
        assert_true(block->size >= size);
        blocks_return(block, block);
    }
    out = blocks.out;
    blocks_close(&blocks);
    return out;
}

static void test_small_blocks_that_came_back_are_used_again(void **state)
{
    (void)state;
    assert_int_equal(out_after(sizeof(struct block)), 1);
    assert_int_equal(out_after(BLOCKS_SLAB_MAX), 1);
}

/* Only small ones were looked for: a hub whose messages were all large kept each of them. */
static void test_large_blocks_that_came_back_are_freed_when_the_next_one_is_taken(void **state)
{
    (void)state;
    assert_int_equal(out_after(BLOCKS_SLAB_MAX + 1), 1);
    assert_int_equal(out_after((size_t)1 << 20), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_blocks_that_came_back_are_used_again),
        cmocka_unit_test(test_large_blocks_that_came_back_are_freed_when_the_next_one_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
