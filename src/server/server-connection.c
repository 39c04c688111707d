/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-actor.h"
#include "server-catalog.h"
#include "server-page.h"
#include "server-routes.h"
#include "sl-cron.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-queue.h"
#include "sl-sql.h"

/* The API's words and the stored ones, by number; each list in the order of its enum in data/api.
 */
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
        schedule->basic_timing =
            row->basic_interval_sec % 3600 == 0
                ? g_strdup_printf("Every %" G_GINT64_FORMAT " HOURS",
                                  row->basic_interval_sec / 3600)
            : row->basic_interval_sec % 60 == 0
                ? g_strdup_printf("Every %" G_GINT64_FORMAT " MINUTES",
                                  row->basic_interval_sec / 60)
                : g_strdup_printf("Every %" G_GINT64_FORMAT " SECONDS", row->basic_interval_sec);
    return schedule;
}

static SlConnectionResponse *
make_response(const SlConnection *row, GError **error)
{
    g_autoptr(SlStreamConfigurations) streams = server_catalog_list(row->catalog, error);
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
    connection->data_residency = g_strdup("auto");
    connection->configurations = g_steal_pointer(&streams);
    sl_connection_response_set_created_at(connection, row->created_at / G_USEC_PER_SEC);
    connection->tags = g_strdup("[]");
    connection->namespace_definition =
        g_strdup(sl_enum_name(&sl_api_namespace_definition_enum, row->namespace_definition));
    connection->namespace_format = g_strdup(row->namespace_format);
    connection->prefix = g_strdup(row->prefix);
    connection->non_breaking_schema_updates_behavior =
        g_strdup(sl_enum_name(&sl_schema_updates_behavior_enum, row->non_breaking_changes));
    return connection;
}

static gboolean
load(ServerCtx *ctx, const char *connection_id, gboolean lock, SlConnection **ret, GError **error)
{
    gboolean ok = lock ? sl_sql_connection_lock(ctx->tx, connection_id, ret, error)
                       : sl_sql_connection_get(ctx->tx, connection_id, ret, error);
    return ok && (*ret != NULL || sl_error_set(error, SL_ERROR_NOT_FOUND,
                                               "connection '%s' does not exist", connection_id));
}

static gboolean
give(ServerCtx *ctx, const char *connection_id, SlConnectionResponse **ret, GError **error)
{
    g_autoptr(SlConnection) row = NULL;
    if (!load(ctx, connection_id, FALSE, &row, error))
        return FALSE;
    *ret = make_response(row, error);
    return *ret != NULL;
}

gboolean
server_connection_get(ServerCtx *ctx, const SlConnectionIdRequest *in, SlConnectionResponse **ret,
                      GError **error)
{
    return give(ctx, in->connection_id, ret, error);
}

gboolean
server_connection_list(ServerCtx *ctx, const SlListRequest *in, SlConnectionPage **ret,
                       GError **error)
{
    const char *const *workspaces = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    if (!server_page_check(in->workspace_ids, in->offset, error) ||
        !server_ctx_workspaces(ctx, in->workspace_ids, &workspaces, error) ||
        !sl_sql_connection_list(ctx->tx, workspaces, in->include_deleted, in->limit, in->offset,
                                &rows, error))
        return FALSE;
    SlConnectionPage *page = *ret = sl_connection_page_new();
    page->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++) {
        SlConnectionResponse *one = make_response(rows->pdata[i], error);
        if (one == NULL)
            return FALSE;
        g_ptr_array_add(page->data, one);
    }
    server_page_links(ctx, &sl_list_request_record, in, rows->len, &page->previous, &page->next);
    return TRUE;
}

/* --- schedules -----------------------------------------------------------------------------------
 */

typedef struct {
    const char *type;
    char *cron; /* without the time zone */
    gint64 seconds;
} Schedule;

