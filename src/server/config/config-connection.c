/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-connection.h"

#include <string.h>

#include "config-actor.h"
#include "config-catalog.h"
#include "server-actor.h"
#include "server-tag.h"
#include "sl-catalog-diff.h"
#include "server-stream.h"
#include "sl-error.h"
#include "sl-sql.h"

#define HOUR ((gint64)3600)
#define DAY (24 * HOUR)

static const gint64 unit_seconds[] = {60, HOUR, DAY, 7 * DAY, 30 * DAY};

/* --- out -----------------------------------------------------------------------------------------
 */

/* The largest unit that fits; intervals below a minute have no unit here and round up to one. */
static SlConfigBasicSchedule *
make_basic(gint64 seconds)
{
    int unit = SL_CONFIG_BASIC_SCHEDULE_TIME_UNIT_DAYS;
    while (unit > 0 && seconds % unit_seconds[unit] != 0)
        unit--;
    SlConfigBasicSchedule *basic = sl_config_basic_schedule_new();
    sl_config_basic_schedule_set_time_unit(basic, unit);
    sl_config_basic_schedule_set_units(basic,
                                       (seconds + unit_seconds[unit] - 1) / unit_seconds[unit]);
    return basic;
}

SlConfigScheduleData *
config_connection_schedule(int type, gint64 seconds, const char *expression, const char *zone)
{
    if (type == SL_CONNECTION_SCHEDULE_TYPE_MANUAL)
        return NULL;
    SlConfigScheduleData *data = sl_config_schedule_data_new();
    if (type == SL_CONNECTION_SCHEDULE_TYPE_BASIC) {
        data->basic_schedule = make_basic(seconds);
        return data;
    }
    data->cron = sl_config_cron_schedule_new();
    data->cron->cron_expression = g_strdup(expression);
    data->cron->cron_time_zone = g_strdup(zone != NULL ? zone : "UTC");
    return data;
}

static void
fill_schedule(SlConfigConnectionRead *read, const SlConnection *row)
{
    sl_config_connection_read_set_schedule_type(read, row->schedule_type);
    read->schedule_data = config_connection_schedule(
        (int)row->schedule_type, row->basic_interval_sec, row->cron_expression, row->cron_timezone);
    if (row->schedule_type == SL_CONNECTION_SCHEDULE_TYPE_BASIC)
        read->schedule = make_basic(row->basic_interval_sec);
}

static gboolean
make_read(const SlConnection *row, GHashTable *tags, SlConfigConnectionRead **ret, GError **error)
{
    g_autofree char *catalog = config_catalog_from_configured(row->catalog, error);
    if (catalog == NULL)
        return FALSE;
    SlConfigConnectionRead *read = *ret = sl_config_connection_read_new();
    read->connection_id = g_strdup(row->connection_id);
    read->name = g_strdup(row->name);
    read->source_id = g_strdup(row->source_id);
    read->destination_id = g_strdup(row->destination_id);
    read->workspace_id = g_strdup(row->workspace_id);
    read->sync_catalog = g_steal_pointer(&catalog);
    sl_config_connection_read_set_status(read, row->status);
    sl_config_connection_read_set_breaking_change(read, row->breaking_change);
    read->source_catalog_id = g_strdup(row->source_catalog_id);
    sl_config_connection_read_set_backfill_preference(read, row->backfill);
    sl_config_connection_read_set_created_at(read, row->created_at / G_USEC_PER_SEC);
    sl_config_connection_read_set_namespace_definition(read, row->namespace_definition);
    read->namespace_format = g_strdup(row->namespace_format);
    read->prefix = g_strdup(row->prefix);
    read->operation_ids = g_new0(char *, 1);
    fill_schedule(read, row);
    sl_config_connection_read_set_non_breaking_changes_preference(read, row->non_breaking_changes);
    sl_config_connection_read_set_notify_schema_changes(read, row->notify_schema_changes);
    sl_config_connection_read_set_notify_schema_changes_by_email(
        read, row->notify_schema_changes_by_email);
    read->resource_requirements = g_strdup(row->resource_requirements);
    read->status_reason = g_strdup(row->status_reason);
    sl_config_connection_read_set_on_demand_enabled(read, FALSE);
    read->tags = server_tags_of(tags, row->connection_id);
    return TRUE;
}

