/* summary - what a hub has done, on one screen: messages, actions, agents, dead letters and why
 * they died, and whether everything that was accepted is accounted for. */
#include "cli/summary.h"

#include "cli/cli.h"

#include <inttypes.h>

enum { DEAD_SHOWN = 5 };

static void print_agents(atamo_hub *hub, const struct cli_colours *colours, FILE *stream)
{
    atamo_agent_state state = {.size = sizeof state};

    (void)fprintf(stream, "\n  %s%-16s %-10s %8s %8s %8s %8s %8s%s\n", colours->dim, "agent",
                  "plugin", "done", "retries", "dead", "shed", "waiting", colours->reset);
    for (size_t i = 0; atamo_agent_get(hub, i, &state) == ATAMO_OK; i++)
        (void)fprintf(
            stream,
            "  %-16s %-10s %8" PRIu64 " %8" PRIu64 " %s%8" PRIu64 "%s %8" PRIu64 " %8" PRIu64 "\n",
            state.name, state.plugin, state.done, state.retries, state.dead > 0 ? colours->red : "",
            state.dead, colours->reset, state.shed, state.queued + state.running);
}

static void print_dead(atamo_hub *hub, uint64_t total, const struct cli_colours *colours,
                       FILE *stream)
{
    atamo_dead_letter letter = {.size = sizeof letter};
    uint64_t shown = 0;

    if (total == 0)
        return;
    (void)fprintf(stream, "\n  %s%" PRIu64 " dead letter%s%s\n", colours->red, total,
                  total == 1 ? "" : "s", colours->reset);
    while (shown < DEAD_SHOWN && atamo_dead_next(hub, letter.id, &letter) == ATAMO_OK) {
        (void)fprintf(stream, "  %s %s: %s.%s after %u attempt%s: %s\n", letter.event_type,
                      letter.event_id, letter.agent, letter.action, letter.attempts,
                      letter.attempts == 1 ? "" : "s", letter.text);
        shown++;
    }
    if (total > shown)
        (void)fprintf(stream, "  ... and %" PRIu64 " more\n", total - shown);
}

void summary_print(atamo_hub *hub, const atamo_stats *stats, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);
    const uint64_t ends = stats->done + stats->dead + stats->shed + stats->cancelled +
                          stats->expired + stats->waiting + stats->running;
    const bool holds =
        ends == stats->actions && stats->accepted == stats->finished + stats->in_flight;

    (void)fprintf(stream,
                  "\n%smessages%s  %" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64
                  " finished, %" PRIu64 " matched by no rule\n",
                  colours.bold, colours.reset, stats->accepted, stats->refused, stats->finished,
                  stats->unmatched);
    (void)fprintf(stream,
                  "%sactions%s   %" PRIu64 " made: %s%" PRIu64 " done%s, %" PRIu64 " dead, %" PRIu64
                  " shed, %" PRIu64 " cancelled, %" PRIu64 " expired; %" PRIu64
                  " attempts, %" PRIu64 " retries\n",
                  colours.bold, colours.reset, stats->actions, colours.green, stats->done,
                  colours.reset, stats->dead, stats->shed, stats->cancelled, stats->expired,
                  stats->attempts, stats->retries);
    (void)fprintf(stream, "%sbalance%s   %s%s%s\n", colours.bold, colours.reset,
                  holds ? colours.green : colours.red,
                  holds ? "everything accepted is accounted for" : "DOES NOT ADD UP",
                  colours.reset);
    print_agents(hub, &colours, stream);
    print_dead(hub, stats->dead_letters, &colours, stream);
}
