/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-rotate.h"

/* The master key as it rests on this host: a file that only root reads, sealed by systemd-creds(1)
 * with the host's key, and beside it the id of a rotation's key. */
#define CTL_CREDS_FOLDER "/etc/credstore.encrypted"
#define CTL_CREDS_NAME "sluice-master-key"

/* A lock that ends with the process; -1 with SL_ERROR_BUSY when another one has it. */
int ctl_creds_lock(GError **error);

GBytes *ctl_creds_load(char **ret_pending, GError **error);
gboolean ctl_creds_store_ring(GBytes *ring, GError **error);
gboolean ctl_creds_store_pending(const char *id, GError **error);

/* Starts all services anew that have been given the credential, and waits until each of them is
 * gone or another process. */
gboolean ctl_creds_restart_holders(GError **error);
