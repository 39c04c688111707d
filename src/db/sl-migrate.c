/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-migrate.h"

#include <string.h>

#include "sl-error.h"
#include "sl-log.h"
#include "sl-sql.h"

/* Any constant: all migrators of a database use the same. */
#define LOCK_KEY 7318349394477056

typedef struct {
    guint version;
    char *name; /* file name */
    char *sql;
    char *sha256;
} Migration;

static void
migration_free(gpointer data)
{
    Migration *migration = data;
    g_free(migration->name);
    g_free(migration->sql);
    g_free(migration->sha256);
    g_free(migration);
}

static gint
compare_versions(gconstpointer a, gconstpointer b)
{
    const Migration *left = *(Migration *const *)a, *right = *(Migration *const *)b;
    return (left->version > right->version) - (left->version < right->version);
}

static gboolean
load_one(GPtrArray *all, const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *sql = NULL;
    gsize len;
    if (!g_file_get_contents(path, &sql, &len, error))
        return FALSE;
    Migration *migration = g_new0(Migration, 1);
    migration->version = (guint)g_ascii_strtoull(name, NULL, 10);
    migration->name = g_strdup(name);
    migration->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)sql, len);
    migration->sql = g_steal_pointer(&sql);
    g_ptr_array_add(all, migration);
    return TRUE;
}

static GPtrArray *
load_folder(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(migration_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    const char *name;
    if (dir == NULL)
        return NULL;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_regex_match_simple("^[0-9]{4}_[a-z0-9_]+\\.sql$", name, 0, 0) &&
            !load_one(all, folder, name, error))
            return NULL;
    g_ptr_array_sort(all, compare_versions);
    for (guint i = 0; i < all->len; i++)
        if (((Migration *)all->pdata[i])->version != i + 1) {
            sl_error_set(error, SL_ERROR_CONFIG,
                         "%s: migration %04u is missing or there twice; reinstall the package",
                         folder, i + 1);
            return NULL;
        }
    return g_steal_pointer(&all);
}

static gboolean
check_applied(const GPtrArray *all, const GPtrArray *applied, GError **error)
{
    for (guint i = 0; i < applied->len; i++) {
        const SlMigrationRow *row = applied->pdata[i];
        if (row->version > all->len)
            return sl_error_set(error, SL_ERROR_CONFIG,
                                "the database has migration %s, which this version of Sluice does "
                                "not know; install the newer Sluice again or restore a backup",
                                row->name);
        const Migration *migration = all->pdata[row->version - 1];
        if (strcmp(migration->sha256, row->sha256) != 0)
            return sl_error_set(error, SL_ERROR_CONFIG,
                                "migration %s was applied with other content (sha256 %.12s… then, "
                                "%.12s… now); reinstall the package that has the original",
                                row->name, row->sha256, migration->sha256);
    }
    return TRUE;
}

static gboolean
apply(SlTx *tx, const Migration *migration, GError **error)
{
    if (!sl_tx_run_script(tx, migration->sql, error) ||
        !sl_sql_migration_add(tx, migration->version, migration->name, migration->sha256,
                              g_get_real_time(), NULL, error)) {
        g_prefix_error(error, "migration %s: ", migration->name);
        return FALSE;
    }
    return TRUE;
}

static void
tell_applied(const GPtrArray *all, const SlMigrateResult *result)
{
    for (guint i = result->version - result->applied; i < result->version; i++)
        sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_MIGRATED, "Applied migration %s",
                     ((Migration *)all->pdata[i])->name);
}

gboolean
sl_migrate(SlDb *db, const char *folder, SlMigrateResult *ret, GError **error)
{
    g_autoptr(GPtrArray) all = load_folder(folder, error), applied = NULL;
    *ret = (SlMigrateResult){0};
    if (all == NULL)
        return FALSE;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, error);
    g_autofree char *lock =
        g_strdup_printf("select pg_advisory_xact_lock(%" G_GINT64_FORMAT ");"
                        "create table if not exists schema_migration ("
                        "version integer primary key, name text not null, sha256 text not null,"
                        "applied_at timestamptz not null)",
                        (gint64)LOCK_KEY);
    if (tx == NULL || !sl_tx_run_script(tx, lock, error) ||
        !sl_sql_migration_list(tx, &applied, error) || !check_applied(all, applied, error))
        return FALSE;
    for (guint i = applied->len; i < all->len; i++)
        if (!apply(tx, all->pdata[i], error))
            return FALSE;
    if (!sl_tx_commit(tx, error))
        return FALSE;
    *ret = (SlMigrateResult){.applied = all->len - applied->len, .version = all->len};
    tell_applied(all, ret);
    return TRUE;
}

gboolean
sl_migrate_look(SlDb *db, const char *folder, guint *ret_version, guint *ret_missing,
                GError **error)
{
    g_autoptr(GPtrArray) all = load_folder(folder, error), applied = NULL;
    gint64 known = 0;
    if (all == NULL)
        return FALSE;
    g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, error);
    if (tx == NULL || !sl_sql_migration_is_begun(tx, &known, error))
        return FALSE;
    if (known > 0 &&
        (!sl_sql_migration_list(tx, &applied, error) || !check_applied(all, applied, error)))
        return FALSE;
    *ret_version = applied != NULL ? applied->len : 0;
    *ret_missing = all->len - *ret_version;
    return sl_tx_commit(tx, error);
}
