/* reply - what an agent responded, and who gets it.
 *
 * Happy path: a payload is made where the agent responds, its own record goes to the client that
 * asked, and the client's thread sends the block home. Making one fails without memory.
 */
#include "flow/reply.h"

#include "flow/request.h"

#include <stdlib.h>
#include <string.h>

static struct block *take(struct blocks *blocks, size_t size)
{
    struct block *block = blocks == NULL ? malloc(size) : blocks_take(blocks, size);

    if (block != NULL && blocks == NULL)
        block->home = NULL;
    return block;
}

struct payload *payload_make(struct blocks *blocks, atamo_action action,
                             const atamo_response *response)
{
    const atamo_bytes key = ATAMO_HAS(response, key.data) ? response->key : (atamo_bytes){"", 0};
    struct payload *payload =
        (void *)take(blocks, sizeof *payload + response->body.size + key.size + 2);
    char *at;

    if (payload == NULL)
        return NULL;
    memset((char *)payload + sizeof payload->reply.block, 0,
           sizeof *payload - sizeof payload->reply.block);
    payload->reply.payload = payload;
    payload->reply.kind = response->kind;
    atomic_init(&payload->refs, 1);
    payload->action = action;
    payload->kind = (uint8_t)response->kind;
    payload->progress = response->progress;
    payload->size = (uint32_t)response->body.size;
    payload->key_size = (uint32_t)key.size;
    at = payload->bytes;
    if (payload->size > 0)
        memcpy(at, response->body.data, payload->size);
    at += payload->size;
    *at++ = '\0';
    if (key.size > 0)
        memcpy(at, key.data, key.size);
    at[key.size] = '\0';
    return payload;
}

struct reply *reply_make(struct blocks *blocks, struct payload *payload)
{
    struct reply *reply;

    if (payload != NULL && !payload->is_taken) {
        payload->is_taken = true;
        (void)payload_ref(payload);
        return &payload->reply;
    }
    reply = (void *)blocks_take(blocks, sizeof *reply);
    if (reply == NULL)
        return NULL;
    memset((char *)reply + sizeof reply->block, 0, sizeof *reply - sizeof reply->block);
    reply->payload = payload == NULL ? NULL : payload_ref(payload);
    if (payload != NULL)
        reply->kind = payload->kind;
    return reply;
}

static void let_go(struct block *block, struct reply_memory *memory)
{
    if (block->home == NULL) {
        free(block);
        return;
    }
    if (memory->newest != NULL && memory->newest->home != block->home)
        reply_memory_return(memory);
    block->link.next = memory->newest == NULL ? NULL : &memory->newest->link;
    if (memory->newest == NULL)
        memory->oldest = block;
    memory->newest = block;
}

void payload_release(struct payload *payload, struct reply_memory *memory)
{
    if (atomic_fetch_sub_explicit(&payload->refs, 1, memory_order_acq_rel) == 1)
        let_go(&payload->reply.block, memory);
}

void reply_release(struct reply *reply, struct reply_memory *memory)
{
    struct payload *payload = reply->payload;

    if (reply == &reply->request->end)
        return; /* a part of the request */
    if (payload == NULL || &payload->reply != reply)
        let_go(&reply->block, memory);
    if (payload != NULL)
        payload_release(payload, memory);
}

void reply_memory_return(struct reply_memory *memory)
{
    if (memory->newest == NULL)
        return;
    blocks_return(memory->newest, memory->oldest);
    *memory = (struct reply_memory){NULL, NULL};
}
