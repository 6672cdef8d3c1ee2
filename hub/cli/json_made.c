/* json_made - JSON of the size that it needs.
 *
 * Happy path: written once into nothing to learn the size, once into memory of that size. Fails
 * only without memory.
 */
#include "cli/json_made.h"

#include <stdlib.h>

atamo_bytes json_made(void (*write)(struct json_writer *writer, const void *user), const void *user)
{
    struct json_writer writer;
    size_t size;
    char *text;

    json_writer_init(&writer, NULL, 0);
    write(&writer, user);
    size = writer.size;
    text = malloc(size + 1);
    if (text == NULL)
        return (atamo_bytes){NULL, 0};
    json_writer_init(&writer, text, size);
    write(&writer, user);
    text[size] = '\0';
    return (atamo_bytes){text, size};
}
