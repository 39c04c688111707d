/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Who says the caller to be, by token or by socket? SL_ERROR_UNAUTHENTICATED for a token that is
 * not good; no token and no known peer leave ret->user_id NULL. Needs no database. */
gboolean server_auth_identify(const Server *server, const SlHttpRequest *request, gint64 now,
                              ServerCaller *ret, GError **error);

/* Is it still so, and what may the caller do? SL_ERROR_UNAUTHENTICATED when the account, the
 * application or the session of the token is gone. */
gboolean server_auth_load(ServerCtx *ctx, GError **error);

/* Takes out the row that stands for "no permissions". */
void server_permissions_tidy(GPtrArray *permissions);

void server_caller_clear(ServerCaller *caller);

/* A JWT (RFC 7519, HS256) for a user, good for so long, as long as the application (may be NULL)
 * and the session (may be NULL) are there. */
char *server_token_make(const Server *server, const char *user_id, const char *application_id,
                        const char *session_id, gint64 now, gint64 usec);

/* Signature, issuer, audience and time; fills ids of `ret`. */
gboolean server_token_check(const Server *server, const char *token, gint64 now, ServerCaller *ret,
                            GError **error);

/* How client secrets rest in the database: they are random and long, so that a plain hash does. */
char *server_secret_hash(const char *secret);
gboolean server_secret_matches(const char *secret, const char *hash); /* in constant time */
