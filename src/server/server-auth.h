/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

#define SERVER_TOKEN_SECONDS 900

/* Who is it, by token or by socket? SL_ERROR_UNAUTHENTICATED for a token that is not good; no token
 * and no known peer is SERVER_ROLE_ANONYMOUS. */
gboolean server_auth_role(const Server *server, const SlHttpRequest *request, gint64 now,
                          ServerRole *ret, GError **error);

/* A JWT (RFC 7519, HS256) for `subject`, good for SERVER_TOKEN_SECONDS. */
char *server_token_make(const Server *server, const char *subject, gint64 now);

/* Signature, issuer, audience and time. */
gboolean server_token_check(const Server *server, const char *token, gint64 now, GError **error);

/* How client secrets rest in the database: they are random and long, so that a plain hash does. */
char *server_secret_hash(const char *secret);
gboolean server_secret_matches(const char *secret, const char *hash); /* in constant time */
