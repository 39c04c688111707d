/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Logins: by password, by a browser's cookies, by the link that sets a password. */

#define SERVER_COOKIE_ACCESS "JWT"
#define SERVER_COOKIE_REFRESH "JWT_REFRESH_TOKEN"

/* The account that e-mail and password belong to. SL_ERROR_UNAUTHENTICATED, and nothing tells
 * whether there is such an account; SL_ERROR_THROTTLED after too many failures. With ctx->waiting:
 * not yet, return TRUE. */
gboolean server_session_login_check(ServerCtx *ctx, const char *email, const char *password,
                                    SlAccount **ret, GError **error);

/* For what a browser sends by itself: did one of our pages ask? SL_ERROR_FORBIDDEN. */
gboolean server_session_check_origin(const Server *server, const SlHttpRequest *request,
                                     GError **error);

/* A cookie of the request; NULL: not there. */
char *server_session_dup_cookie(const SlHttpRequest *request, const char *name);

/* A refresh token changes with each use. The one before the current stays good for GRACE: two tabs
 * use it at once, or a reload of the page throws the answer away that had the new one. */
#define SERVER_SESSION_GRACE_USEC (10 * (gint64)G_USEC_PER_SEC)

typedef enum {
    SERVER_REFRESH_CURRENT,
    SERVER_REFRESH_GRACE, /* the one before, in time */
    SERVER_REFRESH_USED,  /* an old or a foreign one: somebody else has the session too */
} ServerRefresh;

ServerRefresh server_session_judge(const SlSession *session, const char *secret, gint64 now);

/* What follows a secret is made of it and of our key, so that whoever comes with the same one again
 * gets the same successor again. */
char *server_session_next_secret(const Server *server, const SlSession *session,
                                 const char *secret);

/* Sets e-mail (may be NULL: as it is), name (may be NULL) and password of the account that the
 * one-time link is for. With ctx->waiting: not yet, return TRUE. */
gboolean server_setup_finish(ServerCtx *ctx, const char *token, const char *email, const char *name,
                             const char *password, SlAccount **ret, GError **error);

/* Has anybody set a password? */
gboolean server_setup_is_complete(ServerCtx *ctx, gboolean *ret, GError **error);
