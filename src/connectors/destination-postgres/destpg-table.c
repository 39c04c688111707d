/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-table.h"

#include <string.h>

#include "sl-error.h"

#include "destpg-name.h"

#define MARK "sluice: rows on their way"

static void
column_clear(gpointer data)
{
    DestpgColumn *column = data;
    g_free(column->name);
    g_free(column->quoted);
}

static GArray *
columns_new(void)
{
    GArray *columns = g_array_new(FALSE, TRUE, sizeof(DestpgColumn));
    g_array_set_clear_func(columns, column_clear);
    return columns;
}

static void
columns_add(GArray **columns, const char *name, const char *type, DestpgKind kind,
            gboolean not_null, gboolean meta)
{
    if (*columns == NULL)
        *columns = columns_new();
    DestpgColumn column = {
        .name = g_strdup(name),
        .quoted = destpg_quote(name),
        .type = g_intern_string(type),
        .kind = kind,
        .not_null = not_null,
        .meta = meta,
    };
    g_array_append_val(*columns, column);
}

static const DestpgColumn *
columns_find(const GArray *columns, const char *name)
{
    for (guint i = 0; i < columns->len; i++) {
        const DestpgColumn *column = &g_array_index(columns, DestpgColumn, i);
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

void
destpg_layout_add(DestpgLayout *layout, const char *name, const char *type, DestpgKind kind,
                  gboolean not_null, gboolean meta)
{
    columns_add(&layout->columns, name, type, kind, not_null, meta);
}

void
destpg_layout_clear(DestpgLayout *layout)
{
    g_clear_pointer(&layout->columns, g_array_unref);
    g_clear_pointer(&layout->pk, g_strfreev);
}

char *
destpg_layout_names(const DestpgLayout *layout, const char *prefix)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < layout->columns->len; i++)
        g_string_append_printf(out, "%s%s%s", i > 0 ? ", " : "", prefix,
                               g_array_index(layout->columns, DestpgColumn, i).quoted);
    return g_string_free(out, FALSE);
}

char *
destpg_target_sql(DestpgTarget target)
{
    g_autofree char *schema = destpg_quote(target.schema), *table = destpg_quote(target.table);
    return g_strconcat(schema, ".", table, NULL);
}

void
destpg_found_clear(DestpgFound *found)
{
    g_clear_pointer(&found->columns, g_array_unref);
}

/* "sluice: rows on their way, sync 12, generation 5" */
static void
read_mark(DestpgFound *found, const char *comment)
{
    found->temporary = g_str_has_prefix(comment, MARK);
    const char *generation = found->temporary ? strstr(comment, ", generation ") : NULL;
    if (generation == NULL)
        return;
    found->generations = TRUE;
    found->generation_id = g_ascii_strtoll(generation + strlen(", generation "), NULL, 10);
}

gboolean
destpg_table_find(DestpgConn *conn, DestpgTarget target, DestpgFound *ret, GError **error)
{
    const char *names[] = {target.schema, target.table};
    *ret = (DestpgFound){.columns = columns_new()};
    g_autoptr(DestpgResultSet) table = destpg_query(
        conn,
        "select c.oid::text, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), '')"
        " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = $1 and c.relname = $2",
        2, names, error);
    if (table == NULL)
        return FALSE;
    if (PQntuples(table) == 0)
        return TRUE;
    if (strchr("rp", *PQgetvalue(table, 0, 1)) == NULL)
        return sl_error_set(
            error, SL_ERROR_CONFIG,
            "'%s' in schema '%s' is no table; rename it, or use a prefix or another "
            "schema for the stream",
            target.table, target.schema);
    ret->exists = TRUE;
    read_mark(ret, PQgetvalue(table, 0, 2));
    const char *oid[] = {PQgetvalue(table, 0, 0)};
    g_autoptr(DestpgResultSet) columns = destpg_query(
        conn,
        "select attname, pg_catalog.format_type(atttypid, null), attnotnull"
        " from pg_catalog.pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped"
        " order by attnum",
        1, oid, error);
    if (columns == NULL)
        return FALSE;
    for (int i = 0; i < PQntuples(columns); i++)
        columns_add(&ret->columns, PQgetvalue(columns, i, 0), PQgetvalue(columns, i, 1), DESTPG_ANY,
                    *PQgetvalue(columns, i, 2) == 't', FALSE);
    return TRUE;
}

gboolean
destpg_schema_ensure(DestpgConn *conn, const char *schema, GError **error)
{
    /* CREATE SCHEMA IF NOT EXISTS asks for a right on the database even when the schema exists. */
    g_autoptr(DestpgResultSet) found = destpg_query(
        conn, "select 1 from pg_catalog.pg_namespace where nspname = $1", 1, &schema, error);
    if (found == NULL)
        return FALSE;
    if (PQntuples(found) > 0)
        return TRUE;
    g_autofree char *quoted = destpg_quote(schema);
    /* Another sync may be making it at this moment. */
    if (destpg_execf(conn, error, "create schema if not exists %s", quoted))
        return TRUE;
    g_prefix_error(error, "creating schema '%s': ", schema);
    return FALSE;
}

gboolean
destpg_table_create(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                    GError **error)
{
    g_autofree char *name = destpg_target_sql(target);
    g_autoptr(GString) sql = g_string_new(NULL);
    for (guint i = 0; i < layout->columns->len; i++) {
        const DestpgColumn *column = &g_array_index(layout->columns, DestpgColumn, i);
        g_string_append_printf(sql, "%s%s %s%s", i > 0 ? ", " : "", column->quoted, column->type,
                               column->not_null ? " not null" : "");
    }
    if (destpg_execf(conn, error, "create table %s (%s)", name, sql->str))
        return TRUE;
    g_prefix_error(error, "creating table '%s' in schema '%s': ", target.table, target.schema);
    return FALSE;
}

