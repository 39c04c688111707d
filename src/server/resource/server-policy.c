/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-problem.h"
#include "server-routes.h"
#include "sl-config.h"
#include "sl-event.h"
#include "sl-json-read.h"
#include "sl-json-write.h"
#include "sl-policy.h"
#include "sl-sql.h"

/* What a connection has of its own of the host's [Scheduler]. */

/* A copy, to be freed: the defaults where nobody has given settings. */
static SlConfig *
host_settings(const ServerCtx *ctx)
{
    return ctx->server->config != NULL ? sl_config_copy(ctx->server->config) : sl_config_new();
}

static char *
print_host(const SlConfig *host)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (const char *const *name = sl_config_own_keys(); *name != NULL; name++) {
        g_autofree char *text = sl_config_get_own(host, *name);
        sl_json_member_string(&w, *name, text);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static SlConnectionPolicyRead *
make_read(const char *connection_id, const char *properties, const SlConfig *host)
{
    SlConnectionPolicyRead *read = sl_connection_policy_read_new();
    read->connection_id = g_strdup(connection_id);
    read->properties = g_strdup(properties);
    read->host = print_host(host);
    return read;
}

gboolean
server_policy_get(ServerCtx *ctx, const SlConnectionIdRequest *in, SlConnectionPolicyRead **ret,
                  GError **error)
{
    g_autoptr(SlConnectionPolicy) policy = NULL;
    g_autoptr(SlConfig) host = host_settings(ctx);
    if (!sl_sql_connection_get_policy(ctx->tx, in->connection_id, &policy, error))
        return FALSE;
    if (policy == NULL)
        return server_not_found(error, "connection", in->connection_id);
    *ret = make_read(in->connection_id, policy->properties, host);
    return TRUE;
}

/* {"RetryCompleteTotal": {"from": "", "to": "3"}}; "" is the host's. NULL: nothing has changed. */
static char *
compare(const char *before, const char *after)
{
    guint n = 0;
    g_autoptr(SlJsonDoc) old = sl_json_read(before, strlen(before), NULL, NULL);
    g_autoptr(SlJsonDoc) new = sl_json_read(after, strlen(after), NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (old == NULL || new == NULL)
        return NULL;
    sl_json_begin_object(&w);
    sl_json_key(&w, "patches");
    sl_json_begin_object(&w);
    for (const char *const *name = sl_config_own_keys(); *name != NULL; name++) {
        const SlJsonNode *from = sl_json_get(old, sl_json_root(old), *name);
        const SlJsonNode *to = sl_json_get(new, sl_json_root(new), *name);
        g_autofree char *was = from != NULL ? sl_json_dup_string(from) : NULL;
        g_autofree char *is = to != NULL ? sl_json_dup_string(to) : NULL;
        if (g_strcmp0(was, is) == 0)
            continue;
        n++;
        sl_json_key(&w, *name);
        sl_json_begin_object(&w);
        sl_json_member_string(&w, "from", was != NULL ? was : "");
        sl_json_member_string(&w, "to", is != NULL ? is : "");
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return n > 0 ? g_strdup(out->str) : NULL;
}

gboolean
server_policy_update(ServerCtx *ctx, const SlConnectionPolicyUpdate *in,
                     SlConnectionPolicyRead **ret, GError **error)
{
    g_autoptr(SlConnectionPolicy) policy = NULL;
    g_autoptr(SlConfig) host = host_settings(ctx);
    if (!sl_sql_connection_lock_policy(ctx->tx, in->connection_id, &policy, error))
        return FALSE;
    if (policy == NULL)
        return server_not_found(error, "connection", in->connection_id);
    g_autofree char *after = sl_policy_merge(host, policy->properties, in->properties, error);
    if (after == NULL)
        return FALSE;
    g_autofree char *summary = compare(policy->properties, after);
    *ret = make_read(in->connection_id, after, host);
    return summary == NULL ||
           (sl_sql_connection_set_policy(ctx->tx, in->connection_id, after, NULL, error) &&
            sl_event_add(ctx->tx, in->connection_id, SL_EVENT_TYPE_SETTINGS_UPDATE, summary,
                         ctx->now, error));
}
