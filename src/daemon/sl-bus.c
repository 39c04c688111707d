/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-bus.h"

#include <string.h>

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define CALL_TIMEOUT_MSEC 5000
/* An administrator may be asked for a password meanwhile. */
#define POLKIT_TIMEOUT_MSEC (2 * 60 * 1000)

typedef struct {
    SlBus *bus;
    GDBusInterfaceSkeleton *skeleton;
    gulong handler;
    const SlBusMethod *methods;
    gsize n_methods;
    gpointer data;
} Export;

struct SlBus {
    GDBusConnection *connection;
    GPtrArray *exports; /* Export */
    char *name;
    guint name_watch;
    gulong closed_handler;
    SlBusLost lost;
    gpointer lost_data;
};

gboolean
sl_bus_kind_from_environment(SlBusKind *ret_kind, GError **error)
{
    static const struct {
        const char *text;
        SlBusKind kind;
    } kinds[] = {{"system", SL_BUS_SYSTEM}, {"session", SL_BUS_SESSION}, {"none", SL_BUS_NONE}};
    const char *text = g_getenv("SLUICE_BUS");

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (text == NULL || strcmp(text, kinds[i].text) == 0) {
            *ret_kind = kinds[i].kind;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_CONFIG, "SLUICE_BUS=%s: expected system, session or none",
                        text);
}

/* --- authorisation: in the thread that GDBus makes for g-authorize-method ----------------------
 */

gboolean
sl_bus_get_caller(GDBusConnection *connection, const char *sender, guint32 *ret_pid,
                  guint32 *ret_uid, GError **error)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        connection, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetConnectionCredentials",
        g_variant_new("(s)", sender), G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE,
        CALL_TIMEOUT_MSEC, NULL, error);
    if (reply == NULL) {
        sl_bus_map_error(error);
        return FALSE;
    }
    g_autoptr(GVariant) all = g_variant_get_child_value(reply, 0);
    if (!g_variant_lookup(all, "ProcessID", "u", ret_pid) ||
        !g_variant_lookup(all, "UnixUserID", "u", ret_uid))
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "the bus does not know who '%s' is", sender);
    return TRUE;
}

static gboolean
check_polkit(GDBusMethodInvocation *invocation, const char *action, GError **error)
{
    GVariantBuilder subject;
    gboolean allowed = FALSE, challenge = FALSE;
    gboolean may_ask = (g_dbus_message_get_flags(g_dbus_method_invocation_get_message(invocation)) &
                        G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;

    g_variant_builder_init(&subject, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&subject, "{sv}", "name",
                          g_variant_new_string(g_dbus_method_invocation_get_sender(invocation)));
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        g_dbus_method_invocation_get_connection(invocation), POLKIT_NAME, POLKIT_PATH,
        POLKIT_INTERFACE, "CheckAuthorization",
        g_variant_new("((sa{sv})s@a{ss}us)", "system-bus-name", &subject, action,
                      g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0), may_ask ? 1 : 0, ""),
        G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, POLKIT_TIMEOUT_MSEC, NULL, error);
    if (reply == NULL) {
        /* No polkit, no permission: only root is left. */
        sl_bus_map_error(error);
        g_prefix_error(error, "asking polkit for '%s': ", action);
        return FALSE;
    }
    g_variant_get(reply, "((bba{ss}))", &allowed, &challenge, NULL);
    if (allowed)
        return TRUE;
    return sl_error_set(error, SL_ERROR_FORBIDDEN, "polkit does not allow '%s'%s", action,
                        challenge ? "; it would ask for a password" : "");
}

static gboolean
check_caller(const SlBusMethod *row, GDBusMethodInvocation *invocation, gpointer data,
             GError **error)
{
    guint32 pid, uid;
    if (row->check != NULL)
        return row->check(invocation, data, error);
    if (row->action == NULL)
        return TRUE;
    if (!sl_bus_get_caller(g_dbus_method_invocation_get_connection(invocation),
                           g_dbus_method_invocation_get_sender(invocation), &pid, &uid, error))
        return FALSE;
    return uid == 0 || check_polkit(invocation, row->action, error);
}

