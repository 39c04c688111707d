/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-merge.h"

#include "destpg-name.h"

#define EXTRACTED_AT "\"_airbyte_extracted_at\""

/* The newest row of each key. ctid, the order of arrival, decides between rows that are equal in
 * cursor and time: a source may change one row twice within a millisecond. */
static void
append_newest(GString *sql, const DestpgLayout *layout, const char *from)
{
    g_autofree char *keys = g_strjoinv(", ", layout->pk);
    g_autofree char *names = destpg_layout_names(layout, "");
    g_string_append_printf(sql, "select distinct on (%s) %s from %s order by %s", keys, names, from,
                           keys);
    if (layout->cursor != NULL)
        g_string_append_printf(sql, ", %s desc nulls last", layout->cursor);
    g_string_append(sql, ", " EXTRACTED_AT " desc, ctid desc");
}

static gboolean
tombstones_go(const DestpgLayout *layout, gboolean hard_delete)
{
    return hard_delete && layout->deleted != NULL;
}

char *
destpg_merge_insert(const DestpgLayout *layout, const char *from, const char *to,
                    gboolean hard_delete)
{
    g_autofree char *names = destpg_layout_names(layout, "");
    GString *sql = g_string_new(NULL);
    g_string_append_printf(sql, "insert into %s (%s) select %s from (", to, names, names);
    append_newest(sql, layout, from);
    g_string_append(sql, ") s");
    if (tombstones_go(layout, hard_delete))
        g_string_append_printf(sql, " where s.%s is null", layout->deleted);
    return g_string_free(sql, FALSE);
}

/* s is newer than t. Equal cursor and time is not newer: a row that comes again changes nothing. */
static void
append_newer(GString *sql, const DestpgLayout *layout)
{
    const char *later = "t." EXTRACTED_AT " < s." EXTRACTED_AT, *c = layout->cursor;
    if (c == NULL)
        g_string_append(sql, later);
    else
        g_string_append_printf(sql,
                               "(t.%s < s.%s or t.%s = s.%s and %s or t.%s is null and (s.%s is "
                               "not null or %s))",
                               c, c, c, c, later, c, c, later);
}

static void
append_match(GString *sql, const DestpgLayout *layout)
{
    for (guint i = 0; layout->pk[i] != NULL; i++)
        g_string_append_printf(sql, "%st.%s = s.%s", i > 0 ? " and " : "", layout->pk[i],
                               layout->pk[i]);
}

/* " from s where …": the rows of the batch that the table `to` has no equal or newer row for. */
static void
append_winners(GString *sql, const DestpgLayout *layout, const char *to, gboolean hard_delete)
{
    g_string_append_printf(sql, " from s where not exists (select from %s t where ", to);
    append_match(sql, layout);
    g_string_append(sql, " and (");
    append_newer(sql, layout);
    g_string_append(sql, ") is not true)");
    if (tombstones_go(layout, hard_delete))
        g_string_append_printf(sql, " and s.%s is null", layout->deleted);
}

char *
destpg_merge_upsert(const DestpgLayout *layout, const char *from, const char *to,
                    gboolean hard_delete)
{
    g_autofree char *names = destpg_layout_names(layout, "");
    g_autofree char *new_names = destpg_layout_names(layout, "s.");
    GString *sql = g_string_new("with s as materialized (");
    append_newest(sql, layout, from);
    /* Delete and insert: measured faster than ON CONFLICT, MERGE and UPDATE, and it needs no
     * unique index. Both parts see the table as it was before. */
    g_string_append_printf(sql, "), gone as (delete from %s t using s where ", to);
    append_match(sql, layout);
    g_string_append(sql, " and ");
    append_newer(sql, layout);
    g_string_append_printf(sql, ") insert into %s (%s) select %s", to, names, new_names);
    append_winners(sql, layout, to, hard_delete);
    return g_string_free(sql, FALSE);
}

char *
destpg_merge_rebuild(const DestpgLayout *layout, const char *from, const char *to, const char *into,
                     gboolean hard_delete)
{
    g_autofree char *names = destpg_layout_names(layout, "");
    g_autofree char *old_names = destpg_layout_names(layout, "t.");
    g_autofree char *new_names = destpg_layout_names(layout, "s.");
    GString *sql = g_string_new("with s as materialized (");
    append_newest(sql, layout, from);
    g_string_append_printf(sql, ") insert into %s (%s) select %s from %s t where not exists (",
                           into, names, old_names, to);
    g_string_append(sql, "select from s where ");
    append_match(sql, layout);
    g_string_append(sql, " and ");
    append_newer(sql, layout);
    g_string_append_printf(sql, ") union all select %s", new_names);
    append_winners(sql, layout, to, hard_delete);
    return g_string_free(sql, FALSE);
}
