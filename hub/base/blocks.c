/* blocks - memory for messages that one thread fills and another gives back.
 *
 * Happy path: the free list of the size class has one. If not, what other threads returned is
 * sorted into the free lists; if still not, a new block is cut from the newest slab. The only
 * failure is that malloc has no memory for a slab or a large block; then NULL is returned.
 */
#include "base/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB_FIRST = 32 * 1024, SLAB_MAX = 256 * 1024 };

struct slab {
    struct slab *older;
    size_t size;
    _Alignas(64) char memory[];
};

void blocks_init(struct blocks *blocks)
{
    memset(blocks, 0, sizeof *blocks);
    stack_init(&blocks->returned);
}

static void put(struct blocks *blocks, struct block *block)
{
    struct block **list;

    assert(blocks->out > 0);
    blocks->out--;
    if (block->size > BLOCKS_SLAB_MAX) {
        free(block);
        return;
    }
    list = &blocks->free[block->size / BLOCKS_UNIT - 1];
    block->link.next = *list == NULL ? NULL : &(*list)->link;
    *list = block;
}

void blocks_collect(struct blocks *blocks)
{
    struct stack_node *node = stack_take(&blocks->returned);

    while (node != NULL) {
        struct stack_node *next = node->next;

        put(blocks, (struct block *)node);
        node = next;
    }
}

void blocks_close(struct blocks *blocks)
{
    blocks_collect(blocks);
    while (blocks->slabs != NULL) {
        struct slab *older = blocks->slabs->older;

        free(blocks->slabs);
        blocks->slabs = older;
    }
    memset(blocks->free, 0, sizeof blocks->free);
}

static struct block *cut(struct blocks *blocks, size_t size)
{
    struct block *block;

    if (blocks->fresh_size < size) {
        const size_t want = blocks->slabs == NULL ? SLAB_FIRST : blocks->slabs->size * 2;
        const size_t bytes = want < SLAB_MAX ? want : SLAB_MAX;
        struct slab *slab = aligned_alloc(64, sizeof *slab + bytes);

        if (slab == NULL)
            return NULL;
        slab->older = blocks->slabs;
        slab->size = bytes;
        blocks->slabs = slab;
        blocks->fresh = slab->memory;
        blocks->fresh_size = bytes;
        blocks->bytes += bytes;
    }
    block = (struct block *)(void *)blocks->fresh;
    blocks->fresh += size;
    blocks->fresh_size -= size;
    block->home = blocks;
    block->size = (uint32_t)size;
    return block;
}

static struct block *take_large(struct blocks *blocks, size_t size)
{
    struct block *block = size > UINT32_MAX ? NULL : malloc(size);

    if (block == NULL)
        return NULL;
    block->home = blocks;
    block->size = (uint32_t)size;
    return block;
}

struct block *blocks_take(struct blocks *blocks, size_t size)
{
    const size_t rounded = (size + BLOCKS_UNIT - 1) / BLOCKS_UNIT * BLOCKS_UNIT;
    struct block **list;
    struct block *block;

    assert(size >= sizeof(struct block));
    if (rounded > BLOCKS_SLAB_MAX) {
        blocks_collect(blocks); /* frees the large ones that have come back */
        block = take_large(blocks, rounded);
    } else {
        list = &blocks->free[rounded / BLOCKS_UNIT - 1];
        if (*list == NULL)
            blocks_collect(blocks);
        block = *list;
        if (block != NULL)
            *list = (struct block *)block->link.next;
        else
            block = cut(blocks, rounded);
    }
    blocks->out += block != NULL;
    return block;
}

void blocks_give(struct block *block)
{
    put(block->home, block);
}

void blocks_return(struct block *newest, struct block *oldest)
{
    stack_push(&newest->home->returned, &newest->link, &oldest->link);
}
