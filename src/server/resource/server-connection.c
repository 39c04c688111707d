/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-connection.h"

#include <string.h>

#include "server-actor.h"
#include "server-catalog.h"
#include "server-job.h"
#include "server-mapper.h"
#include "server-problem.h"
#include "server-request.h"
#include "server-tag.h"
#include "sl-catalog.h"
#include "sl-catalog-diff.h"
#include "sl-error.h"
#include "sl-event.h"
#include "sl-id.h"
#include "sl-queue.h"
#include "sl-sql.h"

gboolean
server_connection_load(ServerCtx *ctx, const char *connection_id, gboolean lock, SlConnection **ret,
                       GError **error)
{
    gboolean ok = lock ? sl_sql_connection_lock(ctx->tx, connection_id, ret, error)
                       : sl_sql_connection_get(ctx->tx, connection_id, ret, error);
    return ok && (*ret != NULL || server_not_found(error, "connection", connection_id));
}

/* --- both ends -----------------------------------------------------------------------------------
 */

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

/* --- one row -------------------------------------------------------------------------------------
 */

static const char *
pick(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

static const char *
schedule_type(const ServerSchedule *schedule)
{
    return sl_enum_name(&sl_connection_schedule_type_enum, schedule->type);
}

static const gint64 *
seconds_of(const ServerSchedule *schedule)
{
    return schedule->type == SL_CONNECTION_SCHEDULE_TYPE_BASIC ? &schedule->seconds : NULL;
}

static gboolean
check_edit(const ServerConnectionEdit *edit, const char *definition, const char *format,
           GError **error)
{
    if (g_strcmp0(edit->status, "locked") == 0)
        return sl_error_set(error, SL_ERROR_INVALID, "status: 'locked' is not for clients to set");
    return strcmp(definition, "customformat") != 0 || (format != NULL && format[0] != '\0') ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "namespaceFormat: is required with namespaceDefinition custom_format");
}

/* What a sync would refuse is refused here: above all two streams that would both be the same one
 * at the destination. */
static gboolean
check_catalog(const char *catalog, const char *ns, const char *format, const char *prefix,
              GError **error)
{
    const SlCatalogNames names = {ns, format, prefix};
    return sl_catalog_check(catalog, strlen(catalog), &names, error);
}

/* --- the source's changes ------------------------------------------------------------------------
 */

static gboolean
find_known(ServerCtx *ctx, const char *source_id, const char *catalog_id, SlCatalogRow **ret,
           GError **error)
{
    if (catalog_id == NULL)
        return TRUE;
    return sl_sql_catalog_get(ctx->tx, catalog_id, source_id, ret, error) &&
           (*ret != NULL || sl_error_set(error, SL_ERROR_INVALID,
                                         "sourceCatalogId: source '%s' has no catalog '%s'",
                                         source_id, catalog_id));
}

/* Is there still a change in sight that a sync cannot survive? */
static gboolean
is_broken(const char *catalog, const SlCatalogRow *known, const SlCatalogRow *newest, gboolean *ret,
          GError **error)
{
    g_auto(SlCatalogDiff) diff = {0};
    *ret = FALSE;
    if (known == NULL || newest == NULL)
        return TRUE;
    if (!sl_catalog_diff_make(catalog, known->catalog, newest->catalog, &diff, error))
        return FALSE;
    *ret = diff.breaking;
    return TRUE;
}

/* `old` NULL: a new connection. */
static gboolean
save_schema(ServerCtx *ctx, const SlConnection *old, const char *id, const char *source_id,
            const ServerConnectionEdit *edit, const char *catalog, GError **error)
{
    gboolean chosen = old == NULL || edit->streams != NULL;
    const char *known_id = edit->source_catalog_id, *word = edit->breaking_change;
    g_autoptr(SlCatalogRow) newest = NULL, known = NULL;
    gboolean broken = FALSE;
    if (!sl_sql_catalog_find(ctx->tx, source_id, NULL, NULL, &newest, error))
        return FALSE;
    if (known_id == NULL && chosen && newest != NULL)
        known_id = newest->catalog_id;
    if (known_id == NULL && old != NULL)
        known_id = old->source_catalog_id;
    if (!find_known(ctx, source_id, known_id, &known, error) ||
        !is_broken(catalog, known, newest, &broken, error))
        return FALSE;
    if (word == NULL && (edit->catalog != NULL || chosen || edit->source_catalog_id != NULL))
        word = broken && old != NULL && old->breaking_change ? NULL : "false";
    return sl_sql_connection_set_schema(ctx->tx, id, known_id, word, edit->backfill, NULL, error);
}

/* Streams that are read in another way are read again, or emptied first where the destination
 * cannot tell old rows from new ones. */
