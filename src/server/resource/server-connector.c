/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors as the host's administrator sees them: /api/v1/sluice/definitions. */
#include "config.h"

#include <string.h>

#include "server-definition.h"
#include "server-job.h"
#include "server-manifest.h"
#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-id.h"
#include "sl-sql.h"

static gboolean
not_found(const char *definition_id, GError **error)
{
    return server_not_found(error, "connector definition", definition_id);
}

static GStrv
dup_unless_empty(char **strings)
{
    return strings != NULL && *strings != NULL ? g_strdupv(strings) : NULL;
}

static SlConnectorResponse *
make_connector(const SlDefinition *row)
{
    SlConnectorResponse *connector = sl_connector_response_new();
    connector->definition_id = g_strdup(row->definition_id);
    connector->name = g_strdup(row->name);
    sl_connector_response_set_actor_type(connector, row->actor_type);
    connector->runtime = g_strdup(row->runtime);
    connector->command = g_strdupv(row->command);
    connector->tree = g_strdup(row->tree);
    connector->docker_repository = g_strdup(row->docker_repository);
    connector->docker_image_tag = g_strdup(row->docker_image_tag);
    connector->documentation_url = g_strdup(row->documentation_url);
    sl_connector_response_set_supports_refreshes(connector, row->supports_refreshes);
    sl_connector_response_set_custom(connector, row->custom);
    sl_connector_response_set_pinned(connector, row->pinned);
    if (row->kit_version != NULL && *row->kit_version != '\0')
        connector->kit_version = g_strdup(row->kit_version);
    connector->aliases = dup_unless_empty(row->aliases);
    connector->allowed_hosts = dup_unless_empty(row->allowed_hosts);
    connector->alias_repositories = dup_unless_empty(row->alias_repositories);
    connector->spec = g_strdup(row->spec);
    return connector;
}

gboolean
server_connector_list(ServerCtx *ctx, const SlConnectorListRequest *in, SlConnectorPage **ret,
                      GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    gboolean one =
        sl_record_has(&sl_connector_list_request_record, in, SL_CONNECTOR_LIST_REQUEST_ACTOR_TYPE);
    if (!sl_sql_definition_list(ctx->tx,
                                one ? sl_enum_name(&sl_actor_type_enum, in->actor_type) : NULL,
                                NULL, ctx->caller.admin, &rows, error))
        return FALSE;
    *ret = sl_connector_page_new();
    (*ret)->data = g_ptr_array_new();
    for (guint i = 0; i < rows->len; i++)
        g_ptr_array_add((*ret)->data, make_connector(rows->pdata[i]));
    return TRUE;
}

gboolean
server_connector_get(ServerCtx *ctx, const SlConnectorIdRequest *in, SlConnectorResponse **ret,
                     GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    g_autoptr(SlManifestCode) code = NULL;
    if (!server_definition_load(ctx, NULL, in->definition_id, -1, &row, error) ||
        !sl_sql_manifest_get_code(ctx->tx, row->definition_id, row->manifest_version, &code, error))
        return FALSE;
    *ret = make_connector(row);
    if (code != NULL) {
        (*ret)->manifest = g_strdup(code->manifest);
        (*ret)->components_sha256 = g_strdup(code->components_sha256);
    }
    return TRUE;
}

gboolean
server_connector_delete(ServerCtx *ctx, const SlConnectorIdRequest *in, gpointer *ret,
                        GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    gint64 n = 0;
    if (!sl_sql_definition_get(ctx->tx, in->definition_id, &row, error) ||
        !sl_sql_definition_delete(ctx->tx, in->definition_id, ctx->now, &n, error))
        return FALSE;
    if (row == NULL)
        return not_found(in->definition_id, error);
    return n > 0 || sl_error_set(error, SL_ERROR_CONFLICT,
                                 row->custom ? "connector '%s' is in use"
                                             : "connector '%s' comes with Sluice and stays",
                                 row->name);
}

gboolean
server_connector_pin(ServerCtx *ctx, const SlConnectorPinRequest *in, SlConnectorResponse **ret,
                     GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    gint64 n = 0;
    if (!server_definition_load(ctx, NULL, in->definition_id, -1, &row, error) ||
        !sl_sql_definition_pin(ctx->tx, row->definition_id, in->pinned, ctx->now, &n, error))
        return FALSE;
    if (n == 0)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "connector '%s' comes with Sluice and changes with its package",
                            row->name);
    sl_definition_set_pinned(row, in->pinned);
    *ret = make_connector(row);
    return TRUE;
}

