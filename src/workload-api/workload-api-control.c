/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "workload-api-control.h"

#include <string.h>

#include "sl-error.h"
#include "sl-secret.h"
#include "sl-sql.h"

#define CONFIG "config"

/* Gives what rests in the row now; NULL: an edit that came between stays. */
static gboolean
store_config(const WorkloadApiCall *call, const char *actor_id, const char *before,
             const char *config, char **ret_stored, GError **error)
{
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    gint64 replaced = 0;
    if (!sl_sql_actor_get(call->tx, actor_id, &actor, error))
        return FALSE;
    if (actor == NULL || strcmp(actor->configuration, before) != 0) {
        g_warning("The configuration of '%s' was edited while it ran: the connector's own new "
                  "configuration is dropped, ignoring",
                  actor_id);
        return TRUE;
    }
    if (!sl_sql_definition_get(call->tx, actor->definition_id, &definition, error))
        return FALSE;
    g_autofree char *spec =
        definition != NULL ? sl_secret_connection_spec(definition->spec, error) : g_strdup("{}");
    if (spec == NULL)
        return FALSE;
    if (call->key == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "the credential 'sluice-master-key' is missing: a connector's new "
                            "configuration cannot be stored");
    *ret_stored = sl_secret_store(call->tx, call->key, actor->workspace_id, actor_id, config, spec,
                                  actor->configuration, call->now, error);
    return *ret_stored != NULL &&
           sl_sql_actor_replace_configuration(call->tx, actor_id, before, *ret_stored, call->now,
                                              &replaced, error);
}

/* The connector has sent what it was given, or what is stored already. */
static gboolean
is_known(const WorkloadApiCall *call, const char *before, const char *config)
{
    g_autofree char *plain =
        call->key != NULL ? sl_secret_resolve(call->tx, call->key, before, NULL) : NULL;
    return plain != NULL && strcmp(plain, config) == 0;
}

/* *input is what the worker stored: it says whose configuration this is, and what it was. It is
 * replaced when that changes. */
static gboolean
apply_role(const WorkloadApiCall *call, char **input, const char *role, const SlJsonNode *config,
           GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(*input, strlen(*input), NULL, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *side = sl_json_get(doc, sl_json_root(doc), role);
    const SlJsonNode *id = side != NULL ? sl_json_get(doc, side, "actorId") : NULL;
    const SlJsonNode *before = side != NULL ? sl_json_get(doc, side, "configuration") : NULL;
    if (config == NULL || config->type != SL_JSON_OBJECT || id == NULL || before == NULL)
        return TRUE;
    g_autofree char *actor_id = sl_json_dup_string(id);
    g_autofree char *before_text = sl_json_dup_span(before);
    g_autofree char *config_text = sl_json_dup_span(config);
    g_autofree char *stored = NULL;
    if (is_known(call, before_text, config_text))
        return TRUE;
    if (!store_config(call, actor_id, before_text, config_text, &stored, error))
        return FALSE;
    if (stored == NULL)
        return TRUE;
    g_autoptr(GString) text = g_string_new_len(*input, before->p - *input);
    g_string_append(text, stored);
    g_string_append(text, before->p + before->n);
    g_free(*input);
    *input = g_strdup(text->str);
    return sl_sql_workload_set_input(call->tx, call->workload_id, call->token, *input, call->now,
                                     NULL, error) &&
           sl_sql_attempt_mark_configuration(call->tx, call->workload_id, NULL, error);
}

static gboolean
apply(const WorkloadApiCall *call, const SlJsonDoc *doc, const SlJsonNode *config, GError **error)
{
    g_autofree char *input = NULL;
    if (!sl_sql_workload_input(call->tx, call->workload_id, call->token, &input, error))
        return FALSE;
    if (input == NULL)
        return TRUE; /* a late holder: finishing refuses it, or knows this report already */
    return apply_role(call, &input, "source", sl_json_get(doc, config, "source"), error) &&
           apply_role(call, &input, "destination", sl_json_get(doc, config, "destination"), error);
}

gboolean
workload_api_control_store(const WorkloadApiCall *call, const char *configurations, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(configurations, strlen(configurations), NULL, error);
    if (doc == NULL)
        return FALSE;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "config: expected object");
    return apply(call, doc, sl_json_root(doc), error);
}

static char *
without_config(const SlJsonDoc *doc)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *name = sl_json_dup_string(key);
        if (strcmp(name, CONFIG) == 0)
            continue;
        sl_json_key(&w, name);
        sl_json_node(&w, key + 1);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

gboolean
workload_api_control_apply(const WorkloadApiCall *call, const char *output, char **ret_output,
                           GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(output, strlen(output), NULL, error);
    if (doc == NULL)
        return FALSE;
    if (sl_json_root(doc)->type != SL_JSON_OBJECT)
        return sl_error_set(error, SL_ERROR_INVALID, "output: expected object");
    const SlJsonNode *config = sl_json_get(doc, sl_json_root(doc), CONFIG);
    *ret_output = without_config(doc);
    return config == NULL || apply(call, doc, config, error);
}