gboolean
config_connection_read_all(ServerCtx *ctx, const GPtrArray *rows, GPtrArray *reads, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GHashTable) tags = NULL;
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add(ids, ((const SlConnection *)rows->pdata[i])->connection_id);
    if (!server_tags_load(ctx, ids, &tags, error))
        return FALSE;
    for (guint i = 0; i < rows->len; i++) {
        SlConfigConnectionRead *read = NULL;
        if (!make_read(rows->pdata[i], tags, &read, error))
            return FALSE;
        g_ptr_array_add(reads, read);
    }
    return TRUE;
}

gboolean
config_connection_read(ServerCtx *ctx, const SlConnection *row, SlConfigConnectionRead **ret,
                       GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GHashTable) tags = NULL;
    g_ptr_array_add(ids, row->connection_id);
    return server_tags_load(ctx, ids, &tags, error) && make_read(row, tags, ret, error);
}

SlConfigSchemaChange
config_connection_schema_change(gboolean breaking, gboolean has_news)
{
    return breaking   ? SL_CONFIG_SCHEMA_CHANGE_BREAKING
           : has_news ? SL_CONFIG_SCHEMA_CHANGE_NON_BREAKING
                      : SL_CONFIG_SCHEMA_CHANGE_NO_CHANGE;
}

gboolean
config_connection_diff(ServerCtx *ctx, const SlConnection *row, const char *discovered,
                       char **ret_diff, gboolean *ret_breaking, GError **error)
{
    g_autoptr(SlCatalogRow) known = NULL;
    g_auto(SlCatalogDiff) diff = {0};
    if (row->source_catalog_id != NULL &&
        !sl_sql_catalog_get(ctx->tx, row->source_catalog_id, row->source_id, &known, error))
        return FALSE;
    if (!sl_catalog_diff_make(row->catalog, known != NULL ? known->catalog : NULL, discovered,
                              &diff, error))
        return FALSE;
    *ret_diff = g_steal_pointer(&diff.text);
    *ret_breaking = diff.breaking;
    return TRUE;
}

/* --- in: schedules
 * ---------------------------------------------------------------------------------
 */

static gboolean
invalid(GError **error, const char *message)
{
    return sl_error_set(error, SL_ERROR_INVALID, "%s", message);
}

static gint64
seconds_of(const SlConfigBasicSchedule *basic)
{
    return basic->units * unit_seconds[basic->time_unit];
}

static gboolean
parse_typed(int type, const SlConfigScheduleData *data, const char *connection_id,
            ServerSchedule *ret, GError **error)
{
    const SlConfigBasicSchedule *basic = data != NULL ? data->basic_schedule : NULL;
    const SlConfigCronSchedule *cron = data != NULL ? data->cron : NULL;
    ret->type = type;
    switch (type) {
    case SL_CONFIG_SCHEDULE_TYPE_MANUAL:
        return (basic == NULL && cron == NULL) ||
               invalid(error, "scheduleData: not with scheduleType manual");
    case SL_CONFIG_SCHEDULE_TYPE_BASIC:
        if (basic == NULL)
            return invalid(error,
                           "scheduleData.basicSchedule: is required with scheduleType basic");
        ret->seconds = seconds_of(basic);
        return TRUE;
    default:
        return cron != NULL
                   ? server_schedule_parse_cron(cron->cron_expression, cron->cron_time_zone,
                                                connection_id, ret, error)
                   : invalid(error, "scheduleData.cron: is required with scheduleType cron");
    }
}

/* --- in: streams ---------------------------------------------------------------------------------
 */

static int
mode_of(const SlJsonDoc *doc, const SlJsonNode *configured)
{
    const SlJsonNode *source = sl_json_get(doc, configured, "sync_mode");
    const SlJsonNode *destination = sl_json_get(doc, configured, "destination_sync_mode");
    for (int i = 0; i < sl_connection_sync_mode_enum.n_names; i++)
        if (source != NULL && destination != NULL &&
            sl_json_string_is(source, server_stream_modes(i)->source) &&
            sl_json_string_is(destination, server_stream_modes(i)->destination))
            return i;
    return -1;
}

static gboolean
check_stream(const SlJsonDoc *doc, const SlJsonNode *configured, const SlJsonDoc *spec,
             GError **error)
{
    const SlJsonNode *node = sl_json_get(doc, configured, "stream");
    const ServerStream stream = {.doc = doc, .node = node, .spec = spec};
    const SlJsonNode *name = sl_json_get(doc, node, "name");
    g_autofree char *title = name != NULL ? sl_json_dup_string(name) : NULL;
    int mode = mode_of(doc, configured);
    if (mode < 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "stream '%s': syncMode and destinationSyncMode do not go together",
                            title);
    return server_stream_can(&stream, mode, FALSE) ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "stream '%s': source and destination cannot do %s and %s", title,
                        server_stream_modes(mode)->source, server_stream_modes(mode)->destination);
}

