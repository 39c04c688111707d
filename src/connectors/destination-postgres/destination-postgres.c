/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include KIT_SPEC_H

#include "sl-error.h"
#include "sl-id.h"

#include "destpg-stream.h"

/* States wait at most so long for the commit that makes their records durable. */
#define FLUSH_IDLE_USEC (1 * G_USEC_PER_SEC)
#define FLUSH_AGE_USEC (5 * G_USEC_PER_SEC)
/* With a state waiting, a transaction of this size is committed at once. */
#define FLUSH_BYTES (64u << 20)

/* --- check ------------------------------------------------------------------------------------ */
/* One row on the very path that a sync takes. */
static gboolean
copy_one_row(DestpgConn *conn, const char *table, GError **error)
{
    g_autoptr(DestpgLoad) load = destpg_load_new(conn, 1);
    const DestpgField field = {"test_key", DESTPG_VARCHAR};
    DestpgLane lane = {.stream = table, .row = destpg_row_new(&field, 1, FALSE, 0, 0)};
    lane.copy = g_strdup_printf("copy %s from stdin (format binary)", table);
    static const char data[] = "{\"test_key\":\"test\"}";
    gboolean ok = destpg_load_add(load, &lane, (SlSpan){data, sizeof data - 1}, (SlSpan){0},
                                  (SlSpan){0}, error) &&
                  destpg_load_commit(load, error);
    destpg_lane_clear(&lane);
    return ok;
}

static gboolean
try_table(DestpgConn *conn, const char *schema, GError **error)
{
    g_autofree char *id = sl_id_new(), *compact = sl_id_compact(id);
    g_autofree char *name = g_strconcat("_airbyte_connection_test_", compact, NULL);
    DestpgTarget target = {schema, name};
    g_autofree char *table = destpg_target_sql(target);
    g_autofree char *count = g_strdup_printf("select count(*)::text from %s", table);
    if (!destpg_execf(conn, error,
                      "create table %s (raw_id varchar, extracted_at timestamptz, generation_id "
                      "bigint, test_key varchar, meta jsonb)",
                      table)) {
        g_prefix_error(error, "creating a table in schema '%s': ", schema);
        return FALSE;
    }
    gboolean ok = copy_one_row(conn, table, error);
    g_autoptr(DestpgResultSet) rows = ok ? destpg_query(conn, count, 0, NULL, error) : NULL;
    ok = rows != NULL;
    if (ok && g_strcmp0(PQgetvalue(rows, 0, 0), "1") != 0)
        ok =
            sl_error_set(error, SL_ERROR_DATABASE, "a row written to table %s is not there", table);
    destpg_rollback(conn);
    return destpg_table_drop(conn, target, FALSE, ok ? error : NULL) && ok;
}

static gboolean
postgres_check(const KitConfig *kit, GError **error)
{
    g_autoptr(DestpgConfig) config = destpg_config_new(kit, error);
    g_autoptr(DestpgConn) conn = config != NULL ? destpg_conn_open(config, error) : NULL;
    if (conn == NULL)
        return FALSE;
    g_autofree char *schema = destpg_name(config->raw_only ? config->raw_schema : config->schema);
    if (destpg_schema_ensure(conn, schema, error) && try_table(conn, schema, error))
        return TRUE;
    g_prefix_error(error, "host '%s' port %u, database '%s', user '%s': ", config->host,
                   config->port, config->database, config->username);
    return FALSE;
}

/* --- write ------------------------------------------------------------------------------------ */
typedef struct {
    KitWrite *write;
    DestpgConfig *config;
    DestpgConn *conn;
    GArray *streams; /* DestpgStream, by the catalog's index */
    DestpgLoad *load;
    guint64 released; /* newest state known to be acknowledged */
} Postgres;

