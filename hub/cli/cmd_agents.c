/* cmd_agents - the agents of a running hub: list them, pause, resume and drain one; the hub's
 * stats.
 *
 * Happy path: one call, its answer as a table or as the JSON that the hub sent. Draining answers
 * when nothing of the agent runs any more, or says that it took too long.
 */
#include "cli/cached.h"
#include "cli/figure.h"
#include "cli/remote.h"
#include "cli/step_line.h"

#include <inttypes.h>
#include <string.h>

/* --- list */

/* The cache's column is there if an agent in the list has one that was asked. */
static void print_cached(const struct answer *answer, uint32_t at)
{
    const double cached = agent_cached(answer, at);

    if (cached < 0)
        (void)printf("       -");
    else
        (void)printf("   %3.0f %%", cached * 100);
}

static bool has_caches(const struct answer *answer, uint32_t list)
{
    for (uint32_t at = answer_first(answer, list); at != 0; at = answer_after(answer, list, at))
        if (agent_cached(answer, at) >= 0)
            return true;
    return false;
}

static void print_agent(const struct answer *answer, uint32_t at, bool caches)
{
    static const char *const counts[] = {"queued",  "parked", "running", "done",
                                         "retries", "dead",   "shed"};
    const struct cli_colours colours = cli_colours(stdout);
    const uint32_t latency = answer_member(answer, at, "latency");
    const atamo_bytes state = answer_text(answer, at, "state");
    const atamo_bytes breaker = answer_text(answer, at, "breaker");
    char text[FIGURE_ROOM];

    answer_put_wide(answer_text(answer, at, "id"), 17, stdout);
    answer_put_wide(answer_text(answer, at, "plugin"), 9, stdout);
    (void)fputs(step_colour(&colours, state), stdout);
    answer_put_wide(state, 8, stdout);
    (void)fputs(answer_is(breaker, "closed") ? colours.reset : colours.red, stdout);
    answer_put_wide(breaker, 9, stdout);
    (void)fputs(colours.reset, stdout);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        (void)printf(" %7s", figure((double)answer_int(answer, at, counts[i]), text));
    (void)printf(" %8s", figure_us(latency == 0 ? 0 : answer_int(answer, latency, "p50_us"), text));
    (void)printf(" %8s", figure_us(latency == 0 ? 0 : answer_int(answer, latency, "p99_us"), text));
    if (caches)
        print_cached(answer, at);
    (void)putchar('\n');
}

static void print_head(bool caches)
{
    const struct cli_colours colours = cli_colours(stdout);

    (void)printf("%s%-16s %-8s %-7s %-9s %7s %7s %7s %7s %7s %7s %7s %8s %8s%s%s\n", colours.bold,
                 "AGENT", "PLUGIN", "STATE", "BREAKER", "QUEUED", "PARKED", "RUNNING", "DONE",
                 "RETRIES", "DEAD", "SHED", "P50", "P99", caches ? "   CACHE" : "", colours.reset);
}

enum exit_code cmd_agents_list(const struct cli_line *line)
{
    const struct http_call call = {.path = "/v1/agents"};
    struct remote remote;
    struct answer answer;
    uint32_t list;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = remote_call(&remote, &call, &answer);
    list = answer_member(&answer, 0, "agents");
    if (code == EXIT_OK && remote.json) {
        answer_print(&answer);
    } else if (code == EXIT_OK) {
        const bool caches = has_caches(&answer, list);

        print_head(caches);
        for (uint32_t at = answer_first(&answer, list); at != 0;
             at = answer_after(&answer, list, at))
            print_agent(&answer, at, caches);
    }
    answer_free(&answer);
    remote_close(&remote);
    return code;
}

/* --- one of them */

static enum exit_code change(const struct cli_line *line, const char *verb, const char *wait)
{
    struct http_call call = {.method = "POST"};
    struct remote remote;
    struct answer answer;
    struct path path;
    enum exit_code code;

    path_begin(&path, "/v1/agents/");
    path_add_escaped(&path, line->arguments[0]);
    path_add(&path, verb);
    path_query(&path, "wait", wait);
    call.path = path.text;
    if (!remote_duration("wait", wait, &call.wait_ms) || !path_is_good(&path))
        return EXIT_USAGE;
    code = remote_open(&remote, line);
    if (code != EXIT_OK)
        return code;
    code = remote_call(&remote, &call, &answer);
    if (code == EXIT_OK && remote.json) {
        answer_print(&answer);
    } else if (code == EXIT_OK && !remote.quiet) {
        const bool caches = agent_cached(&answer, 0) >= 0;

        print_head(caches);
        print_agent(&answer, 0, caches);
    }
    answer_free(&answer);
    remote_close(&remote);
    return code;
}

enum exit_code cmd_agents_pause(const struct cli_line *line)
{
    return change(line, ":pause", NULL);
}

enum exit_code cmd_agents_resume(const struct cli_line *line)
{
    return change(line, ":resume", NULL);
}

enum exit_code cmd_agents_drain(const struct cli_line *line)
{
    return change(line, ":drain", cli_value(line, "wait"));
}

/* --- stats */

/* Every member that the hub tells, also those that only a newer one knows. */
static void print_stats(const struct answer *answer)
{
    const struct json_document *document = &answer->document;
    const uint32_t end = document->count == 0 ? 0 : json_next(document, 0);

    for (uint32_t key = 1; key < end; key = json_next(document, key + 1)) {
        char name[64];

        answer_copy(json_text(document, key), name, sizeof name);
        if (strcmp(name, "t_us") == 0)
            continue;
        for (char *at = strchr(name, '_'); at != NULL; at = strchr(at, '_'))
            *at = ' ';
        (void)printf("%-16s ", name);
        answer_put(json_raw(document, key + 1), stdout);
        (void)putchar('\n');
    }
}

enum exit_code cmd_stats(const struct cli_line *line)
{
    const struct http_call call = {.path = "/v1/stats"};
    struct remote remote;
    struct answer answer;
    enum exit_code code = remote_open(&remote, line);

    if (code != EXIT_OK)
        return code;
    code = remote_call(&remote, &call, &answer);
    if (code == EXIT_OK && remote.json)
        answer_print(&answer);
    else if (code == EXIT_OK)
        print_stats(&answer);
    answer_free(&answer);
    remote_close(&remote);
    return code;
}
