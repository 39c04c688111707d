/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "config-definition.h"
#include "config-job.h"
#include "server-actor.h"
#include "server-routes.h"
#include "server-spec.h"
#include "sl-error.h"

/* Specifications and versions of connectors. One version of a connector is installed: there is
 * nothing to override, and what is there is supported. */

static int
kind_of(const ServerCtx *ctx)
{
    return ctx->operation->kind == SERVER_KIND_SOURCE ? SL_ACTOR_TYPE_SOURCE
                                                      : SL_ACTOR_TYPE_DESTINATION;
}

static char **
list_member(const SlJsonDoc *doc, const char *name)
{
    const SlJsonNode *list = sl_json_get(doc, sl_json_root(doc), name);
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return NULL;
    SL_JSON_FOREACH (doc, list, item) {
        char *text = sl_json_dup_string(item);
        if (text != NULL)
            g_ptr_array_add(texts, text);
    }
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

/* Of a source or a destination: one layout. advancedAuth is left out: there is no OAuth here, and
 * a page would offer it. */
static gboolean
give_specification(ServerCtx *ctx, const SlDefinition *definition, gpointer *ret, GError **error)
{
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(definition->spec, strlen(definition->spec), NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *url = sl_json_get(doc, sl_json_root(doc), "documentationUrl");
    SlConfigSourceSpecification *spec = *ret = sl_record_new(ctx->operation->out_record);
    spec->definition_id = g_strdup(definition->definition_id);
    spec->documentation_url = url != NULL ? sl_json_dup_string(url) : NULL;
    if (spec->documentation_url == NULL)
        spec->documentation_url = g_strdup(definition->documentation_url);
    spec->connection_specification = server_spec_connection(definition->spec);
    sl_config_source_specification_set_advanced_auth_global_credentials_available(spec, FALSE);
    if (definition->actor_type == SL_ACTOR_TYPE_DESTINATION)
        spec->supported_destination_sync_modes =
            list_member(doc, "supported_destination_sync_modes");
    spec->job_info = config_job_none(ctx, "get_spec");
    return TRUE;
}

gboolean
server_config_specification_get(ServerCtx *ctx, const SlConfigSourceDefinitionRequest *in,
                                gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    return config_definition_load(ctx, in->workspace_id, in->definition_id, kind_of(ctx),
                                  &definition, error) &&
           give_specification(ctx, definition, ret, error);
}

gboolean
server_config_specification_get_for_actor(ServerCtx *ctx, const SlConfigSourceIdRequest *in,
                                          gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    return server_actor_load(ctx, in->actor_id, kind_of(ctx), NULL, &definition, error) &&
           give_specification(ctx, definition, ret, error);
}

/* --- versions ----------------------------------------------------------------------------------
 */

SlConfigDefinitionVersion *
config_definition_version(const SlDefinition *definition)
{
    SlConfigDefinitionVersion *version = sl_config_definition_version_new();
    version->docker_repository = g_strdup(definition->docker_repository);
    version->docker_image_tag = g_strdup(definition->docker_image_tag);
    sl_config_definition_version_set_supports_refreshes(version, definition->supports_refreshes);
    sl_config_definition_version_set_is_version_override_applied(version, FALSE);
    version->support_state = g_strdup("supported");
    sl_config_definition_version_set_supports_file_transfer(version, FALSE);
    sl_config_definition_version_set_supports_data_activation(version, FALSE);
    version->support_level = g_strdup(config_definition_support_level(definition));
    return version;
}

gboolean
server_config_version_get_for_actor(ServerCtx *ctx, const SlConfigSourceIdRequest *in,
                                    gpointer *ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    if (!server_actor_load(ctx, in->actor_id, kind_of(ctx), NULL, &definition, error))
        return FALSE;
    *ret = config_definition_version(definition);
    return TRUE;
}

gboolean
server_config_version_get_default(ServerCtx *ctx, const SlConfigVersionRequest *in,
                                  SlConfigDefinitionVersion **ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    if (!config_definition_load(ctx, NULL, in->actor_definition_id, -1, &definition, error))
        return FALSE;
    *ret = config_definition_version(definition);
    return TRUE;
}

/* The same connector and tag have the same id, here and tomorrow. */
static char *
version_id(const SlDefinition *definition)
{
    g_autofree char *text =
        g_strconcat(definition->definition_id, "\x1f", definition->docker_image_tag, NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    return g_strdup_printf("%.8s-%.4s-5%.3s-8%.3s-%.12s", sum, sum + 8, sum + 12, sum + 15,
                           sum + 18);
}

gboolean
server_config_version_resolve(ServerCtx *ctx, const SlConfigVersionResolveRequest *in,
                              SlConfigResolvedVersion **ret, GError **error)
{
    g_autoptr(SlDefinition) definition = NULL;
    if (!config_definition_load(ctx, NULL, in->actor_definition_id, in->actor_type, &definition,
                                error))
        return FALSE;
    if (strcmp(in->docker_image_tag, definition->docker_image_tag) != 0)
        return sl_error_set(error, SL_ERROR_NOT_FOUND,
                            "version '%s' of '%s' is not installed, '%s' is", in->docker_image_tag,
                            definition->name, definition->docker_image_tag);
    SlConfigResolvedVersion *version = *ret = sl_config_resolved_version_new();
    version->version_id = version_id(definition);
    version->docker_repository = g_strdup(definition->docker_repository);
    version->docker_image_tag = g_strdup(definition->docker_image_tag);
    sl_config_resolved_version_set_support_refreshes(version, definition->supports_refreshes);
    sl_config_resolved_version_set_support_file_transfer(version, FALSE);
    sl_config_resolved_version_set_support_data_activation(version, FALSE);
    return TRUE;
}
