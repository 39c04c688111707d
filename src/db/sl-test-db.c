/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-test-db.h"

#include <libpq-fe.h>

#include "sl-migrate.h"

SlDb *
sl_test_db_new_empty(char **ret_conninfo)
{
    static guint count;
    g_autofree char *name = g_strdup_printf("test_%d_%u", (int)getpid(), count++);
    g_autofree char *sql = g_strdup_printf("create database %s template template0", name);
    PGconn *pg = PQconnectdb("");
    PGresult *result = PQexec(pg, sql);
    g_assert_cmpstr(PQerrorMessage(pg), ==, "");
    g_assert_cmpint(PQresultStatus(result), ==, PGRES_COMMAND_OK);
    PQclear(result);
    PQfinish(pg);
    g_autofree char *conninfo = g_strdup_printf("dbname=%s", name);
    SlDb *db = sl_db_new(conninfo, 4, 10 * G_USEC_PER_SEC);
    if (ret_conninfo != NULL)
        *ret_conninfo = g_steal_pointer(&conninfo);
    return db;
}

SlDb *
sl_test_db_new(char **ret_conninfo)
{
    g_autoptr(GError) error = NULL;
    SlMigrateResult result;
    SlDb *db = sl_test_db_new_empty(ret_conninfo);
    sl_migrate(db, SL_MIGRATIONS, &result, &error);
    g_assert_no_error(error);
    return db;
}
