/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-input.h"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-state.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "worker-catalog.h"
#include "worker-hosts.h"
#include "worker-kit.h"

/* What a person waits for goes before what a schedule started. */
enum { PRIORITY_SCHEDULED, PRIORITY_MANUAL, PRIORITY_INTERACTIVE };

void
worker_input_clear(WorkerInput *input)
{
    g_clear_pointer(&input->input, g_free);
    g_clear_pointer(&input->launch, g_free);
    g_clear_pointer(&input->data_plane_group, g_free);
}

typedef struct {
    SlActor *actor;
    SlDefinition *definition;
} Side;

static void
side_clear(Side *side)
{
    g_clear_pointer(&side->actor, sl_actor_free);
    g_clear_pointer(&side->definition, sl_definition_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

static gboolean
load_definition(SlTx *tx, const char *definition_id, gint64 now, SlDefinition **ret, GError **error)
{
    if (!sl_sql_definition_get(tx, definition_id, ret, error))
        return FALSE;
    if (*ret == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "connector definition '%s' does not exist",
                            definition_id);
    return worker_kit_ensure(tx, *ret, now, error);
}

static gboolean
load_side(SlTx *tx, const char *actor_id, gint64 now, Side *ret, GError **error)
{
    if (!sl_sql_actor_get(tx, actor_id, &ret->actor, error))
        return FALSE;
    if (ret->actor == NULL || ret->actor->tombstone)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "source or destination '%s' does not exist",
                            actor_id);
    return load_definition(tx, ret->actor->definition_id, now, &ret->definition, error);
}

static const char *
role_of(const SlDefinition *definition)
{
    return sl_enum_name(&sl_actor_type_enum, definition->actor_type);
}

static void
write_side(SlJsonWriter *w, const Side *side)
{
    sl_json_key(w, role_of(side->definition));
    sl_json_begin_object(w);
    sl_json_member_string(w, "definitionId", side->definition->definition_id);
    sl_json_member_string(w, "name", side->definition->name);
    if (side->actor != NULL) {
        sl_json_member_string(w, "actorId", side->actor->actor_id);
        sl_json_member_raw(w, "configuration", side->actor->configuration);
    }
    /* The manifest itself is added when the input is asked for. */
    if (sl_record_has(&sl_definition_record, side->definition, SL_DEFINITION_MANIFEST_VERSION))
        sl_json_member_int(w, "manifestVersion", side->definition->manifest_version);
    sl_json_member_bool(w, "supportsRefreshes", side->definition->supports_refreshes);
    const char *ipc_options = side->definition->ipc_options;
    if (g_strcmp0(ipc_options, "{}") != 0)
        sl_json_member_raw(w, "connectorIPCOptions", ipc_options);
    sl_json_end_object(w);
}

/* Later objects win: definition, then connection. */
static gboolean
write_limits(SlJsonWriter *w, const char *limits, GError **error)
{
    if (limits == NULL)
        return TRUE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(limits, strlen(limits), NULL, error);
    if (doc == NULL)
        return FALSE;
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name);
        sl_json_node(w, key + 1);
    }
    return TRUE;
}

/* An address policy, where it can be one. */
static void
write_hosts(SlJsonWriter *w, const Side *side)
{
    g_auto(GStrv) addresses = worker_hosts_resolve(
        side->definition->allowed_hosts, side->actor != NULL ? side->actor->configuration : NULL);
    if (addresses == NULL)
        return;
    sl_json_key(w, "allowedAddresses");
    sl_json_strings(w, (const char *const *)addresses);
}

static gboolean
write_launch(SlJsonWriter *w, const Side *side, const char *connection_limits, GError **error)
{
    const SlDefinition *definition = side->definition;
    sl_json_key(w, role_of(definition));
    sl_json_begin_object(w);
    sl_json_member_string(w, "runtime", definition->runtime);
    sl_json_key(w, "command");
    sl_json_begin_array(w);
    for (guint i = 0; definition->command[i] != NULL; i++)
        sl_json_string(w, definition->command[i]);
    sl_json_end_array(w);
    if (definition->tree != NULL && *definition->tree != '\0')
        sl_json_member_string(w, "tree", definition->tree);
    write_hosts(w, side);
    gboolean ok =
        write_limits(w, definition->limits, error) && write_limits(w, connection_limits, error);
    sl_json_end_object(w);
    return ok;
}

