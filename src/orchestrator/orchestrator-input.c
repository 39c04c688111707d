/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-input.h"

#include <string.h>

#include "orchestrator-start.h"
#include "sl-error.h"

static const char *const type_names[] = {
    [ORCHESTRATOR_SYNC] = "sync",
    [ORCHESTRATOR_CHECK] = "check",
    [ORCHESTRATOR_DISCOVER] = "discover",
    [ORCHESTRATOR_SPEC] = "spec",
};

const char *
orchestrator_job_type_name(OrchestratorJobType type)
{
    return type_names[type];
}

/* A member that is there and not null. */
static const SlJsonNode *
get_member(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *node = sl_json_get(doc, object, key);
    return node == NULL || node->type == SL_JSON_NULL ? NULL : node;
}

static char *
dup_member(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *node = get_member(doc, object, key);
    return node != NULL ? sl_json_dup_string(node) : NULL;
}

static gboolean
read_string(const OrchestratorInput *input, const char *key, char **ret, GError **error)
{
    const SlJsonNode *node = get_member(input->doc, sl_json_root(input->doc), key);
    if (node == NULL)
        return TRUE;
    *ret = sl_json_dup_string(node);
    return *ret != NULL ||
           sl_error_set(error, SL_ERROR_INVALID, "input.%s: expected a string", key);
}

static gboolean
read_int(const OrchestratorInput *input, const char *key, gint64 *ret, GError **error)
{
    const SlJsonNode *node = get_member(input->doc, sl_json_root(input->doc), key);
    if (node == NULL)
        return TRUE;
    if (node->type == SL_JSON_STRING) { /* ids may come as text */
        g_autofree char *text = sl_json_dup_string(node);
        if (text != NULL && g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, ret, NULL))
            return TRUE;
    } else if (node->type == SL_JSON_NUMBER && sl_json_get_int64(node, ret)) {
        return TRUE;
    }
    return sl_error_set(error, SL_ERROR_INVALID, "input.%s: expected an integer", key);
}

static gboolean
read_role(OrchestratorInput *input, OrchestratorRole role, GError **error)
{
    const char *name = orchestrator_role_name(role);
    const SlJsonNode *side = get_member(input->doc, sl_json_root(input->doc), name);
    if (side == NULL)
        return TRUE;
    if (side->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "input.%s: expected an object", name);
    input->has_role[role] = TRUE;
    input->configurations[role] = get_member(input->doc, side, "configuration");
    input->secret_paths[role] = get_member(input->doc, side, "secretPaths");
    input->ipc_options[role] = get_member(input->doc, side, "connectorIPCOptions");
    input->manifests[role] = get_member(input->doc, side, "manifest");
    input->components[role] = dup_member(input->doc, side, "components");
    input->components_sha256[role] = dup_member(input->doc, side, "componentsSha256");
    const SlJsonNode *refreshes = get_member(input->doc, side, "supportsRefreshes");
    if (role == ORCHESTRATOR_DESTINATION && refreshes != NULL)
        sl_json_get_boolean(refreshes, &input->supports_refreshes);
    if (input->configurations[role] == NULL && input->type != ORCHESTRATOR_SPEC)
        return sl_error_set(error, SL_ERROR_INVALID, "input.%s.configuration: missing", name);
    return TRUE;
}

