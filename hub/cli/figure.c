/* figure - numbers for people: short enough for a column, exact enough to see a change.
 *
 * Happy path: whole numbers below 100000 as they are, small rates with one digit, larger ones with
 * a letter. It cannot fail.
 */
#include "cli/figure.h"

#include <stdio.h>

const char *figure(double number, char text[FIGURE_ROOM])
{
    static const char letters[] = "kMGT";
    size_t at = 0;

    if (number < 99999.5) {
        const int digits = number < 99.95 && number - (double)(int64_t)number > 0.049 ? 1 : 0;

        (void)snprintf(text, FIGURE_ROOM, "%.*f", digits, number);
        return text;
    }
    for (number /= 1000; number >= 9999.5 && at + 2 < sizeof letters; at++)
        number /= 1000;
    (void)snprintf(text, FIGURE_ROOM, "%.*f%c", number < 999.5 ? 1 : 0, number, letters[at]);
    return text;
}

const char *figure_us(int64_t us, char text[FIGURE_ROOM])
{
    const double value = (double)us;

    if (us <= 0)
        (void)snprintf(text, FIGURE_ROOM, "-");
    else if (value < 999.5)
        (void)snprintf(text, FIGURE_ROOM, "%.0f us", value);
    else if (value < 999.5e3)
        (void)snprintf(text, FIGURE_ROOM, "%.*f ms", value < 9.95e3 ? 1 : 0, value / 1e3);
    else
        (void)snprintf(text, FIGURE_ROOM, "%.*f s", value < 9.95e6 ? 1 : 0, value / 1e6);
    return text;
}