static void
schedule_clear(Schedule *schedule)
{
    g_clear_pointer(&schedule->cron, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Schedule, schedule_clear)

/* Without a trailing "UTC", as it is stored. Every tick has a literal second, so that nothing runs
 * more than once a minute. */
static gboolean
parse_cron(const char *text, char **ret, GError **error)
{
    g_auto(GStrv) words = text != NULL ? g_strsplit_set(text, " \t", -1) : g_new0(char *, 1);
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    g_autoptr(GError) reason = NULL;
    guint64 second;
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0' && strcmp(*word, "UTC") != 0)
            g_ptr_array_add(fields, *word);
    if (fields->len == 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "schedule.cronExpression: is required for a cron schedule");
    g_ptr_array_add(fields, NULL);
    g_autofree char *expression = g_strjoinv(" ", (char **)fields->pdata);
    g_autoptr(SlCron) cron = sl_cron_parse(expression, "UTC", &reason);
    if (cron == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "schedule.cronExpression: %s",
                            reason->message);
    if (!g_ascii_string_to_unsigned(fields->pdata[0], 10, 0, 59, &second, NULL))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "schedule.cronExpression: the second '%s' is no number from 0 to 59",
                            (char *)fields->pdata[0]);
    *ret = g_steal_pointer(&expression);
    return TRUE;
}

static gboolean
parse_schedule(const SlConnectionSchedule *given, gboolean has_seconds, gint64 seconds,
               Schedule *ret, GError **error)
{
    gboolean cron =
        given != NULL && given->schedule_type == SL_CONNECTION_SCHEDULE_SCHEDULE_TYPE_CRON;
    ret->type = cron ? "cron" : has_seconds ? "basic" : "manual";
    ret->seconds = seconds;
    if (cron && has_seconds)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "sluiceScheduleSeconds: not together with a cron schedule");
    if (cron)
        return parse_cron(given->cron_expression, &ret->cron, error);
    return given == NULL || given->cron_expression == NULL || given->cron_expression[0] == '\0' ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "schedule.cronExpression: not with a manual schedule");
}

/* --- create
 * --------------------------------------------------------------------------------------- */

typedef struct {
    SlActor *source, *destination;
    SlDefinition *source_definition, *destination_definition;
} Sides;

static void
sides_clear(Sides *sides)
{
    g_clear_pointer(&sides->source, sl_actor_free);
    g_clear_pointer(&sides->destination, sl_actor_free);
    g_clear_pointer(&sides->source_definition, sl_definition_free);
    g_clear_pointer(&sides->destination_definition, sl_definition_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

static gboolean
load_sides(ServerCtx *ctx, const char *source_id, const char *destination_id, Sides *ret,
           GError **error)
{
    if (!server_actor_load(ctx, source_id, SL_ACTOR_TYPE_SOURCE, &ret->source,
                           &ret->source_definition, error) ||
        !server_actor_load(ctx, destination_id, SL_ACTOR_TYPE_DESTINATION, &ret->destination,
                           &ret->destination_definition, error))
        return FALSE;
    return strcmp(ret->source->workspace_id, ret->destination->workspace_id) == 0 ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "destinationId: source and destination are in different workspaces");
}

/* *ret NULL and TRUE: the streams are being discovered. */
static gboolean
configure(ServerCtx *ctx, const Sides *sides, const SlStreamConfigurations *wanted, char **ret,
          GError **error)
{
    g_autofree char *discovered = NULL;
    if (!server_actor_catalog(ctx, sides->source, sides->source_definition, FALSE, &discovered,
                              error))
        return FALSE;
    if (discovered == NULL)
        return TRUE;
    *ret = server_catalog_configure(discovered, sides->destination_definition->spec, wanted, error);
    return *ret != NULL;
}

static const gint64 *
seconds_of(const Schedule *schedule)
{
    return strcmp(schedule->type, "basic") == 0 ? &schedule->seconds : NULL;
}

static const char *
timezone_of(const Schedule *schedule)
{
    return schedule->cron != NULL ? "UTC" : NULL;
}

static const char *
chosen(const SlRecord *record, gconstpointer in, guint field, int value, const char *const *words,
       const char *otherwise)
{
    return sl_record_has(record, in, field) ? words[value] : otherwise;
}

static gboolean
check_namespace(const char *definition, const char *format, GError **error)
{
    return strcmp(definition, "customformat") != 0 || (format != NULL && format[0] != '\0') ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "namespaceFormat: is required with namespaceDefinition custom_format");
}

