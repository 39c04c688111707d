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
    gboolean resumable; /* an interrupted full refresh goes on where it was */
    int request;        /* SlStreamRequestKind of the job; -1: none */
} Stream;

/* One attempt. */
typedef struct {
    const SlConnection *connection;
    const SlJob *job;
    gint64 attempt_number;
    GPtrArray *streams; /* those that take part */
    guint n_configured;
} Attempt;

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

static int
request_of(const GPtrArray *requests, const Stream *stream)
{
    for (guint i = 0; i < requests->len; i++) {
        const SlStreamRequest *row = requests->pdata[i];
        if (strcmp(row->stream, stream->name) == 0 && strcmp(row->namespace, stream->ns) == 0)
            return (int)row->kind;
    }
    return -1;
}

static GPtrArray *
list_streams(const SlJsonDoc *doc, const GPtrArray *requests, gboolean supports_refreshes,
             GError **error)
{
    g_autoptr(GPtrArray) streams = g_ptr_array_new_with_free_func(stream_free);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), node) {
        const SlJsonNode *inner = sl_json_get(doc, node, "stream");
        const SlJsonNode *name = sl_json_get(doc, inner, "name");
        const SlJsonNode *ns = sl_json_get(doc, inner, "namespace");
        const SlJsonNode *mode = sl_json_get(doc, node, "sync_mode");
        const SlJsonNode *resumable = sl_json_get(doc, inner, "is_resumable");
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
        stream->resumable =
            supports_refreshes && resumable != NULL && resumable->type == SL_JSON_TRUE;
        stream->request = request_of(requests, stream);
    }
    return g_steal_pointer(&streams);
}

static gboolean
is_clear(const SlJob *job)
{
    return job->config_type == SL_CONFIG_TYPE_RESET_CONNECTION ||
           job->config_type == SL_CONFIG_TYPE_CLEAR;
}

/* Those that are to be emptied; a job without requests is about all. */
static void
keep_requested(GPtrArray *streams, const GPtrArray *requests)
{
    for (guint i = streams->len; requests->len > 0 && i > 0; i--)
        if (((const Stream *)streams->pdata[i - 1])->request < 0)
            g_ptr_array_remove_index(streams, i - 1);
}

/* Does the stream start over with this attempt? What was asked for happens once, with the first;
 * later attempts go on from the state that the one before has committed, as far as a full refresh
 * can. */
static gboolean
starts_over(const Stream *stream, const Attempt *attempt, gboolean all)
{
    gboolean first = attempt->attempt_number == 0;
    if (is_clear(attempt->job))
        return first;
    if (first && (stream->request >= 0 || all))
        return TRUE;
    return stream->full_refresh && (first || !stream->resumable);
}

static gboolean
truncates(const Stream *stream, const SlJob *job)
{
    return is_clear(job) || stream->request == SL_STREAM_REQUEST_KIND_TRUNCATE;
}

static gboolean
bump(SlTx *tx, const Attempt *attempt, gboolean all, gint64 now, GError **error)
{
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new(), names = g_ptr_array_new();
    g_autoptr(GPtrArray) owed = g_ptr_array_new();
    const char *id = attempt->connection->connection_id;
    for (guint i = 0; i < attempt->streams->len; i++) {
        const Stream *stream = attempt->streams->pdata[i];
        if (!starts_over(stream, attempt, all))
            continue;
        g_ptr_array_add(namespaces, stream->ns);
        g_ptr_array_add(names, stream->name);
        g_ptr_array_add(owed, (gpointer)(truncates(stream, attempt->job) ? "yes" : "no"));
    }
    if (names->len == 0)
        return TRUE;
    gboolean everything = names->len == attempt->n_configured;
    g_ptr_array_add(namespaces, NULL);
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(owed, NULL);
    const char *const *ns = (const char *const *)namespaces->pdata;
    const char *const *streams = (const char *const *)names->pdata;
    return sl_sql_generation_bump(tx, id, ns, streams, (const char *const *)owed->pdata,
                                  attempt->job->job_id, attempt->attempt_number, now, NULL,
                                  error) &&
           sl_sql_state_forget(tx, id, ns, streams, everything, NULL, error);
}

static const SlGeneration *
generation_of(const GPtrArray *generations, const Stream *stream)
{
    for (guint i = 0; i < generations->len; i++) {
        const SlGeneration *row = generations->pdata[i];
        if (strcmp(row->stream, stream->name) == 0 && strcmp(row->namespace, stream->ns) == 0)
            return row;
    }
    return NULL;
}

/* What empties a stream is a full refresh without records: for a destination that knows nothing of
 * generations as well. */
static void
write_stream(SlJsonWriter *w, const SlJsonDoc *doc, const Stream *stream, gboolean clear)
{
    static const char *const ours[] = {"generation_id", "minimum_generation_id", "sync_id", NULL};
    static const char *const modes[] = {"sync_mode", "destination_sync_mode", NULL};
    SL_JSON_FOREACH (doc, stream->node, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (name == NULL || g_strv_contains(ours, name) || (clear && g_strv_contains(modes, name)))
            continue;
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    if (clear) {
        sl_json_member_string(w, "sync_mode", "full_refresh");
        sl_json_member_string(w, "destination_sync_mode", "overwrite");
    }
}

static char *
write_catalog(const SlJsonDoc *doc, const Attempt *attempt, const GPtrArray *generations)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    gboolean clear = is_clear(attempt->job);
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    for (guint i = 0; i < attempt->streams->len; i++) {
        const Stream *stream = attempt->streams->pdata[i];
        const SlGeneration *row = generation_of(generations, stream);
        gint64 generation = row != NULL ? row->generation_id : 0;
        gboolean ends_old =
            clear || (stream->full_refresh && stream->overwrite) || (row != NULL && row->truncates);
        sl_json_begin_object(&w);
        write_stream(&w, doc, stream, clear);
        sl_json_member_int(&w, "generation_id", generation);
        sl_json_member_int(&w, "minimum_generation_id", ends_old ? generation : 0);
        sl_json_member_int(&w, "sync_id", attempt->job->job_id);
        sl_json_end_object(&w);
    }
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static gboolean
refuse_nothing(const Attempt *attempt, GError **error)
{
    return attempt->streams->len > 0 ||
           sl_error_set(error, SL_ERROR_INVALID,
                        attempt->n_configured > 0
                            ? "the connection '%s' has none of the streams that are to be emptied"
                            : "the connection '%s' has no selected stream",
                        attempt->connection->name);
}

char *
worker_catalog_prepare(SlTx *tx, const SlConnection *connection, gboolean supports_refreshes,
                       const SlJob *job, gint64 attempt_number, gint64 now, GError **error)
{
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(connection->catalog, strlen(connection->catalog), NULL, error);
    g_autoptr(GPtrArray) generations = NULL, requests = NULL;
    if (doc == NULL || !sl_sql_request_list(tx, job->job_id, &requests, error))
        return NULL;
    g_autoptr(GPtrArray) streams = list_streams(doc, requests, supports_refreshes, error);
    if (streams == NULL)
        return NULL;
    const Attempt attempt = {connection, job, attempt_number, streams, streams->len};
    gboolean all = job->config_type == SL_CONFIG_TYPE_REFRESH && requests->len == 0;
    if (is_clear(job))
        keep_requested(streams, requests);
    if (!refuse_nothing(&attempt, error) || !bump(tx, &attempt, all, now, error) ||
        !sl_sql_generation_list(tx, connection->connection_id, &generations, error))
        return NULL;
    return write_catalog(doc, &attempt, generations);
}
