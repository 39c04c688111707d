/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-event.h"

#include <string.h>

#include "sl-catalog-diff.h"
#include "sl-json-write.h"
#include "sl-sql.h"

gboolean
sl_event_set_user(SlTx *tx, const char *user_id, GError **error)
{
    g_autofree char *set = NULL;
    return sl_sql_connection_event_set_user(tx, user_id != NULL ? user_id : "", &set, error);
}

gboolean
sl_event_add(SlTx *tx, const char *connection_id, SlEventType type, const char *summary, gint64 now,
             GError **error)
{
    static const char *const names[] = {
        [SL_EVENT_TYPE_SETTINGS_UPDATE] = "CONNECTION_SETTINGS_UPDATE",
        [SL_EVENT_TYPE_ENABLED] = "CONNECTION_ENABLED",
        [SL_EVENT_TYPE_DISABLED] = "CONNECTION_DISABLED",
        [SL_EVENT_TYPE_SCHEMA_UPDATE] = "SCHEMA_UPDATE",
        [SL_EVENT_TYPE_SCHEMA_CONFIG_UPDATE] = "SCHEMA_CONFIG_UPDATE",
        [SL_EVENT_TYPE_POST_SYNC] = "UNKNOWN",
    };
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == SL_N_EVENT_TYPES);
    return sl_sql_connection_event_add(tx, connection_id, names[type], summary, now, NULL, error);
}

gboolean
sl_event_add_of_job(SlTx *tx, gint64 job_id, GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, job_id);
    const char *const ids[] = {id, NULL};
    return sl_sql_connection_event_add_of_jobs(tx, ids, NULL, error);
}

/* --- edits -------------------------------------------------------------------------------------
 */

/* A setting as text; NULL: it has none. */
static char *
schedule_data(const SlConnection *row)
{
    switch (row->schedule_type) {
    case SL_CONNECTION_SCHEDULE_TYPE_CRON:
        return g_strdup_printf("%s %s", row->cron_expression,
                               row->cron_timezone != NULL ? row->cron_timezone : "UTC");
    case SL_CONNECTION_SCHEDULE_TYPE_BASIC:
        return g_strdup_printf("%" G_GINT64_FORMAT " s", row->basic_interval_sec);
    default:
        return NULL;
    }
}

static char *
schedule_type(const SlConnection *row)
{
    return g_strdup(sl_enum_name(&sl_connection_schedule_type_enum, (int)row->schedule_type));
}

static char *
name(const SlConnection *row)
{
    return g_strdup(row->name);
}

static char *
namespace_definition(const SlConnection *row)
{
    return g_strdup(
        sl_enum_name(&sl_connection_namespace_definition_enum, (int)row->namespace_definition));
}

static char *
namespace_format(const SlConnection *row)
{
    return g_strdup(row->namespace_format);
}

static char *
prefix(const SlConnection *row)
{
    return g_strdup(row->prefix != NULL ? row->prefix : "");
}

static char *
non_breaking_changes(const SlConnection *row)
{
    return g_strdup(
        sl_enum_name(&sl_connection_non_breaking_changes_enum, (int)row->non_breaking_changes));
}

static char *
backfill(const SlConnection *row)
{
    return g_strdup(sl_enum_name(&sl_connection_backfill_enum, (int)row->backfill));
}

static char *
notify(const SlConnection *row)
{
    return g_strdup(row->notify_schema_changes ? "true" : "false");
}

static char *
notify_by_email(const SlConnection *row)
{
    return g_strdup(row->notify_schema_changes_by_email ? "true" : "false");
}

static const struct {
    const char *field; /* as clients know it */
    char *(*text)(const SlConnection *row);
} settings[] = {
    {"scheduleType", schedule_type},
    {"scheduleData", schedule_data},
    {"name", name},
    {"namespaceDefinition", namespace_definition},
    {"namespaceFormat", namespace_format},
    {"prefix", prefix},
    {"nonBreakingChangesPreference", non_breaking_changes},
    {"backfillPreference", backfill},
    {"notifySchemaChanges", notify},
    {"notifySchemaChangesByEmail", notify_by_email},
};

