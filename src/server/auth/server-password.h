/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Passwords rest as argon2id hashes (libsodium, PHC strings). Making one costs memory and time on
 * purpose, so that it happens on a thread of its own, one after the other: a request that needs one
 * is parked meanwhile, and holds neither a thread nor a connection to the database. */

typedef struct ServerHasher ServerHasher;

/* `memory`: bytes of one hash; 0: what OWASP asks for. `done` is called from the hasher's thread
 * with the key that requests are parked under. SL_ERROR_FAILED: the library does not start. */
ServerHasher *server_hasher_new(gsize memory, void (*done)(const char *key, gpointer data),
                                gpointer data, GError **error);
void server_hasher_free(ServerHasher *hasher); /* waits for the hash that is being made */

/* Both must be asked again with the same texts when they have set ctx->waiting: then return TRUE.
 * SL_ERROR_BUSY: too many wait already. */
gboolean server_password_hash(ServerCtx *ctx, const char *password, char **ret, GError **error);
gboolean server_password_verify(ServerCtx *ctx, const char *password, const char *hash,
                                gboolean *ret, GError **error);

/* Was it found right a short time ago, or is it being looked at for this request? */
gboolean server_password_is_known(const ServerCtx *ctx, const char *password, const char *hash);

/* Made with another cost than new ones are. */
gboolean server_password_is_old(const ServerCtx *ctx, const char *hash);
