/* chunk - telemetry records as bytes that outlive the process.
 *
 * A chunk is a run of records with the names they use, so that it can be read without anything
 * else: by the next life of the hub, or by a tool. Times and message numbers are differences to the
 * record before, all numbers are as short as they can be: a record takes about 12 bytes instead of
 * 64.
 *
 * Layout: u8 format, i64 time of the newest record (Unix ns), u32 size of the records, the records;
 * u32 count of names, each as u16 size and text. A record: u8 step, u8 which fields follow, time,
 * message; then the fields.
 */
#ifndef HUB_STORE_CHUNK_H
#define HUB_STORE_CHUNK_H

#include "base/names.h"

#include <atamo/telemetry.h>

#include <stdbool.h>

struct chunk_writer {
    char *bytes; /* the records */
    size_t size, room;
    int64_t time; /* of the newest record */
    uint64_t message;
    uint32_t *places; /* by name: its place in `names`, from 1; 0: not in this chunk */
    uint32_t place_room;
    uint32_t *names; /* in order of first use */
    uint32_t name_count, name_room;
};

/* Add a record with its text. False without memory: it is left out. */
bool chunk_add(struct chunk_writer *writer, const atamo_telemetry *span);

/* The chunk so far: its size, or 0 if there is no record in it; written to `out`; begun anew. */
size_t chunk_size(const struct chunk_writer *writer, const struct names *names);
void chunk_put(const struct chunk_writer *writer, const struct names *names, char *out);
void chunk_reset(struct chunk_writer *writer);
void chunk_free(struct chunk_writer *writer);

/* A record as it is read: names are texts. Valid until the chunk is. */
struct chunk_record {
    atamo_telemetry record; /* its names are 0 */
    atamo_bytes type, rule, agent, user, text;
};

struct chunk_reader {
    const char *at, *end;
    int64_t time;
    uint64_t message;
    atamo_bytes *names;
    uint32_t name_count;
};

/* When the newest record of a chunk was made, Unix ns; 0 if it is none. */
int64_t chunk_time(atamo_bytes chunk);

/* ATAMO_DAMAGED, ATAMO_NO_MEMORY. */
int chunk_open(struct chunk_reader *reader, atamo_bytes chunk);
/* The next record. ATAMO_NOT_FOUND: that was the last; ATAMO_DAMAGED. */
int chunk_next(struct chunk_reader *reader, struct chunk_record *record);
void chunk_close(struct chunk_reader *reader);

#endif