gboolean
server_connection_create(ServerCtx *ctx, const SlConnectionCreateRequest *in,
                         SlConnectionResponse **ret, GError **error)
{
    const SlRecord *record = &sl_connection_create_request_record;
    g_auto(Sides) sides = {0};
    g_auto(Schedule) schedule = {0};
    g_autofree char *catalog = NULL, *id = sl_id_new(), *made_name = NULL;
    gboolean has_seconds =
        sl_record_has(record, in, SL_CONNECTION_CREATE_REQUEST_SLUICE_SCHEDULE_SECONDS);
    const char *ns = chosen(record, in, SL_CONNECTION_CREATE_REQUEST_NAMESPACE_DEFINITION,
                            in->namespace_definition, namespace_words, "destination");
    const char *changes =
        chosen(record, in, SL_CONNECTION_CREATE_REQUEST_NON_BREAKING_SCHEMA_UPDATES_BEHAVIOR,
               in->non_breaking_schema_updates_behavior, change_words, "ignore");

    if (!parse_schedule(in->schedule, has_seconds, in->sluice_schedule_seconds, &schedule, error) ||
        !check_namespace(ns, in->namespace_format, error) ||
        !load_sides(ctx, in->source_id, in->destination_id, &sides, error) ||
        !configure(ctx, &sides, in->configurations, &catalog, error))
        return FALSE;
    if (catalog == NULL)
        return TRUE; /* waiting */
    made_name = g_strconcat(sides.source->name, " <> ", sides.destination->name, NULL);
    return sl_sql_connection_add(ctx->tx, id, sides.source->workspace_id,
                                 in->name != NULL ? in->name : made_name, in->source_id,
                                 in->destination_id,
                                 sl_record_has(record, in, SL_CONNECTION_CREATE_REQUEST_STATUS)
                                     ? sl_enum_name(&sl_connection_api_status_enum, in->status)
                                     : "active",
                                 ns, in->namespace_format, in->prefix != NULL ? in->prefix : "",
                                 catalog, schedule.type, schedule.cron, timezone_of(&schedule),
                                 seconds_of(&schedule), changes, ctx->now, NULL, error) &&
           sl_tx_notify(ctx->tx, SL_CHANNEL_SCHEDULE, NULL, error) && give(ctx, id, ret, error);
}

/* --- change, delete
 * -------------------------------------------------------------------------------- */

/* A list that is empty is no list: nobody can drop all streams by accident. */
static gboolean
new_catalog(ServerCtx *ctx, const SlConnection *old, const SlStreamConfigurations *wanted,
            char **ret, GError **error)
{
    g_auto(Sides) sides = {0};
    g_auto(GStrv) namespaces = NULL, names = NULL;
    if (wanted == NULL || wanted->streams == NULL || wanted->streams->len == 0) {
        *ret = g_strdup(old->catalog);
        return TRUE;
    }
    if (!load_sides(ctx, old->source_id, old->destination_id, &sides, error) ||
        !configure(ctx, &sides, wanted, ret, error))
        return FALSE;
    if (*ret == NULL)
        return TRUE;
    /* A state of the other mode means nothing to the source. */
    return server_catalog_changed_modes(old->catalog, *ret, &namespaces, &names, error) &&
           sl_sql_state_delete(ctx->tx, old->connection_id, (const char *const *)namespaces,
                               (const char *const *)names, NULL, error);
}

static gboolean
new_schedule(const SlConnection *old, const SlConnectionPatchRequest *in, Schedule *ret,
             GError **error)
{
    gboolean has_seconds = sl_record_has(&sl_connection_patch_request_record, in,
                                         SL_CONNECTION_PATCH_REQUEST_SLUICE_SCHEDULE_SECONDS);
    if (in->schedule != NULL || has_seconds)
        return parse_schedule(in->schedule, has_seconds, in->sluice_schedule_seconds, ret, error);
    ret->type = sl_enum_name(&sl_connection_schedule_type_enum, old->schedule_type);
    ret->cron = g_strdup(old->cron_expression);
    ret->seconds = old->basic_interval_sec;
    return TRUE;
}