static void
postgres_free(Postgres *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->load, destpg_load_free);
    g_clear_pointer(&self->streams, g_array_unref);
    g_clear_pointer(&self->conn, destpg_conn_free);
    g_clear_pointer(&self->config, destpg_config_free);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Postgres, postgres_free)

static gpointer
postgres_open(KitWrite *write, GError **error)
{
    g_autoptr(Postgres) self = g_new0(Postgres, 1);
    KitOutput *out = kit_write_output(write);
    self->write = write;
    self->config = destpg_config_new(kit_write_config(write), error);
    if (self->config == NULL)
        return NULL;
    for (guint i = 0; i < self->config->ignored->len; i++)
        kit_output_log(out, KIT_LOG_WARN, "jdbc_url_params: '%s' has no meaning here, ignoring",
                       (const char *)g_ptr_array_index(self->config->ignored, i));
    self->streams = destpg_streams_new(self->config, kit_write_catalog(write), out, error);
    self->conn = self->streams != NULL ? destpg_conn_open(self->config, error) : NULL;
    if (self->conn == NULL)
        return NULL;
    self->load = destpg_load_new(self->conn, self->streams->len);
    return g_steal_pointer(&self);
}

static gboolean
postgres_begin_stream(gpointer data, const KitStream *kit, GError **error)
{
    Postgres *self = data;
    DestpgStream *stream = &g_array_index(self->streams, DestpgStream, kit->index);
    return destpg_stream_begin(stream, self->config, self->conn, error);
}

static gboolean
postgres_records(gpointer data, const KitRecord *records, guint n, GError **error)
{
    Postgres *self = data;
    for (guint i = 0; i < n; i++) {
        DestpgStream *stream = &g_array_index(self->streams, DestpgStream, records[i].stream);
        if (!destpg_load_add(self->load, &stream->lane, records[i].data, records[i].emitted_at,
                             records[i].meta, error))
            return FALSE;
    }
    guint64 seq = kit_write_last_seq(self->write);
    if (seq == self->released || destpg_load_bytes(self->load) < FLUSH_BYTES)
        return TRUE;
    if (!destpg_load_commit(self->load, error))
        return FALSE;
    kit_write_release(self->write, KIT_ALL_STREAMS, seq);
    self->released = seq;
    return TRUE;
}

static gboolean
postgres_flush(gpointer data, GError **error)
{
    Postgres *self = data;
    if (!destpg_load_commit(self->load, error))
        return FALSE;
    self->released = kit_write_last_seq(self->write);
    return TRUE;
}

static gboolean
postgres_end_stream(gpointer data, const KitStream *kit, KitStatus status, GError **error)
{
    Postgres *self = data;
    DestpgStream *stream = &g_array_index(self->streams, DestpgStream, kit->index);
    if (!destpg_stream_end(stream, self->config, self->conn, status, error))
        return FALSE;
    gboolean waits = stream->to_temp && kit->truncate && status != KIT_STATUS_COMPLETE;
    kit_output_log(kit_write_output(self->write), KIT_LOG_INFO,
                   "stream '%s': %" G_GUINT64_FORMAT " records, %s table '%s' in schema '%s'",
                   kit->name, stream->lane.rows,
                   waits ? "waiting for the rest of their generation to replace" : "now in",
                   stream->name.table, stream->name.schema);
    return TRUE;
}

static gboolean
postgres_close(gpointer data, gboolean success, GError **error)
{
    postgres_free(data);
    return TRUE;
}

static const KitDestination destination = {
    .open = postgres_open,
    .begin_stream = postgres_begin_stream,
    .records = postgres_records,
    .flush = postgres_flush,
    .end_stream = postgres_end_stream,
    .close = postgres_close,
    .flush_idle_usec = FLUSH_IDLE_USEC,
    .flush_age_usec = FLUSH_AGE_USEC,
};

static const KitConnector connector = {
    .name = "destination-postgres",
    .spec = kit_spec,
    .check = postgres_check,
    .destination = &destination,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
