/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-queue-schema.h"

#include <string.h>

#include "sl-catalog-diff.h"
#include "sl-catalog-walk.h"
#include "sl-catalog.h"
#include "sl-event.h"
#include "sl-id.h"
#include "sl-json-write.h"
#include "sl-log.h"
#include "sl-notice.h"
#include "sl-queue-request.h"
#include "sl-sql.h"

void
sl_schema_result_clear(SlSchemaResult *result)
{
    g_clear_pointer(&result->diff, g_free);
}

gboolean
sl_queue_catalog_keep(SlTx *tx, const char *actor_id, const char *key, const char *catalog,
                      gint64 now, char **ret_id, GError **error)
{
    g_autofree char *new_id = sl_id_new(), *id = NULL;
    g_autofree char *hash = sl_catalog_hash(catalog, error);
    if (hash == NULL ||
        !sl_sql_catalog_keep(tx, new_id, actor_id, key, catalog, hash, now, &id, error))
        return FALSE;
    if (ret_id != NULL)
        *ret_id = g_steal_pointer(&id);
    return TRUE;
}

/* --- told after the commit ---------------------------------------------------------------------
 */

typedef struct {
    char *connection_id;
    const char *reason;
} Notice;

static void
notice_free(gpointer data)
{
    Notice *notice = data;
    g_free(notice->connection_id);
    g_free(notice);
}

static void
log_notice(gpointer data)
{
    const Notice *notice = data;
    g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_CONNECTION_ID, notice->connection_id);
    sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_CONNECTION_DISABLED,
                 "Connection %s is disabled: its source's streams have changed (%s)",
                 notice->connection_id, notice->reason);
}

static gboolean
pause_connection(SlTx *tx, const SlConnection *connection, const char *reason, gint64 now,
                 GError **error)
{
    const char *id = connection->connection_id;
    gint64 changed = 0;
    if (!sl_sql_connection_disable(tx, id, reason, now, &changed, error))
        return FALSE;
    if (changed == 0)
        return TRUE; /* it was paused already */
    Notice *notice = g_new0(Notice, 1);
    notice->connection_id = g_strdup(id);
    notice->reason = reason;
    sl_tx_after_commit(tx, log_notice, notice, notice_free);
    return sl_event_add_disabled(tx, id, reason, now, error);
}

/* --- told in the same transaction ---------------------------------------------------------------
 */

static char *
write_facts(const SlCatalogDiff *diff)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_bool(&w, "isBreaking", diff->breaking);
    sl_json_key(&w, "changes");
    sl_json_begin_array(&w);
    for (guint i = 0; i < diff->texts->len; i++)
        sl_json_string(&w, diff->texts->pdata[i]);
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Once per catalog, however many syncs begin with it. */
static gboolean
tell(SlTx *tx, const SlConnection *connection, const SlCatalogRow *fresh, const SlCatalogDiff *diff,
     SlNotice notice, gint64 now, GError **error)
{
    const char *id = connection->connection_id;
    if (g_strcmp0(connection->told_catalog_id, fresh->catalog_id) == 0)
        return TRUE;
    g_autofree char *facts = write_facts(diff);
    return sl_notice_add(tx, id, notice, facts, now, error) &&
           sl_sql_connection_set_told(tx, id, fresh->catalog_id, NULL, error);
}

static gboolean
record_update(SlTx *tx, const SlConnection *connection, const SlCatalogDiff *diff, gint64 now,
              GError **error)
{
    g_autofree char *summary = g_strdup_printf("{\"catalogDiff\":%s}", diff->text);
    return sl_event_add(tx, connection->connection_id, SL_EVENT_TYPE_SCHEMA_UPDATE, summary, now,
                        error);
}

/* --- propagation -------------------------------------------------------------------------------
 */

static gboolean
wants_propagation(const SlConnection *connection, gboolean *ret_fully)
{
    *ret_fully =
        connection->non_breaking_changes == SL_CONNECTION_NON_BREAKING_CHANGES_PROPAGATE_FULLY;
    return *ret_fully ||
           connection->non_breaking_changes == SL_CONNECTION_NON_BREAKING_CHANGES_PROPAGATE_COLUMNS;
}

