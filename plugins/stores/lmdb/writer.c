/* writer - the thread that commits.
 *
 * Happy path: writer_add() copies the writes into one block and queues it; the thread takes the
 * queue, checks the versions that a batch expects and applies it, batch by batch, then commits all
 * of them. A batch whose versions do not fit is left out before anything of it was written, so the
 * others stand. Fails as a whole if the map is full (it grows, and all is tried again) or the
 * system refuses.
 */
#include "writer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_BYTES = 32 << 20, /* in one transaction, about */
    ROOM_PUTS = 64 << 10,   /* that a group may put and still be said to make room */
};

/* A write in its batch's block: this, the key as it is in the database, the value. */
struct entry {
    uint32_t kind;
    uint32_t key_size;
    uint64_t value_size;
    uint64_t expected;
};

struct batch {
    struct batch *next;
    void (*done)(void *user, int status);
    void *user;
    size_t count;
    size_t size; /* of this block */
    int status;
    _Alignas(8) char entries[];
};

/* --- queueing */

static size_t entry_size(size_t key, size_t value)
{
    return (sizeof(struct entry) + key + value + 7) / 8 * 8;
}

static int check_write(const atamo_write *write)
{
    if (write->kind != ATAMO_WRITE_PUT && write->kind != ATAMO_WRITE_DELETE)
        return ATAMO_INVALID;
    if (write->space.size == 0 || write->key.size == 0 ||
        memchr(write->space.data, '\0', write->space.size) != NULL)
        return ATAMO_INVALID;
    if (write->space.size > ATAMO_SPACE_MAX || write->key.size > ATAMO_KEY_MAX ||
        write->value.size > ATAMO_VALUE_MAX)
        return ATAMO_TOO_LARGE;
    return ATAMO_OK;
}

static void fill(struct batch *batch, const atamo_write *writes, size_t count)
{
    char *at = batch->entries;

    for (size_t i = 0; i < count; i++) {
        const atamo_write *write = &writes[i];
        struct entry *entry = (struct entry *)(void *)at;
        const size_t value = write->kind == ATAMO_WRITE_PUT ? write->value.size : 0;
        char *key = at + sizeof *entry;

        entry->kind = write->kind;
        entry->expected = write->expected;
        entry->key_size = (uint32_t)record_key(key, write->space, write->key);
        entry->value_size = value;
        if (value > 0)
            memcpy(key + entry->key_size, write->value.data, value);
        at += entry_size(entry->key_size, value);
    }
}

static int make_batch(const atamo_write *writes, size_t count, struct batch **made)
{
    size_t size = sizeof(struct batch);
    struct batch *batch;

    for (size_t i = 0; i < count; i++) {
        const int status = check_write(&writes[i]);

        if (status != ATAMO_OK)
            return status;
        size += entry_size(writes[i].space.size + 1 + writes[i].key.size,
                           writes[i].kind == ATAMO_WRITE_PUT ? writes[i].value.size : 0);
    }
    batch = malloc(size);
    if (batch == NULL)
        return ATAMO_NO_MEMORY;
    memset(batch, 0, sizeof *batch);
    batch->count = count;
    batch->size = size;
    fill(batch, writes, count);
    *made = batch;
    return ATAMO_OK;
}