static gboolean
write_patches(SlJsonWriter *w, const SlConnection *before, const SlConnection *after)
{
    gboolean changed = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *from = settings[i].text(before), *to = settings[i].text(after);
        if (g_strcmp0(from, to) == 0)
            continue;
        changed = TRUE;
        sl_json_key(w, settings[i].field);
        sl_json_begin_object(w);
        sl_json_key(w, "from");
        sl_json_string(w, from);
        sl_json_key(w, "to");
        sl_json_string(w, to);
        sl_json_end_object(w);
    }
    return changed;
}

static gboolean
add_patches(SlTx *tx, const SlConnection *before, const SlConnection *after, const char *reason,
            gint64 now, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "patches");
    sl_json_begin_object(&w);
    gboolean changed = write_patches(&w, before, after);
    sl_json_end_object(&w);
    if (reason != NULL)
        sl_json_member_string(&w, "updateReason", reason);
    sl_json_end_object(&w);
    return !changed || sl_event_add(tx, after->connection_id, SL_EVENT_TYPE_SETTINGS_UPDATE,
                                    out->str, now, error);
}

static gboolean
add_with_reason(SlTx *tx, const char *connection_id, SlEventType type, const char *member,
                const char *reason, gint64 now, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    if (reason != NULL)
        sl_json_member_string(&w, member, reason);
    sl_json_end_object(&w);
    return sl_event_add(tx, connection_id, type, out->str, now, error);
}

gboolean
sl_event_add_disabled(SlTx *tx, const char *connection_id, const char *reason, gint64 now,
                      GError **error)
{
    return add_with_reason(tx, connection_id, SL_EVENT_TYPE_DISABLED, "disabledReason", reason, now,
                           error);
}

/* Streams and what is taken of them. */
static gboolean
add_catalog(SlTx *tx, const SlConnection *before, const SlConnection *after, gint64 now,
            GError **error)
{
    GError *reason = NULL;
    g_autofree char *diff = sl_catalog_config_diff(before->catalog, after->catalog, &reason);
    if (reason != NULL) {
        g_propagate_error(error, reason);
        return FALSE;
    }
    if (diff == NULL)
        return TRUE;
    g_autofree char *summary =
        g_strdup_printf("{\"airbyteCatalogDiff\":{\"catalogDiff\":{\"transforms\":[]},"
                        "\"catalogConfigDiff\":%s}}",
                        diff);
    return sl_event_add(tx, after->connection_id, SL_EVENT_TYPE_SCHEMA_CONFIG_UPDATE, summary, now,
                        error);
}

gboolean
sl_event_add_edit(SlTx *tx, const SlConnection *before, const SlConnection *after,
                  const char *reason, gint64 now, GError **error)
{
    if (!add_patches(tx, before, after, reason, now, error) ||
        !add_catalog(tx, before, after, now, error))
        return FALSE;
    if (before->status == after->status)
        return TRUE;
    if (after->status == SL_CONNECTION_STATUS_ACTIVE)
        return add_with_reason(tx, after->connection_id, SL_EVENT_TYPE_ENABLED, "updateReason",
                               reason, now, error);
    return after->status != SL_CONNECTION_STATUS_INACTIVE ||
           add_with_reason(tx, after->connection_id, SL_EVENT_TYPE_DISABLED, "updateReason", reason,
                           now, error);
}

gboolean
sl_event_add_post_sync(SlTx *tx, const char *connection_id, gint64 job_id, const char *action,
                       const char *result, const char *failure, gint64 now, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "kind", "POST_SYNC");
    sl_json_key(&w, "jobId");
    sl_json_int(&w, job_id);
    sl_json_member_string(&w, "action", action != NULL ? action : "webhook");
    sl_json_member_string(&w, "result", failure == NULL ? result : "failed");
    if (failure != NULL)
        sl_json_member_string(&w, "message", failure);
    sl_json_end_object(&w);
    return sl_event_add(tx, connection_id, SL_EVENT_TYPE_POST_SYNC, out->str, now, error);
}
