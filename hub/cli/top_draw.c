/* top_draw - a reading as lines: figures of the hub, then its agents.
 *
 * Happy path: three lines of figures, a table of agents in the order that was asked for, cut to the
 * rows there are, and a line with the keys. Rates that need a second reading are "-" in the first.
 * What wants attention has a colour: an open breaker, a pause, dead letters, records that were
 * lost.
 */
#include "cli/top_draw.h"

#include "cli/figure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AROUND = 8 }; /* head, figures, table's head, keys */

static const struct {
    char key;
    const char *name;
} orders[TOP_ORDERS] = {
    [TOP_BY_NAME] = {'n', "name"}, [TOP_BY_RATE] = {'d', "done/s"}, [TOP_BY_QUEUE] = {'u', "queue"},
    [TOP_BY_DEAD] = {'x', "dead"}, [TOP_BY_P99] = {'p', "p99"},
};

enum top_order top_order_of(int key)
{
    for (size_t i = 0; i < TOP_ORDERS; i++)
        if (orders[i].key == key)
            return (enum top_order)i;
    return TOP_ORDERS;
}

/* --- order */

struct ranked {
    struct top_agent agent;
    double rank; /* the largest first */
};

static double rank_of(const struct top_agent *agent, enum top_order order)
{
    switch (order) {
    case TOP_BY_RATE:
        return agent->done_rate;
    case TOP_BY_QUEUE:
        return (double)(agent->queued + agent->parked);
    case TOP_BY_DEAD:
        return (double)agent->dead;
    case TOP_BY_P99:
        return (double)agent->p99_us;
    default:
        return 0;
    }
}

static int compare(const void *a, const void *b)
{
    const struct ranked *first = a;
    const struct ranked *second = b;

    if (first->rank > second->rank)
        return -1;
    return first->rank < second->rank ? 1 : strverscmp(first->agent.id, second->agent.id);
}

static void sort(struct top_reading *reading, const struct top_view *view)
{
    struct ranked *list = calloc(reading->count + 1, sizeof *list);

    if (list == NULL)
        return; /* unsorted */
    for (size_t i = 0; i < reading->count; i++)
        list[i] = (struct ranked){reading->agents[i], rank_of(&reading->agents[i], view->order)};
    qsort(list, reading->count, sizeof *list, compare);
    for (size_t i = 0; i < reading->count; i++)
        reading->agents[view->reversed ? reading->count - 1 - i : i] = list[i].agent;
    free(list);
}

/* --- figures of the hub */

static void draw_head(struct canvas *canvas, const struct top_reading *reading,
                      const struct top_view *view)
{
    canvas_put(canvas, CANVAS_BOLD, "atamo top");
    canvas_print(canvas, CANVAS_PLAIN,
                 "  %s  %s, %" PRId64 " rules, generation %" PRId64 ", %" PRId64 " clients",
                 view->url, reading->durable ? "durable" : "in memory", reading->stats[TOP_RULES],
                 reading->stats[TOP_GENERATION], reading->stats[TOP_CLIENTS]);
    canvas_end_line(canvas);
    if (view->trouble != NULL) {
        canvas_print(canvas, CANVAS_RED, "no answer since %" PRId64 " s: %s", view->age_s,
                     view->trouble);
        canvas_end_line(canvas);
    }
}

static void draw_rate(struct canvas *canvas, const struct top_reading *reading, const char *name,
                      enum top_stat stat)
{
    char text[FIGURE_ROOM];

    canvas_print(canvas, CANVAS_DIM, "%s ", name);
    if (reading->rates[stat] < 0) /* one reading: what was counted in all */
        canvas_print(canvas, CANVAS_BOLD, "%-10s", figure((double)reading->stats[stat], text));
    else
        canvas_print(canvas, CANVAS_BOLD, "%6s/s  ", figure(reading->rates[stat], text));
}

static void draw_count(struct canvas *canvas, const struct top_reading *reading, const char *name,
                       enum top_stat stat, enum canvas_style style)
{
    char text[FIGURE_ROOM];

