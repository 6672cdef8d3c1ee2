/* arena - memory that is freed all at once.
 *
 * Happy path: a request is rounded up and taken from the newest block. When that is full a new one
 * is taken from malloc, twice as large as the last up to BLOCK_MAX, or as large as the request.
 * The one failure is that malloc has nothing; then NULL is returned and nothing has changed.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FIRST = 4096, BLOCK_MAX = 1 << 20 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* of `memory` */
    _Alignas(max_align_t) char memory[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_close(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *older = block->older;

        free(block);
        block = older;
    }
    arena_init(arena);
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = arena->blocks == NULL ? BLOCK_FIRST : arena->blocks->size * 2;
    struct arena_block *block;

    if (size > BLOCK_MAX)
        size = BLOCK_MAX;
    if (size < need)
        size = need;
    block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->older = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used = 0;
    arena->total += size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    struct arena_block *block = arena->blocks;
    void *memory;

    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + unit - 1) / unit * unit;
    if (block == NULL || block->size - arena->used < size) {
        block = add_block(arena, size);
        if (block == NULL)
            return NULL;
    }
    memory = block->memory + arena->used;
    arena->used += size;
    assert(arena->used <= block->size);
    return memset(memory, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

atamo_bytes arena_copy(struct arena *arena, atamo_bytes bytes)
{
    char *copy = arena_alloc(arena, bytes.size + 1);

    if (copy == NULL)
        return (atamo_bytes){NULL, 0};
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    return (atamo_bytes){copy, bytes.size};
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return NULL;
    text = arena_alloc(arena, (size_t)size + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}
