/* look - what is in the windows of a GTK program that knows nothing of being tested.
 *
 * Loaded into the program by LD_PRELOAD. It reads commands, a line each, from the descriptor that
 * LOOK_FD names, runs them in the program's main loop and answers with lines, then a line ".":
 *
 *   texts          what labels, buttons and progress bars show, a line each, from top to bottom
 *   click TEXT     press the button with this text
 *   picture FILE   a PNG of the window, as GTK draws it
 *   gap            the longest time that the main loop was held up since the last one, ms
 *   close          close the window, as its user would
 *
 * Without LOOK_FD it does nothing. When the descriptor is at its end it lets the program go on.
 */
#include <glib-unix.h>
#include <gtk/gtk.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 5 };

struct look {
    FILE *channel;
    gint64 last_us, gap_us;
};

static void say_widget(GtkWidget *widget, FILE *to)
{
    if (GTK_IS_LABEL(widget))
        (void)fprintf(to, "%s\n", gtk_label_get_text(GTK_LABEL(widget)));
    else if (GTK_IS_PROGRESS_BAR(widget))
        (void)fprintf(to, "%.0f %%\n",
                      100 * gtk_progress_bar_get_fraction(GTK_PROGRESS_BAR(widget)));
}

/* The one after `widget` from top to bottom, within `root`; NULL: that was the last. */
static GtkWidget *next_of(GtkWidget *widget, const GtkWidget *root)
{
    GtkWidget *next = gtk_widget_get_first_child(widget);

    while (next == NULL && widget != root) {
        next = gtk_widget_get_next_sibling(widget);
        widget = gtk_widget_get_parent(widget);
    }
    return next;
}

/* Every widget at and below `root`; FALSE: ended with the first that `fn` wants no more after. */
static gboolean walk(GtkWidget *root, gboolean (*fn)(GtkWidget *, void *), void *user)
{
    for (GtkWidget *widget = root; widget != NULL; widget = next_of(widget, root))
        if (!fn(widget, user))
            return FALSE;
    return TRUE;
}

static gboolean say_one(GtkWidget *widget, void *to)
{
    say_widget(widget, to);
    return TRUE;
}

static gboolean click_if(GtkWidget *widget, void *text)
{
    if (!GTK_IS_BUTTON(widget) || gtk_button_get_label(GTK_BUTTON(widget)) == NULL ||
        strcmp(gtk_button_get_label(GTK_BUTTON(widget)), text) != 0)
        return TRUE;
    g_signal_emit_by_name(widget, "clicked");
    return FALSE;
}

static gboolean save(GtkWidget *window, const char *file)
{
    GdkPaintable *const paintable = gtk_widget_paintable_new(window);
    GtkSnapshot *const snapshot = gtk_snapshot_new();
    GskRenderNode *node;
    GdkTexture *texture;
    gboolean saved;

    gdk_paintable_snapshot(paintable, snapshot, gdk_paintable_get_intrinsic_width(paintable),
                           gdk_paintable_get_intrinsic_height(paintable));
    g_object_unref(paintable);
    node = gtk_snapshot_free_to_node(snapshot);
    if (node == NULL)
        return FALSE;
    texture = gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(window)), node, NULL);
    saved = gdk_texture_save_to_png(texture, file);
    g_object_unref(texture);
    gsk_render_node_unref(node);
    return saved;
}

/* The answer that stands before the ".", if there is one. */
static void answer(struct look *look, GtkWidget *window, char *command)
{
    if (strcmp(command, "texts") == 0)
        (void)walk(window, say_one, look->channel);
    else if (strncmp(command, "click ", 6) == 0)
        (void)fprintf(look->channel, "%s\n",
                      walk(window, click_if, command + 6) ? "no such button" : "clicked");
    else if (strncmp(command, "picture ", 8) == 0)
        (void)fprintf(look->channel, "%s\n", save(window, command + 8) ? "saved" : "not saved");
    else if (strcmp(command, "gap") == 0)
        (void)fprintf(look->channel, "%d\n", (int)(look->gap_us / 1000));
    else if (strcmp(command, "close") == 0)
        gtk_window_close(GTK_WINDOW(window));
    if (strcmp(command, "gap") == 0)
        look->gap_us = 0;
}

static gboolean on_command(int fd, GIOCondition condition, gpointer user)
{
    struct look *look = user;
    char command[512];
    GListModel *windows;
    GtkWidget *window;

    (void)fd;
    (void)condition;
    if (fgets(command, sizeof command, look->channel) == NULL)
        return G_SOURCE_REMOVE;
    command[strcspn(command, "\n")] = '\0';
    windows = gtk_is_initialized() ? gtk_window_get_toplevels() : NULL;
    window = windows == NULL ? NULL : g_list_model_get_item(windows, 0);
    if (window != NULL) {
        answer(look, window, command);
        g_object_unref(window);
    }
    (void)fputs(".\n", look->channel);
    (void)fflush(look->channel);
    return G_SOURCE_CONTINUE;
}

static gboolean tick(gpointer user)
{
    struct look *look = user;
    const gint64 now = g_get_monotonic_time();

    if (look->last_us > 0)
        look->gap_us = MAX(look->gap_us, now - look->last_us - TICK_MS * G_GINT64_CONSTANT(1000));
    look->last_us = now;
    return G_SOURCE_CONTINUE;
}

__attribute__((constructor)) static void begin(void)
{
    const char *fd = g_getenv("LOOK_FD");
    struct look *look;

    if (fd == NULL)
        return;
    look = g_new0(struct look, 1);
    look->channel = fdopen((int)g_ascii_strtoll(fd, NULL, 10), "r+");
    if (look->channel == NULL) {
        g_free(look);
        return;
    }
    (void)setvbuf(look->channel, NULL, _IOLBF, 0);
    (void)g_unix_fd_add(fileno(look->channel), G_IO_IN | G_IO_HUP, on_command, look);
    (void)g_timeout_add_full(G_PRIORITY_HIGH, TICK_MS, tick, look, NULL);
}