static gboolean
refresh_changed(ServerCtx *ctx, const SlConnection *old, const char *catalog, gboolean active,
                GError **error)
{
    g_auto(GStrv) namespaces = NULL, names = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    if (!server_catalog_changed_streams(old->catalog, catalog, &namespaces, &names, error))
        return FALSE;
    if (names[0] == NULL)
        return TRUE;
    if (!server_actor_load(ctx, old->destination_id, SL_ACTOR_TYPE_DESTINATION, NULL, &definition,
                           error))
        return FALSE;
    SlRequestKind kind = definition->supports_refreshes ? SL_REQUEST_MERGE : SL_REQUEST_RESET;
    const char *const *ns = (const char *const *)namespaces;
    const char *const *streams = (const char *const *)names;
    if (!active)
        return sl_queue_request_add(ctx->tx, old->connection_id, kind, FALSE, ns, streams, ctx->now,
                                    error);
    return server_request_leave(ctx, old, kind, ns, streams, error);
}

/* --- make ----------------------------------------------------------------------------------------
 */

/* Neither end is deleted before the connection is there to be deleted with it. */
static gboolean
hold_sides(ServerCtx *ctx, const Sides *sides, GError **error)
{
    gint64 held = 0;
    return sl_sql_actor_hold(ctx->tx, sides->source->actor_id, sides->destination->actor_id, &held,
                             error) &&
           (held == 2 || sl_error_set(error, SL_ERROR_NOT_FOUND,
                                      "source '%s' or destination '%s' was deleted meanwhile",
                                      sides->source->actor_id, sides->destination->actor_id));
}

/* The row comes first, without streams: keys of mappers refer to it. */
static gboolean
add(ServerCtx *ctx, const char *id, const Sides *sides, const ServerConnectionEdit *edit,
    GError **error)
{
    static const ServerSchedule manual = {.type = SL_CONNECTION_SCHEDULE_TYPE_MANUAL};
    const ServerSchedule *schedule = edit->schedule != NULL ? edit->schedule : &manual;
    g_autofree char *name =
        g_strconcat(sides->source->name, " <> ", sides->destination->name, NULL);
    return sl_sql_connection_add(
        ctx->tx, id, sides->source->workspace_id, pick(edit->name, name), sides->source->actor_id,
        sides->destination->actor_id, pick(edit->status, "active"),
        pick(edit->namespace_definition, "destination"), edit->namespace_format,
        pick(edit->prefix, ""), "{\"streams\":[]}", schedule_type(schedule), schedule->cron,
        schedule->zone, seconds_of(schedule), pick(edit->non_breaking_changes, "ignore"), ctx->now,
        NULL, error);
}

gboolean
server_connection_make(ServerCtx *ctx, const char *source_id, const char *destination_id,
                       const ServerConnectionEdit *edit, SlConnection **ret, GError **error)
{
    g_auto(Sides) sides = {0};
    g_autofree char *catalog = g_strdup(edit->catalog), *id = sl_id_new();
    if (!check_edit(edit, pick(edit->namespace_definition, "destination"), edit->namespace_format,
                    error) ||
        !load_sides(ctx, source_id, destination_id, &sides, error) ||
        (catalog == NULL && !configure(ctx, &sides, edit->streams, &catalog, error)))
        return FALSE;
    if (catalog == NULL)
        return TRUE; /* waiting */
    const char *workspace_id = sides.source->workspace_id;
    if (!hold_sides(ctx, &sides, error) || !add(ctx, id, &sides, edit, error))
        return FALSE;
    g_autofree char *stored = server_mapper_store(ctx, workspace_id, id, catalog, NULL, error);
    return stored != NULL &&
           check_catalog(stored, pick(edit->namespace_definition, "destination"),
                         edit->namespace_format, edit->prefix, error) &&
           sl_sql_connection_set_catalog(ctx->tx, id, stored, NULL, error) &&
           save_schema(ctx, NULL, id, source_id, edit, stored, error) &&
           (edit->tag_ids == NULL ||
            server_tag_attach(ctx, id, workspace_id, edit->tag_ids, error)) &&
           sl_tx_notify(ctx->tx, SL_CHANNEL_SCHEDULE, NULL, error) &&
           server_connection_load(ctx, id, FALSE, ret, error);
}

/* --- change, remove ------------------------------------------------------------------------------
 */

/* A list that is empty is no list: nobody can drop all streams by accident. */
static gboolean
is_empty(const SlStreamConfigurations *streams)
{
    return streams == NULL || streams->streams == NULL || streams->streams->len == 0;
}

static gboolean
find_catalog(ServerCtx *ctx, const SlConnection *old, const ServerConnectionEdit *edit, char **ret,
             GError **error)
{
    g_auto(Sides) sides = {0};
    *ret = g_strdup(edit->catalog);
    return *ret != NULL || (load_sides(ctx, old->source_id, old->destination_id, &sides, error) &&
                            configure(ctx, &sides, edit->streams, ret, error));
}

