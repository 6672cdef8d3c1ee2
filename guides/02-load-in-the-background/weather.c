/* weather - a form with the weather of one place. The program is the controller of a hub. */
#include <atamo/glib.h>
#include <gtk/gtk.h>

static const char *const rows[] = {"Weather", "Read", "Mean", "Highest", "Step"};

struct program {
    atamo_client *client;
    uint64_t request;
};

static void show(const atamo_reply *replies, size_t count, void *form)
{
    for (const atamo_reply *reply = replies; reply < replies + count; reply++)
        if (reply->kind == ATAMO_REPLY_DATA)
            gtk_label_set_text(g_object_get_data(form, reply->key.data), reply->body.data);
        else if (reply->kind == ATAMO_REPLY_PROGRESS)
            gtk_progress_bar_set_fraction(g_object_get_data(form, "Read"), reply->progress);
        else
            gtk_toggle_button_set_active(g_object_get_data(form, "Weather"), FALSE);
}

static void show_step(const atamo_telemetry *records, size_t count, uint64_t lost, void *form)
{
    for (size_t i = 0; i < count; i += atamo_telemetry_span(&records[i]))
        gtk_label_set_text(g_object_get_data(form, "Step"),
                           lost > 0 ? "lost some" : atamo_step_name(records[i].step));
}

static void toggled(GtkToggleButton *button, struct program *program)
{
    const atamo_event_draft draft = atamo_draft("weather.wanted");
    const gboolean is_on = gtk_toggle_button_get_active(button);
    GtkWidget *const form = gtk_widget_get_parent(GTK_WIDGET(button));

    gtk_button_set_label(GTK_BUTTON(button), is_on ? "Cancel" : "Load");
    (void)atamo_cancel(program->client, program->request);
    if (is_on)
        (void)atamo_request(program->client, &draft, NULL, show, form, &program->request);
}

int main(void)
{
    const atamo_settings settings = {.size = sizeof settings, .config_path = "weather.yaml"};
    struct program program = {0};
    const guint source = atamo_source_open(&settings, &program.client);

    gtk_init();
    GtkGrid *const form = g_object_new(GTK_TYPE_GRID, "row-spacing", 6, "column-spacing", 24, NULL);
    for (int row = 0; row < (int)G_N_ELEMENTS(rows); row++) {
        GtkWidget *const part = row == 0   ? gtk_toggle_button_new_with_label("Load")
                                : row == 1 ? gtk_progress_bar_new()
                                           : gtk_label_new("-");
        gtk_grid_attach(form, gtk_label_new(rows[row]), 0, row, 1, 1);
        gtk_grid_attach(form, part, 1, row, 1, 1);
        g_object_set_data(G_OBJECT(form), rows[row], part);
    }
    g_signal_connect(gtk_grid_get_child_at(form, 1, 0), "toggled", G_CALLBACK(toggled), &program);
    if (source == 0 ||
        atamo_watch_telemetry(program.client, ATAMO_WATCH_OWN, show_step, form) != ATAMO_OK)
        return 1;
    g_object_new(GTK_TYPE_WINDOW, "title", "Hamburg", "child", form, "visible", TRUE, NULL);
    while (g_list_model_get_n_items(gtk_window_get_toplevels()) > 0)
        (void)g_main_context_iteration(NULL, TRUE);
    return g_source_remove(source) ? 0 : 1;
}
