/* figure - numbers for people. */
#ifndef HUB_CLI_FIGURE_H
#define HUB_CLI_FIGURE_H

#include <stdint.h>

enum { FIGURE_ROOM = 16 };

/* A number in at most six characters: "0", "12.3", "1234", "56.7k", "1.2G". */
const char *figure(double number, char text[FIGURE_ROOM]);

/* How long: "64 us", "1.2 ms", "3.4 s"; "-" for 0. */
const char *figure_us(int64_t us, char text[FIGURE_ROOM]);

#endif
