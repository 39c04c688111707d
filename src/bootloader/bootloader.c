/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#include "bootloader-dump.h"
#include "bootloader-seed.h"
#include "bootloader-setup.h"
#include "sl-bus-interfaces.h"
#include "sl-daemon.h"
#include "sl-log.h"
#include "sl-migrate.h"

static char *migrations = NULL;
static char *definitions = NULL;
static char *dumps = NULL;

static const GOptionEntry options[] = {
    {"migrations", 0, 0, G_OPTION_ARG_FILENAME, &migrations, N_("Folder of the migrations"),
     N_("DIR")},
    {"definitions", 0, 0, G_OPTION_ARG_FILENAME, &definitions,
     N_("Folder of the connector definitions"), N_("DIR")},
    {NULL},
};

static const char *
or_installed(const char *folder, const char *installed)
{
    return folder != NULL ? folder : installed;
}

/* To the journal, which only root and the administrators' groups read: STATUS= is for everybody. */
static gboolean
tell_setup_link(SlDb *db, const SlConfig *config, GError **error)
{
    gint64 now = g_get_real_time();
    g_autofree char *url = NULL;
    if (!bootloader_setup_link(db, config->server_public_url, now,
                               now + config->server_setup_link_usec, &url, error))
        return FALSE;
    if (url != NULL)
        sl_log_event(G_LOG_LEVEL_MESSAGE, SL_EVENT_SETUP_LINK,
                     "Set the administrator's password at %s", url);
    return TRUE;
}

static const char *
find_dumps(void)
{
    const char *given = g_getenv("STATE_DIRECTORY"); /* of the unit */
    return or_installed(dumps, given != NULL ? given : "/var/lib/sluice/backups");
}

/* Who cannot go forward may want to go back. */
static void
tell_last_dump(void)
{
    g_autofree char *path = bootloader_dump_find_last(find_dumps());
    if (path != NULL)
        g_message("The database as it was before the last upgrade: %s. To go back to it, install "
                  "the version of Sluice that made it and run %s/sluice-restore",
                  path, SL_LIBEXECDIR);
}

static gboolean
dump(SlDaemon *daemon, const char *conninfo, guint version, char **ret_path, GError **error)
{
    const BootloaderDump wanted = {
        .conninfo = conninfo, .folder = find_dumps(), .version = version, .now = g_get_real_time()};
    sl_daemon_status(_("saving the database before it is migrated"));
    if (!bootloader_dump(&wanted, ret_path, error))
        return FALSE;
    g_message("Saved the database, with version %u of its schema, to %s", version, *ret_path);
    return TRUE;
}

static gboolean
migrate(SlDaemon *daemon, SlDb *db, const char *conninfo, SlMigrateResult *ret, GError **error)
{
    const char *folder = or_installed(migrations, SL_PKGDATADIR "/migrations");
    guint keep = (guint)sl_daemon_get_config(daemon)->database_dumps, version, missing;
    if (!sl_migrate_look(db, folder, &version, &missing, error)) {
        tell_last_dump();
        return FALSE;
    }
    g_autofree char *saved = NULL;
    if (version > 0 && missing > 0 && keep > 0 && !dump(daemon, conninfo, version, &saved, error))
        return FALSE;
    sl_daemon_status(_("migrating the database"));
    gboolean ok = sl_migrate(db, folder, ret, error);
    if (saved != NULL && !ok)
        g_unlink(saved); /* of a database that is as it was */
    else if (saved != NULL)
        bootloader_dump_sweep(find_dumps(), keep);
    return ok;
}

/* One-shot: everything happens in start, which blocks until the environment is ready; who is
 * ordered behind the unit may rely on it. */
static gboolean
bootloader_start(SlDaemon *daemon, GError **error)
{
    const SlConfig *config = sl_daemon_get_config(daemon);
    g_autofree char *conninfo = sl_db_conninfo(config, "sluice");
    g_autoptr(SlDb) db = sl_db_new(conninfo, 1, 3600 * (gint64)G_USEC_PER_SEC);
    SlMigrateResult migrated;
    guint seeded = 0;
    if (!sl_daemon_retry(daemon, _("database"), sl_db_attempt_ping, db, error) ||
        !migrate(daemon, db, conninfo, &migrated, error))
        return FALSE;
    sl_daemon_status(_("seeding"));
    if (!bootloader_seed(db, or_installed(definitions, SL_PKGDATADIR "/definitions"),
                         g_get_real_time(), &seeded, error) ||
        !tell_setup_link(db, config, error))
        return FALSE;
    g_info("Schema version %u (%u applied now), %u connector definitions", migrated.version,
           migrated.applied, seeded);
    sl_daemon_status(_("done: schema version %u, %u connector definitions"), migrated.version,
                     seeded);
    sl_daemon_quit(daemon, 0);
    return TRUE;
}

static gboolean
bootloader_export(SlDaemon *daemon, SlBus *bus, GError **error)
{
    g_autoptr(SlBusBootloader1) skeleton = sl_bus_bootloader1_skeleton_new();
    sl_bus_bootloader1_set_version(skeleton, PACKAGE_VERSION);
    sl_bus_bootloader1_set_state(skeleton, "done");
    return sl_bus_export(bus, G_DBUS_INTERFACE_SKELETON(skeleton), "/org/sluice/Bootloader1", NULL,
                         0, NULL, error);
}

int
main(int argc, char **argv)
{
    static const SlDaemonInfo info = {
        .name = "sluice-bootloader",
        .summary = N_("Brings the database up to date before everything else starts"),
        .bus_name = "org.sluice.Bootloader1",
        .options = options,
        .start = bootloader_start,
        .export = bootloader_export,
    };
    return sl_daemon_main(&info, argc, argv);
}
