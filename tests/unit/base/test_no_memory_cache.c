/* The cache with every allocation made to fail in turn: a put that finds no memory changes nothing,
 * and all memory is given back. The allocator's functions are replaced in this program. */
#include "base/cache.h"

#include "base/hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *memory);

static long countdown; /* fails when it comes to 0; below: never */
static bool failed;
static bool no_tables; /* calloc() fails */
static long live;

static bool fails_now(void)
{
    if (countdown <= 0 || --countdown != 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those names are reserved */
void *malloc(size_t size)
{
    return fails_now() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return no_tables || fails_now() ? NULL : counted(__libc_calloc(count, size));
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* The table grows, the first fifty are evicted, then fifty others replaced. */
enum { ENTRIES = 600, PUTS = 700, KEYS = 650 };

static void count_drop(void *user, void *value)
{
    (void)value;
    ++*(long *)user;
}

/* Puts that could not be done; -1 if not even the cache could be opened. */
static long fill(void)
{
    const struct cache_limits limits = {ENTRIES, 1 << 20};
    struct cache *cache = __libc_calloc(1, sizeof *cache);
    long dropped = 0;
    long refused = 0;

    if (cache_open(cache, limits, count_drop, &dropped) != ATAMO_OK) {
        __libc_free(cache);
        return -1;
    }
    for (int i = 0; i < PUTS; i++) {
        const struct cache before = *cache;
        const long dropped_before = dropped;
        const int number = i < KEYS ? i : i - 100;
        const atamo_bytes key = {(const char *)&number, sizeof number};
        const struct cache_item item = {.hash = hash_bytes(1, key), .key = key, .fresh_ns = 1000};

        if (cache_put(cache, &item, 0) == ATAMO_OK) {
            assert_non_null(cache_find(cache, item.hash, key, 0));
            continue;
        }
        refused++;
        assert_int_equal(cache->entries, before.entries);
        assert_int_equal(cache->bytes, before.bytes);
        assert_int_equal(dropped, dropped_before);
    }
    assert_int_equal(cache->entries, ENTRIES);
    cache_close(cache);
    assert_int_equal(dropped, PUTS - refused);
    __libc_free(cache);
    return refused;
}

static void test_no_failing_allocation_does_harm(void **state)
{
    const long before = live;
    long refused = 0;
    long unopened = 0;
    long allocation = 1;

    (void)state;
    for (;; allocation++) {
        long result;

        failed = false;
        countdown = allocation;
        result = fill();
        countdown = 0;
        assert_int_equal(live, before);
        if (!failed)
            break;
        assert_true(result <= 1);
        unopened += result < 0;
        refused += result > 0;
    }
    assert_int_equal(unopened, 2);
    assert_int_equal(refused, PUTS);
    assert_int_equal(allocation - 1,
                     PUTS + 3); /* the third is of the table, which only stays small */
}

static void test_without_memory_for_a_larger_table_all_is_found_in_the_small_one(void **state)
{
    enum { MANY = 5000 };
    static struct cache cache;
    const struct cache_limits limits = {MANY, SIZE_MAX};
    long dropped = 0;

    (void)state;
    assert_int_equal(cache_open(&cache, limits, count_drop, &dropped), ATAMO_OK);
    no_tables = true;
    for (int i = 0; i < 2 * MANY; i++) {
        const int number = i % MANY;
        const atamo_bytes key = {(const char *)&number, sizeof number};
        const struct cache_item item = {.hash = hash_bytes(1, key), .key = key, .fresh_ns = 1000};

        if (i < MANY)
            assert_int_equal(cache_put(&cache, &item, 0), ATAMO_OK);
        else
            assert_non_null(cache_find(&cache, item.hash, key, 0));
    }
    no_tables = false;
    cache_close(&cache);
    assert_int_equal(dropped, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_failing_allocation_does_harm),
        cmocka_unit_test(test_without_memory_for_a_larger_table_all_is_found_in_the_small_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
