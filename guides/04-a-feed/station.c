/* station - an agent that is a weather station: it measures now, and for a feed again and again. */
#include <atamo/agent.h>

#include <time.h>

static int measure(const atamo_host *host, atamo_action action)
{
    const double noise = (double)(host->random(host) % 11) / 10; /* for want of sensors */
    char now[32], wind[32];

    (void)snprintf(now, sizeof now, "%.1f °C", 12 + noise);
    (void)snprintf(wind, sizeof wind, "%.1f m/s", 6 - 2 * noise);
    (void)atamo_respond_about(host, action, atamo_text("Now"), atamo_text(now));
    return atamo_respond_about(host, action, atamo_text("Wind"), atamo_text(wind));
}

static void handle(void *self, atamo_action action)
{
    const struct timespec pause = {.tv_nsec = 250000000};
    const atamo_host *host = self;
    atamo_action_info info = {.size = sizeof info};

    if (host->info(host, action, &info) != ATAMO_OK)
        return;
    while (measure(host, action) != ATAMO_GONE && (info.flags & ATAMO_WANTS_FEED) != 0)
        (void)nanosleep(&pause, NULL);
    atamo_done(host, action);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD, .id = "station", .version = "1.0.0",
                .summary = "measures temperature and wind", .agent = &agent};
