/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-wake.h"

#include "sl-db-listen.h"
#include "sl-db.h"

#define ROLE "sluice_launcher"

/* src/queue names it SL_CHANNEL_WORKLOAD; the queue is the control plane's, not ours to link. */
#define CHANNEL "sluice_workload"

struct LauncherWake {
    SlDbListener *listener;
    void (*wake)(gpointer data);
    gpointer data;
};

static void
on_notified(const char *channel, const char *payload, gpointer data)
{
    const LauncherWake *wake = data;
    /* Also without a channel: reconnected, something may have been missed. */
    wake->wake(wake->data);
}

LauncherWake *
launcher_wake_new(const SlConfig *config, void (*func)(gpointer data), gpointer data)
{
    static const char *const channels[] = {CHANNEL, NULL};
    g_autofree char *conninfo = sl_db_conninfo(config, ROLE);
    LauncherWake *wake = g_new0(LauncherWake, 1);
    wake->wake = func;
    wake->data = data;
    wake->listener = sl_db_listener_new(conninfo, channels, on_notified, wake);
    return wake;
}

gboolean
launcher_wake_is_connected(const LauncherWake *wake)
{
    return wake != NULL && sl_db_listener_is_connected(wake->listener);
}

void
launcher_wake_free(LauncherWake *wake)
{
    if (wake == NULL)
        return;
    sl_db_listener_free(wake->listener);
    g_free(wake);
}
