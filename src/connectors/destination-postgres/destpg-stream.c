/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-stream.h"

#include "sl-error.h"

#include "destpg-merge.h"

static DestpgTarget
final_of(const DestpgStream *s)
{
    return (DestpgTarget){s->name.schema, s->name.table};
}

static DestpgTarget
temp_of(const DestpgStream *s)
{
    return (DestpgTarget){s->name.schema, s->temp};
}

static DestpgTarget
temp2_of(const DestpgStream *s)
{
    return (DestpgTarget){s->name.schema, s->temp2};
}

/* --- begin ------------------------------------------------------------------------------------ */
/* Temporary tables are made with all columns nullable but the meta ones, as the final table. */
static gboolean
ready_temp(DestpgStream *s, DestpgConn *conn, const DestpgFound *temp, GError **error)
{
    DestpgTarget target = temp_of(s);
    destpg_stream_aim(s, TRUE);
    if (temp->exists ? !destpg_table_evolve(conn, target, temp, &s->layout, FALSE, error)
                     : !destpg_table_create(conn, target, &s->layout, error))
        return FALSE;
    return destpg_table_mark(conn, target, s->config->generations, s->config->generation_id,
                             s->config->sync_id, error);
}

static gboolean
ready_final(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    destpg_stream_aim(s, FALSE);
    return destpg_table_ensure(conn, final_of(s), &s->layout, config->drop_cascade, error);
}

/* Rows that an earlier attempt left in a temporary table are acknowledged: they may not go. */
static gboolean
begin_append(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, const DestpgFound *temp,
             GError **error)
{
    if (!ready_final(s, config, conn, error))
        return FALSE;
    if (!temp->exists)
        return TRUE;
    g_autofree char *names = destpg_layout_names(&s->layout, "");
    g_autofree char *from = destpg_target_sql(temp_of(s)), *to = destpg_target_sql(final_of(s));
    return destpg_table_evolve(conn, temp_of(s), temp, &s->layout, FALSE, error) &&
           destpg_execf(conn, error, "insert into %s (%s) select %s from %s", to, names, names,
                        from) &&
           destpg_table_drop(conn, temp_of(s), FALSE, error);
}

/* The generation whose rows a temporary table holds; -1 when it has neither mark nor rows. */
static gboolean
temp_generation(DestpgStream *s, DestpgConn *conn, const DestpgFound *temp, gint64 *ret,
                GError **error)
{
    if (temp->temporary && temp->generations) {
        *ret = temp->generation_id;
        return TRUE;
    }
    return destpg_table_generation(conn, temp_of(s), ret, error);
}

/* May this generation's rows go straight into the final table? */
static gboolean
final_takes_generation(DestpgStream *s, DestpgConn *conn, gboolean *ret, GError **error)
{
    g_auto(DestpgFound) final = {0};
    gint64 generation = -1;
    if (!destpg_table_find(conn, final_of(s), &final, error))
        return FALSE;
    /* A table so old that it has no such column: of the first generation. */
    if (destpg_found_has(&final, "_airbyte_generation_id")) {
        if (!destpg_table_generation(conn, final_of(s), &generation, error))
            return FALSE;
    } else if (final.exists) {
        generation = 0;
    }
    *ret = generation < 0 || generation >= s->config->minimum_generation_id;
    return TRUE;
}

static gboolean
begin_truncate(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, DestpgFound *temp,
               GError **error)
{
    const KitStream *kit = s->config;
    gint64 generation = -1;
    if (temp->exists && !temp_generation(s, conn, temp, &generation, error))
        return FALSE;
    /* Without generations nobody can tell whose rows these are. */
    if (temp->exists && (!kit->generations || generation < kit->minimum_generation_id)) {
        if (!destpg_table_drop(conn, temp_of(s), FALSE, error))
            return FALSE;
        temp->exists = FALSE;
    }
    gboolean direct = FALSE;
    if (!temp->exists && !s->dedup && kit->generations &&
        !final_takes_generation(s, conn, &direct, error))
        return FALSE;
    return direct ? ready_final(s, config, conn, error) : ready_temp(s, conn, temp, error);
}

static gboolean
begin_in_transaction(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    g_auto(DestpgFound) temp = {0}, final = {0};
    /* First of all: whatever happens, a table that is not ours is neither filled nor replaced. */
    if (!destpg_schema_ensure(conn, s->name.schema, error) ||
        !destpg_table_find(conn, final_of(s), &final, error) ||
        !destpg_table_is_ours(final_of(s), &final, error) ||
        !destpg_table_find(conn, temp_of(s), &temp, error) ||
        !destpg_table_drop(conn, temp2_of(s), FALSE, error))
        return FALSE;
    if (s->config->truncate)
        return begin_truncate(s, config, conn, &temp, error);
    if (s->dedup)
        return ready_temp(s, conn, &temp, error);
    return begin_append(s, config, conn, &temp, error);
}

gboolean
destpg_stream_begin(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    if (destpg_begin(conn, error) && begin_in_transaction(s, config, conn, error) &&
        destpg_commit(conn, error))
        return TRUE;
    destpg_rollback(conn);
    return FALSE;
}