    canvas_print(canvas, CANVAS_DIM, "%s ", name);
    canvas_print(canvas, reading->stats[stat] > 0 ? style : CANVAS_PLAIN, "%-6s  ",
                 figure((double)reading->stats[stat], text));
}

static void draw_figures(struct canvas *canvas, const struct top_reading *reading)
{
    draw_rate(canvas, reading, "accepted", TOP_ACCEPTED);
    draw_rate(canvas, reading, "finished", TOP_FINISHED);
    draw_rate(canvas, reading, "attempts", TOP_ATTEMPTS);
    draw_rate(canvas, reading, "retries", TOP_RETRIES);
    canvas_end_line(canvas);
    draw_count(canvas, reading, "in flight", TOP_IN_FLIGHT, CANVAS_BOLD);
    draw_count(canvas, reading, "waiting", TOP_WAITING, CANVAS_BOLD);
    draw_count(canvas, reading, "running", TOP_RUNNING, CANVAS_BOLD);
    draw_count(canvas, reading, "unmatched", TOP_UNMATCHED, CANVAS_PLAIN);
    draw_count(canvas, reading, "refused", TOP_REFUSED, CANVAS_YELLOW);
    if (reading->stats[TOP_FEEDS] > 0)
        draw_count(canvas, reading, "feeds", TOP_FEEDS, CANVAS_BOLD);
    canvas_end_line(canvas);
    draw_count(canvas, reading, "done", TOP_DONE, CANVAS_GREEN);
    draw_count(canvas, reading, "dead", TOP_DEAD, CANVAS_RED);
    draw_count(canvas, reading, "shed", TOP_SHED, CANVAS_RED);
    draw_count(canvas, reading, "dead letters", TOP_DEAD_LETTERS, CANVAS_RED);
    draw_count(canvas, reading, "records lost", TOP_RECORDS_LOST, CANVAS_RED);
    if (reading->stats[TOP_REPLIES_LOST] > 0)
        draw_count(canvas, reading, "replies lost", TOP_REPLIES_LOST, CANVAS_YELLOW);
    canvas_end_line(canvas);
    canvas_end_line(canvas);
}

/* --- agents */

/* Columns that are left out first when the terminal is narrow, and the width that has room for each
 * with all before it. */
enum { ROOM_BREAKER = 89, ROOM_RETRIES = 98, ROOM_DONE = 106, ROOM_PLUGIN = 115, ROOM_CACHE = 122 };

static void draw_table_head(struct canvas *canvas, bool has_caches)
{
    const size_t room = canvas->columns;

    canvas_print(canvas, CANVAS_REVERSE, "%-18s %s%-8s%s %7s %8s %8s%s%s %7s %8s %8s%s", "AGENT",
                 room >= ROOM_PLUGIN ? "PLUGIN   " : "", "STATE",
                 room >= ROOM_BREAKER ? "BREAKER  " : "", "QUEUED", "RUNNING", "DONE/S",
                 room >= ROOM_RETRIES ? "  RETRY/S" : "", room >= ROOM_DONE ? "    DONE" : "",
                 "DEAD", "P50", "P99", has_caches && room >= ROOM_CACHE ? "  CACHE" : "");
    canvas_end_line(canvas);
}

static void draw_rate_of(struct canvas *canvas, double rate)
{
    char text[FIGURE_ROOM];

    canvas_print(canvas, CANVAS_PLAIN, " %8s", rate < 0 ? "-" : figure(rate, text));
}

static void draw_number(struct canvas *canvas, int64_t number, enum canvas_style style)
{
    char text[FIGURE_ROOM];

    canvas_print(canvas, number > 0 ? style : CANVAS_PLAIN, " %7s", figure((double)number, text));
}