static const SlBusMethod *
find_row(const SlBusMethod *methods, gsize n_methods, const char *name)
{
    for (gsize i = 0; i < n_methods; i++)
        if (strcmp(methods[i].method, name) == 0)
            return &methods[i];
    return NULL;
}

static gboolean
on_authorize(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
    const Export *export = data;
    const char *method = g_dbus_method_invocation_get_method_name(invocation);
    const SlBusMethod *row = find_row(export->methods, export->n_methods, method);
    g_autoptr(GError) error = NULL;

    if (row != NULL && check_caller(row, invocation, export->data, &error))
        return TRUE;
    if (error == NULL)
        sl_error_set(&error, SL_ERROR_FORBIDDEN, "'%s' is open to nobody", method);
    g_prefix_error(&error, "%s: ", method);
    sl_bus_return_error(invocation, error);
    return FALSE;
}

/* --- objects -----------------------------------------------------------------------------------
 */

static void
export_free(gpointer data)
{
    Export *export = data;
    g_dbus_interface_skeleton_unexport(export->skeleton);
    g_signal_handler_disconnect(export->skeleton, export->handler);
    g_object_unref(export->skeleton);
    g_free(export);
}

static gboolean
check_table(const GDBusInterfaceInfo *interface, const SlBusMethod *methods, gsize n_methods,
            GError **error)
{
    guint n = 0;
    for (; interface->methods != NULL && interface->methods[n] != NULL; n++) {
        if (find_row(methods, n_methods, interface->methods[n]->name) == NULL)
            return sl_error_set(error, SL_ERROR_FAILED, "no row says who may call '%s.%s'",
                                interface->name, interface->methods[n]->name);
    }
    /* Every method has a row, so equal numbers leave no row without its method. */
    if (n != n_methods)
        return sl_error_set(error, SL_ERROR_FAILED, "'%s' has %u methods, but %zu rows for them",
                            interface->name, n, n_methods);
    return TRUE;
}

gboolean
sl_bus_export(SlBus *bus, GDBusInterfaceSkeleton *skeleton, const char *path,
              const SlBusMethod *methods, gsize n_methods, gpointer data, GError **error)
{
    if (!check_table(g_dbus_interface_skeleton_get_info(skeleton), methods, n_methods, error))
        return FALSE;
    Export *export = g_new0(Export, 1);
    *export = (Export){
        .bus = bus,
        .skeleton = g_object_ref(skeleton),
        .methods = methods,
        .n_methods = n_methods,
        .data = data,
    };
    export->handler =
        g_signal_connect(skeleton, "g-authorize-method", G_CALLBACK(on_authorize), export);
    g_ptr_array_add(bus->exports, export);
    if (g_dbus_interface_skeleton_export(skeleton, bus->connection, path, error))
        return TRUE;
    g_prefix_error(error, "exporting '%s': ", path);
    return FALSE;
}

/* --- connection and name -----------------------------------------------------------------------
 */

static void
tell_lost(SlBus *bus, const char *what)
{
    SlBusLost lost = g_steal_pointer(&bus->lost);
    if (lost != NULL)
        lost(what, bus->lost_data);
}

static void
on_closed(GDBusConnection *connection, gboolean remote, GError *error, gpointer data)
{
    tell_lost(data, "the connection to the message bus");
}

static void
on_name_lost(GDBusConnection *connection, const char *sender, const char *path,
             const char *interface, const char *signal, GVariant *parameters, gpointer data)
{
    SlBus *bus = data;
    const char *name = NULL;
    g_variant_get(parameters, "(&s)", &name);
    if (g_strcmp0(name, bus->name) == 0)
        tell_lost(bus, "the name on the message bus");
}

