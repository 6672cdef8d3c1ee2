/* weather - a form with the weather of one place. The program is the controller of a hub. */
#include <atamo/glib.h>
#include <gtk/gtk.h>

static const char *const rows[] = {"Weather", "Read", "Mean", "Highest", "Now", "Wind", "Step"};

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

static void step(const atamo_telemetry *records, size_t count, uint64_t lost, void *form)
{
    for (size_t i = 0; i < count && lost == 0; i += atamo_telemetry_span(&records[i]))
        gtk_label_set_text(g_object_get_data(form, "Step"), atamo_step_name(records[i].step));
}

static void toggled(GtkToggleButton *button, struct program *own)
{
    const atamo_event_draft draft = atamo_draft("weather.wanted");
    const gboolean is_on = gtk_toggle_button_get_active(button);
    GtkWidget *const form = gtk_widget_get_parent(GTK_WIDGET(button));

    gtk_button_set_label(GTK_BUTTON(button), is_on ? "Cancel" : "Load");
    (void)atamo_cancel(own->client, own->request);
    if (is_on && atamo_request(own->client, &draft, NULL, show, form, &own->request) != ATAMO_OK)
        gtk_toggle_button_set_active(button, FALSE);
}

int main(void)
{
    const atamo_settings settings = {.size = sizeof settings, .config_path = "weather.yaml"};
    struct program own = {0};
    const guint source = atamo_source_open(&settings, &own.client);

    gtk_init();
    void *form = g_object_new(GTK_TYPE_GRID, "row-spacing", 12, "margin-end", 24, "margin-top", 24,
                              "margin-start", 24, "margin-bottom", 24, "column-spacing", 24, NULL);
    GtkWidget *const button = gtk_toggle_button_new_with_label("Load");
    GtkWidget *const bar = g_object_new(GTK_TYPE_PROGRESS_BAR, "valign", GTK_ALIGN_CENTER, NULL);
    for (int row = 0; row < (int)G_N_ELEMENTS(rows); row++) {
        GtkWidget *name = g_object_new(GTK_TYPE_LABEL, "label", rows[row], "xalign", 0.0, NULL);
        GtkWidget *value = row == 0 ? button : row == 1 ? bar : gtk_label_new("-");
        gtk_grid_attach(form, name, 0, row, 1, 1);
        gtk_grid_attach(form, value, 1, row, 1, 1);
        g_object_set_data(form, rows[row], value);
    }
    g_signal_connect(button, "toggled", G_CALLBACK(toggled), &own);
    if (source == 0 || atamo_watch_telemetry(own.client, ATAMO_WATCH_OWN, step, form) != ATAMO_OK)
        return 1;
    g_object_new(GTK_TYPE_WINDOW, "title", "Hamburg", "child", form, "visible", TRUE, NULL);
    while (g_list_model_get_n_items(gtk_window_get_toplevels()) > 0)
        (void)g_main_context_iteration(NULL, TRUE);
    return g_source_remove(source) ? 0 : 1;
}
