/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-db-listen.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <libpq-fe.h>

#include "sl-error.h"
#include "sl-log.h"

#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000

struct SlDbListener {
    char *conninfo;
    char **channels;
    SlDbListenFunc callback;
    gpointer data;
    GMainContext *context;
    PGconn *pg;
    GSource *watch;
    GSource *retry;
    GCancellable *cancellable;
    guint backoff_ms;
    gboolean lost; /* said once, not at every try */
};

static void start_connecting(SlDbListener *listener);

static void
finish_connection(gpointer pg)
{
    PQfinish(pg);
}

/* In a thread: connecting and LISTEN block. */
static void
connect_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    char **arguments = data; /* conninfo, channels… */
    const char *keys[] = {"dbname", "connect_timeout", "keepalives_idle",
                          "fallback_application_name", NULL};
    const char *values[] = {arguments[0], "10", "30", g_get_prgname(), NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    gboolean ok = PQstatus(pg) == CONNECTION_OK;
    for (guint i = 1; ok && arguments[i] != NULL; i++) {
        char *name = PQescapeIdentifier(pg, arguments[i], strlen(arguments[i]));
        g_autofree char *sql = g_strconcat("listen ", name, NULL);
        PGresult *result = PQexec(pg, sql);
        ok = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        PQfreemem(name);
    }
    if (ok) {
        g_task_return_pointer(task, pg, finish_connection);
        return;
    }
    g_autofree char *reason = g_strdup(PQerrorMessage(pg));
    PQfinish(pg);
    g_task_return_new_error(task, SL_ERROR, SL_ERROR_UNAVAILABLE, "%s", g_strchomp(reason));
}

static void
drop_source(GSource **source)
{
    if (*source == NULL)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

static gboolean
retry_now(gpointer data)
{
    SlDbListener *listener = data;
    drop_source(&listener->retry);
    start_connecting(listener);
    return G_SOURCE_REMOVE;
}

static void
retry_later(SlDbListener *listener, const char *reason)
{
    guint wait = listener->backoff_ms + (guint)g_random_int_range(0, (gint32)listener->backoff_ms);
    if (!listener->lost)
        sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_DATABASE_LOST,
                     "No notifications from the database (%s), retrying in %u ms", reason, wait);
    listener->lost = TRUE;
    listener->backoff_ms = MIN(listener->backoff_ms * 2, BACKOFF_MAX_MS);
    listener->retry = g_timeout_source_new(wait);
    g_source_set_callback(listener->retry, retry_now, listener, NULL);
    g_source_attach(listener->retry, listener->context);
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer data)
{
    SlDbListener *listener = data;
    if (PQconsumeInput(listener->pg) == 0) {
        g_autofree char *reason = g_strdup(PQerrorMessage(listener->pg));
        drop_source(&listener->watch);
        g_clear_pointer(&listener->pg, PQfinish);
        retry_later(listener, g_strchomp(reason));
        return G_SOURCE_REMOVE;
    }
    PGnotify *notify;
    while (listener->pg != NULL && (notify = PQnotifies(listener->pg)) != NULL) {
        listener->callback(notify->relname, notify->extra, listener->data);
        PQfreemem(notify);
    }
    return G_SOURCE_CONTINUE;
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    PGconn *pg = g_task_propagate_pointer(G_TASK(result), &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* the listener is gone */
    SlDbListener *listener = data;
    if (pg == NULL) {
        retry_later(listener, error->message);
        return;
    }
    if (listener->lost)
        sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_DATABASE_BACK, "Notifications are back");
    listener->lost = FALSE;
    listener->backoff_ms = BACKOFF_MIN_MS;
    listener->pg = pg;
    listener->watch = g_unix_fd_source_new(PQsocket(pg), G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(listener->watch, G_SOURCE_FUNC(on_readable), listener, NULL);
    g_source_attach(listener->watch, listener->context);
    listener->callback(NULL, NULL, listener->data);
}

static void
start_connecting(SlDbListener *listener)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_ptr_array_add(arguments, g_strdup(listener->conninfo));
    for (guint i = 0; listener->channels[i] != NULL; i++)
        g_ptr_array_add(arguments, g_strdup(listener->channels[i]));
    g_ptr_array_add(arguments, NULL);
    g_autoptr(GTask) task = g_task_new(NULL, listener->cancellable, on_connected, listener);
    g_task_set_task_data(task, g_ptr_array_free(g_steal_pointer(&arguments), FALSE),
                         (GDestroyNotify)g_strfreev);
    g_task_run_in_thread(task, connect_thread);
}

SlDbListener *
sl_db_listener_new(const char *conninfo, const char *const *channels, SlDbListenFunc callback,
                   gpointer data)
{
    SlDbListener *listener = g_new0(SlDbListener, 1);
    listener->conninfo = g_strdup(conninfo);
    listener->channels = g_strdupv((char **)channels);
    listener->callback = callback;
    listener->data = data;
    listener->context = g_main_context_ref_thread_default();
    listener->cancellable = g_cancellable_new();
    listener->backoff_ms = BACKOFF_MIN_MS;
    start_connecting(listener);
    return listener;
}

gboolean
sl_db_listener_is_connected(const SlDbListener *listener)
{
    return listener->pg != NULL;
}

void
sl_db_listener_free(SlDbListener *listener)
{
    if (listener == NULL)
        return;
    g_cancellable_cancel(listener->cancellable);
    g_object_unref(listener->cancellable);
    drop_source(&listener->watch);
    drop_source(&listener->retry);
    g_clear_pointer(&listener->pg, PQfinish);
    g_main_context_unref(listener->context);
    g_strfreev(listener->channels);
    g_free(listener->conninfo);
    g_free(listener);
}