static gboolean
read_type(OrchestratorInput *input, GError **error)
{
    const SlJsonNode *node = get_member(input->doc, sl_json_root(input->doc), "type");
    for (guint i = 0; node != NULL && i < G_N_ELEMENTS(type_names); i++) {
        if (sl_json_string_is(node, type_names[i])) {
            input->type = (OrchestratorJobType)i;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_INVALID, "input.type: missing or unknown");
}

static gboolean
check_roles(OrchestratorInput *input, GError **error)
{
    gboolean source = input->has_role[ORCHESTRATOR_SOURCE];
    gboolean destination = input->has_role[ORCHESTRATOR_DESTINATION];
    if (input->type != ORCHESTRATOR_SYNC)
        return source != destination ||
               sl_error_set(error, SL_ERROR_INVALID, "input: %s needs a source or a destination",
                            type_names[input->type]);
    if (!destination || (!source && !input->is_reset))
        return sl_error_set(error, SL_ERROR_INVALID, "input.%s: missing",
                            destination ? "source" : "destination");
    if (input->catalog == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "input.catalog: missing");
    if (input->state != NULL && input->state->type != SL_JSON_ARRAY)
        return sl_error_set(error, SL_ERROR_INVALID, "input.state: expected an array");
    return TRUE;
}

OrchestratorInput *
orchestrator_input_parse(GBytes *text, GError **error)
{
    gsize len;
    gint64 seconds = 0;
    const char *bytes = g_bytes_get_data(text, &len);
    g_autoptr(OrchestratorInput) input = g_new0(OrchestratorInput, 1);
    input->job_id = input->attempt_number = -1;
    input->doc = sl_json_read_copy(bytes != NULL ? bytes : "", len, NULL, error);
    if (input->doc == NULL) {
        g_prefix_error(error, "input: ");
        return NULL;
    }
    const SlJsonNode *root = sl_json_root(input->doc);
    if (!read_type(input, error) || !read_int(input, "jobId", &input->job_id, error) ||
        !read_int(input, "attemptNumber", &input->attempt_number, error) ||
        !read_int(input, "deadlineSec", &seconds, error) ||
        !read_string(input, "connectionId", &input->connection_id, error) ||
        !read_string(input, "workspaceId", &input->workspace_id, error) ||
        !read_string(input, "logPath", &input->log_path, error) ||
        !read_string(input, "namespaceDefinition", &input->namespace_definition, error) ||
        !read_string(input, "namespaceFormat", &input->namespace_format, error) ||
        !read_string(input, "prefix", &input->prefix, error) ||
        !read_role(input, ORCHESTRATOR_SOURCE, error) ||
        !read_role(input, ORCHESTRATOR_DESTINATION, error))
        return NULL;
    const SlJsonNode *reset = get_member(input->doc, root, "isReset");
    if (reset != NULL)
        sl_json_get_boolean(reset, &input->is_reset);
    input->deadline_usec = CLAMP(seconds, 0, 366 * 86400) * G_USEC_PER_SEC;
    input->catalog = get_member(input->doc, root, "catalog");
    input->state = get_member(input->doc, root, "state");
    if (!check_roles(input, error))
        return NULL;
    return g_steal_pointer(&input);
}

void
orchestrator_input_apply(const OrchestratorInput *input, SlConfig *config)
{
    const struct {
        const char *key;
        gint64 *value, unit, min;
    } settings[] = {
        {"heartbeatMs", &config->workload_heartbeat_usec, 1000, 100},
        {"leaseMs", &config->workload_lease_usec, 1000, 1000},
        {"commitMs", &config->orchestrator_commit_usec, 1000, 10},
        {"maxLine", &config->orchestrator_max_line, 1, 65536},
        {"maxLog", &config->orchestrator_max_log, 1, 0},
        {"sourceSilenceSec", &config->orchestrator_source_silence_usec, G_USEC_PER_SEC, 0},
        {"destinationStallSec", &config->orchestrator_destination_stall_usec, G_USEC_PER_SEC, 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++) {
        const SlJsonNode *node = get_member(input->doc, sl_json_root(input->doc), settings[i].key);
        gint64 value;
        if (node != NULL && node->type == SL_JSON_NUMBER && sl_json_get_int64(node, &value) &&
            value >= settings[i].min && value < G_MAXINT64 / settings[i].unit)
            *settings[i].value = value * settings[i].unit;
    }
}

void
orchestrator_input_free(OrchestratorInput *input)
{
    if (input == NULL)
        return;
    sl_json_doc_free(input->doc);
    g_free(input->connection_id);
    g_free(input->workspace_id);
    g_free(input->log_path);
    g_free(input->namespace_definition);
    g_free(input->namespace_format);
    g_free(input->prefix);
    for (guint i = 0; i < G_N_ELEMENTS(input->components); i++) {
        g_free(input->components[i]);
        g_free(input->components_sha256[i]);
    }
    g_free(input);
}

/* Keys of mappers stand in the catalog, not in a configuration. */
static void
mask_mapper_keys(const OrchestratorInput *input, SlMask *mask)
{
    const SlJsonNode *streams =
        input->catalog != NULL ? get_member(input->doc, input->catalog, "streams") : NULL;
    SL_JSON_FOREACH (input->doc, streams, stream) {
        const SlJsonNode *mappers = get_member(input->doc, stream, "mappers");
        SL_JSON_FOREACH (input->doc, mappers, mapper) {
            const SlJsonNode *key =
                sl_json_get_path(input->doc, mapper, "mapperConfiguration", "key", NULL);
            g_autofree char *text = key != NULL ? sl_json_dup_string(key) : NULL;
            if (text != NULL)
                sl_mask_add(mask, text);
        }
    }
}

SlMask *
orchestrator_input_mask(const OrchestratorInput *input)
{
    SlMask *mask = sl_mask_new();
    for (guint i = 0; i < 2; i++) {
        if (input->configurations[i] != NULL)
            sl_mask_add_paths(mask, input->doc, input->configurations[i], input->secret_paths[i]);
    }
    mask_mapper_keys(input, mask);
    return mask;
}

/* A state object, without the message around it that some writers leave there. */
static const SlJsonNode *
unwrap(const OrchestratorInput *input, const SlJsonNode *state)
{
    const SlJsonNode *inner = get_member(input->doc, state, "state");
    return inner != NULL && inner->type == SL_JSON_OBJECT &&
                   sl_json_get(input->doc, state, "stream") == NULL
               ? inner
               : state;
}

GBytes *
orchestrator_input_state_file(const OrchestratorInput *input)
{
    if (input->state == NULL || input->state->count == 0)
        return NULL;
    const SlJsonNode *only = unwrap(input, sl_json_at(input->doc, input->state, 0));
    const SlJsonNode *type = get_member(input->doc, only, "type");
    if (input->state->count == 1 && (type == NULL || sl_json_string_is(type, "LEGACY"))) {
        const SlJsonNode *data = get_member(input->doc, only, "data");
        return data != NULL ? g_bytes_new(data->p, data->n) : NULL;
    }
    GString *out = g_string_new("[");
    SL_JSON_FOREACH (input->doc, input->state, item) {
        const SlJsonNode *state = unwrap(input, item);
        if (out->len > 1)
            g_string_append_c(out, ',');
        g_string_append_len(out, state->p, (gssize)state->n);
    }
    g_string_append_c(out, ']');
    return g_string_free_to_bytes(out);
}
