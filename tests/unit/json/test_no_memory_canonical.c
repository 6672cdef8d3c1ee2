/* Canonical texts with every allocation made to fail in turn: the answer is a status and nothing is
 * written; with memory again the same one works, and all memory is given back. The allocator's
 * functions are replaced in this program. */
#include "json/canonical.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *memory);

static long countdown; /* fails when it comes to 0; below: never */
static bool failed;
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
    return fails_now() ? NULL : counted(__libc_calloc(count, size));
}

void free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

enum { MEMBERS = 300, TEXT = 16 * MEMBERS };

/* Members in falling order, so that the keys need their room to be sorted. */
static size_t write_members(char text[TEXT])
{
    size_t size = 0;

    for (int i = MEMBERS; i > 0; i--)
        size += (size_t)snprintf(text + size, TEXT - size, "%c\"m%03d\": %d.0",
                                 i == MEMBERS ? '{' : ',', i, i % 10);
    text[size++] = '}';
    return size;
}

static void assert_written(struct canonical *canonical, atamo_bytes text, char *out)
{
    size_t size = SIZE_MAX;
    int status;

    memset(out, '!', TEXT);
    status = canonical_write(canonical, text, text.size, out, &size);
    if (status != ATAMO_OK) {
        assert_true(failed);
        assert_int_equal(status, ATAMO_NO_MEMORY);
        assert_true(size == SIZE_MAX);
        assert_int_equal(out[0], '!');
        assert_int_equal(canonical_write(canonical, text, text.size, out, &size), ATAMO_OK);
    }
    assert_true(size <= text.size);
    assert_int_equal(out[size - 1], '}');
}

/* A short text, then one that all rooms must grow for. */
static void write_two(void)
{
    static char text[TEXT];
    static char out[TEXT];
    struct canonical *canonical = NULL;
    const size_t size = write_members(text);
    const int status = canonical_open(&canonical);

    if (status != ATAMO_OK) {
        assert_true(failed);
        assert_int_equal(status, ATAMO_NO_MEMORY);
        assert_null(canonical);
        return;
    }
    assert_written(canonical, atamo_text("{\"b\": 1, \"a\": 2}"), out);
    assert_memory_equal(out, "{\"a\":2,\"b\":1}!", 14);
    assert_written(canonical, (atamo_bytes){text, size}, out);
    assert_memory_equal(out, "{\"m001\":1,\"m002\":2,", 19);
    canonical_close(canonical);
}

static void test_no_failing_allocation_does_harm(void **state)
{
    long allocation = 1;
    long before;

    (void)state;
    write_two(); /* what the C++ library keeps for itself */
    before = live;
    for (;; allocation++) {
        failed = false;
        countdown = allocation;
        write_two();
        countdown = 0;
        assert_int_equal(live, before);
        if (!failed)
            break;
    }
    assert_true(allocation >
                8); /* the canonical and its parser; copy, nodes, decoded, keys, twice */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_failing_allocation_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