/* Runs the connector once, before there is a definition. *ret_spec NULL and TRUE: not yet. */
static gboolean
ask_for_spec(ServerCtx *ctx, const SlConnectorRegisterRequest *in, const char *definition_id,
             char **ret_spec, GError **error)
{
    g_autoptr(SlJobInput) input = sl_job_input_new();
    g_autoptr(GPtrArray) workspaces = NULL;
    g_autoptr(SlJob) job = NULL;
    static const char *const none[] = {NULL};
    sl_job_input_set_actor_type(input, in->actor_type);
    input->launch = sl_workload_launch_new();
    input->launch->runtime = g_strdup(in->runtime);
    input->launch->command = g_strdupv(in->command);
    input->launch->tree = g_strdup(in->tree);
    g_autofree char *text = sl_record_print(&sl_job_input_record, input, 0);
    /* A job belongs to a workspace; a connector to the host. */
    if (!sl_sql_workspace_list(ctx->tx, none, FALSE, 1, 0, &workspaces, error))
        return FALSE;
    if (workspaces->len == 0)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "there is no workspace in which the connector could be run");
    const SlWorkspace *workspace = workspaces->pdata[0];
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_GET_SPEC,
                            .scope = definition_id,
                            .workspace_id = workspace->workspace_id,
                            .input = text};
    if (!server_job_await(ctx, &request, ctx->now, &job, error))
        return FALSE;
    if (job == NULL)
        return TRUE;
    *ret_spec = server_job_output(job, "spec");
    g_autofree char *why = server_job_failure(job);
    return *ret_spec != NULL || sl_error_set(error, SL_ERROR_UNPROCESSABLE,
                                             "the connector gave no specification: %s", why);
}

static gboolean
check_spec(const char *spec, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(spec, strlen(spec), NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *inner = sl_json_get(doc, sl_json_root(doc), "connectionSpecification");
    return (inner != NULL && inner->type == SL_JSON_OBJECT) ||
           sl_error_set(error, SL_ERROR_INVALID,
                        "spec.connectionSpecification: is required, and an object");
}

static gboolean
save(ServerCtx *ctx, const SlConnectorRegisterRequest *in, const char *definition_id,
     const char *spec, SlDefinition **ret, GError **error)
{
    static const char *const none[] = {NULL};
    g_autofree char *command = sl_json_print_strings((const char *const *)in->command);
    g_autofree char *base = g_path_get_basename(in->command[0]);
    g_autofree char *hosts = in->allowed_hosts != NULL
                                 ? sl_json_print_strings((const char *const *)in->allowed_hosts)
                                 : NULL;
    const char *repository = in->docker_repository != NULL ? in->docker_repository : base;
    return sl_sql_definition_save(
        ctx->tx, definition_id, in->name, sl_enum_name(&sl_actor_type_enum, in->actor_type),
        in->runtime, command, in->tree != NULL ? in->tree : "", repository,
        in->docker_image_tag != NULL ? in->docker_image_tag : "",
        in->documentation_url != NULL ? in->documentation_url : "",
        in->aliases != NULL ? (const char *const *)in->aliases : none, spec, in->supports_refreshes,
        in->limits != NULL ? in->limits : "{}",
        in->connector_ipcoptions != NULL ? in->connector_ipcoptions : "{}",
        in->kit_version != NULL ? in->kit_version : "", hosts, ctx->now, ret, error);
}

/* What the connector says, or its manifest. *ret_spec NULL and TRUE: not yet. */
static gboolean
find_spec(ServerCtx *ctx, const SlConnectorRegisterRequest *in, const char *definition_id,
          char **ret_spec, GError **error)
{
    if (strcmp(in->runtime, SERVER_MANIFEST_RUNTIME) == 0)
        return server_manifest_judge(ctx, in, ret_spec, error);
    if (in->manifest != NULL || in->components != NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%s: is of the runtime 'manifest', not of '%s'",
                            in->manifest != NULL ? "manifest" : "components", in->runtime);
    if (in->spec == NULL)
        return ask_for_spec(ctx, in, definition_id, ret_spec, error);
    *ret_spec = g_strdup(in->spec);
    return TRUE;
}

gboolean
server_connector_register(ServerCtx *ctx, const SlConnectorRegisterRequest *in,
                          SlConnectorResponse **ret, GError **error)
{
    g_autoptr(SlDefinition) row = NULL;
    g_autofree char *new_id = in->definition_id == NULL ? sl_id_new() : NULL;
    g_autofree char *spec = NULL;
    const char *id = in->definition_id != NULL ? in->definition_id : new_id;

    if (in->command == NULL || in->command[0] == NULL || in->command[0][0] == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "command: must name the connector");
    if (!find_spec(ctx, in, id, &spec, error))
        return FALSE;
    if (spec == NULL)
        return TRUE;
    if (!check_spec(spec, error) || !save(ctx, in, id, spec, &row, error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_CONFLICT,
                            "definitionId: '%s' comes with Sluice, or is of the other type", id);
    if (!server_manifest_keep(ctx, in, row, error))
        return FALSE;
    *ret = make_connector(row);
    return TRUE;
}