SlBus *
sl_bus_new(SlBusKind kind, GError **error)
{
    GBusType type = kind == SL_BUS_SESSION ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM;
    g_autofree char *address = g_dbus_address_get_for_bus_sync(type, NULL, error);
    g_autoptr(GDBusConnection) connection = NULL;

    if (address != NULL)
        connection = g_dbus_connection_new_for_address_sync(
            address,
            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
            NULL, NULL, error);
    if (connection == NULL) {
        sl_bus_map_error(error);
        g_prefix_error(error, "connecting to the message bus: ");
        return NULL;
    }
    /* A private connection: the shared one would end the process by SIGTERM when the bus goes. */
    SlBus *bus = g_new0(SlBus, 1);
    bus->connection = g_steal_pointer(&connection);
    bus->exports = g_ptr_array_new_with_free_func(export_free);
    bus->closed_handler = g_signal_connect(bus->connection, "closed", G_CALLBACK(on_closed), bus);
    return bus;
}

GDBusConnection *
sl_bus_get_connection(const SlBus *bus)
{
    return bus->connection;
}

void
sl_bus_set_lost(SlBus *bus, SlBusLost lost, gpointer data)
{
    bus->lost = lost;
    bus->lost_data = data;
}

gboolean
sl_bus_own_name(SlBus *bus, const char *name, GError **error)
{
    const guint32 do_not_queue = 4, primary_owner = 1, already_owner = 4;
    guint32 answer = 0;

    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus->connection, DBUS_NAME, DBUS_PATH, DBUS_NAME, "RequestName",
        g_variant_new("(su)", name, do_not_queue), G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE,
        CALL_TIMEOUT_MSEC, NULL, error);
    if (reply == NULL) {
        sl_bus_map_error(error);
        g_prefix_error(error, "taking the bus name '%s': ", name);
        return FALSE;
    }
    g_variant_get(reply, "(u)", &answer);
    if (answer != primary_owner && answer != already_owner)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "the bus name '%s' is taken: another one runs already", name);
    g_free(bus->name);
    bus->name = g_strdup(name);
    if (bus->name_watch == 0)
        bus->name_watch = g_dbus_connection_signal_subscribe(
            bus->connection, DBUS_NAME, DBUS_NAME, "NameLost", DBUS_PATH, NULL,
            G_DBUS_SIGNAL_FLAGS_NONE, on_name_lost, bus, NULL);
    return TRUE;
}

void
sl_bus_release_name(SlBus *bus)
{
    if (bus->name == NULL)
        return;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(bus->connection, DBUS_NAME, DBUS_PATH, DBUS_NAME, "ReleaseName",
                                    g_variant_new("(s)", bus->name), G_VARIANT_TYPE("(u)"),
                                    G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT_MSEC, NULL, NULL);
    /* A bus that is gone has released the name too. */
    g_clear_pointer(&bus->name, g_free);
}

void
sl_bus_free(SlBus *bus)
{
    if (bus == NULL)
        return;
    bus->lost = NULL;
    g_signal_handler_disconnect(bus->connection, bus->closed_handler);
    if (bus->name_watch != 0)
        g_dbus_connection_signal_unsubscribe(bus->connection, bus->name_watch);
    if (!g_dbus_connection_is_closed(bus->connection)) {
        sl_bus_release_name(bus);
        /* Answers that are still queued reach their callers. */
        g_dbus_connection_flush_sync(bus->connection, NULL, NULL);
    }
    g_ptr_array_unref(bus->exports);
    g_dbus_connection_close_sync(bus->connection, NULL, NULL);
    g_object_unref(bus->connection);
    g_free(bus->name);
    g_free(bus);
}

/* --- work in a thread --------------------------------------------------------------------------
 */

typedef struct {
    GDBusMethodInvocation *invocation;
    SlBusWork work;
    SlBusAnswer answer;
    gpointer data;
    GDestroyNotify free_data;
} Call;

static void
call_free(gpointer data)
{
    Call *call = data;
    if (call->free_data != NULL)
        call->free_data(call->data);
    g_free(call);
}

