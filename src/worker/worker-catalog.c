/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-sql.h"

typedef struct {
    const SlJsonNode *node; /* ConfiguredAirbyteStream */
    char *ns;
    char *name;
    gboolean full_refresh;
    gboolean overwrite;
} Stream;

static void
stream_free(gpointer data)
{
    Stream *stream = data;
    g_free(stream->ns);
    g_free(stream->name);
    g_free(stream);
}

static gboolean
is_overwrite(const SlJsonNode *mode)
{
    return mode != NULL &&
           (sl_json_string_is(mode, "overwrite") || sl_json_string_is(mode, "overwrite_dedup"));
}

static GPtrArray *
list_streams(const SlJsonDoc *doc, GError **error)
{
    g_autoptr(GPtrArray) streams = g_ptr_array_new_with_free_func(stream_free);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), node) {
        const SlJsonNode *inner = sl_json_get(doc, node, "stream");
        const SlJsonNode *name = sl_json_get(doc, inner, "name");
        const SlJsonNode *ns = sl_json_get(doc, inner, "namespace");
        const SlJsonNode *mode = sl_json_get(doc, node, "sync_mode");
        Stream *stream = g_new0(Stream, 1);
        g_ptr_array_add(streams, stream);
        stream->node = node;
        stream->name = name != NULL ? sl_json_dup_string(name) : NULL;
        stream->ns = ns != NULL ? sl_json_dup_string(ns) : NULL;
        if (stream->ns == NULL)
            stream->ns = g_strdup("");
        if (stream->name == NULL) {
            sl_error_set(error, SL_ERROR_INVALID, "catalog: streams[%u].stream.name is missing",
                         streams->len - 1);
            return NULL;
        }
        stream->full_refresh = mode == NULL || sl_json_string_is(mode, "full_refresh");
        stream->overwrite = is_overwrite(sl_json_get(doc, node, "destination_sync_mode"));
    }
    return g_steal_pointer(&streams);
}

static gboolean
is_clear(const SlJob *job)
{
    return job->config_type == SL_CONFIG_TYPE_RESET_CONNECTION ||
           job->config_type == SL_CONFIG_TYPE_CLEAR;
}

/* Which streams start over with this attempt. A clear does so once: its later attempts go on. */
static gboolean
starts_over(const Stream *stream, const SlJob *job, gint64 attempt_number)
{
    if (is_clear(job))
        return attempt_number == 0;
    if (job->config_type == SL_CONFIG_TYPE_REFRESH && attempt_number == 0)
        return TRUE;
    return stream->full_refresh;
}

static gboolean
bump(SlTx *tx, const GPtrArray *streams, const SlConnection *connection, const SlJob *job,
     gint64 attempt_number, gint64 now, GError **error)
{
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new(), names = g_ptr_array_new();
    for (guint i = 0; i < streams->len; i++) {
        const Stream *stream = streams->pdata[i];
        if (!starts_over(stream, job, attempt_number))
            continue;
        g_ptr_array_add(namespaces, stream->ns);
        g_ptr_array_add(names, stream->name);
    }
    if (names->len == 0)
        return TRUE;
    g_ptr_array_add(namespaces, NULL);
    g_ptr_array_add(names, NULL);
    const char *const *ns = (const char *const *)namespaces->pdata;
    const char *const *streams_v = (const char *const *)names->pdata;
    return sl_sql_generation_bump(tx, connection->connection_id, ns, streams_v, job->job_id,
                                  attempt_number, now, NULL, error) &&
           sl_sql_state_delete(tx, connection->connection_id, ns, streams_v, NULL, error);
}

static gint64
generation_of(const GPtrArray *generations, const Stream *stream)
{
    for (guint i = 0; i < generations->len; i++) {
        const SlGeneration *row = generations->pdata[i];
        if (strcmp(row->stream, stream->name) == 0 && strcmp(row->namespace, stream->ns) == 0)
            return row->generation_id;
    }
    return 0;
}

static void
write_stream(SlJsonWriter *w, const SlJsonDoc *doc, const Stream *stream, gint64 generation,
             gint64 minimum, gint64 sync_id)
{
    static const char *const ours[] = {"generation_id", "minimum_generation_id", "sync_id", NULL};
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, stream->node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || g_strv_contains(ours, name))
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    sl_json_member_int(w, "generation_id", generation);
    sl_json_member_int(w, "minimum_generation_id", minimum);
    sl_json_member_int(w, "sync_id", sync_id);
    sl_json_end_object(w);
}

static char *
write_catalog(const SlJsonDoc *doc, const GPtrArray *streams, const GPtrArray *generations,
              const SlJob *job)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    for (guint i = 0; i < streams->len; i++) {
        const Stream *stream = streams->pdata[i];
        gint64 generation = generation_of(generations, stream);
        gboolean truncates = is_clear(job) || (stream->full_refresh && stream->overwrite);
        write_stream(&w, doc, stream, generation, truncates ? generation : 0, job->job_id);
    }
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
worker_catalog_prepare(SlTx *tx, const SlConnection *connection, const SlJob *job,
                       gint64 attempt_number, gint64 now, GError **error)
{
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(connection->catalog, strlen(connection->catalog), NULL, error);
    g_autoptr(GPtrArray) generations = NULL;
    g_autoptr(GPtrArray) streams = doc != NULL ? list_streams(doc, error) : NULL;
    if (streams == NULL)
        return NULL;
    if (streams->len == 0) {
        sl_error_set(error, SL_ERROR_INVALID, "the connection '%s' has no selected stream",
                     connection->name);
        return NULL;
    }
    if (!bump(tx, streams, connection, job, attempt_number, now, error) ||
        !sl_sql_generation_list(tx, connection->connection_id, &generations, error))
        return NULL;
    return write_catalog(doc, streams, generations, job);
}
