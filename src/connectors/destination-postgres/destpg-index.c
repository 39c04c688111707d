/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "destpg-name.h"
#include "destpg-table.h"

/* The connector's own indexes, and the swap, which has to carry them along. */

static const char *const prefixes[] = {"idx_pk_", "idx_cursor_", "idx_extracted_at_"};

/* What index i covers, as the catalog query spells it; NULL: the layout has no such index. */
static char *
wanted_columns(const DestpgLayout *layout, guint i)
{
    if (i == 0)
        return layout->pk != NULL ? g_strjoinv(", ", layout->pk) : NULL;
    if (i == 1)
        return layout->pk != NULL && layout->cursor != NULL ? g_strdup(layout->cursor) : NULL;
    return g_strdup("\"_airbyte_extracted_at\"");
}

static PGresult *
list_indexes(DestpgConn *conn, DestpgTarget target, GError **error)
{
    const char *names[] = {target.schema, target.table};
    return destpg_query(
        conn,
        "select i.relname, string_agg('\"' || replace(a.attname, '\"', '\"\"') || '\"', ', ' order "
        "by k.ord)"
        " from pg_catalog.pg_index x"
        " join pg_catalog.pg_class t on t.oid = x.indrelid"
        " join pg_catalog.pg_namespace n on n.oid = t.relnamespace"
        " join pg_catalog.pg_class i on i.oid = x.indexrelid"
        " cross join lateral unnest(x.indkey::int2[]) with ordinality k (attnum, ord)"
        " join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum"
        " where n.nspname = $1 and t.relname = $2 and x.indisvalid"
        " and x.indpred is null and x.indexprs is null"
        " group by i.relname",
        2, names, error);
}

static gboolean
rename_index(DestpgConn *conn, const char *schema, const char *from, const char *to, GError **error)
{
    g_autofree char *index = destpg_target_sql((DestpgTarget){schema, from});
    g_autofree char *quoted = destpg_quote(to);
    return destpg_execf(conn, error, "alter index if exists %s rename to %s", index, quoted);
}

/* Is it the name that one of the table's indexes should have? */
static gboolean
is_proper(const char *table, const char *index)
{
    gboolean found = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(prefixes) && !found; i++) {
        g_autofree char *name = destpg_name_index(prefixes[i], table);
        found = strcmp(name, index) == 0;
    }
    return found;
}

/* An index with our name that covers something else goes: the key or cursor has changed. */
static gboolean
ensure_one(DestpgConn *conn, DestpgTarget target, const PGresult *existing, const char *name,
           const char *columns, gboolean cascade, GError **error)
{
    const char *other = NULL;
    for (int i = 0; i < PQntuples(existing); i++) {
        gboolean same_name = strcmp(PQgetvalue(existing, i, 0), name) == 0;
        gboolean same_columns = columns != NULL && strcmp(PQgetvalue(existing, i, 1), columns) == 0;
        if (same_name && same_columns)
            return TRUE;
        if (same_name) {
            g_autofree char *index = destpg_target_sql((DestpgTarget){target.schema, name});
            if (!destpg_execf(conn, error, "drop index if exists %s%s", index,
                              cascade ? " cascade" : ""))
                return FALSE;
        } else if (same_columns && g_str_has_prefix(PQgetvalue(existing, i, 0), "idx_") &&
                   !is_proper(target.table, PQgetvalue(existing, i, 0))) {
            other = PQgetvalue(existing, i, 0);
        }
    }
    if (columns == NULL)
        return TRUE;
    /* Left by a swap that did not rename. */
    if (other != NULL)
        return rename_index(conn, target.schema, other, name, error);
    g_autofree char *table = destpg_target_sql(target), *quoted = destpg_quote(name);
    return destpg_execf(conn, error, "create index if not exists %s on %s (%s)", quoted, table,
                        columns);
}

