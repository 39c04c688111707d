/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"

/* What one connection has of its own of sluice.conf's [Scheduler] (connection.policy): retries,
 * warnings, missed runs. */

/* The host's settings with the connection's own over them. A name that nobody knows, or a value
 * that is none any more, is told to the journal and left out: what a newer version has written must
 * not stop an older one. */
SlConfig *sl_policy_apply(const SlConfig *host, const char *properties);

/* The same of a connection; the host's alone when there is no such connection. */
SlConfig *sl_policy_load(SlTx *tx, const SlConfig *host, const char *connection_id, GError **error);

/* `changes` over `properties`: an object of texts, numbers and switches; null takes a name away.
 * The result has each value as sluice.conf would. SL_ERROR_INVALID names what is wrong, also when
 * the values do not fit together over the host's. */
char *sl_policy_merge(const SlConfig *host, const char *properties, const char *changes,
                      GError **error);
