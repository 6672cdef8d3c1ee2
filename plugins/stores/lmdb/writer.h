/* writer - the thread that commits: group commit.
 *
 * Batches wait in a bounded queue; the thread takes all that wait into one transaction, syncs it
 * once and then calls each batch's `done`, in order. While one transaction syncs the next one
 * gathers, so the slower the disk the larger the groups.
 *
 * After a sync that failed nobody knows what is on the disk: the writer is broken and answers
 * ATAMO_IO to everything until the store is opened again.
 */
#ifndef STORES_LMDB_WRITER_H
#define STORES_LMDB_WRITER_H

#include "database.h"

#include <stdatomic.h>

struct batch;

struct writer {
    struct database *database;
    size_t limit; /* bytes that may wait */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct batch *first, *last;
    size_t waiting; /* bytes */
    bool closing;
    _Atomic bool broken;
};

/* Start the thread. ATAMO_NO_MEMORY, ATAMO_IO. */
int writer_start(struct writer *writer, struct database *database, size_t limit);

/* Commit what waits, then end the thread. */
void writer_stop(struct writer *writer);

/* As atamo_store's write(). [any] */
int writer_add(struct writer *writer, const atamo_write *writes, size_t count,
               void (*done)(void *user, int status), void *user);

#endif
