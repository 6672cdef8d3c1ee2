/* cmd_top - a running hub at work, on the whole terminal.
 *
 * Happy path: stats and agents are read at every interval and drawn, with the rates between two
 * readings, until `q` or a signal; the terminal is then as it was. Without a terminal, or with
 * --json, one reading is printed. A hub that does not answer any more is said to, and asked again;
 * only if the first reading fails, or the hub denies one, the command does.
 */
#include "base/clock.h"
#include "cli/screen.h"
#include "cli/top_draw.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { INTERVAL_MS = 1000, INTERVAL_LEAST_MS = 50 };

struct top {
    struct remote remote;
    struct screen screen;
    struct canvas canvas;
    struct top_reading reading;
    struct top_view view;
    char trouble[256];
    int64_t interval_ms;
};

static void print_json(const struct answer answers[2])
{
    const uint32_t agents = answer_member(&answers[1], 0, "agents");
    const atamo_bytes stats = json_raw(&answers[0].document, 0);
    const atamo_bytes list =
        agents == 0 ? atamo_text("[]") : json_raw(&answers[1].document, agents);

    (void)printf("{\"stats\":%.*s,\"agents\":%.*s}\n", (int)stats.size, stats.data, (int)list.size,
                 list.data);
}

static void print_once(struct top *top)
{
    top->canvas.columns = SIZE_MAX;
    top->canvas.colour = cli_has_colour(stdout);
    top_draw(&top->canvas, &top->reading, &top->view);
    (void)fwrite(buffer_bytes(&top->canvas.bytes).data, 1, top->canvas.bytes.size, stdout);
}

static void note_trouble(struct top *top, int status, const struct answer *failed)
{
    if (status == ATAMO_OK)
        (void)snprintf(top->trouble, sizeof top->trouble, "status %ld", failed->http.code);
    else
        (void)snprintf(top->trouble, sizeof top->trouble, "%s",
                       status == ATAMO_NO_MEMORY ? atamo_status_text(status)
                                                 : http_reason(top->remote.http));
    top->view.trouble = top->trouble;
}

/* The next reading takes the place of the last; one that failed leaves it. `first`: failures are
 * said, `json` prints what came. */
static enum exit_code read_next(struct top *top, bool first, bool json)
{
    struct answer answers[2] = {{.parser = NULL}, {.parser = NULL}};
    struct answer *failed = NULL;
    struct top_reading reading;
    int status = ATAMO_OK;
    enum exit_code code = top_read(&top->remote, answers, &reading, &status, &failed);

    if (code == EXIT_OK) {
        top_compare(&reading, &top->reading);
        top_reading_free(&top->reading);
        top->reading = reading;
        top->view.trouble = NULL;
        if (json)
            print_json(answers);
    } else if (first) {
        (void)remote_judge(&top->remote, status, failed);
    } else if (status != ATAMO_GONE) {
        note_trouble(top, status, failed);
    }
    answer_free(&answers[0]);
    answer_free(&answers[1]);
    return code;
}

static void draw(struct top *top)
{
    const int64_t now = clock_monotonic();

    top->canvas.columns = top->screen.columns;
    top->view.rows = top->screen.rows;
    top->view.age_s = (now - top->reading.at_ns) / NS_PER_S;
    top_draw(&top->canvas, &top->reading, &top->view);
    screen_show(&top->canvas);
}

/* False: it is over. */
static bool take_event(struct top *top, int event)
{
    const enum top_order order = top_order_of(event);

    if (event == 'q' || event == 'Q' || event == SCREEN_ENDED)
        return false;
    if (order != TOP_ORDERS)
        top->view.order = order;
    if (event == 'r')
        top->view.reversed = !top->view.reversed;
    return true;
}

static bool stop(void *user)
{
    struct top *top = user;

    return screen_peek(&top->screen) && (top->screen.kept == 'q' || top->screen.kept < 0);
}

/* Draw and take keys until it is time for the next reading. False: it is over. */
static bool show(struct top *top)
{
    const int64_t end = clock_monotonic() + top->interval_ms * NS_PER_MS;
    int64_t now = end - top->interval_ms * NS_PER_MS;

    draw(top);
    for (; now < end; now = clock_monotonic()) {
        const int event = screen_wait(&top->screen, (end - now) / NS_PER_MS + 1);

        if (!take_event(top, event))
            return false;
        if (event != SCREEN_NOTHING)
            draw(top);
    }
    return true;
}

static enum exit_code run(struct top *top)
{
    enum exit_code code = EXIT_OK;

    http_stop_when(top->remote.http, stop, top);
    while (show(top) && code != EXIT_DENIED)
        code = read_next(top, false, false);
    http_stop_when(top->remote.http, NULL, NULL);
    screen_close(&top->screen);
    if (code == EXIT_DENIED)
        cli_say("%s does not let us look any more", top->remote.url);
    return code == EXIT_DENIED ? code : EXIT_OK;
}

enum exit_code cmd_top(const struct cli_line *line)
{
    const bool json = cli_value(line, "json") != NULL;
    const char *interval = cli_value(line, "interval");
    struct top top = {.view = {.order = TOP_BY_NAME}, .interval_ms = INTERVAL_MS};
    enum exit_code code;

    if (interval != NULL && !remote_duration("interval", interval, &top.interval_ms))
        return EXIT_USAGE;
    if (top.interval_ms < INTERVAL_LEAST_MS)
        top.interval_ms = INTERVAL_LEAST_MS;
    code = remote_open(&top.remote, line);
    if (code != EXIT_OK)
        return code;
    top.view.url = top.remote.url;
    code = read_next(&top, true, json);
    if (code == EXIT_OK && !json) {
        top.canvas.screen = isatty(STDOUT_FILENO) == 1 && screen_open(&top.screen);
        if (top.canvas.screen) {
            top.canvas.colour = cli_has_colour(stdout);
            code = run(&top);
        } else {
            print_once(&top);
        }
    }
    top_reading_free(&top.reading);
    buffer_free(&top.canvas.bytes);
    remote_close(&top.remote);
    return code;
}