/* Would a sync accept it? A mapper may need a field that is gone, two streams may meet under one
 * name: then the old catalog stays, and somebody has to look. */
static gboolean
is_usable(const SlConnection *connection, const char *catalog)
{
    const SlCatalogNames names = {
        .namespace_definition = sl_enum_name(&sl_connection_namespace_definition_enum,
                                             (int)connection->namespace_definition),
        .namespace_format = connection->namespace_format,
        .prefix = connection->prefix,
    };
    g_autoptr(GError) reason = NULL;
    if (sl_catalog_check(catalog, strlen(catalog), &names, &reason))
        return TRUE;
    g_warning("The changes of its source cannot be propagated to connection %s: %s, ignoring",
              connection->connection_id, reason->message);
    return FALSE;
}

static gboolean
load_destination_spec(SlTx *tx, const SlConnection *connection, char **ret, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    if (!sl_sql_actor_get(tx, connection->destination_id, &actor, error) ||
        (actor != NULL && !sl_sql_definition_get(tx, actor->definition_id, &definition, error)))
        return FALSE;
    *ret = g_strdup(definition != NULL ? definition->spec : "{}");
    return TRUE;
}

/* Only states of single streams can be forgotten for some of them. */
static gboolean
backfill(SlTx *tx, const SlConnection *connection, const SlCatalogDiff *diff, gint64 now,
         GError **error)
{
    g_autoptr(GPtrArray) states = NULL;
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new(), names = g_ptr_array_new();
    if (connection->backfill != SL_CONNECTION_BACKFILL_ENABLED || diff->grown->len == 0)
        return TRUE;
    if (!sl_sql_state_list(tx, connection->connection_id, &states, error))
        return FALSE;
    if (states->len == 0 || strcmp(((const SlStateRow *)states->pdata[0])->type, "STREAM") != 0)
        return TRUE;
    for (guint i = 0; i < diff->grown->len; i++) {
        const SlCatalogGrown *grown = diff->grown->pdata[i];
        g_ptr_array_add(namespaces, grown->ns);
        g_ptr_array_add(names, grown->name);
    }
    g_ptr_array_add(namespaces, NULL);
    g_ptr_array_add(names, NULL);
    return sl_queue_request_add(tx, connection->connection_id, SL_REQUEST_MERGE, FALSE,
                                (const char *const *)namespaces->pdata,
                                (const char *const *)names->pdata, now, error);
}

static gboolean
propagate(SlTx *tx, const SlConnection *connection, const SlCatalogRow *known,
          const SlCatalogRow *fresh, const SlCatalogDiff *diff, gint64 now, SlSchemaOutcome *ret,
          GError **error)
{
    const char *id = connection->connection_id;
    gboolean fully = FALSE;
    g_autofree char *spec = NULL;
    g_autoptr(GError) reason = NULL;
    *ret = SL_SCHEMA_LEFT;
    if (!wants_propagation(connection, &fully))
        return tell(tx, connection, fresh, diff, SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED, now,
                    error);
    if (!load_destination_spec(tx, connection, &spec, error))
        return FALSE;
    g_autofree char *catalog = sl_catalog_propagate(connection->catalog, known->catalog,
                                                    fresh->catalog, fully, spec, &reason);
    if (reason != NULL) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return FALSE;
    }
    if (catalog != NULL && !is_usable(connection, catalog))
        return tell(tx, connection, fresh, diff, SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED, now,
                    error);
    if (catalog != NULL &&
        (!sl_sql_connection_propagate(tx, id, catalog, NULL, error) ||
         !backfill(tx, connection, diff, now, error) ||
         !record_update(tx, connection, diff, now, error) ||
         !tell(tx, connection, fresh, diff, SL_NOTICE_CONNECTION_UPDATE, now, error)))
        return FALSE;
    /* A stream that is gone and still configured is nothing that is done with: it stays in sight.
     */
    gboolean done = fully || diff->n_lost == 0;
    if (catalog != NULL || done)
        *ret = SL_SCHEMA_PROPAGATED;
    return !done ||
           sl_sql_connection_set_schema(tx, id, fresh->catalog_id, "false", NULL, NULL, error);
}

