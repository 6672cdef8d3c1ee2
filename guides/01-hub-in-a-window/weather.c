/* weather - a form with the weather of one place. The program is the controller of a hub. */
#include <atamo/glib.h>
#include <gtk/gtk.h>

static void show(const atamo_reply *replies, size_t count, void *answer)
{
    for (const atamo_reply *reply = replies; reply < replies + count; reply++)
        if (reply->kind == ATAMO_REPLY_END)
            gtk_label_set_text(answer, atamo_status_text(reply->status));
}

static void clicked(GtkButton *button, atamo_client *client)
{
    const atamo_event_draft draft = atamo_draft("weather.wanted");

    (void)atamo_request(client, &draft, NULL, show, gtk_widget_get_next_sibling(GTK_WIDGET(button)),
                        NULL);
}

int main(void)
{
    const atamo_settings settings = {.size = sizeof settings, .config_path = "weather.yaml"};
    atamo_client *client = NULL;
    const guint source = atamo_source_open(&settings, &client);

    gtk_init();
    void *form = g_object_new(GTK_TYPE_GRID, "row-spacing", 12, "margin-end", 24, "margin-top", 24,
                              "margin-start", 24, "margin-bottom", 24, "column-spacing", 24, NULL);
    GtkWidget *const button = gtk_button_new_with_label("Load");
    GtkWidget *const answer = gtk_label_new("-");
    gtk_grid_attach(form, gtk_label_new("Weather"), 0, 0, 1, 1);
    gtk_grid_attach(form, button, 1, 0, 1, 1);
    gtk_grid_attach(form, answer, 1, 1, 1, 1);
    g_signal_connect(button, "clicked", G_CALLBACK(clicked), client);
    if (source == 0)
        return 1;
    g_object_new(GTK_TYPE_WINDOW, "title", "Hamburg", "child", form, "visible", TRUE, NULL);
    while (g_list_model_get_n_items(gtk_window_get_toplevels()) > 0)
        (void)g_main_context_iteration(NULL, TRUE);
    return g_source_remove(source) ? 0 : 1;
}