int writer_add(struct writer *writer, const atamo_write *writes, size_t count,
               void (*done)(void *user, int status), void *user)
{
    struct batch *batch = NULL;
    int status = make_batch(writes, count, &batch);

    if (status != ATAMO_OK)
        return status;
    batch->done = done;
    batch->user = user;
    (void)pthread_mutex_lock(&writer->lock);
    if (writer->closing ||
        (writer->first != NULL && writer->waiting + batch->size > writer->limit)) {
        status = writer->closing ? ATAMO_CLOSED : ATAMO_BUSY;
        free(batch);
    } else {
        if (writer->first == NULL)
            (void)pthread_cond_signal(&writer->work);
        *(writer->first == NULL ? &writer->first : &writer->last->next) = batch;
        writer->last = batch;
        writer->waiting += batch->size;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return status;
}

/* --- committing */

/* Wait for work and take as much as one transaction should have; NULL: the end. */
static struct batch *take_group(struct writer *writer)
{
    struct batch *first;
    struct batch *last;
    size_t size;

    (void)pthread_mutex_lock(&writer->lock);
    while (writer->first == NULL && !writer->closing)
        (void)pthread_cond_wait(&writer->work, &writer->lock);
    first = writer->first;
    if (first != NULL) {
        last = first;
        size = first->size;
        while (last->next != NULL && size + last->next->size <= GROUP_BYTES) {
            last = last->next;
            size += last->size;
        }
        writer->first = last->next;
        writer->waiting -= size;
        last->next = NULL;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return first;
}

static struct entry *entry_after(struct entry *entry)
{
    return (struct entry *)(void *)((char *)entry + entry_size(entry->key_size, entry->value_size));
}

static atamo_bytes entry_key(const struct entry *entry)
{
    return (atamo_bytes){(const char *)(entry + 1), entry->key_size};
}

static int check_versions(const struct database *database, MDB_txn *txn, struct batch *batch)
{
    struct entry *entry = (struct entry *)(void *)batch->entries;

    for (size_t i = 0; i < batch->count; i++, entry = entry_after(entry)) {
        const int status = entry->expected == 0
                               ? ATAMO_OK
                               : database_expect(database, txn, entry_key(entry), entry->expected);

        if (status != ATAMO_OK)
            return status;
    }
    return ATAMO_OK;
}

static int apply(struct database *database, MDB_txn *txn, struct batch *batch)
{
    struct entry *entry = (struct entry *)(void *)batch->entries;
    int status = ATAMO_OK;

    for (size_t i = 0; i < batch->count && status == ATAMO_OK; i++, entry = entry_after(entry)) {
        const atamo_bytes key = entry_key(entry);

        if (entry->kind == ATAMO_WRITE_DELETE)
            status = database_delete(database, txn, key);
        else
            status = database_put(database, txn, key,
                                  (atamo_bytes){key.data + key.size, entry->value_size});
    }
    return status;
}

/* All batches of a group in one transaction. A conflict is the batch's own; any other failure is
 * everybody's. */
static int commit_once(struct database *database, struct batch *group)
{
    MDB_txn *txn;
    int status = database_begin(database, &txn);

    if (status != ATAMO_OK)
        return status;
    for (struct batch *batch = group; batch != NULL && status == ATAMO_OK; batch = batch->next) {
        batch->status = check_versions(database, txn, batch);
        if (batch->status == ATAMO_OK)
            status = apply(database, txn, batch);
        else if (batch->status != ATAMO_CONFLICT)
            status = batch->status;
    }
    if (status == ATAMO_OK)
        return database_commit(database, txn);
    mdb_txn_abort(txn);
    return status;
}

/* Does the group make room? It deletes something and puts little. */
static bool makes_room(struct batch *group)
{
    bool deletes = false;
    uint64_t puts = 0;

    for (; group != NULL; group = group->next) {
        struct entry *entry = (struct entry *)(void *)group->entries;

        for (size_t i = 0; i < group->count; i++, entry = entry_after(entry)) {
            deletes = deletes || entry->kind == ATAMO_WRITE_DELETE;
            puts += entry->value_size;
        }
    }
    return deletes && puts <= ROOM_PUTS;
}

static int commit_beyond(struct database *database, struct batch *group)
{
    int status = database_stretch(database);

    if (status != ATAMO_OK)
        return ATAMO_FULL;
    status = commit_once(database, group);
    database_relax(database);
    return status;
}

static void commit(struct writer *writer, struct batch *group)
{
    int status = atomic_load(&writer->broken) ? ATAMO_IO : commit_once(writer->database, group);

    while (status == ATAMO_FULL && database_grow(writer->database) == ATAMO_OK)
        status = commit_once(writer->database, group);
    if (status == ATAMO_FULL && makes_room(group))
        status = commit_beyond(writer->database, group);
    if (status == ATAMO_IO)
        atomic_store(&writer->broken, true);
    while (group != NULL) {
        struct batch *next = group->next;

        group->done(group->user, status != ATAMO_OK ? status : group->status);
        free(group);
        group = next;
    }
}

static void *run(void *argument)
{
    struct writer *writer = argument;
    struct batch *group;

    while ((group = take_group(writer)) != NULL)
        commit(writer, group);
    return NULL;
}

int writer_start(struct writer *writer, struct database *database, size_t limit)
{
    sigset_t all;
    sigset_t before;
    int error;

    memset(writer, 0, sizeof *writer);
    writer->database = database;
    writer->limit = limit;
    if (pthread_mutex_init(&writer->lock, NULL) != 0 || pthread_cond_init(&writer->work, NULL) != 0)
        return ATAMO_NO_MEMORY;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&writer->thread, NULL, run, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return ATAMO_IO;
    (void)pthread_setname_np(writer->thread, "atamo-commit");
    return ATAMO_OK;
}

void writer_stop(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->closing = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->lock);
}
