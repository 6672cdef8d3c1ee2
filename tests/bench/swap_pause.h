/* swap_pause - for how long a hub stands still while its rules are exchanged under load. */
#ifndef TESTS_BENCH_SWAP_PAUSE_H
#define TESTS_BENCH_SWAP_PAUSE_H

#include <stdint.h>

/* `us` is the longest time in which an event submitted to a hub got no answer while 100,000 rules
 * were loaded and swapped in, several times; `computing_us` the same beside a thread
 * that only computes. */
struct swap_pause {
    double us, computing_us;
};

/* Ends the program with a message on failure. */
struct swap_pause swap_pause_measure(void);

#endif