gboolean
destpg_found_has(const DestpgFound *found, const char *column)
{
    return columns_find(found->columns, column) != NULL;
}

gboolean
destpg_table_is_ours(DestpgTarget target, const DestpgFound *found, GError **error)
{
    static const char *const always[] = {"_airbyte_raw_id", "_airbyte_extracted_at"};
    for (guint i = 0; found->exists && i < G_N_ELEMENTS(always); i++)
        if (!destpg_found_has(found, always[i]))
            return sl_error_set(
                error, SL_ERROR_CONFIG,
                "table '%s' in schema '%s' exists and was not made by a sync: it has "
                "no column '%s'; rename or delete it, or use a prefix or another "
                "schema for the stream",
                target.table, target.schema, always[i]);
    return TRUE;
}

/* Older versions of the public connector had tables without meta or generation. */
static void
add_column(GString *sql, const DestpgColumn *column)
{
    const char *rest = "";
    if (strcmp(column->name, "_airbyte_meta") == 0)
        rest = " not null default '{\"sync_id\": 0, \"changes\": []}'";
    else if (strcmp(column->name, "_airbyte_generation_id") == 0)
        rest = " not null default 0";
    g_string_append_printf(sql, ", add column %s %s%s", column->quoted, column->type, rest);
}

static void
list_changes(GString *sql, const DestpgFound *found, const DestpgLayout *layout, gboolean cascade)
{
    for (guint i = 0; i < layout->columns->len; i++) {
        const DestpgColumn *want = &g_array_index(layout->columns, DestpgColumn, i);
        const DestpgColumn *have = columns_find(found->columns, want->name);
        if (have == NULL) {
            add_column(sql, want);
        } else if (strcmp(have->type, want->type) != 0) {
            g_autofree char *cast = destpg_type_cast(want->quoted, have->type, want->kind);
            g_string_append_printf(sql, ", alter column %s type %s using %s", want->quoted,
                                   want->type, cast);
        }
        if (have != NULL && have->not_null && !want->not_null)
            g_string_append_printf(sql, ", alter column %s drop not null", want->quoted);
    }
    for (guint i = 0; i < found->columns->len && !layout->raw; i++) {
        const DestpgColumn *have = &g_array_index(found->columns, DestpgColumn, i);
        if (columns_find(layout->columns, have->name) == NULL &&
            !g_str_has_prefix(have->name, "_airbyte_"))
            g_string_append_printf(sql, ", drop column %s%s", have->quoted,
                                   cascade ? " cascade" : "");
    }
}

gboolean
destpg_table_evolve(DestpgConn *conn, DestpgTarget target, const DestpgFound *found,
                    const DestpgLayout *layout, gboolean cascade, GError **error)
{
    g_autoptr(GString) changes = g_string_new(NULL);
    if (!destpg_table_is_ours(target, found, error))
        return FALSE;
    list_changes(changes, found, layout, cascade);
    if (changes->len == 0)
        return TRUE;
    g_autofree char *name = destpg_target_sql(target);
    g_autoptr(GError) local = NULL;
    if (destpg_execf(conn, &local, "alter table %s %s", name, changes->str + 2))
        return TRUE;
    /* A value that the new type does not hold: nothing that a retry or we could mend. */
    if (g_error_matches(local, SL_ERROR, SL_ERROR_DATABASE))
        local->code = SL_ERROR_CONFIG;
    g_propagate_prefixed_error(error, g_steal_pointer(&local),
                               "changing the columns of table '%s' in schema '%s' to the stream's "
                               "new schema: ",
                               target.table, target.schema);
    return FALSE;
}

gboolean
destpg_table_ensure(DestpgConn *conn, DestpgTarget target, const DestpgLayout *layout,
                    gboolean cascade, GError **error)
{
    g_auto(DestpgFound) found = {0};
    if (!destpg_table_find(conn, target, &found, error))
        return FALSE;
    if (found.exists)
        return destpg_table_evolve(conn, target, &found, layout, cascade, error);
    return destpg_table_create(conn, target, layout, error);
}

gboolean
destpg_table_drop(DestpgConn *conn, DestpgTarget target, gboolean cascade, GError **error)
{
    g_autofree char *name = destpg_target_sql(target);
    if (destpg_execf(conn, error, "drop table if exists %s%s", name, cascade ? " cascade" : ""))
        return TRUE;
    g_prefix_error(error, "dropping table '%s' in schema '%s': ", target.table, target.schema);
    return FALSE;
}

gboolean
destpg_table_mark(DestpgConn *conn, DestpgTarget target, gboolean generations, gint64 generation_id,
                  gint64 sync_id, GError **error)
{
    g_autofree char *name = destpg_target_sql(target);
    g_autofree char *generation =
        generations ? g_strdup_printf(", generation %" G_GINT64_FORMAT, generation_id)
                    : g_strdup("");
    return destpg_execf(conn, error,
                        "comment on table %s is '" MARK ", sync %" G_GINT64_FORMAT "%s'", name,
                        sync_id, generation);
}

gboolean
destpg_table_generation(DestpgConn *conn, DestpgTarget target, gint64 *ret, GError **error)
{
    g_autofree char *name = destpg_target_sql(target);
    g_autofree char *sql =
        g_strdup_printf("select coalesce(_airbyte_generation_id, 0)::text from %s limit 1", name);
    g_autoptr(DestpgResultSet) rows = destpg_query(conn, sql, 0, NULL, error);
    if (rows == NULL)
        return FALSE;
    *ret = PQntuples(rows) == 0 ? -1 : g_ascii_strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    return TRUE;
}
