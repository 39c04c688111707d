/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "workload-api-input.h"

#include <string.h>

#include "sl-error.h"
#include "sl-secret.h"
#include "sl-sql.h"

static void
write_row(SlJsonWriter *w, const SlWorkload *workload)
{
    sl_json_member_string(w, "workloadId", workload->workload_id);
    sl_json_member_string(w, "autoId", workload->auto_id);
    sl_json_member_int(w, "jobId", workload->job_id);
    sl_json_member_int(w, "attemptNumber", workload->attempt_number);
    sl_json_member_string(w, "connectionId", workload->connection_id);
    sl_json_member_string(w, "workspaceId", workload->workspace_id);
    sl_json_member_string(w, "logPath", workload->log_path);
}

/* Settings of the host that has the database, so that a data plane needs none of them. */
static void
write_settings(SlJsonWriter *w, const SlConfig *config, gint64 silence_sec)
{
    const struct {
        const char *name;
        gint64 value;
    } settings[] = {
        {"heartbeatMs", config->workload_heartbeat_usec / 1000},
        {"leaseMs", config->workload_lease_usec / 1000},
        {"commitMs", config->orchestrator_commit_usec / 1000},
        {"maxLine", config->orchestrator_max_line},
        {"maxLog", config->orchestrator_max_log},
        {"sourceSilenceSec", silence_sec},
        {"destinationStallSec", config->orchestrator_destination_stall_usec / G_USEC_PER_SEC},
        {"deadlineSec", config->connector_job_time_usec / G_USEC_PER_SEC},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        sl_json_member_int(w, settings[i].name, settings[i].value);
}

/* How long the source may be silent: what the registry says of its connector, else the host's
 * setting; 0 there switches it off for all. */
static gboolean
find_silence(const WorkloadApiCall *call, const SlJsonDoc *doc, gint64 *ret_sec, GError **error)
{
    const SlJsonNode *id = sl_json_get_path(doc, sl_json_root(doc), "source", "definitionId", NULL);
    g_autofree char *definition_id = sl_json_dup_string(id);
    gint64 own = 0;
    *ret_sec = call->config->orchestrator_source_silence_usec / G_USEC_PER_SEC;
    if (definition_id == NULL || *ret_sec == 0)
        return TRUE;
    if (!sl_sql_registry_silence_of(call->tx, definition_id, &own, error))
        return FALSE;
    if (own > 0)
        *ret_sec = own;
    return TRUE;
}

/* References replaced by what they stand for. */
static char *
resolve(const WorkloadApiCall *call, const char *stored, GError **error)
{
    if (call->key != NULL)
        return sl_secret_resolve(call->tx, call->key, stored, error);
    sl_error_set(error, SL_ERROR_CONFIG,
                 "the credential 'sluice-master-key' is missing: secrets cannot be opened; is "
                 "sluice-setup.service all right?");
    return NULL;
}

/* The manifest that the connector is, and code of its own. */
static gboolean
write_manifest(const WorkloadApiCall *call, SlJsonWriter *w, const SlJsonDoc *doc,
               const SlJsonNode *side, GError **error)
{
    const SlJsonNode *node = sl_json_get(doc, side, "manifestVersion");
    const SlJsonNode *id = sl_json_get(doc, side, "definitionId");
    g_autofree char *definition_id = id != NULL ? sl_json_dup_string(id) : NULL;
    g_autoptr(SlManifestCode) code = NULL;
    gint64 version;
    if (node == NULL || definition_id == NULL || !sl_json_get_int64(node, &version))
        return TRUE;
    if (!sl_sql_manifest_get_code(call->tx, definition_id, version, &code, error))
        return FALSE;
    if (code == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND,
                            "version %" G_GINT64_FORMAT " of the manifest of '%s' is not there",
                            version, definition_id);
    sl_json_member_raw(w, "manifest", code->manifest);
    sl_json_member_string(w, "components", code->components);
    sl_json_member_string(w, "componentsSha256", code->components_sha256);
    return TRUE;
}

/* One of source and destination: its configuration in clear, where its secrets are, and its
 * manifest. */
static gboolean
write_side(const WorkloadApiCall *call, SlJsonWriter *w, const SlJsonDoc *doc,
           const SlJsonNode *side, GError **error)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, side, key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (strcmp(name, "configuration") != 0) {
            sl_json_key(w, name);
            sl_json_node(w, key + 1);
            continue;
        }
        g_autofree char *stored = sl_json_dup_span(key + 1);
        g_autofree char *paths = sl_secret_paths(stored, error);
        g_autofree char *plain =
            paths != NULL && strcmp(paths, "[]") == 0 ? g_strdup(stored) : NULL;
        if (plain == NULL && paths != NULL)
            plain = resolve(call, stored, error);
        if (plain == NULL)
            return FALSE;
        sl_json_member_raw(w, name, plain);
        sl_json_member_raw(w, "secretPaths", paths);
    }
    if (!write_manifest(call, w, doc, side, error))
        return FALSE;
    sl_json_end_object(w);
    return TRUE;
}