/* The same rules for streams as the public API has. */
static gboolean
parse_catalog(ServerCtx *ctx, const char *catalog, const char *destination_id, char **ret,
              GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    g_autofree char *configured = config_catalog_to_configured(catalog, error);
    if (configured == NULL || !server_actor_load(ctx, destination_id, SL_ACTOR_TYPE_DESTINATION,
                                                 NULL, &definition, error))
        return FALSE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(configured, strlen(configured), NULL, error);
    g_autoptr(SlJsonDoc) spec =
        sl_json_read(definition->spec, strlen(definition->spec), NULL, error);
    if (doc == NULL || spec == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream)
        if (!check_stream(doc, stream, spec, error))
            return FALSE;
    *ret = g_steal_pointer(&configured);
    return TRUE;
}

/* --- make, change
 * ----------------------------------------------------------------------------------
 */

static gboolean
refuse_operations(char *const *ids, GError **error)
{
    return ids == NULL || ids[0] == NULL ||
           sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                        "operationIds: operations are not known to this version");
}

static const char *
word(const SlRecord *record, gconstpointer in, guint field, const SlEnum *names, int value)
{
    return sl_record_has(record, in, field) ? sl_enum_name(names, value) : NULL;
}

static const char *
truth(const SlRecord *record, gconstpointer in, guint field, gboolean value)
{
    return !sl_record_has(record, in, field) ? NULL : value ? "true" : "false";
}

static gboolean
parse_new_schedule(const SlConfigConnectionCreate *in, ServerSchedule *ret, GError **error)
{
    if (sl_record_has(&sl_config_connection_create_record, in,
                      SL_CONFIG_CONNECTION_CREATE_SCHEDULE_TYPE)) {
        if (in->schedule != NULL)
            return sl_error_set(error, SL_ERROR_UNPROCESSABLE,
                                "schedule: not together with scheduleType");
        return parse_typed(in->schedule_type, in->schedule_data, NULL, ret, error);
    }
    if (in->schedule_data != NULL)
        return invalid(error, "scheduleData: not without scheduleType");
    ret->type = in->schedule != NULL ? SL_CONNECTION_SCHEDULE_TYPE_BASIC
                                     : SL_CONNECTION_SCHEDULE_TYPE_MANUAL;
    ret->seconds = in->schedule != NULL ? seconds_of(in->schedule) : 0;
    return TRUE;
}

/* What this product keeps and gives back, and nothing of it acts on. Both records in one shape. */
typedef struct {
    gboolean has_notify, notify, has_by_email, by_email;
    const SlResourceRequirements *requirements;
} Settings;

/* *row is read anew when there is something to set. NULL: it is not there yet. */
static gboolean
set_settings(ServerCtx *ctx, const Settings *settings, SlConnection **row, GError **error)
{
    g_autoptr(GString) requirements = NULL;
    g_autofree char *id = NULL;
    if (*row == NULL ||
        (!settings->has_notify && !settings->has_by_email && settings->requirements == NULL))
        return TRUE;
    if (settings->requirements != NULL) {
        requirements = g_string_new(NULL);
        SlJsonWriter w = SL_JSON_WRITER_INIT(requirements);
        sl_record_write(&sl_resource_requirements_record, settings->requirements, 0, &w);
    }
    if (!sl_sql_connection_set_settings(
            ctx->tx, (*row)->connection_id,
            settings->has_notify ? settings->notify : (*row)->notify_schema_changes,
            settings->has_by_email ? settings->by_email : (*row)->notify_schema_changes_by_email,
            requirements != NULL ? requirements->str : (*row)->resource_requirements, NULL, error))
        return FALSE;
    id = g_strdup((*row)->connection_id);
    g_clear_pointer(row, sl_connection_free);
    return server_connection_load(ctx, id, FALSE, row, error);
}

/* Namespaces stay those of the source unless the client says otherwise, unlike on the public API.
 */
