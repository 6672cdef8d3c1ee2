/* cmd_watch - every step of every message while it happens, a line each.
 *
 * Happy path: the hub's telemetry is followed until somebody ends it; filters are the hub's. What
 * was lost, because a watcher was too slow or away for too long, is said as a gap. Ends when nobody
 * reads the lines any more.
 */
#include "cli/follow.h"
#include "cli/step_line.h"

#include <inttypes.h>

struct watching {
    struct answer step; /* its parser reads each event */
    struct cli_colours colours, warning;
    bool json;
};

static void print_id(const struct watching *watching, const char *name)
{
    const atamo_bytes id = answer_text(&watching->step, 0, name);

    if (id.size == 0)
        return;
    (void)fputs(watching->colours.dim, stdout);
    answer_put(id, stdout);
    (void)fprintf(stdout, "%s ", watching->colours.reset);
}

static void print_step(const struct watching *watching)
{
    struct step_line line;

    step_line_read(&line, &watching->step, 0);
    answer_put_time(line.t_us, ANSWER_CLOCK, stdout);
    (void)putchar(' ');
    print_id(watching, "message");
    step_line_print(&line, &watching->colours, stdout);
}

static int take(void *user, const struct sse_event *event)
{
    struct watching *watching = user;
    const bool is_gap = answer_is(event->name, "gap");

    if (!is_gap && !answer_is(event->name, "step"))
        return ATAMO_OK;
    if (answer_parse(&watching->step, event->data, NULL) != ATAMO_OK)
        cli_say("a step that is no JSON was passed over");
    else if (watching->json)
        (void)printf("%.*s\n", (int)event->data.size, event->data.data);
    else if (is_gap)
        (void)fprintf(stderr, "%s%" PRId64 " steps were lost here%s\n", watching->warning.yellow,
                      answer_int(&watching->step, 0, "lost"), watching->warning.reset);
    else
        print_step(watching);
    return fflush(stdout) == 0 ? ATAMO_OK : FOLLOW_ENOUGH;
}

enum exit_code cmd_watch(const struct cli_line *line)
{
    static const char *const filters[] = {"type",    "agent", "rule", "user",
                                          "message", "step",  "since"};
    struct watching watching = {.colours = cli_colours(stdout),
                                .warning = cli_colours(stderr),
                                .json = cli_value(line, "json") != NULL};
    struct remote remote;
    struct path path;
    enum exit_code code;

    path_begin(&path, "/v1/telemetry");
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        path_query(&path, filters[i], cli_value(line, filters[i]));
    if (!path_is_good(&path))
        return EXIT_USAGE;
    code = remote_open(&remote, line);
    if (code != EXIT_OK)
        return code;
    code = follow(&remote, path.text, take, &watching);
    answer_free(&watching.step);
    remote_close(&remote);
    return code;
}
