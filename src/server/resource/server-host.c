/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"
#include "sl-unit.h"

/* --- the machine ------------------------------------------------------------------------------ */

/* By system calls alone: the service sees no more of /proc than its own process. That leaves out
 * how much memory programs could have, because what sysinfo(2) calls free is without all caches. */
static void
read_machine(SlHostResponse *host)
{
    struct utsname names;
    struct sysinfo info = {0};
    if (uname(&names) == 0) {
        host->host_name = g_strdup(names.nodename);
        host->kernel = g_strdup_printf("%s %s", names.sysname, names.release);
    }
    host->system = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    if (sysinfo(&info) != 0)
        return;
    sl_host_response_set_up_seconds(host, info.uptime);
    sl_host_response_set_load(host, (double)info.loads[0] / (1 << SI_LOAD_SHIFT));
    sl_host_response_set_processors(host, g_get_num_processors());
    sl_host_response_set_memory_bytes(host, (gint64)(info.totalram * info.mem_unit));
}

/* Folders that fill up, the most telling first; one on the same file system as one before says
 * nothing new. */
static const char *const folders[] = {"/var/lib/sluice", "/var/log/sluice", "/"};

static GPtrArray *
read_disks(void)
{
    GPtrArray *disks = g_ptr_array_new();
    dev_t seen[G_N_ELEMENTS(folders)];
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        struct stat st;
        struct statvfs vfs;
        guint j = 0;
        if (stat(folders[i], &st) != 0 || statvfs(folders[i], &vfs) != 0)
            continue;
        while (j < disks->len && seen[j] != st.st_dev)
            j++;
        if (j < disks->len)
            continue;
        seen[disks->len] = st.st_dev;
        SlHostDisk *disk = sl_host_disk_new();
        disk->path = g_strdup(folders[i]);
        sl_host_disk_set_total_bytes(disk, (gint64)(vfs.f_blocks * vfs.f_frsize));
        sl_host_disk_set_free_bytes(disk, (gint64)(vfs.f_bavail * vfs.f_frsize));
        g_ptr_array_add(disks, disk);
    }
    return disks;
}

/* --- units ------------------------------------------------------------------------------------ */

static gint
compare_units(gconstpointer a, gconstpointer b)
{
    const SlHostUnit *const *left = a, *const *right = b;
    return g_strcmp0((*left)->name, (*right)->name);
}

/* A connection of its own: the process's common one would end it with the bus. */
static GDBusConnection *
open_bus(GError **error)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    return address == NULL ? NULL
                           : g_dbus_connection_new_for_address_sync(
                                 address,
                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                 NULL, NULL, error);
}

static void
read_units(SlHostResponse *host)
{
    /* Not those of workloads: there may be hundreds, and jobs are shown elsewhere. */
    static const char *const patterns[] = {"sluice-*.service", "sluice-*.socket", "sluice-*.timer",
                                           "sluice-*.path",    "sluice.target",   NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) bus = open_bus(&error);
    g_autoptr(GPtrArray) states = bus != NULL ? sl_units_survey(bus, patterns, &error) : NULL;
    host->units = g_ptr_array_new();
    if (states == NULL) {
        host->units_error = g_strdup(error->message);
        return;
    }
    for (guint i = 0; i < states->len; i++) {
        const SlUnitState *state = states->pdata[i];
        SlHostUnit *unit = sl_host_unit_new();
        unit->name = g_strdup(state->name);
        unit->description = g_strdup(state->description);
        unit->load_state = g_strdup(state->load);
        unit->active_state = g_strdup(state->active);
        unit->sub_state = g_strdup(state->sub);
        g_ptr_array_add(host->units, unit);
    }
    g_ptr_array_sort(host->units, compare_units);
}

/* --- all of it -------------------------------------------------------------------------------- */

gboolean
server_host_get(ServerCtx *ctx, gconstpointer in, SlHostResponse **ret, GError **error)
{
    g_autoptr(SlHostResponse) host = sl_host_response_new();
    if (!sl_sql_host_database_get(ctx->tx, &host->database, error) ||
        !sl_sql_host_data_plane_list(ctx->tx, ctx->now, &host->data_planes, error))
        return FALSE;
    g_ptr_array_set_free_func(host->data_planes, NULL); /* the record's from here on */
    if (!sl_sql_host_queue_list(ctx->tx, &host->queues, error))
        return FALSE;
    g_ptr_array_set_free_func(host->queues, NULL);
    host->version = g_strdup(PACKAGE_VERSION);
    read_machine(host);
    host->disks = read_disks();
    read_units(host);
    *ret = g_steal_pointer(&host);
    return TRUE;
}
