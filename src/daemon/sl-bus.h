/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "sl-error.h"

/* Our place on the message bus: objects from generated skeletons (sl-bus-interfaces.h), each method
 * with a row that says who may call it. */

typedef struct SlBus SlBus;

/* Which bus: $SLUICE_BUS = system (default), session, none. */
typedef enum { SL_BUS_NONE, SL_BUS_SESSION, SL_BUS_SYSTEM } SlBusKind;
gboolean sl_bus_kind_from_environment(SlBusKind *ret_kind, GError **error);

/* Judges a caller itself. Runs in a thread and may block. Returning FALSE refuses with the error.
 */
typedef gboolean (*SlBusCheck)(GDBusMethodInvocation *invocation, gpointer data, GError **error);

/* Who may call a method. Root always may, unless a check is given: then the check alone decides. */
typedef struct {
    const char *method;
    const char *action; /* polkit action; NULL and no check: everybody whom the bus lets through */
    SlBusCheck check;
} SlBusMethod;

SlBus *sl_bus_new(SlBusKind kind, GError **error);
void sl_bus_free(SlBus *bus); /* gives up the name, withdraws the objects */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlBus, sl_bus_free)

GDBusConnection *sl_bus_get_connection(const SlBus *bus);

/* Exports `skeleton` at `path`. Every method of its interface must have exactly one row, and every
 * row its method, else SL_ERROR_FAILED: a forgotten row must not become an open door. `data` goes
 * to the checks. */
gboolean sl_bus_export(SlBus *bus, GDBusInterfaceSkeleton *skeleton, const char *path,
                       const SlBusMethod *methods, gsize n_methods, gpointer data, GError **error);

/* Takes a well-known name, blocking. SL_ERROR_CONFLICT when another owns it, SL_ERROR_FORBIDDEN
 * when the bus policy refuses. Losing it or the bus later calls `lost` once, in the main context.
 */
typedef void (*SlBusLost)(const char *what, gpointer data);
gboolean sl_bus_own_name(SlBus *bus, const char *name, GError **error);
void sl_bus_set_lost(SlBus *bus, SlBusLost lost, gpointer data);
void sl_bus_release_name(SlBus *bus);

/* Peers, as the bus driver knows them. Blocking. */
gboolean sl_bus_get_caller(GDBusConnection *connection, const char *sender, guint32 *ret_pid,
                           guint32 *ret_uid, GError **error);

/* A method whose work may block: `work` runs in a thread, then `answer` in the main context
 * completes the call; an error of `work` is answered here. `data` belongs to the call and is freed
 * last. */
typedef gboolean (*SlBusWork)(gpointer data, GError **error);
typedef void (*SlBusAnswer)(GDBusMethodInvocation *invocation, gpointer data);
void sl_bus_run(GDBusMethodInvocation *invocation, SlBusWork work, SlBusAnswer answer,
                gpointer data, GDestroyNotify free_data);

/* Answers with the error's D-Bus name (sl_error_info()). Takes the invocation as g_dbus does. */
void sl_bus_return_error(GDBusMethodInvocation *invocation, const GError *error);

/* An error of a call of ours back to our domain (org.sluice.Error.*, and the bus's and systemd's
 * own names). Replaces *error in place; no-op on NULL. Call it before any g_prefix_error(): the
 * remote name stands at the front of the text. */
void sl_bus_map_error(GError **error);
