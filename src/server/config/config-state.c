/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-connection.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-queue-state.h"
#include "sl-sql.h"

/* --- out -----------------------------------------------------------------------------------------
 */

/* LEGACY, STREAM, GLOBAL of the table; no rows: not_set. */
static int
type_of(const GPtrArray *rows)
{
    if (rows->len == 0)
        return SL_CONFIG_STATE_TYPE_NOT_SET;
    return sl_enum_value(&sl_config_state_type_enum, ((const SlStateRow *)rows->pdata[0])->type);
}

static SlConfigStreamState *
make_stream(const SlStateRow *row)
{
    SlConfigStreamState *stream = sl_config_stream_state_new();
    stream->stream_descriptor = sl_config_stream_descriptor_new();
    stream->stream_descriptor->name = g_strdup(row->stream);
    if (row->namespace != NULL && row->namespace[0] != '\0')
        stream->stream_descriptor->namespace = g_strdup(row->namespace);
    stream->stream_state = g_strdup(row->state);
    return stream;
}

static gboolean
is_shared(const SlStateRow *row)
{
    return row->stream == NULL || row->stream[0] == '\0';
}

static SlConfigConnectionState *
make_state(const char *connection_id, const GPtrArray *rows)
{
    SlConfigConnectionState *state = sl_config_connection_state_new();
    int type = type_of(rows);
    GPtrArray *streams = NULL;
    state->connection_id = g_strdup(connection_id);
    sl_config_connection_state_set_state_type(state, type);
    if (type == SL_CONFIG_STATE_TYPE_GLOBAL) {
        state->global_state = sl_config_global_state_new();
        streams = state->global_state->stream_states = g_ptr_array_new();
    } else if (type == SL_CONFIG_STATE_TYPE_STREAM) {
        streams = state->stream_state = g_ptr_array_new();
    }
    for (guint i = 0; i < rows->len; i++) {
        const SlStateRow *row = rows->pdata[i];
        if (type == SL_CONFIG_STATE_TYPE_LEGACY)
            state->state = g_strdup(row->state);
        else if (is_shared(row))
            state->global_state->shared_state = g_strdup(row->state);
        else
            g_ptr_array_add(streams, make_stream(row));
    }
    return state;
}

static gboolean
load(ServerCtx *ctx, const char *connection_id, gboolean lock, GPtrArray **ret, GError **error)
{
    g_autoptr(SlConnection) connection = NULL;
    return server_connection_load(ctx, connection_id, lock, &connection, error) &&
           sl_sql_state_list(ctx->tx, connection_id, ret, error);
}

gboolean
server_config_state_get(ServerCtx *ctx, const SlConnectionIdRequest *in,
                        SlConfigConnectionState **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!load(ctx, in->connection_id, FALSE, &rows, error))
        return FALSE;
    *ret = make_state(in->connection_id, rows);
    return TRUE;
}

gboolean
server_config_state_get_type(ServerCtx *ctx, const SlConnectionIdRequest *in, char **ret,
                             GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!load(ctx, in->connection_id, FALSE, &rows, error))
        return FALSE;
    *ret = g_strdup(sl_enum_name(&sl_config_state_type_enum, type_of(rows)));
    return TRUE;
}

/* --- in ------------------------------------------------------------------------------------------
 */

static void
write_stream(SlJsonWriter *w, const SlConfigStreamState *stream)
{
    sl_json_begin_object(w);
    sl_json_key(w, "stream_descriptor");
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", stream->stream_descriptor->name);
    sl_json_member_string(w, "namespace", stream->stream_descriptor->namespace);
    sl_json_end_object(w);
    sl_json_member_raw(w, "stream_state", stream->stream_state);
    sl_json_end_object(w);
}

/* A stream is forgotten by null, and not because somebody left its state out. */
static gboolean
check_streams(const GPtrArray *streams, const char *path, GError **error)
{
    for (guint i = 0; i < streams->len; i++) {
        const SlConfigStreamState *stream = streams->pdata[i];
        if (!sl_record_has(&sl_config_stream_state_record, stream,
                           SL_CONFIG_STREAM_STATE_STREAM_STATE) &&
            !sl_record_is_null(stream, SL_CONFIG_STREAM_STATE_STREAM_STATE))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "connectionState.%s[%u].streamState: is required; null forgets "
                                "the state of stream '%s'",
                                path, i, stream->stream_descriptor->name);
    }
    return TRUE;
}

static void
write_streams(SlJsonWriter *w, const GPtrArray *streams)
{
    for (guint i = 0; i < streams->len; i++) {
        sl_json_begin_object(w);
        sl_json_member_string(w, "type", "STREAM");
        sl_json_key(w, "stream");
        write_stream(w, streams->pdata[i]);
        sl_json_end_object(w);
    }
}

