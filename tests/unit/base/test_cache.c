/* The cache: what it promises, one promise a test, and long random histories against a model that
 * is a plain array. */
#include "base/cache.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS ((int64_t)NS_PER_MS)

/* Small caches whose values are letters. */

struct fixture {
    struct cache cache;
    size_t drops;
    char dropped[20]; /* the values in the order in which they were dropped */
};

static void note_dropped(void *user, void *value)
{
    struct fixture *f = user;

    assert_true(f->drops + 1 < sizeof f->dropped);
    f->dropped[f->drops++] = *(const char *)value;
}

static struct fixture *open_cache(size_t max_entries, size_t max_bytes)
{
    const struct cache_limits limits = {max_entries, max_bytes};
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_int_equal(cache_open(&f->cache, limits, note_dropped, f), ATAMO_OK);
    return f;
}

static void close_cache(struct fixture *f)
{
    cache_close(&f->cache);
    free(f);
}

static uint64_t hash_of(const char *key)
{
    return hash_bytes(1, atamo_text(key));
}

/* Fresh for 10 ms, stale for 20 more. */
static int put_bytes(struct fixture *f, const char *key, const char *value, size_t bytes,
                     int64_t now)
{
    const struct cache_item item = {
        .hash = hash_of(key),
        .key = atamo_text(key),
        .value = (void *)(uintptr_t)value,
        .bytes = bytes,
        .fresh_ns = 10 * MS,
        .stale_ns = 20 * MS,
    };

    return cache_put(&f->cache, &item, now);
}

static void put(struct fixture *f, const char *key, const char *value, int64_t now)
{
    assert_int_equal(put_bytes(f, key, value, 1, now), ATAMO_OK);
}

static struct cache_entry *find(struct fixture *f, const char *key, int64_t now)
{
    return cache_find(&f->cache, hash_of(key), atamo_text(key), now);
}

static void assert_found(struct fixture *f, const char *key, const char *value, int64_t now)
{
    const struct cache_entry *entry = find(f, key, now);

    assert_non_null(entry);
    assert_string_equal(entry->value, value);
}

static void test_a_value_is_fresh_then_stale_then_gone(void **state)
{
    struct fixture *f = open_cache(10, 10000);

    (void)state;
    put(f, "key", "A", 5 * MS);
    assert_true(cache_is_fresh(find(f, "key", 5 * MS), 15 * MS - 1));
    assert_false(cache_is_fresh(find(f, "key", 15 * MS), 15 * MS));
    assert_found(f, "key", "A", 35 * MS - 1);
    assert_null(find(f, "key", 35 * MS));
    assert_string_equal(f->dropped, "A");
    assert_int_equal(f->cache.expired, 1);
    assert_int_equal(f->cache.bytes, 0);
    close_cache(f);
}

static void test_the_key_is_copied(void **state)
{
    struct fixture *f = open_cache(10, 10000);
    char key[] = "key";

    (void)state;
    put(f, key, "A", 0);
    key[0] = '!';
    assert_found(f, "key", "A", 0);
    assert_null(find(f, key, 0));
    assert_memory_equal(find(f, "key", 0)->key.data, "key", 3);
    close_cache(f);
}

static void test_a_second_value_replaces_the_first(void **state)
{
    struct fixture *f = open_cache(1, 10000);

    (void)state;
    put(f, "key", "A", 0);
    put(f, "key", "B", 0);
    assert_string_equal(f->dropped, "A");
    assert_found(f, "key", "B", 0);
    assert_int_equal(f->cache.entries, 1);
    assert_int_equal(f->cache.bytes, cache_cost(3, 1));
    assert_int_equal(f->cache.evicted, 0);
    close_cache(f);
}

static void test_the_value_that_was_not_used_for_longest_makes_room(void **state)
{
    struct fixture *f = open_cache(3, 10000);

    (void)state;
    put(f, "a", "A", 0);
    put(f, "b", "B", 0);
    put(f, "c", "C", 0);
    assert_found(f, "a", "A", 0);
    put(f, "d", "D", 0);
    assert_string_equal(f->dropped, "B");
    put(f, "e", "E", 0);
    assert_string_equal(f->dropped, "BC");
    assert_int_equal(f->cache.evicted, 2);
    assert_found(f, "a", "A", 0);
    close_cache(f);
}

