/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-sql.h"

#include "sl-test-db.h"

/* Type OIDs (pg_type) that a kind of field can be filled from. */
static const struct {
    SlKind kind;
    const char *oids;
} fits[] = {
    {SL_KIND_STR, " 25 1043 17 "},   {SL_KIND_UUID, " 2950 "},
    {SL_KIND_INT, " 20 21 23 "},     {SL_KIND_DBL, " 700 701 1700 "},
    {SL_KIND_BOOL, " 16 "},          {SL_KIND_TIME, " 1184 "},
    {SL_KIND_ENUM, " 25 "},          {SL_KIND_OBJ, " 114 3802 25 "},
    {SL_KIND_OBJV, " 114 3802 25 "}, {SL_KIND_STRV, " 114 3802 "},
    {SL_KIND_NODE, " 25 114 3802 "},
};

static gboolean
oid_fits(SlKind kind, const char *oid)
{
    g_autofree char *needle = g_strconcat(" ", oid, " ", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(fits); i++)
        if (fits[i].kind == kind)
            return strstr(fits[i].oids, needle) != NULL;
    return FALSE;
}

static void
check_columns(const SlSqlEntry *entry, char **columns)
{
    for (guint i = 0; columns[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(columns[i], ":", 2);
        const SlField *field = sl_record_find(entry->record, parts[0]);
        if (field == NULL || !oid_fits(field->kind, parts[1])) {
            g_test_message("%s: column %s (type %s) does not fit %s", entry->statement->name,
                           parts[0], parts[1], entry->record->name);
            g_test_fail();
        }
    }
}

/* Every statement is valid against the migrated schema, and its columns fit the record they fill.
 */
static void
test_every_statement(void)
{
    g_autoptr(SlDb) db = sl_test_db_new(NULL);
    for (guint i = 0; i < sl_sql_n_entries; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlTx) tx = sl_db_begin(db, TRUE, NULL);
        g_auto(GStrv) columns = sl_tx_describe(tx, sl_sql_entries[i].statement, &error);
        g_assert_no_error(error);
        if (sl_sql_entries[i].record != NULL)
            check_columns(&sl_sql_entries[i], columns);
    }
    g_assert_cmpuint(sl_sql_n_entries, >, 30);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/db/sql/every-statement", test_every_statement);
    return g_test_run();
}