/* Without room for both a breaker that is not closed takes the place of the state. */
static void draw_state(struct canvas *canvas, const struct top_agent *agent)
{
    const bool paused = strcmp(agent->state, "paused") == 0;
    const bool broken = strcmp(agent->breaker, "closed") != 0;
    const bool both = canvas->columns >= ROOM_BREAKER;

    if (both || !broken)
        canvas_print(canvas, paused ? CANVAS_YELLOW : CANVAS_PLAIN, "%-8.8s", agent->state);
    if (both)
        canvas_print(canvas, broken ? CANVAS_RED : CANVAS_PLAIN, "%-9.9s", agent->breaker);
    else if (broken)
        canvas_print(canvas, CANVAS_RED, "%-8.8s", agent->breaker);
}

static void draw_cached(struct canvas *canvas, const struct top_agent *agent)
{
    if (agent->cached < 0)
        canvas_print(canvas, CANVAS_PLAIN, "      -");
    else
        canvas_print(canvas, CANVAS_PLAIN, " %4.0f %%", agent->cached * 100);
}

static void draw_agent(struct canvas *canvas, const struct top_agent *agent, bool has_caches)
{
    const size_t room = canvas->columns;
    char text[FIGURE_ROOM], busy[48];

    canvas_print(canvas, CANVAS_PLAIN, "%-18.18s ", agent->id);
    if (room >= ROOM_PLUGIN)
        canvas_print(canvas, CANVAS_PLAIN, "%-8.8s ", agent->plugin);
    draw_state(canvas, agent);
    draw_number(canvas, agent->queued + agent->parked, CANVAS_BOLD);
    (void)snprintf(busy, sizeof busy, "%" PRId64 "/%" PRId64, agent->running, agent->concurrency);
    canvas_print(canvas, CANVAS_PLAIN, " %8s", busy);
    draw_rate_of(canvas, agent->done_rate);
    if (room >= ROOM_RETRIES)
        draw_rate_of(canvas, agent->retry_rate);
    if (room >= ROOM_DONE)
        draw_number(canvas, agent->done, CANVAS_PLAIN);
    draw_number(canvas, agent->dead, CANVAS_RED);
    canvas_print(canvas, CANVAS_PLAIN, " %8s", figure_us(agent->p50_us, text));
    canvas_print(canvas, CANVAS_PLAIN, " %8s", figure_us(agent->p99_us, text));
    if (has_caches && room >= ROOM_CACHE)
        draw_cached(canvas, agent);
    canvas_end_line(canvas);
}

static void draw_agents(struct canvas *canvas, const struct top_reading *reading,
                        const struct top_view *view)
{
    const size_t around = ROWS_AROUND + (view->trouble != NULL);
    size_t shown = reading->count;

    draw_table_head(canvas, reading->has_caches);
    if (view->rows > 0 && shown + around > view->rows)
        shown = view->rows > around ? view->rows - around : 0;
    for (size_t i = 0; i < shown; i++)
        draw_agent(canvas, &reading->agents[i], reading->has_caches);
    if (shown < reading->count) {
        canvas_print(canvas, CANVAS_DIM, "... and %zu more agents", reading->count - shown);
        canvas_end_line(canvas);
    }
}

static void draw_keys(struct canvas *canvas, const struct top_view *view)
{
    while (canvas->rows + 1 < view->rows)
        canvas_end_line(canvas);
    canvas_put(canvas, CANVAS_DIM, "q quit  r reverse  sort by");
    for (size_t i = 0; i < TOP_ORDERS; i++) {
        canvas_print(canvas, CANVAS_DIM, "  %c ", orders[i].key);
        canvas_put(canvas, i == view->order ? CANVAS_BOLD : CANVAS_DIM, orders[i].name);
    }
    canvas_end_line(canvas);
}

void top_draw(struct canvas *canvas, struct top_reading *reading, const struct top_view *view)
{
    sort(reading, view);
    draw_head(canvas, reading, view);
    draw_figures(canvas, reading);
    draw_agents(canvas, reading, view);
    if (view->rows > 0)
        draw_keys(canvas, view);
}
