/* archive - an agent that reads a year of a weather station, from a disk that is slow. */
#include <atamo/agent.h>

#include <stdlib.h>
#include <time.h>

enum { DAYS = 365 };

static void tell(const atamo_host *host, atamo_action action, const char *key, double celsius)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%.1f °C", celsius);
    (void)atamo_respond_about(host, action, atamo_text(key), atamo_text(text));
}

static void handle(void *self, atamo_action action)
{
    const struct timespec slow = {.tv_nsec = 5000000};
    FILE *file = fopen("hamburg.csv", "r"); /* date,temperature */
    double sum = 0, highest = -99;
    char line[64];
    int days = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *comma = strchr(line, ',');
        const double celsius = comma == NULL ? 0 : strtod(comma + 1, NULL);

        sum += celsius;
        highest = celsius > highest ? celsius : highest;
        (void)nanosleep(&slow, NULL);
        if (atamo_progress(self, action, ++days / (double)DAYS, "reading") == ATAMO_GONE)
            break; /* nobody wants it any more */
    }
    if (file == NULL) {
        atamo_fail(self, action, "there is no hamburg.csv");
        return;
    }
    (void)fclose(file);
    tell(self, action, "Mean", sum / days);
    tell(self, action, "Highest", highest);
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD, .id = "archive", .version = "1.0.0",
                .summary = "knows the weather of last year", .agent = &agent};