/* --- end -------------------------------------------------------------------------------------- */
static gboolean
prepare_sort(DestpgConn *conn, const char *from, GError **error)
{
    /* The default of 4 MB makes the sort spill for nothing. The table is new to the planner. */
    return destpg_exec(conn, "set local work_mem = '64MB'", error) &&
           destpg_execf(conn, error, "analyze %s", from);
}

/* A new table from the rows of the old one and the batch. */
static gboolean
rebuild(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    DestpgTarget temp = temp_of(s), temp2 = temp2_of(s), final = final_of(s);
    g_autofree char *from = destpg_target_sql(temp), *to = destpg_target_sql(final);
    g_autofree char *into = destpg_target_sql(temp2);
    g_autofree char *sql = destpg_merge_rebuild(&s->layout, from, to, into, config->hard_delete);
    /* Readers go on; a row that somebody writes now would be lost. */
    return destpg_execf(conn, error, "lock table %s in exclusive mode", to) &&
           destpg_table_create(conn, temp2, &s->layout, error) && destpg_exec(conn, sql, error) &&
           destpg_index_ensure(conn, temp2, &s->layout, FALSE, error) &&
           destpg_table_replace(conn, temp2, final, FALSE, &temp, error);
}

static gboolean
merge_in_transaction(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    g_autofree char *from = destpg_target_sql(temp_of(s)), *to = destpg_target_sql(final_of(s));
    gint64 generation;
    gboolean anew = FALSE;
    if (!destpg_table_ensure(conn, final_of(s), &s->layout, config->drop_cascade, error) ||
        !destpg_table_generation(conn, final_of(s), &generation, error) ||
        !prepare_sort(conn, from, error))
        return FALSE;
    if (generation >= 0 &&
        !destpg_table_may_rebuild(conn, temp_of(s), final_of(s), &s->layout, &anew, error))
        return FALSE;
    if (anew)
        return rebuild(s, config, conn, error);
    g_autofree char *sql = generation < 0
                               ? destpg_merge_insert(&s->layout, from, to, config->hard_delete)
                               : destpg_merge_upsert(&s->layout, from, to, config->hard_delete);
    return destpg_exec(conn, sql, error) && destpg_table_drop(conn, temp_of(s), FALSE, error);
}

/* The rows of the temporary table over those of the final one, and the temporary table away: one
 * transaction, so that a crash leaves all or nothing of it. */
static gboolean
merge(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    if (destpg_begin(conn, error) && merge_in_transaction(s, config, conn, error) &&
        destpg_commit(conn, error))
        return TRUE;
    destpg_rollback(conn);
    g_prefix_error(error, "deduplicating into table '%s' in schema '%s': ", s->name.table,
                   s->name.schema);
    return FALSE;
}

static gboolean
dedup_in_transaction(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    DestpgTarget temp2 = temp2_of(s);
    g_autofree char *from = destpg_target_sql(temp_of(s)), *to = destpg_target_sql(temp2);
    g_autofree char *sql = destpg_merge_insert(&s->layout, from, to, config->hard_delete);
    return destpg_table_create(conn, temp2, &s->layout, error) &&
           destpg_table_mark(conn, temp2, s->config->generations, s->config->generation_id,
                             s->config->sync_id, error) &&
           prepare_sort(conn, from, error) && destpg_exec(conn, sql, error);
}

static gboolean
dedup_and_swap(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    DestpgTarget temp = temp_of(s), temp2 = temp2_of(s);
    if (!destpg_begin(conn, error) || !dedup_in_transaction(s, config, conn, error) ||
        !destpg_commit(conn, error)) {
        destpg_rollback(conn);
        g_prefix_error(error, "deduplicating the new generation: ");
        return FALSE;
    }
    return destpg_index_ensure(conn, temp2, &s->layout, FALSE, error) &&
           destpg_table_swap(conn, temp2, final_of(s), config->drop_cascade, &temp, error);
}

static gboolean
end_truncate(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, GError **error)
{
    gboolean direct = FALSE;
    if (!s->to_temp)
        return TRUE;
    if (!s->dedup)
        return destpg_index_ensure(conn, temp_of(s), &s->layout, FALSE, error) &&
               destpg_table_swap(conn, temp_of(s), final_of(s), config->drop_cascade, NULL, error);
    if (s->config->generations && !final_takes_generation(s, conn, &direct, error))
        return FALSE;
    return direct ? merge(s, config, conn, error) : dedup_and_swap(s, config, conn, error);
}

gboolean
destpg_stream_end(DestpgStream *s, const DestpgConfig *config, DestpgConn *conn, KitStatus status,
                  GError **error)
{
    if (s->config->truncate) {
        /* Without COMPLETE the old generation stays, and what came waits for the next attempt. */
        if (status != KIT_STATUS_COMPLETE && s->to_temp)
            return TRUE;
        if (!end_truncate(s, config, conn, error))
            return FALSE;
    } else if (s->dedup && !merge(s, config, conn, error)) {
        return FALSE;
    }
    /* Last, not first: loading a table without indexes is quicker. */
    return destpg_index_ensure(conn, final_of(s), &s->layout, config->drop_cascade, error);
}