static void test_a_large_value_takes_the_room_of_several(void **state)
{
    struct fixture *f = open_cache(10, cache_cost(1, 100) * 3);

    (void)state;
    assert_int_equal(put_bytes(f, "a", "A", 100, 0), ATAMO_OK);
    assert_int_equal(put_bytes(f, "b", "B", 100, 0), ATAMO_OK);
    assert_int_equal(put_bytes(f, "c", "C", 100, 0), ATAMO_OK);
    assert_int_equal(put_bytes(f, "d", "D", 101, 0), ATAMO_OK);
    assert_string_equal(f->dropped, "AB");
    close_cache(f);
}

static void test_a_value_that_never_fits_is_refused_and_changes_nothing(void **state)
{
    const size_t bytes = cache_cost(1, 100);
    struct fixture *f = open_cache(10, bytes);

    (void)state;
    assert_int_equal(put_bytes(f, "a", "A", 100, 0), ATAMO_OK);
    assert_int_equal(put_bytes(f, "a", "B", 101, 0), ATAMO_TOO_LARGE);
    assert_int_equal(put_bytes(f, "a", "B", SIZE_MAX - 10, 0), ATAMO_TOO_LARGE);
    assert_string_equal(f->dropped, "");
    assert_found(f, "a", "A", 0);
    assert_int_equal(f->cache.bytes, bytes);
    close_cache(f);
    f = open_cache(0, bytes);
    assert_int_equal(put_bytes(f, "a", "A", 1, 0), ATAMO_TOO_LARGE);
    close_cache(f);
}

static void test_what_has_expired_makes_room_before_what_is_fresh(void **state)
{
    const struct cache_item brief = {
        .hash = hash_of("b"), .key = atamo_text("b"), .value = "B", .fresh_ns = MS};
    struct fixture *f = open_cache(2, 10000);

    (void)state;
    put(f, "a", "A", 0);
    assert_int_equal(cache_put(&f->cache, &brief, 0), ATAMO_OK);
    put(f, "c", "C", 5 * MS);
    assert_string_equal(f->dropped, "B");
    assert_int_equal(f->cache.expired, 1);
    assert_int_equal(f->cache.evicted, 0);
    close_cache(f);
}

static void test_aging_drops_a_few_at_a_time_and_says_when_to_come_again(void **state)
{
    struct fixture *f = open_cache(10, 10000);

    (void)state;
    assert_true(f->cache.next_due == INT64_MAX);
    put(f, "a", "A", 0);
    put(f, "b", "B", 0);
    put(f, "c", "C", 0);
    put(f, "d", "D", 50 * MS);
    assert_int_equal(f->cache.next_due, 30 * MS);
    assert_int_equal(cache_age(&f->cache, 30 * MS - 1, 10), 0);
    assert_int_equal(cache_age(&f->cache, 30 * MS, 2), 2);
    assert_string_equal(f->dropped, "AB");
    assert_int_equal(cache_age(&f->cache, 30 * MS, 2), 1);
    assert_string_equal(f->dropped, "ABC");
    assert_int_equal(f->cache.next_due, 80 * MS);
    assert_int_equal(cache_age(&f->cache, 80 * MS, 2), 1);
    assert_int_equal(cache_age(&f->cache, 80 * MS, 2), 0);
    assert_true(f->cache.next_due == INT64_MAX);
    assert_int_equal(f->cache.expired, 4);
    close_cache(f);
}

static void test_clearing_drops_all_and_the_cache_goes_on(void **state)
{
    struct fixture *f = open_cache(10, 10000);

    (void)state;
    put(f, "a", "A", 0);
    put(f, "b", "B", 0);
    cache_clear(&f->cache);
    assert_string_equal(f->dropped, "AB");
    assert_null(find(f, "a", 0));
    put(f, "a", "C", 0);
    assert_found(f, "a", "C", 0);
    assert_int_equal(f->cache.evicted + f->cache.expired, 0);
    close_cache(f);
}

static void count_drop(void *user, void *value)
{
    (void)value;
    ++*(uint64_t *)user;
}

/* While the table grows and after that, all that was put and not evicted is found. */
static void test_many_values_are_found_while_the_table_grows(void **state)
{
    enum { ENTRIES = 100000 };
    const struct cache_limits limits = {ENTRIES, SIZE_MAX};
    uint64_t drops = 0;
    struct cache cache;

    (void)state;
    assert_int_equal(cache_open(&cache, limits, count_drop, &drops), ATAMO_OK);
    for (size_t i = 0; i < 3 * (size_t)ENTRIES; i++) {
        const size_t earlier = i - i % ENTRIES / 2;
        const atamo_bytes new_key = {(const char *)&i, sizeof i};
        const atamo_bytes old_key = {(const char *)&earlier, sizeof earlier};
        const struct cache_item item = {
            .hash = hash_bytes(1, new_key), .key = new_key, .fresh_ns = MS};

        assert_null(cache_find(&cache, item.hash, new_key, 0));
        assert_int_equal(cache_put(&cache, &item, 0), ATAMO_OK);
        assert_non_null(cache_find(&cache, hash_bytes(1, old_key), old_key, 0));
    }
    assert_int_equal(cache.entries, ENTRIES);
    assert_int_equal(drops, 2 * ENTRIES);
    cache_close(&cache);
    assert_int_equal(drops, 3 * ENTRIES);
}

