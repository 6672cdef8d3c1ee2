/* atamo/glib.h - a client of a hub in a GLib main loop: GTK and all that is built on it.
 *
 * Header only, and the only header here that needs GLib (2.36); atamo.h does not include it.
 *
 *     source = atamo_source_open(&settings, &client);
 *     atamo_request(client, &draft, NULL, show, window, NULL);
 *     ... the main loop runs ...
 *     g_source_remove(source);
 *
 * Happy path: the source waits for the client's descriptor and runs its callbacks on the thread of
 * the main loop, for 4 ms at most, then the loop may do other things. Its priority is below that of
 * GTK's redraws (and so of input and layout): however much arrives, frames come first.
 *
 * Ownership  The source owns its client and closes it when the source ends: do not call
 *            atamo_client_close(). g_source_remove() and g_source_destroy() may be called anywhere,
 *            also in a callback of the client: then it is closed when atamo_dispatch() has
 *            returned. In those last milliseconds other callbacks of it may come, but none of a
 *            request after atamo_cancel(), and none of telemetry after
 *            atamo_watch_telemetry(client, 0, NULL, NULL).
 * Threads    The client belongs to the thread that runs the source's main context.
 * Errors     None: GLib ends the program when memory is out.
 */
#ifndef ATAMO_GLIB_H
#define ATAMO_GLIB_H

#include "atamo/hub.h"

#include <glib.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ATAMO_SOURCE_PRIORITY = G_PRIORITY_HIGH_IDLE + 30, /* GDK_PRIORITY_REDRAW and 10 */
    ATAMO_SOURCE_BUDGET_US = 4000
};

/* Inside a source; not for programs. */
typedef struct atamo_source {
    GSource source; /* first: GLib made it as one */
    atamo_client *client;
    atamo_hub *hub; /* NULL: it is somebody else's */
} atamo_source;

static inline gboolean atamo_source_dispatch(GSource *source, GSourceFunc fn, gpointer user)
{
    (void)fn;
    (void)user;
    (void)atamo_dispatch(((atamo_source *)(void *)source)->client, ATAMO_SOURCE_BUDGET_US, NULL);
    return G_SOURCE_CONTINUE;
}

static inline void atamo_source_finalize(GSource *source)
{
    const atamo_source *self = (const atamo_source *)(const void *)source;

    atamo_client_close(self->client);
    if (self->hub != NULL)
        (void)atamo_close(self->hub, atamo_stop_limit(self->hub));
}

/* A source for `client`, to be attached to a main context of yours with g_source_attach(); the
 * reference is the caller's. g_source_set_priority() may give it another priority. */
static inline GSource *atamo_source_new(atamo_client *client)
{
    /* No prepare() and check(): GLib sees itself that the descriptor is readable. */
    static const GSourceFuncs functions = {NULL, NULL, atamo_source_dispatch, atamo_source_finalize,
                                           NULL, NULL};
    GSource *source = g_source_new((GSourceFuncs *)&functions, sizeof(atamo_source));

    ((atamo_source *)(void *)source)->client = client;
    ((atamo_source *)(void *)source)->hub = NULL;
    g_source_set_name(source, "atamo");
    g_source_set_priority(source, ATAMO_SOURCE_PRIORITY);
    (void)g_source_add_unix_fd(source, atamo_fd(client), G_IO_IN);
    return source;
}

/* The same in the default main context, where GTK runs; returns its number for g_source_remove().
 */
static inline guint atamo_source_add(atamo_client *client)
{
    GSource *source = atamo_source_new(client);
    const guint number = g_source_attach(source, NULL);

    g_source_unref(source);
    return number;
}

/* All that a program with one window needs: a hub with one client, in the default main context.
 * What is wrong with the configuration, and may be used all the same, is told on stderr. 0: there
 * is no hub. When the source ends it closes its client, then the hub, which may take as long as the
 * configuration lets it (`hub: {stop_limit: 1s}`). */
static inline guint atamo_source_open(const atamo_settings *settings, atamo_client **client)
{
    atamo_report *report = NULL;
    atamo_hub *hub = NULL;
    GSource *source;
    guint number;

    if (atamo_open(settings, &hub, &report) != ATAMO_OK)
        hub = NULL;
    for (size_t i = 0; i < atamo_report_count(report); i++) {
        const atamo_problem problem = atamo_report_at(report, i);

        g_printerr("%s:%u:%u: %s\n", problem.file == NULL ? "configuration" : problem.file,
                   problem.line, problem.column, problem.text);
    }
    atamo_report_free(report);
    if (hub == NULL)
        return 0;
    if (atamo_client_open(hub, client) != ATAMO_OK) {
        (void)atamo_close(hub, 0);
        return 0;
    }
    source = atamo_source_new(*client);
    ((atamo_source *)(void *)source)->hub = hub;
    number = g_source_attach(source, NULL);
    g_source_unref(source);
    return number;
}

#ifdef __cplusplus
}
#endif

#endif
