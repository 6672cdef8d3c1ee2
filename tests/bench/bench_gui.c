/* bench_gui - does a window stay responsive while responses arrive?
 *
 *     bench_gui [--json]
 *
 * A GTK 4 window with a list of everything that has come, its newest row in sight. An agent of the
 * program answers one request with 100,000 responses as fast as the window takes them (five times;
 * told is the middle one, and the worst gap of all), then another one with 20,000 a second for 5
 * seconds; atamo/glib.h hands them out, and each batch is put into the list at once. Then the same
 * texts come the way that many programs go: a thread calls g_idle_add() for each, which puts one
 * row into the same list. Frames are those of the window's clock, which is kept going; the time
 * between the ends of two is a gap, and a gap of more than 1.5 intervals is a missed frame. The
 * limit is the same list filled on the window's own thread, in batches as large and turns as long,
 * with no hub. Needs a display; exits with 1 without one.
 */
#include <atamo/agent.h>
#include <atamo/glib.h>

#include <gtk/gtk.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

enum {
    BURST = 100000,
    PACED = 100000,
    PACE_PER_MS = 20,
    QUEUE = 65535,
    BATCH = 256,
    TEXT = 40,
    REST_MS = 500,
    BURSTS = 5,
    LIMIT_MS = 120000,
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static G_GNUC_NORETURN void give_up(const char *why)
{
    (void)fprintf(stderr, "bench_gui: %s\n", why);
    _exit(1);
}

static void write_text(char text[TEXT], unsigned number)
{
    (void)snprintf(text, TEXT, "EUR/USD 1.%04u, quote %u", number % 10000, number);
}

/* --- the agents: functions of this program */

static int say(const atamo_host *host, atamo_action action, unsigned number)
{
    char text[TEXT];

    write_text(text, number);
    return atamo_respond(host, action, atamo_text(text));
}

/* Says all it can at once, on the hub's thread, and goes on when there is room. */
static void burst(void *self, atamo_action action)
{
    const atamo_host *host = self;
    unsigned *said = host->context(host);

    while (*said < BURST && say(host, action, *said) == ATAMO_OK)
        (*said)++;
    if (*said == BURST)
        atamo_done(host, action);
}

/* Says as many as are due, each millisecond, on a thread of the hub's pool. */
static void pace(void *self, atamo_action action)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    const atamo_host *host = self;
    const int64_t began = clock_ns(CLOCK_MONOTONIC);
    unsigned said = 0;

    while (said < PACED) {
        const int64_t due = (clock_ns(CLOCK_MONOTONIC) - began) / nap.tv_nsec * PACE_PER_MS;

        while (said < PACED && said < due && say(host, action, said) == ATAMO_OK)
            said++;
        (void)nanosleep(&nap, NULL);
    }
    atamo_done(host, action);
}

static const atamo_agent bursting = {.size = sizeof bursting, .handle = burst, .room = burst};
static const atamo_agent pacing = {.size = sizeof pacing, .mode = ATAMO_POOL, .handle = pace};
static const atamo_plugin burst_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "burst", .version = "1", .summary = "says all", .agent = &bursting,
};
static const atamo_plugin pace_plugin = {
    ATAMO_PLUGIN_HEAD, .id = "pace", .version = "1", .summary = "takes time", .agent = &pacing,
};

static const char yaml[] = "agents:\n"
                           "  burst: {plugin: burst}\n"
                           "  pace: {plugin: pace}\n"
                           "rules:\n"
                           "  - {id: burst, on: burst, then: {agent: burst, action: say}}\n"
                           "  - {id: pace, on: pace, then: {agent: pace, action: say}}\n";

/* --- the window */

struct bench {
    GtkWindow *window;
    GtkStringList *list;
    GtkAdjustment *scroll;
    GdkFrameClock *frames;
    atamo_client *client;
    guint rows;
    bool follows; /* the newest row is in sight */
    bool is_over; /* END has come, or the last row */
    gint64 last_frame_us, longest_us, interval_us;
    unsigned frame_count, missed;
};

/* What one run took. */
struct run {
    double per_s, cpu_ns, longest_ms;
    unsigned frames, missed;
};

static void make_row(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    (void)factory;
    gtk_list_item_set_child(item, gtk_inscription_new(NULL));
}

static void fill_row(GtkSignalListItemFactory *factory, GtkListItem *item)
{
    GtkStringObject *text = gtk_list_item_get_item(item);

    (void)factory;
    gtk_inscription_set_text(GTK_INSCRIPTION(gtk_list_item_get_child(item)),
                             gtk_string_object_get_string(text));
}

/* After each frame is drawn. */
static void count_frame(GdkFrameClock *frames, struct bench *bench)
{
    const gint64 now = g_get_monotonic_time();
    const gint64 gap = now - bench->last_frame_us;

    (void)frames;
    bench->last_frame_us = now;
    bench->frame_count++;
    bench->missed += gap > bench->interval_us * 3 / 2;
    bench->longest_us = MAX(bench->longest_us, gap);
}