/* The model. */

enum { KEYS = 400, STEPS = 100000, KEY_MAX = 12 };

struct slot { /* what the cache should hold for a key */
    bool present;
    size_t cost;
    int64_t fresh_until, stale_until, lifetime;
    uint64_t used;
};

enum step { PUT, FIND, REMOVE, AGE, CLEAR };

struct model {
    struct cache cache;
    struct random random;
    unsigned hash_bits; /* few: many keys share a hash */
    struct slot slots[KEYS];
    size_t entries, bytes;
    uint64_t evicted, expired;
    uint64_t uses;
    int64_t now;
    enum step step;
    size_t key;  /* of the step */
    size_t cost; /* of what is put */
    char names[KEYS][KEY_MAX];
};

static size_t least_recently_used(const struct model *m)
{
    size_t least = KEYS;

    for (size_t i = 0; i < KEYS; i++)
        if (m->slots[i].present && (least == KEYS || m->slots[i].used < m->slots[least].used))
            least = i;
    return least;
}

/* Every drop needs a reason. Values are the keys' own names, so it is known whose it is. */
static void drop(void *user, void *value)
{
    struct model *m = user;
    const size_t key = (size_t)((char *)value - m->names[0]) / KEY_MAX;
    struct slot *slot = &m->slots[key];
    const bool asked = m->step == CLEAR || ((m->step == PUT || m->step == REMOVE) && key == m->key);

    assert_true(slot->present);
    if (!asked && slot->stale_until <= m->now) {
        assert_true(m->step != FIND || key == m->key);
        m->expired++;
    } else if (!asked) {
        assert_int_equal(m->step, PUT);
        assert_int_equal(key, least_recently_used(m));
        assert_true(m->entries == m->cache.limits.max_entries ||
                    m->bytes + m->cost > m->cache.limits.max_bytes);
        m->evicted++;
    }
    slot->present = false;
    m->entries--;
    m->bytes -= slot->cost;
}

static uint64_t model_hash(const struct model *m, atamo_bytes key)
{
    return hash_bytes(1, key) & ((UINT64_C(1) << m->hash_bits) - 1);
}

/* From a millisecond to 17 seconds, short ones as often as long ones. */
static int64_t random_time(struct model *m)
{
    return (int64_t)random_below(&m->random, UINT64_C(1) << (20 + random_below(&m->random, 15)));
}

static void step_put(struct model *m, atamo_bytes key)
{
    const struct cache_item item = {
        .hash = model_hash(m, key),
        .key = key,
        .value = m->names[m->key],
        .bytes = random_below(&m->random, UINT64_C(1) << random_below(&m->random, 12)),
        .fresh_ns = random_below(&m->random, 50) == 0 ? INT64_MAX : random_time(m),
        .stale_ns = random_below(&m->random, 2) == 0 ? 0 : random_time(m),
    };
    int status;

    m->cost = cache_cost(key.size, item.bytes);
    status = cache_put(&m->cache, &item, m->now);
    if (m->cost > m->cache.limits.max_bytes) {
        assert_int_equal(status, ATAMO_TOO_LARGE);
        return;
    }
    assert_int_equal(status, ATAMO_OK);
    assert_false(m->slots[m->key].present); /* it was replaced */
    m->slots[m->key] = (struct slot){
        .present = true,
        .cost = m->cost,
        .fresh_until = item.fresh_ns == INT64_MAX ? INT64_MAX : m->now + item.fresh_ns,
        .stale_until =
            item.fresh_ns == INT64_MAX ? INT64_MAX : m->now + item.fresh_ns + item.stale_ns,
        .lifetime = item.fresh_ns == INT64_MAX ? 0 : item.fresh_ns + item.stale_ns,
        .used = ++m->uses,
    };
    m->entries++;
    m->bytes += m->cost;
}

