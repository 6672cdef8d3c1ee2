/* message_stored - a message as bytes that outlive the process.
 *
 * Happy path: the head's numbers in little-endian order, then attributes, extensions and data as
 * they lie in the block. Reading checks every length against the others, since the bytes come from
 * a disk; what does not fit together is ATAMO_DAMAGED.
 *
 * Layout: u64 number, u64 cause, i64 expires, i64 due (Unix ns), u32 data size, u16 hops, u8 flags,
 * u8 extensions, u16 size of the extensions, u16 end of each attribute; then the text.
 */
#include "model/message.h"

#include <endian.h>
#include <string.h>

enum { HEAD_SIZE = 4 * 8 + 4 + 2 + 1 + 1 + 2 + 2 * ATAMO_ATTRIBUTE_COUNT };

static char *put16(char *at, uint16_t number)
{
    number = htole16(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static char *put64(char *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof number);
    return at + sizeof number;
}

static uint16_t get16(const char **at)
{
    uint16_t number;

    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return le16toh(number);
}

static uint32_t get32(const char **at)
{
    uint32_t number;

    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return le32toh(number);
}

static uint64_t get64(const char **at)
{
    uint64_t number;

    memcpy(&number, *at, sizeof number);
    *at += sizeof number;
    return le64toh(number);
}

/* Attributes, extensions and data, as they lie one behind the other. */
static size_t text_size(const struct message *message)
{
    return (size_t)message->ends[ATAMO_ATTRIBUTE_COUNT - 1] + message->extension_size +
           message->data_size;
}

size_t message_stored_size(const struct message *message)
{
    return HEAD_SIZE + text_size(message);
}

void message_store(const struct message *message, char *out)
{
    const uint32_t data_size = htole32(message->data_size);
    char *at = put64(out, message->number);

    at = put64(at, message->cause);
    at = put64(at, (uint64_t)message->expires_ns);
    at = put64(at, (uint64_t)message->due_ns);
    memcpy(at, &data_size, sizeof data_size);
    at = put16(at + sizeof data_size, message->hops);
    *at++ = (char)(message->flags &
                   ~(MESSAGE_LOCAL | MESSAGE_MARKED | MESSAGE_FOLLOWS | MESSAGE_PARTIAL));
    *at++ = (char)message->extension_count;
    at = put16(at, message->extension_size);
    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++)
        at = put16(at, message->ends[i]);
    memcpy(at, message->text, text_size(message));
}

/* Do the lengths fit together, and does each text end with the NUL that readers rely on? */
static bool fits(const struct message *head, const char *text, size_t size)
{
    uint16_t before = 0;
    size_t nuls = 0;

    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++) {
        if (head->ends[i] < before || head->ends[i] > size ||
            (head->ends[i] > before && text[head->ends[i] - 1] != '\0'))
            return false;
        before = head->ends[i];
    }
    if (text_size(head) != size || head->extension_count > MESSAGE_EXTENSIONS_MAX)
        return false;
    for (size_t i = 0; i < head->extension_size; i++)
        nuls += text[before + i] == '\0';
    return nuls == (size_t)head->extension_count * 2 &&
           (head->extension_size == 0 || text[before + head->extension_size - 1] == '\0');
}

static void read_head(struct message *head, const char **at)
{
    memset(head, 0, sizeof *head);
    head->number = get64(at);
    head->cause = get64(at);
    head->expires_ns = (int64_t)get64(at);
    head->due_ns = (int64_t)get64(at);
    head->data_size = get32(at);
    head->hops = get16(at);
    head->flags = (uint8_t) * (*at)++;
    head->extension_count = (uint8_t) * (*at)++;
    head->extension_size = get16(at);
    for (unsigned i = 0; i < ATAMO_ATTRIBUTE_COUNT; i++)
        head->ends[i] = get16(at);
}

int message_restore(struct blocks *blocks, atamo_bytes stored, struct message **message)
{
    const char *at = stored.data;
    struct message head;
    struct message *made;
    struct block block;
    size_t size;

    if (stored.size < HEAD_SIZE)
        return ATAMO_DAMAGED;
    read_head(&head, &at);
    size = stored.size - HEAD_SIZE;
    if (!fits(&head, at, size))
        return ATAMO_DAMAGED;
    made = (struct message *)blocks_take(blocks, sizeof *made + size + MESSAGE_JSON_ROOM);
    if (made == NULL)
        return ATAMO_NO_MEMORY;
    block = made->block;
    memcpy(made, &head, sizeof head);
    made->block = block;
    made->refs = 1;
    memcpy(made->text, at, size);
    made->text[size] = '\0';
    *message = made;
    return ATAMO_OK;
}
