/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "server-connection.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-event.h"
#include "sl-sql.h"

/* The timeline of a connection: rows of connection_event, which are written where things happen. */

#define PAGE_SIZE 20 /* when nobody says */

/* --- rows as clients know them -----------------------------------------------------------------
 */

static SlConfigEventUser *
make_user(const SlConnectionEventRow *row)
{
    if (row->user_id == NULL)
        return NULL; /* the platform did it */
    SlConfigEventUser *user = sl_config_event_user_new();
    user->id = g_strdup(row->user_id);
    user->email = g_strdup(row->email);
    user->name = g_strdup(row->name);
    sl_config_event_user_set_is_deleted(user, row->gone);
    return user;
}

static SlConfigEvent *
make_event(const SlConnectionEventRow *row)
{
    SlConfigEvent *event = sl_config_event_new();
    event->id = g_strdup(row->event_id);
    event->connection_id = g_strdup(row->connection_id);
    event->event_type = g_strdup(row->event_type);
    event->summary = g_strdup(row->summary);
    sl_config_event_set_created_at(event, row->created_at / G_USEC_PER_SEC);
    event->user = make_user(row);
    return event;
}

static SlConfigEventList *
make_list(const GPtrArray *rows)
{
    SlConfigEventList *list = sl_config_event_list_new();
    list->events = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(list->events, make_event(rows->pdata[i]));
    return list;
}

/* --- what clients ask for ----------------------------------------------------------------------
 */

/* A word that is no type would find nothing, and look like an empty timeline. */
static gboolean
check_types(char *const *types, GError **error)
{
    for (; types != NULL && *types != NULL; types++)
        if (sl_enum_value(&sl_config_event_type_enum, *types) < 0)
            return sl_error_set(error, SL_ERROR_INVALID, "eventTypes: there is no '%s'", *types);
    return TRUE;
}

static const char *const *
or_all(char *const *types)
{
    static const char *const all[] = {NULL};
    return types != NULL ? (const char *const *)types : all;
}

static const gint64 *
given(const SlConfigEventListRequest *in, guint field, const gint64 *value)
{
    return sl_record_has(&sl_config_event_list_request_record, in, field) ? value : NULL;
}

gboolean
server_config_event_list(ServerCtx *ctx, const SlConfigEventListRequest *in,
                         SlConfigEventList **ret, GError **error)
{
    gint64 size = in->pagination != NULL ? in->pagination->page_size : PAGE_SIZE;
    gint64 offset = in->pagination != NULL ? in->pagination->row_offset : 0;
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!check_types(in->event_types, error) ||
        !server_connection_load(ctx, in->connection_id, FALSE, &connection, error) ||
        !sl_sql_connection_event_list(
            ctx->tx, in->connection_id, or_all(in->event_types),
            given(in, SL_CONFIG_EVENT_LIST_REQUEST_CREATED_AT_START, &in->created_at_start),
            given(in, SL_CONFIG_EVENT_LIST_REQUEST_CREATED_AT_END, &in->created_at_end), size,
            offset, &rows, error))
        return FALSE;
    *ret = make_list(rows);
    return TRUE;
}

gboolean
server_config_event_list_for_job(ServerCtx *ctx, const SlConfigJobIdRequest *in,
                                 SlConfigEventList **ret, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, in->id);
    g_autoptr(SlJob) job = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!sl_sql_job_get(ctx->tx, in->id, &job, error))
        return FALSE;
    if (job == NULL)
        return server_not_found(error, "job", id);
    if (!sl_sql_connection_event_list_of_job(ctx->tx, in->id, &rows, error))
        return FALSE;
    *ret = make_list(rows);
    return TRUE;
}

gboolean
server_config_event_list_minimal(ServerCtx *ctx, const SlConfigEventMinimalRequest *in,
                                 SlConfigEventMinimalList **ret, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!check_types(in->event_types, error) ||
        !sl_sql_connection_event_list_minimal(ctx->tx, in->workspace_id, or_all(in->event_types),
                                              in->created_at_start, in->created_at_end, &rows,
                                              error))
        return FALSE;
    g_ptr_array_set_free_func(rows, NULL);
    *ret = sl_config_event_minimal_list_new();
    (*ret)->events = g_steal_pointer(&rows);
    return TRUE;
}

gboolean
server_config_event_get(ServerCtx *ctx, const SlConfigEventIdRequest *in,
                        SlConfigEventDetails **ret, GError **error)
{
    g_autoptr(SlConnectionEventRow) row = NULL;
    if (!sl_sql_connection_event_get(ctx->tx, in->connection_event_id, in->connection_id, &row,
                                     error))
        return FALSE;
    if (row == NULL)
        return server_not_found(error, "connection event", in->connection_event_id);
    SlConfigEventDetails *event = *ret = sl_config_event_details_new();
    event->id = g_strdup(row->event_id);
    event->connection_id = g_strdup(row->connection_id);
    event->event_type = g_strdup(row->event_type);
    event->summary = g_strdup(row->summary);
    event->details = g_strdup(row->details);
    sl_config_event_details_set_created_at(event, row->created_at / G_USEC_PER_SEC);
    event->user = make_user(row);
    return TRUE;
}

/* Runs that ended before this version had a timeline get their rows; asked again, nothing happens.
 */
gboolean
server_config_event_backfill(ServerCtx *ctx, const SlConfigEventBackfill *in, gpointer *ret,
                             GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;
    if (!sl_sql_connection_event_untold_jobs(ctx->tx, in->connection_id, in->created_at_start,
                                             in->created_at_end, &jobs, error))
        return FALSE;
    for (guint i = 0; i < jobs->len; i++)
        if (!sl_event_add_of_job(ctx->tx, ((const SlJob *)jobs->pdata[i])->job_id, error))
            return FALSE;
    return TRUE;
}
