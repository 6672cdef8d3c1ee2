/* remains - what is left of a store when the power went, held against what was written to it. */
#ifndef TESTS_CRASH_REMAINS_H
#define TESTS_CRASH_REMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEYS = 24,
    BATCHES = 120, /* of one run */
    VALUE_MAX = 3000,
};

/* Where we are: what the next process to look at it needs to have it again. */
struct place {
    uint64_t seed, histories;
};

/* What a run has written: batches from 1, each with its number under the key "n" of the space "n",
 * the keys of all in the space "s". */
struct written {
    uint32_t submitted, acknowledged;
    uint32_t model[BATCHES + 1][KEYS]; /* after so many batches: which batch put the key; 0: gone */
};

struct remains {
    const struct written *written;
    struct place *place; /* shared with the parent process */
    char path[96];       /* of the file that an image is put into */
    bool seals_again;    /* planted: the store's checksums do not see a flipped bit */
    uint64_t digest;     /* of all images so far */
};

/* Ends the process with a message: the history that is looked at is not good. */
__attribute__((format(printf, 2, 3), noreturn)) void bad(const struct remains *remains,
                                                         const char *format, ...);

/* The value that a batch puts under a key: its size, at most VALUE_MAX. */
size_t value_of(uint32_t batch, uint32_t key, char *out);

/* The name of a key, 6 characters. */
void key_of(uint32_t key, char out[8]);

/* The file as the power left it: whole batches, none of those missing that were acknowledged; the
 * record of the key `flipped` is named as damaged (KEYS: none is). Ends the process if it is not
 * so. Returns how many batches there are. */
uint32_t remains_check(struct remains *remains, const char *image, size_t size, uint32_t flipped);

/* The same file, of so many batches, with a bit of the key's value flipped. */
void remains_check_flipped(struct remains *remains, const char *image, size_t size,
                           uint32_t batches, uint32_t key);

#endif
