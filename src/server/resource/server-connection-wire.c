/* SPDX-License-Identifier: Apache-2.0 */
/* The public API's face of connections. */
#include "config.h"

#include <string.h>

#include "server-actor.h"
#include "server-tag.h"
#include "server-catalog.h"
#include "server-connection.h"
#include "server-mapper.h"
#include "server-page.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

/* The stored words for the API's, by number; each list in the order of its enum in data/api. */
static const char *const namespace_words[] = {"source", "destination", "customformat"};
static const char *const change_words[] = {"ignore", "disable", "propagate_columns",
                                           "propagate_fully"};

/* --- answers -------------------------------------------------------------------------------------
 */

static SlConnectionScheduleResponse *
make_schedule(const SlConnection *row)
{
    SlConnectionScheduleResponse *schedule = sl_connection_schedule_response_new();
    schedule->schedule_type =
        g_strdup(sl_enum_name(&sl_connection_schedule_type_enum, row->schedule_type));
    if (row->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_CRON)
        schedule->cron_expression =
            g_strconcat(row->cron_expression, " ",
                        row->cron_timezone != NULL ? row->cron_timezone : "UTC", NULL);
    if (row->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_BASIC)
        schedule->basic_timing = server_schedule_basic_timing(row->basic_interval_sec);
    return schedule;
}

/* `tags`: of this and of other connections. */
static SlConnectionResponse *
make_response(const SlConnection *row, GHashTable *tags, GError **error)
{
    g_autofree char *shown = server_mapper_mask(row->catalog, error);
    g_autoptr(SlStreamConfigurations) streams =
        shown != NULL ? server_catalog_list(shown, error) : NULL;
    if (streams == NULL)
        return NULL;
    SlConnectionResponse *connection = sl_connection_response_new();
    connection->connection_id = g_strdup(row->connection_id);
    connection->name = g_strdup(row->name);
    connection->source_id = g_strdup(row->source_id);
    connection->destination_id = g_strdup(row->destination_id);
    connection->workspace_id = g_strdup(row->workspace_id);
    connection->status = g_strdup(sl_enum_name(&sl_connection_status_enum, row->status));
    connection->schedule = make_schedule(row);
    connection->configurations = g_steal_pointer(&streams);
    sl_connection_response_set_created_at(connection, row->created_at / G_USEC_PER_SEC);
    connection->namespace_definition =
        g_strdup(sl_enum_name(&sl_api_namespace_definition_enum, row->namespace_definition));
    connection->namespace_format = g_strdup(row->namespace_format);
    connection->prefix = g_strdup(row->prefix);
    connection->non_breaking_schema_updates_behavior =
        g_strdup(sl_enum_name(&sl_schema_updates_behavior_enum, row->non_breaking_changes));
    connection->tags = server_tags_of(tags, row->connection_id);
    return connection;
}

static gboolean
list_tags(ServerCtx *ctx, const GPtrArray *rows, GHashTable **ret, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, ((const SlConnection *)rows->pdata[i])->connection_id);
    return server_tags_load(ctx, ids, ret, error);
}

static gboolean
give(ServerCtx *ctx, const SlConnection *row, SlConnectionResponse **ret, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GHashTable) tags = NULL;
    g_ptr_array_add(ids, row->connection_id);
    if (!server_tags_load(ctx, ids, &tags, error))
        return FALSE;
    *ret = make_response(row, tags, error);
    return *ret != NULL;
}

gboolean
server_connection_get(ServerCtx *ctx, const SlConnectionIdRequest *in, SlConnectionResponse **ret,
                      GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    return server_connection_load(ctx, in->connection_id, FALSE, &row, error) &&
           give(ctx, row, ret, error);
}

static gboolean
check_ids(char *const *ids, const char *name, GError **error)
{
    for (; ids != NULL && *ids != NULL; ids++)
        if (!g_uuid_string_is_valid(*ids))
            return sl_error_set(error, SL_ERROR_INVALID, "%s: '%s' is no UUID", name, *ids);
    return TRUE;
}

gboolean
server_connection_list(ServerCtx *ctx, const SlConnectionListRequest *in, SlConnectionPage **ret,
                       GError **error)
{
    static const char *const any[] = {NULL};
    const char *const *workspaces = NULL;
    const char *const *tag_ids = in->tag_ids != NULL ? (const char *const *)in->tag_ids : any;
    g_autoptr(GPtrArray) rows = NULL;
    g_autoptr(GHashTable) tags = NULL;
    if (!server_page_check(in->workspace_ids, in->offset, error) ||
        !check_ids(in->tag_ids, "tagIds", error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_connection_list(ctx->tx, workspaces, tag_ids, in->include_deleted, in->limit,
                                in->offset, &rows, error) ||
        !list_tags(ctx, rows, &tags, error))
        return FALSE;
    SlConnectionPage *page = *ret = sl_connection_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        SlConnectionResponse *one = make_response(rows->pdata[i], tags, error);
        if (one == NULL)
            return FALSE;
        g_ptr_array_add(page->data, one);
    }
    server_page_links(ctx, &sl_connection_list_request_record, in, rows->len, &page->previous,
                      &page->next);
    return TRUE;
}

/* --- create, change, delete ----------------------------------------------------------------------
 */