/* --- one connection ----------------------------------------------------------------------------
 */

static gboolean
act(SlTx *tx, const SlConnection *connection, const SlCatalogRow *known, const SlCatalogRow *fresh,
    gboolean may_propagate, const SlCatalogDiff *diff, gint64 now, SlSchemaOutcome *ret,
    GError **error)
{
    const char *id = connection->connection_id;
    if (diff->breaking) {
        *ret = SL_SCHEMA_BROKEN;
        return sl_sql_connection_set_schema(tx, id, NULL, "true", NULL, NULL, error) &&
               pause_connection(tx, connection, SL_REASON_SCHEMA_BREAKING, now, error) &&
               tell(tx, connection, fresh, diff, SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED, now,
                    error);
    }
    /* Streams that the connection does not have come and go without it. */
    if (connection->non_breaking_changes == SL_CONNECTION_NON_BREAKING_CHANGES_DISABLE &&
        diff->n_configured > 0) {
        *ret = SL_SCHEMA_DISABLED;
        return pause_connection(tx, connection, SL_REASON_SCHEMA_ANY, now, error) &&
               tell(tx, connection, fresh, diff, SL_NOTICE_CONNECTION_UPDATE_ACTION_REQUIRED, now,
                    error);
    }
    *ret = SL_SCHEMA_LEFT;
    return !may_propagate || propagate(tx, connection, known, fresh, diff, now, ret, error);
}

static gboolean
is_same(const SlCatalogRow *known, const SlCatalogRow *fresh)
{
    return strcmp(known->catalog_id, fresh->catalog_id) == 0 ||
           (*known->hash != '\0' && strcmp(known->hash, fresh->hash) == 0);
}

gboolean
sl_queue_schema_look(SlTx *tx, const SlConnection *connection, const SlCatalogRow *fresh,
                     gboolean may_propagate, gint64 now, SlSchemaResult *ret, GError **error)
{
    const char *id = connection->connection_id;
    g_autoptr(SlCatalogRow) known = NULL;
    g_auto(SlCatalogDiff) diff = {0};
    *ret = (SlSchemaResult){.outcome = SL_SCHEMA_SAME};
    if (connection->source_catalog_id != NULL &&
        !sl_sql_catalog_get(tx, connection->source_catalog_id, connection->source_id, &known,
                            error))
        return FALSE;
    if (known == NULL) /* from here on it is known what the connection was made from */
        return sl_sql_connection_set_schema(tx, id, fresh->catalog_id, NULL, NULL, NULL, error);
    if (is_same(known, fresh))
        return TRUE;
    if (!sl_catalog_diff_make(connection->catalog, known->catalog, fresh->catalog, &diff, error))
        return FALSE;
    if (diff.n == 0)
        return sl_sql_connection_set_schema(tx, id, fresh->catalog_id, "false", NULL, NULL, error);
    ret->diff = g_strdup(diff.text);
    return act(tx, connection, known, fresh, may_propagate, &diff, now, &ret->outcome, error);
}

gboolean
sl_queue_schema_look_all(SlTx *tx, const char *source_id, gint64 now, GError **error)
{
    g_autoptr(SlCatalogRow) fresh = NULL;
    g_autoptr(GPtrArray) ids = NULL;
    if (!sl_sql_catalog_find(tx, source_id, NULL, NULL, &fresh, error) ||
        !sl_sql_connection_list_of_source(tx, source_id, &ids, error))
        return FALSE;
    for (guint i = 0; fresh != NULL && i < ids->len; i++) {
        const char *id = ((const SlConnectionId *)ids->pdata[i])->connection_id;
        g_autoptr(SlConnection) connection = NULL;
        g_auto(SlSchemaResult) result = {0};
        if (!sl_sql_connection_get(tx, id, &connection, error) ||
            !sl_queue_schema_look(tx, connection, fresh, FALSE, now, &result, error))
            return FALSE;
    }
    return TRUE;
}