gboolean
config_connection_make(ServerCtx *ctx, const SlConfigConnectionCreate *in, SlConnection **ret,
                       GError **error)
{
    const SlRecord *record = &sl_config_connection_create_record;
    g_auto(ServerSchedule) schedule = {0};
    g_autofree char *catalog = NULL;
    g_autoptr(GPtrArray) tags = server_tag_ids(in->tags);
    const char *ns = word(record, in, SL_CONFIG_CONNECTION_CREATE_NAMESPACE_DEFINITION,
                          &sl_config_namespace_definition_enum, in->namespace_definition);
    if (!refuse_operations(in->operation_ids, error) || !parse_new_schedule(in, &schedule, error) ||
        !parse_catalog(ctx, in->sync_catalog != NULL ? in->sync_catalog : "{\"streams\":[]}",
                       in->destination_id, &catalog, error))
        return FALSE;
    const ServerConnectionEdit edit = {
        .source_catalog_id = in->source_catalog_id,
        .backfill = word(record, in, SL_CONFIG_CONNECTION_CREATE_BACKFILL_PREFERENCE,
                         &sl_config_backfill_preference_enum, in->backfill_preference),
        .name = in->name,
        .status = sl_enum_name(&sl_config_connection_status_enum, in->status),
        .namespace_definition = ns != NULL ? ns : "source",
        .namespace_format = in->namespace_format,
        .prefix = in->prefix,
        .non_breaking_changes =
            word(record, in, SL_CONFIG_CONNECTION_CREATE_NON_BREAKING_CHANGES_PREFERENCE,
                 &sl_config_schema_preference_enum, in->non_breaking_changes_preference),
        .schedule = &schedule,
        .catalog = catalog,
        .tag_ids = tags != NULL ? (const char *const *)tags->pdata : NULL,
    };
    const Settings settings = {
        .has_notify = sl_record_has(record, in, SL_CONFIG_CONNECTION_CREATE_NOTIFY_SCHEMA_CHANGES),
        .notify = in->notify_schema_changes,
        .has_by_email =
            sl_record_has(record, in, SL_CONFIG_CONNECTION_CREATE_NOTIFY_SCHEMA_CHANGES_BY_EMAIL),
        .by_email = in->notify_schema_changes_by_email,
        .requirements = in->resource_requirements,
    };
    return server_connection_make(ctx, in->source_id, in->destination_id, &edit, ret, error) &&
           set_settings(ctx, &settings, ret, error);
}

static gboolean
parse_changed_schedule(const SlConfigConnectionUpdate *in, ServerSchedule *ret,
                       const ServerSchedule **ret_given, GError **error)
{
    gboolean typed = sl_record_has(&sl_config_connection_update_record, in,
                                   SL_CONFIG_CONNECTION_UPDATE_SCHEDULE_TYPE);
    if (in->schedule != NULL)
        return invalid(error, "schedule: is read only; set scheduleType and scheduleData");
    if (!typed && in->schedule_data != NULL)
        return invalid(error, "scheduleData: not without scheduleType");
    *ret_given = typed ? ret : NULL;
    return !typed ||
           parse_typed(in->schedule_type, in->schedule_data, in->connection_id, ret, error);
}

gboolean
config_connection_change(ServerCtx *ctx, const SlConfigConnectionUpdate *in,
                         gboolean refresh_changed, SlConnection **ret, GError **error)
{
    const SlRecord *record = &sl_config_connection_update_record;
    g_auto(ServerSchedule) schedule = {0};
    g_autofree char *catalog = NULL;
    g_autoptr(SlConnection) old = NULL;
    g_autoptr(GPtrArray) tags = server_tag_ids(in->tags);
    ServerConnectionEdit edit = {
        .refresh_changed = refresh_changed,
        .source_catalog_id = in->source_catalog_id,
        .breaking_change =
            truth(record, in, SL_CONFIG_CONNECTION_UPDATE_BREAKING_CHANGE, in->breaking_change),
        .backfill = word(record, in, SL_CONFIG_CONNECTION_UPDATE_BACKFILL_PREFERENCE,
                         &sl_config_backfill_preference_enum, in->backfill_preference),
        .name = in->name,
        .status = word(record, in, SL_CONFIG_CONNECTION_UPDATE_STATUS,
                       &sl_config_connection_status_enum, in->status),
        .namespace_definition =
            word(record, in, SL_CONFIG_CONNECTION_UPDATE_NAMESPACE_DEFINITION,
                 &sl_config_namespace_definition_enum, in->namespace_definition),
        .namespace_format = in->namespace_format,
        .prefix = in->prefix,
        .non_breaking_changes =
            word(record, in, SL_CONFIG_CONNECTION_UPDATE_NON_BREAKING_CHANGES_PREFERENCE,
                 &sl_config_schema_preference_enum, in->non_breaking_changes_preference),
        .tag_ids = tags != NULL ? (const char *const *)tags->pdata : NULL,
    };
    if (!refuse_operations(in->operation_ids, error) ||
        !parse_changed_schedule(in, &schedule, &edit.schedule, error) ||
        !server_connection_load(ctx, in->connection_id, FALSE, &old, error) ||
        (in->sync_catalog != NULL &&
         !parse_catalog(ctx, in->sync_catalog, old->destination_id, &catalog, error)))
        return FALSE;
    edit.catalog = catalog;
    const Settings settings = {
        .has_notify = sl_record_has(record, in, SL_CONFIG_CONNECTION_UPDATE_NOTIFY_SCHEMA_CHANGES),
        .notify = in->notify_schema_changes,
        .has_by_email =
            sl_record_has(record, in, SL_CONFIG_CONNECTION_UPDATE_NOTIFY_SCHEMA_CHANGES_BY_EMAIL),
        .by_email = in->notify_schema_changes_by_email,
        .requirements = in->resource_requirements,
    };
    return server_connection_change(ctx, in->connection_id, &edit, ret, error) &&
           set_settings(ctx, &settings, ret, error);
}