static gboolean
load_group(SlTx *tx, const char *workspace_id, char **ret, GError **error)
{
    g_autoptr(SlWorkspace) workspace = NULL;
    if (!sl_sql_workspace_get(tx, workspace_id, &workspace, error))
        return FALSE;
    if (workspace == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "workspace '%s' does not exist",
                            workspace_id);
    *ret = g_steal_pointer(&workspace->data_plane_group);
    return TRUE;
}

/* --- sync ------------------------------------------------------------------------------------ */

static void
write_sync(SlJsonWriter *w, const SlConnection *connection, const Side *source,
           const Side *destination, const char *catalog, const char *state, gboolean clear)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "sync");
    write_side(w, source);
    write_side(w, destination);
    sl_json_member_raw(w, "catalog", catalog);
    sl_json_member_raw(w, "state", state);
    sl_json_member_string(
        w, "namespaceDefinition",
        sl_enum_name(&sl_connection_namespace_definition_enum, connection->namespace_definition));
    sl_json_member_string(w, "namespaceFormat", connection->namespace_format);
    sl_json_member_string(w, "prefix", connection->prefix);
    sl_json_member_bool(w, "isReset", clear);
    sl_json_end_object(w);
}

static gboolean
build_sync(SlTx *tx, const SlJob *job, gint64 attempt_number, gint64 now, GString *input,
           GString *launch, GError **error)
{
    g_auto(Side) source = {0}, destination = {0};
    g_autoptr(SlConnection) connection = NULL;
    g_autoptr(GPtrArray) states = NULL;
    if (!sl_sql_connection_get(tx, job->scope, &connection, error))
        return FALSE;
    if (connection == NULL || connection->status == SL_CONNECTION_STATUS_DEPRECATED)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, "connection '%s' does not exist",
                            job->scope);
    if (!load_side(tx, connection->source_id, now, &source, error) ||
        !load_side(tx, connection->destination_id, now, &destination, error))
        return FALSE;
    g_autofree char *catalog =
        worker_catalog_prepare(tx, connection, destination.definition->supports_refreshes, job,
                               attempt_number, now, error);
    if (catalog == NULL || !sl_sql_state_list(tx, connection->connection_id, &states, error))
        return FALSE;
    g_autofree char *state = sl_queue_states_build(states);
    gboolean clear = job->config_type == SL_CONFIG_TYPE_RESET_CONNECTION ||
                     job->config_type == SL_CONFIG_TYPE_CLEAR;
    SlJsonWriter in = SL_JSON_WRITER_INIT(input), out = SL_JSON_WRITER_INIT(launch);
    write_sync(&in, connection, &source, &destination, catalog, state, clear);
    sl_json_begin_object(&out);
    gboolean ok = write_launch(&out, &source, connection->limits, error) &&
                  write_launch(&out, &destination, connection->limits, error);
    sl_json_end_object(&out);
    return ok;
}

/* --- check, discover, spec ------------------------------------------------------------------- */

static gboolean
build_of_actor(SlTx *tx, const SlJobInput *job_input, const char *type, gint64 now, GString *input,
               GString *launch, GError **error)
{
    g_auto(Side) side = {0};
    SlJsonWriter in = SL_JSON_WRITER_INIT(input), out = SL_JSON_WRITER_INIT(launch);
    if (job_input->actor_id != NULL
            ? !load_side(tx, job_input->actor_id, now, &side, error)
            : !load_definition(tx, job_input->definition_id, now, &side.definition, error))
        return FALSE;
    if (side.actor == NULL && job_input->configuration != NULL) {
        side.actor = sl_actor_new(); /* one that nobody has saved has no id */
        side.actor->configuration = g_strdup(job_input->configuration);
    }
    sl_json_begin_object(&in);
    sl_json_member_string(&in, "type", type);
    write_side(&in, &side);
    if (side.actor != NULL && side.actor->actor_id != NULL) {
        g_autofree char *key = sl_queue_catalog_key(side.definition, side.actor);
        sl_json_member_string(&in, "cacheKey", key);
    }
    sl_json_end_object(&in);
    sl_json_begin_object(&out);
    gboolean ok = write_launch(&out, &side, NULL, error);
    sl_json_end_object(&out);
    return ok;
}