/* A configured stream; keys of its mappers in clear. */
static gboolean
write_stream(const WorkloadApiCall *call, SlJsonWriter *w, const SlJsonDoc *doc,
             const SlJsonNode *stream, GError **error)
{
    sl_json_begin_object(w);
    SL_JSON_FOREACH (doc, stream, key) {
        g_autofree char *name = sl_json_dup_string(key), *plain = NULL;
        if (strcmp(name, "mappers") == 0) {
            g_autofree char *stored = sl_json_dup_span(key + 1);
            if (strstr(stored, "_secret") != NULL && (plain = resolve(call, stored, error)) == NULL)
                return FALSE;
        }
        sl_json_key(w, name);
        if (plain != NULL)
            sl_json_raw(w, plain, strlen(plain));
        else
            sl_json_node(w, key + 1);
    }
    sl_json_end_object(w);
    return TRUE;
}

/* Schemas can be megabytes: only where there is a reference is anything looked at. */
static gboolean
write_catalog(const WorkloadApiCall *call, SlJsonWriter *w, const SlJsonDoc *doc,
              const SlJsonNode *catalog, GError **error)
{
    const SlJsonNode *streams = sl_json_get(doc, catalog, "streams");
    if (streams == NULL || memmem(catalog->p, catalog->n, "_secret", strlen("_secret")) == NULL) {
        sl_json_node(w, catalog);
        return TRUE;
    }
    sl_json_begin_object(w);
    sl_json_key(w, "streams");
    sl_json_begin_array(w);
    SL_JSON_FOREACH (doc, streams, stream)
        if (!write_stream(call, w, doc, stream, error))
            return FALSE;
    sl_json_end_array(w);
    sl_json_end_object(w);
    return TRUE;
}

static gboolean
write_stored(const WorkloadApiCall *call, SlJsonWriter *w, const SlJsonDoc *doc, GError **error)
{
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        gboolean side = sl_json_string_is(key, "source") || sl_json_string_is(key, "destination");
        gboolean catalog = sl_json_string_is(key, "catalog");
        g_autofree char *name = sl_json_dup_string(key);
        sl_json_key(w, name);
        if (!side && !catalog)
            sl_json_node(w, key + 1);
        else if (side ? !write_side(call, w, doc, key + 1, error)
                      : !write_catalog(call, w, doc, key + 1, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
workload_api_input_build(const WorkloadApiCall *call, GString *out, GError **error)
{
    g_autoptr(SlWorkload) workload = NULL;
    g_autofree char *stored = NULL;
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (!sl_sql_workload_get(call->tx, call->workload_id, &workload, error) ||
        !sl_sql_workload_input(call->tx, call->workload_id, call->token, &stored, error))
        return FALSE;
    if (workload == NULL || stored == NULL)
        return sl_error_set(error, SL_ERROR_GONE, "workload %s has ended or has another holder",
                            call->workload_id);
    g_autoptr(SlJsonDoc) doc = sl_json_read(stored, strlen(stored), NULL, error);
    gint64 silence_sec = 0;
    if (doc == NULL || !find_silence(call, doc, &silence_sec, error))
        return FALSE;
    sl_json_begin_object(&w);
    write_row(&w, workload);
    write_settings(&w, call->config, silence_sec);
    if (!write_stored(call, &w, doc, error))
        return FALSE;
    sl_json_end_object(&w);
    return TRUE;
}