/* Find, and remove what was found if that is the step. */
static void step_find(struct model *m, atamo_bytes key)
{
    const bool remove = m->step == REMOVE;
    const bool there = m->slots[m->key].present && m->slots[m->key].stale_until > m->now;
    struct cache_entry *entry;

    m->step = FIND;
    entry = cache_find(&m->cache, model_hash(m, key), key, m->now);
    assert_int_equal(entry != NULL, there);
    if (entry == NULL) {
        assert_false(m->slots[m->key].present);
        return;
    }
    assert_ptr_equal(entry->value, m->names[m->key]);
    assert_true(entry->fresh_until == m->slots[m->key].fresh_until);
    assert_true(entry->stale_until == m->slots[m->key].stale_until);
    m->slots[m->key].used = ++m->uses;
    if (!remove)
        return;
    m->step = REMOVE;
    cache_remove(&m->cache, entry);
    assert_false(m->slots[m->key].present);
}

static void step_age(struct model *m)
{
    const size_t before = m->entries;
    const size_t most = random_below(&m->random, 2) == 0 ? 2 : SIZE_MAX;
    const size_t dropped = cache_age(&m->cache, m->now, most);

    assert_int_equal(dropped, before - m->entries);
    assert_true(dropped <= most);
    if (dropped == most)
        return;
    assert_true(m->cache.next_due > m->now);
    for (size_t i = 0; i < KEYS; i++) {
        const struct slot *slot = &m->slots[i];

        if (slot->present && slot->stale_until <= m->now)
            assert_true(slot->stale_until + slot->lifetime / 4 + 2 * MS > m->now);
    }
}

static void take_step(struct model *m)
{
    static const enum step steps[] = {PUT, PUT, PUT, FIND, FIND, FIND, FIND, REMOVE, AGE};
    atamo_bytes key;

    m->step = steps[random_below(&m->random, sizeof steps / sizeof steps[0])];
    if (random_below(&m->random, 5000) == 0)
        m->step = CLEAR;
    m->key = random_below(&m->random, KEYS);
    key = atamo_text(m->names[m->key]);
    if (random_below(&m->random, 3) == 0)
        m->now += random_time(m) / 256;
    if (m->step == PUT)
        step_put(m, key);
    else if (m->step == AGE)
        step_age(m);
    else if (m->step == CLEAR)
        cache_clear(&m->cache);
    else
        step_find(m, key);
    assert_int_equal(m->cache.entries, m->entries);
    assert_int_equal(m->cache.bytes, m->bytes);
    assert_int_equal(m->cache.evicted, m->evicted);
    assert_int_equal(m->cache.expired, m->expired);
    assert_true(m->entries <= m->cache.limits.max_entries);
    assert_true(m->bytes <= m->cache.limits.max_bytes);
}

static void live(uint64_t seed, struct cache_limits limits, unsigned hash_bits)
{
    struct model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    print_message("seed %llu: %zu entries, %zu bytes, %u bits of hash\n", (unsigned long long)seed,
                  limits.max_entries, limits.max_bytes, hash_bits);
    m->random.state = seed;
    m->hash_bits = hash_bits;
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(m->names[i], KEY_MAX, "%.*s%zu", (int)(i % 7), "longer", i);
    m->names[0][0] = '\0'; /* a key may be empty */
    assert_int_equal(cache_open(&m->cache, limits, drop, m), ATAMO_OK);
    for (int i = 0; i < STEPS; i++)
        take_step(m);
    assert_true(m->expired > 1000);
    assert_true(limits.max_entries >= KEYS || m->evicted > 1000);
    m->step = CLEAR;
    cache_close(&m->cache);
    assert_int_equal(m->entries, 0); /* each value was dropped */
    free(m);
}

static void test_random_histories_go_as_in_the_model(void **state)
{
    (void)state;
    live(1, (struct cache_limits){50, SIZE_MAX}, 60);
    live(2, (struct cache_limits){KEYS / 2, 20000}, 60);
    live(3, (struct cache_limits){KEYS, 1 << 20}, 3);
    live(4, (struct cache_limits){1, 1000}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_is_fresh_then_stale_then_gone),
        cmocka_unit_test(test_the_key_is_copied),
        cmocka_unit_test(test_a_second_value_replaces_the_first),
        cmocka_unit_test(test_the_value_that_was_not_used_for_longest_makes_room),
        cmocka_unit_test(test_a_large_value_takes_the_room_of_several),
        cmocka_unit_test(test_a_value_that_never_fits_is_refused_and_changes_nothing),
        cmocka_unit_test(test_what_has_expired_makes_room_before_what_is_fresh),
        cmocka_unit_test(test_aging_drops_a_few_at_a_time_and_says_when_to_come_again),
        cmocka_unit_test(test_clearing_drops_all_and_the_cache_goes_on),
        cmocka_unit_test(test_many_values_are_found_while_the_table_grows),
        cmocka_unit_test(test_random_histories_go_as_in_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