/* *ret NULL and TRUE: waiting. */
static gboolean
new_catalog(ServerCtx *ctx, const SlConnection *old, const ServerConnectionEdit *edit, char **ret,
            GError **error)
{
    g_auto(GStrv) namespaces = NULL, names = NULL;
    g_autofree char *catalog = NULL;
    if (edit->catalog == NULL && is_empty(edit->streams)) {
        *ret = g_strdup(old->catalog);
        return TRUE;
    }
    if (!find_catalog(ctx, old, edit, &catalog, error))
        return FALSE;
    if (catalog == NULL)
        return TRUE;
    *ret = server_mapper_store(ctx, old->workspace_id, old->connection_id, catalog, old->catalog,
                               error);
    /* A state of the other mode means nothing to the source. */
    return *ret != NULL &&
           server_catalog_changed_modes(old->catalog, *ret, &namespaces, &names, error) &&
           sl_sql_state_delete(ctx->tx, old->connection_id, (const char *const *)namespaces,
                               (const char *const *)names, NULL, error);
}

static gboolean
save(ServerCtx *ctx, const SlConnection *old, const ServerConnectionEdit *edit, const char *catalog,
     GError **error)
{
    const ServerSchedule kept = {old->schedule_type, old->cron_expression, old->cron_timezone,
                                 old->basic_interval_sec};
    const ServerSchedule *schedule = edit->schedule != NULL ? edit->schedule : &kept;
    const char *ns =
        pick(edit->namespace_definition,
             sl_enum_name(&sl_connection_namespace_definition_enum, old->namespace_definition));
    const char *status = pick(edit->status, sl_enum_name(&sl_connection_status_enum, old->status));
    const char *changes =
        pick(edit->non_breaking_changes,
             sl_enum_name(&sl_connection_non_breaking_changes_enum, old->non_breaking_changes));
    const char *format = pick(edit->namespace_format, old->namespace_format);
    /* One that was stored before this was looked at can still be renamed, paused and deleted. */
    gboolean names_change = edit->namespace_definition != NULL || edit->namespace_format != NULL ||
                            edit->prefix != NULL || edit->catalog != NULL ||
                            !is_empty(edit->streams);
    return check_edit(edit, ns, format, error) &&
           (!names_change ||
            check_catalog(catalog, ns, format, pick(edit->prefix, old->prefix), error)) &&
           sl_sql_connection_update(ctx->tx, old->connection_id, pick(edit->name, old->name),
                                    status, ns, format, pick(edit->prefix, old->prefix), catalog,
                                    schedule_type(schedule), schedule->cron, schedule->zone,
                                    seconds_of(schedule), changes, ctx->now, NULL, error) &&
           (strcmp(status, "deprecated") != 0 ||
            (sl_sql_request_delete_waiting(ctx->tx, old->connection_id, NULL, error) &&
             server_job_stop_all(ctx, old->connection_id, error))) &&
           (edit->tag_ids == NULL ||
            server_tag_attach(ctx, old->connection_id, old->workspace_id, edit->tag_ids, error)) &&
           sl_tx_notify(ctx->tx, SL_CHANNEL_SCHEDULE, NULL, error);
}

gboolean
server_connection_change(ServerCtx *ctx, const char *connection_id,
                         const ServerConnectionEdit *edit, SlConnection **ret, GError **error)
{
    g_autoptr(SlJob) running = NULL; /* held first: what ends it locks the connection last */
    g_autoptr(SlConnection) old = NULL;
    g_autofree char *catalog = NULL;
    if (!server_request_hold(ctx, connection_id, &running, error) ||
        !server_connection_load(ctx, connection_id, TRUE, &old, error))
        return FALSE;
    if (old->status == SL_CONNECTION_STATUS_LOCKED)
        return server_problem(error, SERVER_PROBLEM_LOCKED,
                              server_problem_data("connectionId", connection_id, NULL),
                              "connection '%s' is locked", old->name);
    if (!new_catalog(ctx, old, edit, &catalog, error))
        return FALSE;
    if (catalog == NULL)
        return TRUE; /* waiting */
    gboolean active =
        g_strcmp0(pick(edit->status, sl_enum_name(&sl_connection_status_enum, (int)old->status)),
                  "active") == 0;
    return save(ctx, old, edit, catalog, error) &&
           save_schema(ctx, old, old->connection_id, old->source_id, edit, catalog, error) &&
           (!edit->refresh_changed || refresh_changed(ctx, old, catalog, active, error)) &&
           server_connection_load(ctx, connection_id, FALSE, ret, error) &&
           sl_event_add_edit(ctx->tx, old, *ret, edit->reason, ctx->now, error);
}

gboolean
server_connection_remove(ServerCtx *ctx, const char *connection_id, GError **error)
{
    g_autoptr(SlJob) running = NULL;
    g_autoptr(SlConnection) old = NULL;
    const ServerConnectionEdit gone = {.status = "deprecated"};
    return server_request_hold(ctx, connection_id, &running, error) &&
           server_connection_load(ctx, connection_id, TRUE, &old, error) &&
           save(ctx, old, &gone, old->catalog, error);
}