/* Fills `ret`, and *ret_given when there is one. `seconds` are ours, NULL: not given. */
static gboolean
parse_schedule(const SlConnectionSchedule *given, const gint64 *seconds, const char *connection_id,
               ServerSchedule *ret, const ServerSchedule **ret_given, GError **error)
{
    gboolean cron =
        given != NULL && given->schedule_type == SL_CONNECTION_SCHEDULE_SCHEDULE_TYPE_CRON;
    *ret_given = given != NULL || seconds != NULL ? ret : NULL;
    if (cron && seconds != NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "sluiceScheduleSeconds: not together with a cron schedule");
    if (cron)
        return server_schedule_parse_cron(given->cron_expression, NULL, connection_id, ret, error);
    ret->type =
        seconds != NULL ? SL_CONNECTION_SCHEDULE_TYPE_BASIC : SL_CONNECTION_SCHEDULE_TYPE_MANUAL;
    ret->seconds = seconds != NULL ? *seconds : 0;
    return given == NULL || given->cron_expression == NULL || given->cron_expression[0] == '\0' ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "schedule.cronExpression: not with a manual schedule");
}

static const char *
word(const SlRecord *record, gconstpointer in, guint field, const char *text)
{
    return sl_record_has(record, in, field) ? text : NULL;
}

gboolean
server_connection_create(ServerCtx *ctx, const SlConnectionCreateRequest *in,
                         SlConnectionResponse **ret, GError **error)
{
    const SlRecord *record = &sl_connection_create_request_record;
    g_autoptr(SlConnection) row = NULL;
    g_autoptr(GPtrArray) tags = server_tag_ids(in->tags);
    g_auto(ServerSchedule) schedule = {0};
    gboolean basic =
        sl_record_has(record, in, SL_CONNECTION_CREATE_REQUEST_SLUICE_SCHEDULE_SECONDS);
    ServerConnectionEdit edit = {
        .name = in->name,
        .status = word(record, in, SL_CONNECTION_CREATE_REQUEST_STATUS,
                       sl_enum_name(&sl_connection_api_status_enum, in->status)),
        .namespace_definition = word(record, in, SL_CONNECTION_CREATE_REQUEST_NAMESPACE_DEFINITION,
                                     namespace_words[in->namespace_definition]),
        .namespace_format = in->namespace_format,
        .prefix = in->prefix,
        .non_breaking_changes =
            word(record, in, SL_CONNECTION_CREATE_REQUEST_NON_BREAKING_SCHEMA_UPDATES_BEHAVIOR,
                 change_words[in->non_breaking_schema_updates_behavior]),
        .streams = in->configurations,
        .tag_ids = tags != NULL ? (const char *const *)tags->pdata : NULL,
    };
    return parse_schedule(in->schedule, basic ? &in->sluice_schedule_seconds : NULL, NULL,
                          &schedule, &edit.schedule, error) &&
           server_connection_make(ctx, in->source_id, in->destination_id, &edit, &row, error) &&
           (row == NULL || give(ctx, row, ret, error));
}

gboolean
server_connection_patch(ServerCtx *ctx, const SlConnectionPatchRequest *in,
                        SlConnectionResponse **ret, GError **error)
{
    const SlRecord *record = &sl_connection_patch_request_record;
    g_autoptr(SlConnection) row = NULL;
    g_autoptr(GPtrArray) tags = server_tag_ids(in->tags);
    g_auto(ServerSchedule) schedule = {0};
    gboolean basic = sl_record_has(record, in, SL_CONNECTION_PATCH_REQUEST_SLUICE_SCHEDULE_SECONDS);
    ServerConnectionEdit edit = {
        .name = in->name,
        .status = word(record, in, SL_CONNECTION_PATCH_REQUEST_STATUS,
                       sl_enum_name(&sl_connection_api_status_enum, in->status)),
        .namespace_definition = word(record, in, SL_CONNECTION_PATCH_REQUEST_NAMESPACE_DEFINITION,
                                     namespace_words[in->namespace_definition]),
        .namespace_format = in->namespace_format,
        .prefix = in->prefix,
        .non_breaking_changes =
            word(record, in, SL_CONNECTION_PATCH_REQUEST_NON_BREAKING_SCHEMA_UPDATES_BEHAVIOR,
                 change_words[in->non_breaking_schema_updates_behavior]),
        .streams = in->configurations,
        .tag_ids = tags != NULL ? (const char *const *)tags->pdata : NULL,
    };
    return parse_schedule(in->schedule, basic ? &in->sluice_schedule_seconds : NULL,
                          in->connection_id, &schedule, &edit.schedule, error) &&
           server_connection_change(ctx, in->connection_id, &edit, &row, error) &&
           (row == NULL || give(ctx, row, ret, error));
}

gboolean
server_connection_delete(ServerCtx *ctx, const SlConnectionIdRequest *in, gpointer *ret,
                         GError **error)
{
    return server_connection_remove(ctx, in->connection_id, error);
}

/* --- streams -------------------------------------------------------------------------------------
 */

gboolean
server_stream_list(ServerCtx *ctx, const SlStreamListRequest *in, GPtrArray **ret, GError **error)
{
    g_autoptr(SlActor) source = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    g_autoptr(SlDefinition) destination = NULL;
    g_autofree char *catalog = NULL;
    if (!server_actor_load(ctx, in->source_id, SL_ACTOR_TYPE_SOURCE, &source, &definition, error) ||
        (in->destination_id != NULL &&
         !server_actor_load(ctx, in->destination_id, SL_ACTOR_TYPE_DESTINATION, NULL, &destination,
                            error)) ||
        !server_actor_catalog(ctx, source, definition, in->ignore_cache, &catalog, error))
        return FALSE;
    if (catalog == NULL)
        return TRUE; /* waiting */
    *ret =
        server_catalog_properties(catalog, destination != NULL ? destination->spec : NULL, error);
    return *ret != NULL;
}
