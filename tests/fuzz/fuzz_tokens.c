/* fuzz_tokens - any bytes as a file of tokens, and as a token: read or refused, and never without a
 * word; a list that was read is the same when it is written and read again.
 */
#include "access/token_list.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct token_list *list, struct problems *problems)
{
    const size_t size = token_list_write(list, NULL, 0);
    struct token_list again = {NULL, 0};
    char *text = malloc(size);

    if (text == NULL || token_list_write(list, text, size) != size ||
        token_list_parse((atamo_bytes){text, size}, "again", problems, &again) != ATAMO_OK ||
        again.count != list->count)
        abort();
    for (size_t i = 0; i < list->count; i++) {
        const struct token *one = &list->items[i];
        const struct token *other = token_list_find(&again, one->id);

        if (other == NULL || strcmp(one->user, other->user) != 0 ||
            strcmp(one->tenant, other->tenant) != 0 || strcmp(one->note, other->note) != 0 ||
            one->scopes != other->scopes || one->created_ns != other->created_ns ||
            one->expires_ns != other->expires_ns ||
            memcmp(one->hash, other->hash, sizeof one->hash) != 0)
            abort();
    }
    token_list_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char secret[TOKEN_SECRET_SIZE];
    struct token_list list = {NULL, 0};
    char id[TOKEN_ID_SIZE + 1];
    struct problems problems;
    char *exact = malloc(size + (size == 0)); /* so that any overrun shows */

    if (exact == NULL || token_ready() != ATAMO_OK)
        abort();
    memcpy(exact, data, size);
    problems_init(&problems);
    if (token_list_parse((atamo_bytes){exact, size}, "file", &problems, &list) == ATAMO_OK)
        write_and_read(&list, &problems);
    else if (problems.count == 0)
        abort();
    token_list_free(&list);
    if (token_read((atamo_bytes){exact, size}, id, secret) && !token_is_id(atamo_text(id)))
        abort();
    problems_close(&problems);
    free(exact);
    return 0;
}
