/* remains - what is left of a store when the power went. See remains.h.
 *
 * Happy path: an image of the store's file is put into a file of its own and opened like any store;
 * it says how many batches it has, which may be no fewer than were acknowledged, and every key is
 * as that many batches left it. With a bit flipped, the record is named as damaged and all others
 * are as they were. An image that is not so ends the process with a message that says which history
 * it was and what is wrong. Only before anything was acknowledged may there be no store in it.
 */
#include "remains.h"

#include "database.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void bad(const struct remains *remains, const char *format, ...)
{
    va_list list;

    (void)printf("crash_disk: history %" PRIu64 ", seed %" PRIu64 ": ", remains->place->histories,
                 remains->place->seed);
    va_start(list, format);
    (void)vprintf(format, list);
    va_end(list);
    (void)printf("\n");
    (void)fflush(stdout);
    _exit(1);
}

size_t value_of(uint32_t batch, uint32_t key, char *out)
{
    const uint32_t mixed = (batch * 2654435761u) ^ (key * 40503u);
    const size_t size = 16 + mixed % (mixed % 8 == 0 ? VALUE_MAX - 16 : 200);

    for (size_t i = 0; i < size; i++)
        out[i] = (char)('!' + (mixed >> (i % 16)) % 90);
    (void)memcpy(out, &batch, sizeof batch);
    (void)memcpy(out + sizeof batch, &key, sizeof key);
    return size;
}

void key_of(uint32_t key, char out[8])
{
    (void)snprintf(out, 8, "key-%02u", key % 100);
}

/* One image is looked at. */
struct looking {
    const struct remains *remains;
    uint32_t batches; /* that the store says it has */
    uint32_t flipped; /* the key whose record was damaged; KEYS: none */
    bool seen[KEYS];
    bool told;
};

static int look(void *user, const atamo_record *record)
{
    struct looking *looking = user;
    const struct remains *remains = looking->remains;
    const uint32_t *model = remains->written->model[looking->batches];
    char expected[VALUE_MAX];
    uint32_t key = KEYS;
    size_t size;

    if (record->key.size == 6)
        key = (uint32_t)((record->key.data[4] - '0') * 10 + record->key.data[5] - '0');
    if (key >= KEYS)
        bad(remains, "a key that nobody wrote");
    looking->seen[key] = true;
    if (record->status != ATAMO_OK) {
        if (key != looking->flipped)
            bad(remains, "key %u is damaged after batch %u", key, looking->batches);
        looking->told = true;
        return 0;
    }
    size = value_of(model[key], key, expected);
    if (key != looking->flipped && (model[key] == 0 || size != record->value.size ||
                                    memcmp(expected, record->value.data, size) != 0))
        bad(remains, "key %u is not as batch %u left it", key, looking->batches);
    return 0;
}

static int note_number(void *user, const atamo_record *record)
{
    uint32_t *number = user;

    for (size_t i = 0; i < record->value.size; i++)
        *number = *number * 10 + (uint32_t)(record->value.data[i] - '0');
    return 0;
}

static void check_content(struct database *database, struct looking *looking)
{
    const struct remains *remains = looking->remains;
    const struct written *written = remains->written;
    static const char space[] = "s";
    const struct database_range range = {
        .prefix = {space, 2}, .from = {space, 2}, .strip = 2, .limit = SIZE_MAX};
    const int status =
        database_get(database, (atamo_bytes){"n\0n", 3}, 2, note_number, &looking->batches);

    if (status != ATAMO_OK && status != ATAMO_NOT_FOUND)
        bad(remains, "the number of batches cannot be read: %s", atamo_status_text(status));
    if (looking->batches < written->acknowledged)
        bad(remains, "%u batches were acknowledged, %u are there", written->acknowledged,
            looking->batches);
    if (looking->batches > written->submitted)
        bad(remains, "%u batches are there, %u were submitted", looking->batches,
            written->submitted);
    if (database_scan(database, &range, look, looking) != ATAMO_OK)
        bad(remains, "the store cannot be read");
    for (uint32_t i = 0; i < KEYS; i++)
        if (looking->seen[i] != (written->model[looking->batches][i] != 0))
            bad(remains, "key %u is %s after batch %u", i, looking->seen[i] ? "there" : "missing",
                looking->batches);
    if (looking->flipped < KEYS && !looking->told)
        bad(remains, "a flipped bit in key %u was not noticed", looking->flipped);
}

static void put_image(const struct remains *remains, const char *image, size_t size)
{
    const int fd = open(remains->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, image, size) != (ssize_t)size)
        bad(remains, "no room for an image");
    (void)close(fd);
}

uint32_t remains_check(struct remains *remains, const char *image, size_t size, uint32_t flipped)
{
    struct looking looking = {.remains = remains, .flipped = flipped};
    const struct database_settings settings = {
        .path = remains->path, .max_size = (size_t)64 << 20, .read_only = true, .syncs = true};
    struct database database;
    char why[DATABASE_WHY];
    int status;

    remains->digest = XXH3_64bits_withSeed(image, size, remains->digest);
    put_image(remains, image, size);
    status = database_open(&database, &settings, why);
    remains->place->histories++;
    if (status != ATAMO_OK) {
        if (remains->written->acknowledged > 0)
            bad(remains, "the store does not open: %s", why);
        return 0; /* the power went before there was one */
    }
    check_content(&database, &looking);
    database_close(&database);
    return looking.batches;
}

/* As a store without checksums would take it: the head fits what is there now. */
static void seal_again(uint32_t key, char *value, size_t length)
{
    char name[8];
    char bytes[16] = "s";
    char *head = value - RECORD_HEAD;
    const atamo_bytes whole = {bytes, 2 + 6};
    uint64_t version;

    key_of(key, name);
    (void)memcpy(bytes + 2, name, 6);
    version = record_open(whole, (atamo_bytes){head, RECORD_HEAD + length}).version;
    record_seal(whole, head, length, version);
}

/* Flip a bit in every copy of a record that is there: one of them is the live one. */
void remains_check_flipped(struct remains *remains, const char *image, size_t size,
                           uint32_t batches, uint32_t key)
{
    char *copy = malloc(size);
    char value[VALUE_MAX];
    const size_t length = value_of(remains->written->model[batches][key], key, value);
    char *at = copy;

    if (copy == NULL)
        bad(remains, "no memory");
    if (remains->written->model[batches][key] != 0) {
        (void)memcpy(copy, image, size);
        while ((at = memmem(at, size - (size_t)(at - copy), value, length)) != NULL) {
            at[9] ^= 1;
            if (remains->seals_again)
                seal_again(key, at, length);
            at++;
        }
        (void)remains_check(remains, copy, size, key);
    }
    free(copy);
}
