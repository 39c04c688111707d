/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-core.h"

#include <string.h>

#include "sl-error.h"

#define OBJECT_PATH "/org/sluice/Launcher1"
#define MANAGE "org.sluice.manage"

/* --- who ----------------------------------------------------------------------------------------
 */

/* In GDBus's thread: an orchestrator's uid, and in which unit it is. Which workload that unit is
 * the orchestrator of is compared in the main thread, against what we hold. */
static gboolean
check_orchestrator(GDBusMethodInvocation *invocation, gpointer data, GError **error)
{
    const Launcher *launcher = data;
    guint32 pid = 0, uid = 0;

    if (!sl_bus_get_caller(g_dbus_method_invocation_get_connection(invocation),
                           g_dbus_method_invocation_get_sender(invocation), &pid, &uid, error))
        return FALSE;
    if (uid != launcher->uid)
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "only orchestrators may (caller's uid: %u)",
                            uid);
    g_autoptr(GError) local = NULL;
    char *unit = sl_units_get_by_pid(launcher->units, pid, &local);
    /* An engine may have groups that systemd does not know. */
    if (unit == NULL && !g_error_matches(local, SL_ERROR, SL_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_object_set_data_full(G_OBJECT(invocation), LAUNCHER_CALLER_UNIT, unit, g_free);
    g_object_set_data(G_OBJECT(invocation), LAUNCHER_CALLER_PID, GUINT_TO_POINTER(pid));
    return TRUE;
}

/* In GDBus's thread: the control plane, or root. */
static gboolean
check_control(GDBusMethodInvocation *invocation, gpointer data, GError **error)
{
    const Launcher *launcher = data;
    guint32 pid = 0, uid = 0;

    if (!sl_bus_get_caller(g_dbus_method_invocation_get_connection(invocation),
                           g_dbus_method_invocation_get_sender(invocation), &pid, &uid, error))
        return FALSE;
    return uid == 0 || uid == launcher->control_uid ||
           sl_error_set(error, SL_ERROR_FORBIDDEN, "only the control plane may (caller's uid: %u)",
                        uid);
}

static const SlBusMethod methods[] = {
    {"StartConnector", NULL, check_orchestrator},
    {"StopConnector", NULL, check_orchestrator},
    {"StopWorkload", MANAGE, NULL},
    {"ListWorkloads", MANAGE, NULL},
    {"RunConnector", MANAGE, NULL},
    {"StartPostSyncUnit", NULL, check_control},
};

/* --- what ---------------------------------------------------------------------------------------
 */

/* Answers and returns FALSE when there is an option: none is known yet. */
static gboolean
check_options(GDBusMethodInvocation *invocation, GVariant *options)
{
    g_autoptr(GError) error = NULL;
    const char *name;
    GVariantIter iter;
    g_variant_iter_init(&iter, options);
    if (!g_variant_iter_next(&iter, "{&sv}", &name, NULL))
        return TRUE;
    sl_error_set(&error, SL_ERROR_INVALID, "unknown option '%s'", name);
    sl_bus_return_error(invocation, error);
    return FALSE;
}

static gboolean
check_role(GDBusMethodInvocation *invocation, const char *name, GVariant *options,
           LauncherRole *ret_role)
{
    g_autoptr(GError) error = NULL;
    if (!check_options(invocation, options))
        return FALSE;
    if (launcher_role_parse(name, ret_role, &error))
        return TRUE;
    sl_bus_return_error(invocation, error);
    return FALSE;
}

static gboolean
on_start_connector(SlBusLauncher1 *object, GDBusMethodInvocation *invocation,
                   const char *workload_id, const char *role_name, GVariant *options, gpointer data)
{
    Launcher *launcher = data;
    LauncherRole role;
    if (check_role(invocation, role_name, options, &role))
        launcher_connectors_start(launcher->connectors, invocation, workload_id, role);
    return TRUE;
}

static gboolean
on_stop_connector(SlBusLauncher1 *object, GDBusMethodInvocation *invocation,
                  const char *workload_id, const char *role_name, GVariant *options, gpointer data)
{
    Launcher *launcher = data;
    LauncherRole role;
    if (check_role(invocation, role_name, options, &role))
        launcher_connectors_stop(launcher->connectors, invocation, workload_id, role);
    return TRUE;
}

static void
on_workload_stopped(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusMethodInvocation *invocation = data;
    g_autoptr(GError) error = NULL;
    if (sl_units_job_finish(result, &error))
        sl_bus_launcher1_complete_stop_workload(NULL, invocation);
    else
        sl_bus_return_error(invocation, error);
}

static gboolean
on_stop_workload(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *workload_id,
                 GVariant *options, gpointer data)
{
    Launcher *launcher = data;
    LauncherWorkload *workload = g_hash_table_lookup(launcher->workloads, workload_id);
    g_autoptr(GError) error = NULL;

    if (!check_options(invocation, options))
        return TRUE;
    if (workload == NULL) {
        sl_error_set(&error, SL_ERROR_NOT_FOUND, "workload '%s' is not held here", workload_id);
        sl_bus_return_error(invocation, error);
        return TRUE;
    }
    workload->stop_reason = "stopped by an administrator";
    g_message("stopping workload '%s' for an administrator", workload_id);
    sl_units_stop(launcher->units, workload->slice, on_workload_stopped, invocation);
    return TRUE;
}

static gboolean
on_list_workloads(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
    const Launcher *launcher = data;
    GVariantBuilder list;
    GHashTableIter iter;
    gpointer value;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(sssx)"));
    g_hash_table_iter_init(&iter, launcher->workloads);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const LauncherWorkload *workload = value;
        g_variant_builder_add(&list, "(sssx)", workload->id,
                              workload->type != NULL ? workload->type : "", workload->orchestrator,
                              workload->claimed_at);
    }
    sl_bus_launcher1_complete_list_workloads(object, invocation, g_variant_builder_end(&list));
    return TRUE;
}

static gboolean
on_run_connector(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *id,
                 const char *role_name, const char *launch, GVariant *options, gpointer data)
{
    LauncherRole role;
    if (check_role(invocation, role_name, options, &role))
        launcher_trial_start(data, invocation, id, role, launch);
    return TRUE;
}

static gboolean
on_start_post_sync_unit(SlBusLauncher1 *object, GDBusMethodInvocation *invocation, const char *unit,
                        gint64 job_id, GVariant *options, gpointer data)
{
    if (check_options(invocation, options))
        launcher_post_sync_start(data, invocation, unit, job_id);
    return TRUE;
}

gboolean
launcher_bus_export(Launcher *launcher, SlBus *bus, GError **error)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-start-connector", G_CALLBACK(on_start_connector)},
        {"handle-stop-connector", G_CALLBACK(on_stop_connector)},
        {"handle-stop-workload", G_CALLBACK(on_stop_workload)},
        {"handle-list-workloads", G_CALLBACK(on_list_workloads)},
        {"handle-run-connector", G_CALLBACK(on_run_connector)},
        {"handle-start-post-sync-unit", G_CALLBACK(on_start_post_sync_unit)},
    };
    launcher->object = sl_bus_launcher1_skeleton_new();
    sl_bus_launcher1_set_version(launcher->object, PACKAGE_VERSION);
    sl_bus_launcher1_set_data_plane(launcher->object, launcher->api.data_plane);
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(launcher->object, handlers[i].signal, handlers[i].handler, launcher);
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(launcher->object), OBJECT_PATH, methods,
                         G_N_ELEMENTS(methods), launcher, error);
}