static void
call_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const Call *call = data;
    GError *error = NULL;
    if (call->work(call->data, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void
on_call_done(GObject *source, GAsyncResult *result, gpointer data)
{
    const Call *call = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    if (g_task_propagate_boolean(G_TASK(result), &error))
        call->answer(call->invocation, call->data);
    else
        sl_bus_return_error(call->invocation, error);
}

void
sl_bus_run(GDBusMethodInvocation *invocation, SlBusWork work, SlBusAnswer answer, gpointer data,
           GDestroyNotify free_data)
{
    Call *call = g_new0(Call, 1);
    *call = (Call){invocation, work, answer, data, free_data};
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_call_done, NULL);
    g_task_set_task_data(task, call, call_free);
    g_task_run_in_thread(task, call_thread);
}

/* --- errors ------------------------------------------------------------------------------------
 */

void
sl_bus_return_error(GDBusMethodInvocation *invocation, const GError *error)
{
    g_dbus_method_invocation_return_dbus_error(invocation, sl_error_info_for(error)->dbus_name,
                                               error->message);
}

static SlErrorCode
code_from_name(const char *name)
{
    static const struct {
        const char *name;
        SlErrorCode code;
    } names[] = {
        {"org.freedesktop.systemd1.UnitExists", SL_ERROR_EXISTS},
        {"org.freedesktop.systemd1.NoSuchUnit", SL_ERROR_NOT_FOUND},
        {"org.freedesktop.systemd1.UnitMasked", SL_ERROR_FORBIDDEN},
        {"org.freedesktop.systemd1.NoUnitForPID", SL_ERROR_NOT_FOUND},
        /* The unit is being stopped, or the host is: not now. */
        {"org.freedesktop.systemd1.TransactionIsDestructive", SL_ERROR_UNAVAILABLE},
        {"org.freedesktop.systemd1.ShuttingDown", SL_ERROR_UNAVAILABLE},
        {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", SL_ERROR_FORBIDDEN},
    };
    for (int code = 0; code < SL_N_ERRORS; code++)
        if (strcmp(name, sl_error_info(code)->dbus_name) == 0)
            return (SlErrorCode)code;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].code;
    return SL_N_ERRORS;
}

static SlErrorCode
code_from_dbus(const GError *error)
{
    if (error->domain != G_DBUS_ERROR)
        return sl_error_code(error);
    switch (error->code) {
    case G_DBUS_ERROR_ACCESS_DENIED:
    case G_DBUS_ERROR_AUTH_FAILED:
        return SL_ERROR_FORBIDDEN;
    case G_DBUS_ERROR_NO_REPLY:
    case G_DBUS_ERROR_TIMEOUT:
    case G_DBUS_ERROR_TIMED_OUT:
        return SL_ERROR_TIMED_OUT;
    case G_DBUS_ERROR_SERVICE_UNKNOWN:
    case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
    case G_DBUS_ERROR_NO_SERVER:
    case G_DBUS_ERROR_DISCONNECTED:
    case G_DBUS_ERROR_SPAWN_FAILED:
        return SL_ERROR_UNAVAILABLE;
    case G_DBUS_ERROR_INVALID_ARGS:
        return SL_ERROR_INVALID;
    case G_DBUS_ERROR_LIMITS_EXCEEDED:
        return SL_ERROR_BUSY;
    default:
        return SL_ERROR_FAILED;
    }
}

void
sl_bus_map_error(GError **error)
{
    if (error == NULL || *error == NULL || (*error)->domain == SL_ERROR)
        return;
    g_autofree char *name = g_dbus_error_get_remote_error(*error);
    SlErrorCode code = name != NULL ? code_from_name(name) : SL_N_ERRORS;
    if (code == SL_N_ERRORS)
        code = code_from_dbus(*error);
    g_dbus_error_strip_remote_error(*error);
    GError *mapped = g_error_new_literal(SL_ERROR, (gint)code, (*error)->message);
    g_error_free(*error);
    *error = mapped;
}