/* --- search
 * ----------------------------------------------------------------------------------------
 */

static gboolean
search_schedule(const SlConfigConnectionSearch *in, gint64 *seconds, const gint64 **ret_seconds,
                const SlConfigCronSchedule **ret_cron, GError **error)
{
    const SlConfigScheduleData *data = in->schedule_data;
    const SlConfigBasicSchedule *basic =
        data != NULL && data->basic_schedule != NULL ? data->basic_schedule : in->schedule;
    *ret_cron = data != NULL ? data->cron : NULL;
    *seconds = basic != NULL ? seconds_of(basic) : 0;
    *ret_seconds = basic != NULL ? seconds : NULL;
    return basic == NULL || *ret_cron == NULL ||
           invalid(error, "scheduleData: basicSchedule and cron are not together");
}

gboolean
config_connection_search(ServerCtx *ctx, const SlConfigConnectionSearch *in, GPtrArray **ret,
                         GError **error)
{
    const SlRecord *record = &sl_config_connection_search_record;
    const char *const *workspaces;
    const SlConfigCronSchedule *cron;
    g_auto(GStrv) source_ids = NULL, destination_ids = NULL;
    gint64 number;
    const gint64 *seconds;
    const char *schedule = word(record, in, SL_CONFIG_CONNECTION_SEARCH_SCHEDULE_TYPE,
                                &sl_config_schedule_type_enum, in->schedule_type);
    if (!search_schedule(in, &number, &seconds, &cron, error) ||
        !server_ctx_workspaces(ctx, NULL, &workspaces, error) ||
        (in->source != NULL && !config_actor_search_ids(ctx, SL_ACTOR_TYPE_SOURCE, workspaces,
                                                        in->source, &source_ids, error)) ||
        (in->destination != NULL &&
         !config_actor_search_ids(ctx, SL_ACTOR_TYPE_DESTINATION, workspaces,
                                  (const SlConfigSourceSearch *)in->destination, &destination_ids,
                                  error)))
        return FALSE;
    if ((in->source != NULL && source_ids[0] == NULL) ||
        (in->destination != NULL && destination_ids[0] == NULL)) {
        *ret = g_ptr_array_new();
        return TRUE;
    }
    static const char *const any[] = {NULL};
    return sl_sql_connection_search(
        ctx->tx, workspaces, in->connection_id,
        source_ids != NULL ? (const char *const *)source_ids : any,
        destination_ids != NULL ? (const char *const *)destination_ids : any, in->name,
        word(record, in, SL_CONFIG_CONNECTION_SEARCH_NAMESPACE_DEFINITION,
             &sl_config_namespace_definition_enum, in->namespace_definition),
        in->namespace_format, in->prefix,
        word(record, in, SL_CONFIG_CONNECTION_SEARCH_STATUS, &sl_config_connection_status_enum,
             in->status),
        schedule, seconds, cron != NULL ? cron->cron_expression : NULL,
        cron != NULL ? cron->cron_time_zone : NULL, in->source_id, in->destination_id, ret, error);
}
