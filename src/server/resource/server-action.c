/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-problem.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-event.h"
#include "sl-json-write.h"
#include "sl-post-sync.h"
#include "sl-sql.h"

/* What a connection starts when a sync or refresh has ended: an address that is called, or a unit
 * of this host, of those that the administrator has listed. Judged here so that what is accepted
 * happens, and again by the launcher, which alone can start one. */

static gboolean
is_address(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : NULL;
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    return scheme != NULL && host != NULL && *host != '\0' &&
           (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

static gboolean
check(const ServerCtx *ctx, const char *member, const char *text, GError **error)
{
    if (text == NULL || *text == '\0' || is_address(text))
        return TRUE;
    if (!sl_post_sync_is_unit(text))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%s: '%s' is neither an address (https://…) nor a unit (NAME.service, "
                            "NAME.target, NAME@.service)",
                            member, text);
    const char *globs = ctx->server->post_sync_units;
    g_autoptr(GError) reason = NULL;
    /* Who edits connections is not who says what this host starts: a wrong value, not a door. */
    return sl_post_sync_check(globs != NULL ? globs : "", text, &reason) ||
           sl_error_set(error, SL_ERROR_INVALID, "%s: %s", member, reason->message);
}

static gboolean
load(ServerCtx *ctx, const char *connection_id, SlConnectionActions **ret, GError **error)
{
    return sl_sql_connection_get_actions(ctx->tx, connection_id, ret, error) &&
           (*ret != NULL || server_not_found(error, "connection", connection_id));
}

gboolean
server_action_get(ServerCtx *ctx, const SlConnectionIdRequest *in, SlConnectionActions **ret,
                  GError **error)
{
    return load(ctx, in->connection_id, ret, error);
}

static gboolean
write_patch(SlJsonWriter *w, const char *member, const char *from, const char *to)
{
    if (strcmp(from, to) == 0)
        return FALSE;
    sl_json_key(w, member);
    sl_json_begin_object(w);
    sl_json_member_string(w, "from", from);
    sl_json_member_string(w, "to", to);
    sl_json_end_object(w);
    return TRUE;
}

/* The timeline says who has changed what is started. */
static gboolean
tell(ServerCtx *ctx, const SlConnectionActions *old, const SlConnectionActions *new, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "patches");
    sl_json_begin_object(&w);
    gboolean one = write_patch(&w, "onSyncSuccess", old->on_sync_success, new->on_sync_success);
    gboolean two = write_patch(&w, "onSyncFailure", old->on_sync_failure, new->on_sync_failure);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return !(one || two) || sl_event_add(ctx->tx, new->connection_id, SL_EVENT_TYPE_SETTINGS_UPDATE,
                                         out->str, ctx->now, error);
}

gboolean
server_action_update(ServerCtx *ctx, const SlConnectionActionsUpdate *in, SlConnectionActions **ret,
                     GError **error)
{
    g_autoptr(SlConnectionActions) old = NULL;
    return check(ctx, "onSyncSuccess", in->on_sync_success, error) &&
           check(ctx, "onSyncFailure", in->on_sync_failure, error) &&
           load(ctx, in->connection_id, &old, error) &&
           sl_sql_connection_set_actions(ctx->tx, in->connection_id, in->on_sync_success,
                                         in->on_sync_failure, NULL, error) &&
           load(ctx, in->connection_id, ret, error) && tell(ctx, old, *ret, error);
}