/* The spec of a connector that is being installed: there is no definition yet. */
static void
build_bare_spec(const SlJobInput *job_input, GString *input, GString *launch)
{
    const char *role = sl_enum_name(&sl_actor_type_enum, job_input->actor_type);
    SlJsonWriter in = SL_JSON_WRITER_INIT(input), out = SL_JSON_WRITER_INIT(launch);
    sl_json_begin_object(&in);
    sl_json_member_string(&in, "type", "spec");
    sl_json_key(&in, role);
    sl_json_begin_object(&in);
    sl_json_member_string(&in, "name", job_input->launch->command[0]);
    sl_json_end_object(&in);
    sl_json_end_object(&in);
    sl_json_begin_object(&out);
    sl_json_key(&out, role);
    sl_record_write(&sl_workload_launch_record, job_input->launch, 0, &out);
    sl_json_end_object(&out);
}

static gboolean
build_single(SlTx *tx, const SlJob *job, SlWorkloadType type, gint64 now, GString *input,
             GString *launch, GError **error)
{
    const char *text = job->input != NULL ? job->input : "{}";
    g_autoptr(SlJobInput) job_input =
        sl_record_parse_text(&sl_job_input_record, text, strlen(text), error);
    if (job_input == NULL)
        return FALSE;
    if (job_input->launch != NULL) {
        build_bare_spec(job_input, input, launch);
        return TRUE;
    }
    if (job_input->actor_id == NULL && job_input->definition_id == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "job input: actorId is required");
    return build_of_actor(tx, job_input, sl_enum_name(&sl_workload_type_enum, (int)type), now,
                          input, launch, error);
}

static SlWorkloadType
workload_type(SlConfigType type)
{
    switch (type) {
    case SL_CONFIG_TYPE_CHECK_CONNECTION:
        return SL_WORKLOAD_TYPE_CHECK;
    case SL_CONFIG_TYPE_DISCOVER_SCHEMA:
        return SL_WORKLOAD_TYPE_DISCOVER;
    case SL_CONFIG_TYPE_GET_SPEC:
        return SL_WORKLOAD_TYPE_SPEC;
    default:
        return SL_WORKLOAD_TYPE_SYNC;
    }
}

gboolean
worker_input_build(SlTx *tx, const SlJob *job, gint64 attempt_number, gint64 now, WorkerInput *ret,
                   GError **error)
{
    g_autoptr(GString) input = g_string_new(NULL), launch = g_string_new(NULL);
    SlWorkloadType type = workload_type(job->config_type);
    gboolean moves_data = type == SL_WORKLOAD_TYPE_SYNC;
    gboolean ok = load_group(tx, job->workspace_id, &ret->data_plane_group, error);
    if (ok && moves_data)
        ok = build_sync(tx, job, attempt_number, now, input, launch, error);
    else if (ok)
        ok = build_single(tx, job, type, now, input, launch, error);
    if (!ok)
        return FALSE;
    ret->type = type;
    ret->input = g_string_free(g_steal_pointer(&input), FALSE);
    ret->launch = g_string_free(g_steal_pointer(&launch), FALSE);
    ret->connection_id = moves_data ? job->scope : NULL;
    ret->priority = !moves_data         ? PRIORITY_INTERACTIVE
                    : job->is_scheduled ? PRIORITY_SCHEDULED
                                        : PRIORITY_MANUAL;
    return TRUE;
}
