/* cmd_simulate - days of a hub's life in seconds, from a seed; agents are replaced by stand-ins. */
#include "api/simulate.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>

static bool read_number(const struct cli_line *line, const char *name, uint64_t fallback,
                        uint64_t most, uint64_t *value)
{
    const char *text = cli_value(line, name);
    char *end = NULL;

    *value = fallback;
    if (text == NULL)
        return true;
    *value = strtoull(text, &end, 10);
    if (end != text && *end == '\0' && *value <= most)
        return true;
    cli_say("--%s %s: expected a whole number up to %" PRIu64, name, text, most);
    return false;
}

static void print_json(const atamo_stats *stats, uint64_t bad, uint64_t days, uint64_t seed)
{
    const struct {
        const char *name;
        uint64_t count;
    } figures[] = {
        {"days", days},
        {"seed", seed},
        {"accepted", stats->accepted},
        {"refused", stats->refused},
        {"no_events", bad},
        {"actions", stats->actions},
        {"done", stats->done},
        {"dead", stats->dead},
        {"shed", stats->shed},
        {"cancelled", stats->cancelled},
        {"expired", stats->expired},
        {"attempts", stats->attempts},
        {"retries", stats->retries},
        {"records", stats->records},
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        (void)printf("%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", figures[i].name, figures[i].count);
    (void)printf("}\n");
}

static void print(const atamo_stats *stats, uint64_t bad, uint64_t days, uint64_t seed)
{
    (void)fprintf(stderr,
                  "%" PRIu64 " days from seed %" PRIu64 ": %" PRIu64 " messages, %" PRIu64
                  " refused, %" PRIu64 " lines were no events\n%" PRIu64 " actions: %" PRIu64
                  " done, %" PRIu64 " dead, %" PRIu64 " shed, %" PRIu64 " expired; %" PRIu64
                  " attempts, %" PRIu64 " retries, %" PRIu64 " records\n",
                  days, seed, stats->accepted, stats->refused, bad, stats->actions, stats->done,
                  stats->dead, stats->shed, stats->expired, stats->attempts, stats->retries,
                  stats->records);
}

static int run(const struct cli_line *line, struct simulation *simulation, uint64_t *bad,
               atamo_stats *stats)
{
    struct problems *problems = malloc(sizeof *problems);
    int status;

    if (problems == NULL)
        return ATAMO_NO_MEMORY;
    problems_init(problems);
    status = simulate_run(simulation, problems, stats, bad);
    cli_show_problems(problems, line->arguments[0]);
    problems_close(problems);
    free(problems);
    return status;
}

enum exit_code cmd_simulate(const struct cli_line *line)
{
    struct simulation simulation = {.config_path = line->arguments[0]};
    const char *journal = cli_value(line, "journal");
    atamo_stats stats = {0};
    uint64_t bad = 0;
    uint64_t days;
    int status;

    if (cli_value(line, "events") == NULL) {
        cli_say("atamo simulate needs --events FILE");
        return EXIT_USAGE;
    }
    if (!read_number(line, "days", 1, 3650, &days) ||
        !read_number(line, "seed", 1, UINT64_MAX, &simulation.seed))
        return EXIT_USAGE;
    simulation.days = (uint32_t)days;
    status = cli_read_file(cli_value(line, "events"), &simulation.events);
    if (status != ATAMO_OK)
        return cli_exit(status);
    if (journal != NULL)
        simulation.journal = fopen(journal, "we");
    if (journal != NULL && simulation.journal == NULL) {
        cli_say("cannot write %s", journal);
        status = ATAMO_IO;
    }
    if (status == ATAMO_OK)
        status = run(line, &simulation, &bad, &stats);
    if (simulation.journal != NULL && fclose(simulation.journal) != 0)
        status = ATAMO_IO;
    if (status == ATAMO_OK && cli_value(line, "json") != NULL)
        print_json(&stats, bad, days, simulation.seed);
    else if (status == ATAMO_OK)
        print(&stats, bad, days, simulation.seed);
    free((char *)(uintptr_t)simulation.events.data);
    return cli_exit(status);
}
