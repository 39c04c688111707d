/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "config-cron.h"
#include "server-routes.h"
#include "server-schedule.h"
#include "server-session.h"
#include "server-user.h"
#include "sl-cron.h"
#include "sl-error.h"
#include "sl-sql.h"

#define EXECUTIONS 3

gboolean
server_config_instance_get(ServerCtx *ctx, gconstpointer in, SlConfigInstance **ret, GError **error)
{
    g_autoptr(SlConfigInstanceRow) row = NULL;
    gboolean complete = FALSE;
    if (!sl_sql_instance_get(ctx->tx, &row, error) ||
        !server_setup_is_complete(ctx, &complete, error))
        return FALSE;
    if (row == NULL)
        return sl_error_set(error, SL_ERROR_UNAVAILABLE, "there is no organization yet");
    SlConfigInstance *instance = *ret = sl_config_instance_new();
    sl_config_instance_set_edition(instance, SL_CONFIG_INSTANCE_EDITION_COMMUNITY);
    instance->version = g_strdup(PACKAGE_VERSION);
    instance->auth = sl_config_instance_auth_new();
    sl_config_instance_auth_set_mode(instance->auth, SL_CONFIG_INSTANCE_AUTH_MODE_SIMPLE);
    instance->airbyte_url = g_strdup(ctx->server->public_url);
    sl_config_instance_set_initial_setup_complete(instance, complete);
    instance->default_user_id = g_strdup(SERVER_DEFAULT_USER);
    instance->default_organization_id = g_strdup(row->organization_id);
    instance->default_organization_email = g_strdup(row->email != NULL ? row->email : "");
    instance->default_workspace_id = g_strdup(row->workspace_id);
    sl_config_instance_set_tracking_strategy(instance,
                                             SL_CONFIG_INSTANCE_TRACKING_STRATEGY_LOGGING);
    return TRUE;
}

/* Whether the setup is complete is not for the caller to say: it is when somebody can log in. */
gboolean
server_config_instance_setup(ServerCtx *ctx, const SlConfigInstanceSetup *in,
                             SlConfigInstance **ret, GError **error)
{
    g_autoptr(SlAccount) other = NULL;
    if (!server_user_check_email(in->email, error) ||
        !sl_sql_account_get_by_email(ctx->tx, in->email, &other, error))
        return FALSE;
    if (other != NULL && strcmp(other->user_id, SERVER_DEFAULT_USER) != 0)
        return sl_error_set(error, SL_ERROR_CONFLICT, "email: '%s' is somebody else's", in->email);
    return sl_sql_instance_setup(ctx->tx, SERVER_DEFAULT_USER, in->email, in->user_name,
                                 in->organization_name, ctx->now, NULL, error) &&
           server_config_instance_get(ctx, NULL, ret, error);
}

gboolean
server_config_deployment_metadata(ServerCtx *ctx, gconstpointer in, SlConfigDeployment **ret,
                                  GError **error)
{
    g_autofree char *id = NULL;
    if (!sl_sql_instance_id(ctx->tx, &id, error))
        return FALSE;
    *ret = sl_config_deployment_new();
    (*ret)->id = g_steal_pointer(&id);
    (*ret)->mode = g_strdup("OSS");
    (*ret)->version = g_strdup(PACKAGE_VERSION);
    return TRUE;
}

gboolean
server_config_openapi(ServerCtx *ctx, gconstpointer in, char **ret, GError **error)
{
    return server_openapi_get(ctx, in, ret, error);
}

gboolean
server_config_workspace_state(ServerCtx *ctx, const SlConfigWorkspaceIdRequest *in,
                              SlConfigWorkspaceState **ret, GError **error)
{
    return sl_sql_workspace_contents(ctx->tx, in->workspace_id, ret, error);
}

/* Connectors come with packages and sluicectl; nobody here knows of newer ones. */
gboolean
server_config_check_updates(ServerCtx *ctx, gconstpointer in, SlConfigUpdates **ret, GError **error)
{
    *ret = sl_config_updates_new();
    sl_config_updates_set_source_definitions(*ret, 0);
    sl_config_updates_set_destination_definitions(*ret, 0);
    return TRUE;
}

gboolean
server_config_describe_cron(ServerCtx *ctx, const SlConfigCronRequest *in, SlConfigCron **ret,
                            GError **error)
{
    g_auto(ServerSchedule) schedule = {0};
    if (!server_schedule_parse_cron(in->cron_expression, in->cron_time_zone, NULL, &schedule,
                                    error))
        return FALSE;
    g_autoptr(SlCron) cron = sl_cron_parse(schedule.cron, schedule.zone, error);
    g_autoptr(GString) times = g_string_new("[");
    if (cron == NULL)
        return FALSE;
    gint64 at = ctx->now;
    for (guint i = 0; i < EXECUTIONS && (at = sl_cron_next(cron, at)) != 0; i++)
        g_string_append_printf(times, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", at / G_USEC_PER_SEC);
    g_string_append_c(times, ']');
    *ret = sl_config_cron_new();
    (*ret)->cron_expression = g_strdup(in->cron_expression);
    (*ret)->description = config_cron_describe(schedule.cron);
    (*ret)->next_executions = g_string_free(g_steal_pointer(&times), FALSE);
    return TRUE;
}
