/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-record.h"
#include "sl-seal.h"

/* Secrets of configurations. A value that the connector's specification marks with airbyte_secret
 * is sealed into a row of its own, and a reference stands in its place: {"_secret": "ID"}. A
 * configuration at rest, in an input, in a log holds references only. */

/* Pure part: walks `config` along `spec` (a connectionSpecification: properties,
 * patternProperties, additionalProperties, items, oneOf, anyOf, allOf, then, else, $ref to a
 * pointer, at any depth; in a marked object or array every scalar is a secret) and replaces
 * secrets. For each one `put` gives the reference's id (to be freed) for a new plain value. A value
 * equal to SL_MASK keeps the reference that `old_config` (may be NULL) has at the same path;
 * without one it is an error (SL_ERROR_INVALID, names the path). Where a member that is constant in
 * a branch of the specification has another value than in `old_config`, the old object's secrets
 * are not kept. A reference that is already there stays. All configurations are JSON objects. */
typedef char *(*SlSecretPut)(const char *plain, gpointer data, GError **error);
char *sl_secret_split(const char *config, const char *spec, const char *old_config, SlSecretPut put,
                      gpointer data, GError **error);

/* References become SL_MASK. NULL only for text that is not JSON. */
char *sl_secret_mask(const char *config, GError **error);

/* The ids of all references in a configuration, NULL-terminated. */
char **sl_secret_list(const char *config, GError **error);

/* Where the references stand: a JSON array of paths, each an array of member names; "*" is any
 * element of an array. */
char *sl_secret_paths(const char *config, GError **error);

/* References become what `get` gives for their id (to be freed). */
typedef char *(*SlSecretGet)(const char *secret_id, gpointer data, GError **error);
char *sl_secret_fill(const char *config, SlSecretGet get, gpointer data, GError **error);

/* The connectionSpecification of a ConnectorSpecification, to be freed: what `spec` is below. */
char *sl_secret_connection_spec(const char *connector_spec, GError **error);

/* With the database: seals one value for an actor or a connection (the other is NULL), and gives
 * the id to refer to it by. */
char *sl_secret_put(SlTx *tx, const SlSealKey *key, const char *workspace_id, const char *actor_id,
                    const char *connection_id, const char *plain, gint64 now, GError **error);

/* The configuration to store for an actor, its new secrets sealed and written,
 * those no longer referred to deleted. actor_id NULL: the new ones are nobody's yet, and the caller
 * gives them to a job (secret_give_to_job). */
char *sl_secret_store(SlTx *tx, const SlSealKey *key, const char *workspace_id,
                      const char *actor_id, const char *config, const char *spec,
                      const char *old_config, gint64 now, GError **error);

/* The configuration with its secrets in clear, for the holder of a workload. SL_ERROR_NOT_FOUND for
 * a lost secret. */
char *sl_secret_resolve(SlTx *tx, const SlSealKey *key, const char *config, GError **error);

/* Waits until every transaction that has sealed something has ended, even one of a process that is
 * gone: who begins to write after this call has seen what the caller did before it. */
gboolean sl_secret_wait_for_writers(SlDb *db, GError **error);

/* Seals up to `limit` rows anew that were sealed with one of the ring's older keys. In the caller's
 * transaction: what it does not commit is as it was, and the next call goes on. *ret_done 0:
 * nothing is left but what was sealed with keys that the ring does not have (sl_secret_count()).
 * SL_ERROR_FAILED names a row that its key does not open. */
gboolean sl_secret_reseal(SlTx *tx, const SlSealKey *key, guint limit, guint *ret_done,
                          GError **error);

/* The same for applications' secrets, which carry no key id: each is tried. Looks at up to `limit`
 * rows after *after (NULL: from the start; replaced, to be freed), which is NULL when there are no
 * more. Adds to *ret_done what was sealed anew, to *ret_lost what no key opens: such a row stays as
 * it is, because the application goes on working by its hash. */
gboolean sl_secret_reseal_applications(SlTx *tx, const SlSealKey *key, guint limit, char **after,
                                       guint *ret_done, guint *ret_lost, GError **error);

/* How many rows the ring's first key has sealed, how many one of its older keys, and how many no
 * key of the ring opens. */
typedef struct {
    gint64 current, older, lost;
} SlSecretCount;
gboolean sl_secret_count(SlTx *tx, const SlSealKey *key, SlSecretCount *ret_secrets,
                         SlSecretCount *ret_applications, GError **error);