/* What the streams share stays as it is (`stored`) unless the client says something about it. */
static const char *
shared_of(const SlConfigGlobalState *global, const char *stored)
{
    if (global->shared_state != NULL)
        return global->shared_state;
    if (global->shared_state_too != NULL)
        return global->shared_state_too;
    return sl_record_is_null(global, SL_CONFIG_GLOBAL_STATE_SHARED_STATE) ||
                   sl_record_is_null(global, SL_CONFIG_GLOBAL_STATE_SHARED_STATE_TOO)
               ? NULL
               : stored;
}

static void
write_global(SlJsonWriter *w, const SlConfigGlobalState *global, const char *stored)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "GLOBAL");
    sl_json_key(w, "global");
    sl_json_begin_object(w);
    sl_json_member_raw(w, "shared_state", shared_of(global, stored));
    sl_json_key(w, "stream_states");
    sl_json_begin_array(w);
    for (guint i = 0; i < global->stream_states->len; i++)
        write_stream(w, global->stream_states->pdata[i]);
    sl_json_end_array(w);
    sl_json_end_object(w);
    sl_json_end_object(w);
}

static gboolean
missing(const char *name, const char *type, GError **error)
{
    return sl_error_set(error, SL_ERROR_INVALID,
                        "connectionState.%s: is required with stateType %s", name, type);
}

/* STATE messages as a source sends them. */
static char *
to_messages(const SlConfigConnectionState *state, const char *stored_shared, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    gboolean ok = TRUE;
    sl_json_begin_array(&w);
    switch (state->state_type) {
    case SL_CONFIG_STATE_TYPE_STREAM:
        if ((ok = (state->stream_state != NULL || missing("streamState", "stream", error)) &&
                  check_streams(state->stream_state, "streamState", error)))
            write_streams(&w, state->stream_state);
        break;
    case SL_CONFIG_STATE_TYPE_GLOBAL:
        if ((ok = (state->global_state != NULL || missing("globalState", "global", error)) &&
                  check_streams(state->global_state->stream_states, "globalState.streamStates",
                                error)))
            write_global(&w, state->global_state, stored_shared);
        break;
    case SL_CONFIG_STATE_TYPE_LEGACY:
        if ((ok = state->state != NULL ||
                  sl_record_is_null(state, SL_CONFIG_CONNECTION_STATE_STATE) ||
                  missing("state", "legacy", error))) {
            sl_json_begin_object(&w);
            sl_json_member_string(&w, "type", "LEGACY");
            sl_json_member_raw(&w, "data", state->state);
            sl_json_end_object(&w);
        }
        break;
    default:
        ok = sl_error_set(error, SL_ERROR_INVALID,
                          "connectionState.stateType: 'not_set' is for reading; clear the "
                          "connection to forget its state");
    }
    sl_json_end_array(&w);
    return ok ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static gboolean
save(ServerCtx *ctx, const SlConfigStateSave *in, const GPtrArray *old,
     SlConfigConnectionState **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const char *shared = NULL;
    for (guint i = 0; i < old->len; i++)
        if (type_of(old) == SL_CONFIG_STATE_TYPE_GLOBAL && is_shared(old->pdata[i]))
            shared = ((const SlStateRow *)old->pdata[i])->state;
    if (strcmp(in->connection_id, in->connection_state->connection_id) != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "connectionState.connectionId: is another than connectionId");
    g_autofree char *messages = to_messages(in->connection_state, shared, error);
    if (messages == NULL ||
        !sl_queue_states_save(ctx->tx, in->connection_id, messages, ctx->now, error) ||
        !load(ctx, in->connection_id, FALSE, &rows, error))
        return FALSE;
    *ret = make_state(in->connection_id, rows);
    return TRUE;
}

gboolean
server_config_state_save(ServerCtx *ctx, const SlConfigStateSave *in, SlConfigConnectionState **ret,
                         GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    return load(ctx, in->connection_id, TRUE, &rows, error) && save(ctx, in, rows, ret, error);
}

/* A run would write its own state over this one. */
gboolean
server_config_state_save_safe(ServerCtx *ctx, const SlConfigStateSave *in,
                              SlConfigConnectionState **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(SlJob) active = NULL;
    if (!load(ctx, in->connection_id, TRUE, &rows, error) ||
        !sl_sql_job_get_active(ctx->tx, in->connection_id, &active, error))
        return FALSE;
    if (active != NULL)
        return sl_error_set(error, SL_ERROR_LOCKED,
                            "job %" G_GINT64_FORMAT " of connection '%s' has not ended",
                            active->job_id, in->connection_id);
    return save(ctx, in, rows, ret, error);
}