gboolean
destpg_index_ensure(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                    gboolean cascade, GError **error)
{
    g_autoptr(DestpgResultSet) existing = list_indexes(conn, target, error);
    if (existing == NULL)
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *name = destpg_name_index(prefixes[i], target.table);
        g_autofree char *columns = wanted_columns(layout, i);
        if (!ensure_one(conn, target, existing, name, columns, cascade, error)) {
            g_prefix_error(error, "index '%s' of table '%s' in schema '%s': ", name, target.table,
                           target.schema);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
destpg_table_may_rebuild(DestpgConn *conn, DestpgTarget from, DestpgTarget to,
                         const DestpgLayout *layout, gboolean *ret, GError **error)
{
    g_autofree char *new_table = destpg_target_sql(from), *old_table = destpg_target_sql(to);
    g_autofree char *n_columns = g_strdup_printf("%u", layout->columns->len);
    g_autofree char *pk = destpg_name_index(prefixes[0], to.table);
    g_autofree char *cursor = destpg_name_index(prefixes[1], to.table);
    g_autofree char *extracted = destpg_name_index(prefixes[2], to.table);
    const char *params[] = {new_table, old_table, n_columns, pk, cursor, extracted};
    /* Measured: from about a third of the table on, writing it anew beats deleting and inserting.
     */
    g_autoptr(DestpgResultSet) rows = destpg_query(
        conn,
        "select pg_relation_size($1::regclass) * 3 > pg_relation_size(c.oid)"
        " and c.relkind = 'r' and c.relpersistence = 'p' and not c.relispartition"
        " and not c.relhassubclass and not c.relrowsecurity and c.relreplident = 'd'"
        " and c.relacl is null and c.reloptions is null and c.reltablespace = 0"
        " and pg_get_userbyid(c.relowner) = current_user"
        " and not exists (select from pg_description d where d.objoid = c.oid"
        "  and d.classoid = 'pg_class'::regclass)"
        " and not exists (select from pg_depend d where d.refclassid = 'pg_class'::regclass"
        "  and d.refobjid = c.oid and (d.deptype = 'n' or d.classid in ('pg_trigger'::regclass,"
        "  'pg_policy'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass)))"
        " and not exists (select from pg_publication_tables p join pg_namespace n"
        "  on n.nspname = p.schemaname where n.oid = c.relnamespace and p.tablename = c.relname)"
        " and not exists (select from pg_attribute a where a.attrelid = c.oid and (a.attacl is not "
        "null"
        "  or a.attstattarget > 0 or a.atthasdef))"
        " and not exists (select from pg_index x join pg_class i on i.oid = x.indexrelid"
        "  where x.indrelid = c.oid and i.relname not in ($4, $5, $6))"
        " and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0"
        "  and not a.attisdropped) = $3::int"
        " from pg_class c where c.oid = $2::regclass",
        G_N_ELEMENTS(params), params, error);
    if (rows == NULL)
        return FALSE;
    *ret = PQntuples(rows) == 1 && *PQgetvalue(rows, 0, 0) == 't';
    return TRUE;
}

gboolean
destpg_table_replace(DestpgConn *conn, DestpgTarget from, DestpgTarget to, gboolean cascade,
                     const DestpgTarget *also_drop, GError **error)
{
    g_autofree char *name = destpg_target_sql(from), *final = destpg_quote(to.table);
    if (!destpg_table_drop(conn, to, cascade, error) ||
        !destpg_execf(conn, error, "alter table %s rename to %s", name, final))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *old = destpg_name_index(prefixes[i], from.table);
        g_autofree char *new = destpg_name_index(prefixes[i], to.table);
        if (!rename_index(conn, from.schema, old, new, error))
            return FALSE;
    }
    g_autofree char *done = destpg_target_sql(to);
    if (!destpg_execf(conn, error, "comment on table %s is null", done))
        return FALSE;
    return also_drop == NULL || destpg_table_drop(conn, *also_drop, FALSE, error);
}

gboolean
destpg_table_swap(DestpgConn *conn, DestpgTarget from, DestpgTarget to, gboolean cascade,
                  const DestpgTarget *also_drop, GError **error)
{
    if (destpg_begin(conn, error) &&
        destpg_table_replace(conn, from, to, cascade, also_drop, error) &&
        destpg_commit(conn, error))
        return TRUE;
    destpg_rollback(conn);
    g_prefix_error(error,
                   "putting the new generation of table '%s' in schema '%s' in place: ", to.table,
                   to.schema);
    return FALSE;
}
