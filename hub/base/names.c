/* names - every name that telemetry speaks of, as a number.
 *
 * Texts live in chunks of NAMES_PER_CHUNK entries that never move. An open hash table of numbers
 * points into them; when it is three quarters full a table of twice the size is built and
 * published, and the old one is kept until the end, so that readers never see memory go. Adding
 * fails, with 0, at NAMES_MAX or without memory; nothing is changed then.
 */
#include "base/names.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { NAMES_PER_CHUNK = 1024, CHUNKS_MAX = NAMES_MAX / NAMES_PER_CHUNK, TABLE_FIRST = 256 };

struct entry {
    atamo_bytes text;
    uint64_t hash;
};

struct table {
    struct table *older;
    uint32_t mask;
    _Atomic uint32_t slots[];
};

struct names {
    pthread_mutex_t adding;
    struct arena arena; /* texts and chunks; guarded by `adding` */
    uint64_t seed;
    _Atomic uint32_t count; /* numbers 1..count are complete */
    _Atomic(struct table *) table;
    _Atomic(struct entry *) chunks[CHUNKS_MAX];
};

static struct table *table_new(uint32_t capacity, struct table *older)
{
    struct table *table = calloc(1, sizeof *table + capacity * sizeof table->slots[0]);

    if (table == NULL)
        return NULL;
    table->older = older;
    table->mask = capacity - 1;
    return table;
}

struct names *names_open(void)
{
    struct names *names = calloc(1, sizeof *names);
    struct table *table = table_new(TABLE_FIRST, NULL);

    if (names == NULL || table == NULL || pthread_mutex_init(&names->adding, NULL) != 0) {
        free(table);
        free(names);
        return NULL;
    }
    arena_init(&names->arena);
    names->seed = (uint64_t)(uintptr_t)names;
    atomic_init(&names->table, table);
    return names;
}

void names_close(struct names *names)
{
    struct table *table;

    if (names == NULL)
        return;
    table = atomic_load(&names->table);
    while (table != NULL) {
        struct table *older = table->older;

        free(table);
        table = older;
    }
    arena_close(&names->arena);
    (void)pthread_mutex_destroy(&names->adding);
    free(names);
}

static const struct entry *entry_of(const struct names *names, uint32_t name)
{
    const struct entry *chunk =
        atomic_load_explicit(&names->chunks[(name - 1) / NAMES_PER_CHUNK], memory_order_acquire);

    return &chunk[(name - 1) % NAMES_PER_CHUNK];
}

static uint32_t find(const struct names *names, atamo_bytes text, uint64_t hash)
{
    const struct table *table = atomic_load_explicit(&names->table, memory_order_acquire);

    for (uint32_t at = (uint32_t)hash & table->mask;; at = (at + 1) & table->mask) {
        const uint32_t name = atomic_load_explicit(&table->slots[at], memory_order_acquire);
        const struct entry *entry;

        if (name == 0)
            return 0;
        entry = entry_of(names, name);
        if (entry->hash == hash && entry->text.size == text.size &&
            memcmp(entry->text.data, text.data, text.size) == 0)
            return name;
    }
}

uint32_t names_find(const struct names *names, atamo_bytes text)
{
    return text.size == 0 ? 0 : find(names, text, hash_bytes(names->seed, text));
}

static void table_put(struct table *table, uint64_t hash, uint32_t name)
{
    uint32_t at = (uint32_t)hash & table->mask;

    while (atomic_load_explicit(&table->slots[at], memory_order_relaxed) != 0)
        at = (at + 1) & table->mask;
    atomic_store_explicit(&table->slots[at], name, memory_order_release);
}

/* Make room for one more name in table and chunks. */
static int grow(struct names *names)
{
    const uint32_t count = atomic_load_explicit(&names->count, memory_order_relaxed);
    struct table *table = atomic_load_explicit(&names->table, memory_order_relaxed);
    const uint32_t chunk = count / NAMES_PER_CHUNK;

    if (count == NAMES_MAX)
        return ATAMO_TOO_LARGE;
    if (atomic_load_explicit(&names->chunks[chunk], memory_order_relaxed) == NULL) {
        struct entry *entries = arena_array(&names->arena, NAMES_PER_CHUNK, sizeof(struct entry));

        if (entries == NULL)
            return ATAMO_NO_MEMORY;
        atomic_store_explicit(&names->chunks[chunk], entries, memory_order_release);
    }
    if (count >= (table->mask + 1) / 4 * 3) {
        table = table_new((table->mask + 1) * 2, table);
        if (table == NULL)
            return ATAMO_NO_MEMORY;
        for (uint32_t name = 1; name <= count; name++)
            table_put(table, entry_of(names, name)->hash, name);
        atomic_store_explicit(&names->table, table, memory_order_release);
    }
    return ATAMO_OK;
}

static uint32_t add(struct names *names, atamo_bytes text, uint64_t hash)
{
    uint32_t name = find(names, text, hash);
    struct entry *chunk;
    atamo_bytes copy;

    if (name != 0)
        return name;
    if (grow(names) != ATAMO_OK)
        return 0;
    copy = arena_copy(&names->arena, text);
    if (copy.data == NULL)
        return 0;
    name = atomic_load_explicit(&names->count, memory_order_relaxed) + 1;
    chunk =
        atomic_load_explicit(&names->chunks[(name - 1) / NAMES_PER_CHUNK], memory_order_relaxed);
    chunk[(name - 1) % NAMES_PER_CHUNK] = (struct entry){copy, hash};
    atomic_store_explicit(&names->count, name, memory_order_release);
    table_put(atomic_load_explicit(&names->table, memory_order_relaxed), hash, name);
    return name;
}

uint32_t names_add(struct names *names, atamo_bytes text)
{
    const uint64_t hash = hash_bytes(names->seed, text);
    uint32_t name;

    if (text.size == 0)
        return 0;
    name = find(names, text, hash);
    if (name != 0)
        return name;
    (void)pthread_mutex_lock(&names->adding);
    name = add(names, text, hash);
    (void)pthread_mutex_unlock(&names->adding);
    return name;
}

atamo_bytes names_text(const struct names *names, uint32_t name)
{
    if (name == 0 || name > atomic_load_explicit(&names->count, memory_order_acquire))
        return (atamo_bytes){"", 0};
    return entry_of(names, name)->text;
}
