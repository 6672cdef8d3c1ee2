/* summary - what a hub has done, on one screen: messages, actions, agents, dead letters and why
 * they died, and whether everything that was accepted is accounted for. */
#include "cli/summary.h"

#include "cli/cli.h"
#include "cli/why.h"
#include "json/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

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

/* Shed is not dead: nothing of it is kept, so it must not be overlooked. */
static void print_shed(const struct summary *summary, const struct cli_colours *colours,
                       FILE *stream)
{
    const uint64_t shed = summary->stats.shed;

    if (shed > 0)
        (void)fprintf(stream,
                      "\n  %s%" PRIu64 " action%s shed: an agent's queue was full%s\n"
                      "  a larger `queue:` of that agent takes more; a slower input needs less\n",
                      colours->red, shed, shed == 1 ? " was" : "s were", colours->reset);
}

static void print_unmatched(const struct summary *summary, const struct cli_colours *colours,
                            FILE *stream)
{
    const uint64_t total = summary->stats.unmatched;
    uint64_t message;

    if (total == 0)
        return;
    (void)fprintf(stream, "\n  %s%" PRIu64 " message%s matched no rule%s\n", colours->yellow, total,
                  total == 1 ? "" : "s", colours->reset);
    for (size_t i = 0; (message = unmatched_at(summary->unmatched, i)) != 0; i++) {
        char uuid[37];

        atamo_message_id(summary->hub, message, uuid);
        (void)why_print_unmatched(summary->hub, uuid, stream);
    }
    if (summary->unmatched->count == 0)
        (void)fprintf(stream,
                      "  %sthey were done before anybody looked; for one of them ask: "
                      "atamo rules test %s --event FILE%s\n",
                      colours->dim, summary->path, colours->reset);
}

/* Does everything that was accepted have an end, or is on its way? */
static bool is_balanced(const atamo_stats *stats)
{
    const uint64_t ends = stats->done + stats->dead + stats->shed + stats->cancelled +
                          stats->expired + stats->waiting + stats->running;

    return ends == stats->actions && stats->accepted == stats->finished + stats->in_flight;
}

void summary_print(const struct summary *summary, FILE *stream)
{
    const struct cli_colours colours = cli_colours(stream);
    const atamo_stats *stats = &summary->stats;
    const bool balanced = is_balanced(stats);

    (void)fprintf(stream,
                  "\n%smessages%s  %" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64
                  " finished, %" PRIu64 " matched by no rule",
                  colours.bold, colours.reset, stats->accepted, stats->refused, stats->finished,
                  stats->unmatched);
    if (stats->duplicates > 0)
        (void)fprintf(stream, "; %" PRIu64 " came again and counted once", stats->duplicates);
    (void)fputc('\n', stream);
    (void)fprintf(stream,
                  "%sactions%s   %" PRIu64 " made: %s%" PRIu64 " done%s, %" PRIu64 " dead, %" PRIu64
                  " shed, %" PRIu64 " cancelled, %" PRIu64 " expired; %" PRIu64
                  " attempts, %" PRIu64 " retries\n",
                  colours.bold, colours.reset, stats->actions, colours.green, stats->done,
                  colours.reset, stats->dead, stats->shed, stats->cancelled, stats->expired,
                  stats->attempts, stats->retries);
    (void)fprintf(stream, "%sbalance%s   %s%s%s\n", colours.bold, colours.reset,
                  balanced ? colours.green : colours.red,
                  balanced ? "everything accepted is accounted for" : "DOES NOT ADD UP",
                  colours.reset);
    if (stats->durable && stats->waiting > 0)
        (void)fprintf(stream, "%sstore%s     %" PRIu64 " action%s for the next start\n",
                      colours.bold, colours.reset, stats->waiting,
                      stats->waiting == 1 ? " stays" : "s stay");
    print_agents(summary->hub, &colours, stream);
    print_dead(summary->hub, stats->dead_letters, &colours, stream);
    print_shed(summary, &colours, stream);
    print_unmatched(summary, &colours, stream);
}

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
    json_put_name(writer, atamo_text(name));
    json_put_text(writer, atamo_text(text));
}

static void put_count(struct json_writer *writer, const char *name, uint64_t count)
{
    json_put_name(writer, atamo_text(name));
    json_put_uint(writer, count);
}

static void put_stats(struct json_writer *writer, const atamo_stats *stats)
{
    const struct {
        const char *name;
        uint64_t count;
    } figures[] = {
        {"accepted", stats->accepted},
        {"refused", stats->refused},
        {"finished", stats->finished},
        {"in_flight", stats->in_flight},
        {"unmatched", stats->unmatched},
        {"duplicates", stats->duplicates},
        {"rules_failed", stats->rules_failed},
        {"actions", stats->actions},
        {"done", stats->done},
        {"dead", stats->dead},
        {"shed", stats->shed},
        {"cancelled", stats->cancelled},
        {"expired", stats->expired},
        {"attempts", stats->attempts},
        {"retries", stats->retries},
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        put_count(writer, figures[i].name, figures[i].count);
    json_put_name(writer, atamo_text("balanced"));
    json_put_bool(writer, is_balanced(stats));
}

static void put_agents(struct json_writer *writer, atamo_hub *hub)
{
    atamo_agent_state state = {.size = sizeof state};

    json_put_name(writer, atamo_text("agents"));
    json_open_array(writer);
    for (size_t i = 0; atamo_agent_get(hub, i, &state) == ATAMO_OK; i++) {
        json_open_object(writer);
        put_text(writer, "name", state.name);
        put_text(writer, "plugin", state.plugin);
        put_count(writer, "done", state.done);
        put_count(writer, "retries", state.retries);
        put_count(writer, "dead", state.dead);
        put_count(writer, "shed", state.shed);
        put_count(writer, "waiting", state.queued + state.running);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_dead(struct json_writer *writer, atamo_hub *hub)
{
    atamo_dead_letter letter = {.size = sizeof letter};

    json_put_name(writer, atamo_text("dead_letters"));
    json_open_array(writer);
    while (atamo_dead_next(hub, letter.id, &letter) == ATAMO_OK) {
        json_open_object(writer);
        put_text(writer, "id", letter.event_id);
        put_text(writer, "type", letter.event_type);
        put_text(writer, "rule", letter.rule);
        put_text(writer, "agent", letter.agent);
        put_text(writer, "action", letter.action);
        put_count(writer, "attempts", letter.attempts);
        put_text(writer, "reason", atamo_reason_text(letter.reason));
        put_text(writer, "text", letter.text);
        json_close_object(writer);
    }
    json_close_array(writer);
}

static void put_all(struct json_writer *writer, const struct summary *summary)
{
    json_open_object(writer);
    put_stats(writer, &summary->stats);
    put_agents(writer, summary->hub);
    put_dead(writer, summary->hub);
    json_close_object(writer);
}

int summary_write_json(const struct summary *summary, FILE *out)
{
    struct json_writer writer;
    size_t room;
    char *text;
    bool written;

    json_writer_init(&writer, NULL, 0);
    put_all(&writer, summary);
    room = writer.size;
    text = malloc(room + 1);
    if (text == NULL)
        return ATAMO_NO_MEMORY;
    json_writer_init(&writer, text, room);
    put_all(&writer, summary);
    written = json_writer_status(&writer) == ATAMO_OK &&
              fprintf(out, "%.*s\n", (int)writer.size, text) > 0;
    free(text);
    return written ? ATAMO_OK : ATAMO_IO;
}