/* The newest row is in sight; and the clock goes on. */
static gboolean follow(GtkWidget *widget, GdkFrameClock *frames, gpointer user)
{
    const struct bench *bench = user;

    (void)widget;
    (void)frames;
    gtk_adjustment_set_value(bench->scroll,
                             bench->follows ? gtk_adjustment_get_upper(bench->scroll) : 0);
    return G_SOURCE_CONTINUE;
}

static void open_window(struct bench *bench)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    GtkWidget *scrolled = gtk_scrolled_window_new();
    GtkWidget *view;

    (void)g_signal_connect(factory, "setup", G_CALLBACK(make_row), NULL);
    (void)g_signal_connect(factory, "bind", G_CALLBACK(fill_row), NULL);
    bench->list = gtk_string_list_new(NULL);
    view = gtk_list_view_new(GTK_SELECTION_MODEL(gtk_no_selection_new(G_LIST_MODEL(bench->list))),
                             factory);
    bench->window = GTK_WINDOW(gtk_window_new());
    gtk_window_set_default_size(bench->window, 400, 500);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    bench->scroll = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scrolled));
    gtk_window_set_child(bench->window, scrolled);
    gtk_window_present(bench->window);
    bench->frames = gtk_widget_get_frame_clock(GTK_WIDGET(bench->window));
    if (bench->frames == NULL)
        give_up("the window has no frame clock");
    gdk_frame_clock_get_refresh_info(bench->frames, 0, &bench->interval_us, NULL);
    (void)g_signal_connect(bench->frames, "after-paint", G_CALLBACK(count_frame), bench);
    (void)gtk_widget_add_tick_callback(view, follow, bench, NULL);
}

/* `count` texts more at the end of the list; `texts` ends with NULL. */
static void add_rows(struct bench *bench, const char *const *texts, guint count)
{
    gtk_string_list_splice(bench->list, bench->rows, 0, texts);
    bench->rows += count;
}

/* --- runs */

