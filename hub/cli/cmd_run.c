/* cmd_run - run a hub until its input ends, or until it is stopped; then say what it did. */
#include "cli/cli.h"
#include "cli/running.h"
#include "cli/summary.h"
#include "plugin/quantity.h"

static bool read_for(const struct cli_line *line, int64_t *ms)
{
    const char *text = cli_value(line, "for");
    int64_t ns;

    *ms = -1;
    if (text == NULL)
        return true;
    if (quantity_duration(atamo_text(text), &ns) != ATAMO_OK) {
        cli_say("--for %s: expected a duration such as 10s or 5m", text);
        return false;
    }
    *ms = ns / 1000000;
    return true;
}

/* Say what was done; the figures go to *stats. */
static int sum_up(struct running *running, const struct cli_line *line, atamo_stats *stats)
{
    struct summary summary = {.hub = running->hub,
                              .path = running->path,
                              .stats = {.size = sizeof summary.stats},
                              .unmatched = &running->unmatched};
    int status;

    if (running->client != NULL) {
        (void)atamo_dispatch(running->client, 0, NULL);
        alerts_end(&running->alerts);
        atamo_client_close(running->client);
    }
    status = atamo_stats_get(running->hub, NULL, &summary.stats);
    *stats = summary.stats;
    if (status == ATAMO_OK && cli_value(line, "json") != NULL)
        return summary_write_json(&summary, stdout);
    if (status == ATAMO_OK && cli_value(line, "quiet") == NULL)
        summary_print(&summary, stderr);
    return status;
}

enum exit_code cmd_run(const struct cli_line *line)
{
    struct running running = {.path = line->arguments[0], .name = line->arguments[0], .news = -1};
    atamo_stats stats;
    int status, closed;

    if (!read_for(line, &running.for_ms))
        return EXIT_USAGE;
    status = running_open(&running);
    if (status != ATAMO_OK)
        return cli_exit(status);
    running_watch(&running);
    running_wait(&running);
    status = sum_up(&running, line, &stats);
    closed = running_close(&running);
    if (status != ATAMO_OK || closed != ATAMO_OK)
        return cli_exit(status != ATAMO_OK ? status : closed);
    if (cli_value(line, "strict") != NULL && stats.dead + stats.shed + stats.rules_failed > 0)
        return EXIT_FAILED;
    return EXIT_OK;
}