/* A connection that is gone does not go on running. */
static gboolean
cancel_active(ServerCtx *ctx, const char *connection_id, GError **error)
{
    g_autoptr(SlJob) active = NULL;
    g_autoptr(SlJob) cancelled = NULL;
    return sl_sql_job_get_active(ctx->tx, connection_id, &active, error) &&
           (active == NULL ||
            sl_queue_job_cancel(ctx->tx, active->job_id, ctx->now, &cancelled, error));
}

static gboolean
save(ServerCtx *ctx, const SlConnection *old, const SlConnectionPatchRequest *in,
     const char *catalog, const Schedule *schedule, GError **error)
{
    const SlRecord *record = &sl_connection_patch_request_record;
    const char *status = sl_record_has(record, in, SL_CONNECTION_PATCH_REQUEST_STATUS)
                             ? sl_enum_name(&sl_connection_api_status_enum, in->status)
                             : sl_enum_name(&sl_connection_status_enum, old->status);
    const char *ns = chosen(record, in, SL_CONNECTION_PATCH_REQUEST_NAMESPACE_DEFINITION,
                            in->namespace_definition, namespace_words,
                            namespace_words[old->namespace_definition]);
    const char *format =
        in->namespace_format != NULL ? in->namespace_format : old->namespace_format;
    const char *changes =
        chosen(record, in, SL_CONNECTION_PATCH_REQUEST_NON_BREAKING_SCHEMA_UPDATES_BEHAVIOR,
               in->non_breaking_schema_updates_behavior, change_words,
               change_words[old->non_breaking_changes]);
    return check_namespace(ns, format, error) &&
           sl_sql_connection_update(ctx->tx, old->connection_id,
                                    in->name != NULL ? in->name : old->name, status, ns, format,
                                    in->prefix != NULL ? in->prefix : old->prefix, catalog,
                                    schedule->type, schedule->cron, timezone_of(schedule),
                                    seconds_of(schedule), changes, ctx->now, NULL, error) &&
           (strcmp(status, "deprecated") != 0 || cancel_active(ctx, old->connection_id, error)) &&
           sl_tx_notify(ctx->tx, SL_CHANNEL_SCHEDULE, NULL, error);
}

gboolean
server_connection_patch(ServerCtx *ctx, const SlConnectionPatchRequest *in,
                        SlConnectionResponse **ret, GError **error)
{
    g_autoptr(SlConnection) old = NULL;
    g_auto(Schedule) schedule = {0};
    g_autofree char *catalog = NULL;
    if (!load(ctx, in->connection_id, TRUE, &old, error))
        return FALSE;
    if (old->status == SL_CONNECTION_STATUS_LOCKED)
        return sl_error_set(error, SL_ERROR_CONFLICT, "connection '%s' is locked", old->name);
    if (!new_schedule(old, in, &schedule, error) ||
        !new_catalog(ctx, old, in->configurations, &catalog, error))
        return FALSE;
    if (catalog == NULL)
        return TRUE; /* waiting */
    return save(ctx, old, in, catalog, &schedule, error) &&
           give(ctx, old->connection_id, ret, error);
}

gboolean
server_connection_delete(ServerCtx *ctx, const SlConnectionIdRequest *in, gpointer *ret,
                         GError **error)
{
    g_autoptr(SlConnection) old = NULL;
    g_autoptr(SlConnectionPatchRequest) gone = sl_connection_patch_request_new();
    g_auto(Schedule) schedule = {0};
    sl_connection_patch_request_set_status(gone, SL_CONNECTION_API_STATUS_DEPRECATED);
    return load(ctx, in->connection_id, TRUE, &old, error) &&
           new_schedule(old, gone, &schedule, error) &&
           save(ctx, old, gone, old->catalog, &schedule, error);
}

/* --- streams
 * --------------------------------------------------------------------------------------- */

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
