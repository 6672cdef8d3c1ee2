/* station - an agent that is a weather station: it measures now. */
#include <atamo/agent.h>

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
    (void)measure(self, action);
    atamo_done(self, action);
}

static const atamo_agent agent = {.size = sizeof agent, .mode = ATAMO_POOL, .handle = handle};

ATAMO_PLUGIN = {ATAMO_PLUGIN_HEAD, .id = "station", .version = "1.0.0",
                .summary = "measures temperature and wind", .agent = &agent};