static gboolean end_rest(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

static void run_frames(guint ms)
{
    bool is_over = false;

    (void)g_timeout_add(ms, end_rest, &is_over);
    while (!is_over)
        (void)g_main_context_iteration(NULL, TRUE);
}

/* An empty list, and frames until they are regular again. */
static void rest(struct bench *bench)
{
    bench->follows = false; /* GTK complains when what it shows goes */
    run_frames(REST_MS / 2);
    gtk_string_list_splice(bench->list, 0, bench->rows, NULL);
    bench->rows = 0;
    run_frames(REST_MS);
    bench->follows = true;
    bench->is_over = false;
    bench->last_frame_us = g_get_monotonic_time();
    bench->longest_us = 0;
    bench->frame_count = bench->missed = 0;
}

/* Let the main loop go until what `start` began is over, and one frame more shows it. */
static struct run measure(struct bench *bench, void (*start)(struct bench *), guint rows)
{
    int64_t began;
    int64_t cpu;
    struct run run;
    unsigned last;

    rest(bench);
    began = clock_ns(CLOCK_MONOTONIC);
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    start(bench);
    while (!bench->is_over)
        (void)g_main_context_iteration(NULL, TRUE);
    run.per_s = rows * 1e9 / (double)(clock_ns(CLOCK_MONOTONIC) - began);
    run.cpu_ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / rows;
    for (last = bench->frame_count; bench->frame_count == last;)
        (void)g_main_context_iteration(NULL, TRUE);
    if (bench->rows != rows || g_list_model_get_n_items(G_LIST_MODEL(bench->list)) != rows)
        give_up("rows are missing");
    run.longest_ms = (double)bench->longest_us / 1000;
    run.frames = bench->frame_count;
    run.missed = bench->missed;
    return run;
}

static void show(const atamo_reply *replies, size_t count, void *user)
{
    const char *texts[BATCH + 1];
    struct bench *bench = user;
    guint filled = 0;

    for (size_t i = 0; i < count; i++) {
        if (replies[i].kind == ATAMO_REPLY_DATA)
            texts[filled++] = replies[i].body.data;
        if (replies[i].kind == ATAMO_REPLY_END) {
            bench->is_over = true;
            if (replies[i].status != ATAMO_OK)
                give_up(atamo_status_text(replies[i].status));
        }
        if (filled == BATCH || i + 1 == count) {
            texts[filled] = NULL;
            add_rows(bench, texts, filled);
            filled = 0;
        }
    }
}

static void ask(struct bench *bench, const char *type)
{
    const atamo_request_options options = {
        .size = sizeof options, .timeout_ms = LIMIT_MS, .queue = QUEUE};
    const atamo_event_draft draft = atamo_draft(type);

    if (atamo_request(bench->client, &draft, &options, show, bench, NULL) != ATAMO_OK)
        give_up("the request was refused");
}

static void start_burst(struct bench *bench)
{
    ask(bench, "burst");
}

static void start_paced(struct bench *bench)
{
    ask(bench, "pace");
}

/* --- the naive way: an idle callback for each */

struct one {
    struct bench *bench;
    char text[TEXT];
};

static gboolean add_one(gpointer user)
{
    struct one *one = user;
    const char *const texts[] = {one->text, NULL};

    add_rows(one->bench, texts, 1);
    one->bench->is_over = one->bench->rows == BURST;
    g_free(one);
    return G_SOURCE_REMOVE;
}

static gpointer tell_each(gpointer user)
{
    for (unsigned i = 0; i < BURST; i++) {
        struct one *one = g_new(struct one, 1);

        one->bench = user;
        write_text(one->text, i);
        (void)g_idle_add(add_one, one);
    }
    return NULL;
}

static void start_naive(struct bench *bench)
{
    g_thread_unref(g_thread_new("naive", tell_each, bench));
}

/* --- the limit: the same batches without a hub */

static gboolean add_some(gpointer user)
{
    const gint64 until = g_get_monotonic_time() + ATAMO_SOURCE_BUDGET_US;
    struct bench *bench = user;

    while (bench->rows < BURST && g_get_monotonic_time() < until) {
        const guint count = MIN(BATCH, BURST - bench->rows);
        char texts[BATCH][TEXT];
        const char *given[BATCH + 1];

        for (guint i = 0; i < count; i++) {
            write_text(texts[i], bench->rows + i);
            given[i] = texts[i];
        }
        given[count] = NULL;
        add_rows(bench, given, count);
    }
    bench->is_over = bench->rows == BURST;
    return bench->is_over ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void start_limit(struct bench *bench)
{
    (void)g_idle_add_full(ATAMO_SOURCE_PRIORITY, add_some, bench, NULL);
}

/* A burst lasts for a few frames only: several, in the order of their longest gaps. */
static void measure_bursts(struct bench *bench, unsigned *said, struct run runs[BURSTS])
{
    for (size_t i = 0; i < BURSTS; i++) {
        size_t at = i;
        struct run run;

        *said = 0;
        run = measure(bench, start_burst, BURST);
        for (; at > 0 && runs[at - 1].longest_ms > run.longest_ms; at--)
            runs[at] = runs[at - 1];
        runs[at] = run;
    }
}

static void print(const struct run *limit, const struct run bursts[BURSTS], const struct run *paced,
                  const struct run *naive, double interval_ms)
{
    const struct run *burst = &bursts[BURSTS / 2];

    (void)printf("{\"case\":\"gui\",\"messages_per_s\":%.0f,\"cpu_ns_per_message\":%.0f,"
                 "\"p50_us\":null,\"p99_us\":null,\"delivered_per_s\":%.0f,"
                 "\"max_frame_gap_ms\":%.1f,\"worst_frame_gap_ms\":%.1f,\"frames\":%u,",
                 burst->per_s, burst->cpu_ns, burst->per_s, burst->longest_ms,
                 bursts[BURSTS - 1].longest_ms, burst->frames);
    (void)printf("\"missed_frames_paced\":%u,\"frames_paced\":%u,\"paced_per_s\":%.0f,"
                 "\"max_frame_gap_paced_ms\":%.1f,\"naive_per_s\":%.0f,"
                 "\"naive_max_frame_gap_ms\":%.0f,\"ratio_to_naive\":%.1f,"
                 "\"frame_interval_ms\":%.2f,",
                 paced->missed, paced->frames, paced->per_s, paced->longest_ms, naive->per_s,
                 naive->longest_ms, burst->per_s / naive->per_s, interval_ms);
    (void)printf("\"limit\":{\"what\":\"the same rows put into the list without a hub\","
                 "\"messages_per_s\":%.0f,\"max_frame_gap_ms\":%.1f},\"ratio_to_limit\":%.3f}\n",
                 limit->per_s, limit->longest_ms, burst->per_s / limit->per_s);
}

int main(void)
{
    unsigned said;
    const atamo_registration plugins[] = {{&burst_plugin, &said}, {&pace_plugin, NULL}};
    const atamo_settings settings = {
        .size = sizeof settings, .config = atamo_text(yaml), .plugins = plugins, .plugin_count = 2};
    struct bench bench = {0};
    struct run bursts[BURSTS];
    struct run limit;
    struct run paced;
    struct run naive;
    guint source;

    if (!gtk_init_check())
        give_up("there is no display");
    source = atamo_source_open(&settings, &bench.client);
    if (source == 0)
        give_up("the hub does not open");
    open_window(&bench);
    limit = measure(&bench, start_limit, BURST);
    measure_bursts(&bench, &said, bursts);
    paced = measure(&bench, start_paced, PACED);
    naive = measure(&bench, start_naive, BURST);
    gtk_window_destroy(bench.window);
    (void)g_source_remove(source);
    print(&limit, bursts, &paced, &naive, (double)bench.interval_us / 1000);
    return 0;
}
