/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The folder of one workload's control sockets, /run/sluice/workloads/ID, locked as long as the
 * descriptor is open: whoever holds the lock may remove it. Made when missing. */
int orchestrator_folder_open(const char *run_folder, const char *compact_id, GError **error);

/* With the descriptor still open. */
void orchestrator_folder_remove(const char *run_folder, const char *compact_id);

/* Removes what orchestrators left that were killed: nobody else may, these folders are ours alone,
 * and the killed one could not. */
void orchestrator_folder_sweep(const char *run_folder);
