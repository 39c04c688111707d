/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"

/* Takes the next due task and does its step, all in one transaction that holds the task's row: a
 * worker that dies in the middle has done nothing, and another one takes the task.
 *
 * A step that fails is tried again later, with growing waits; when that cannot help, or has not
 * helped often enough, its attempt fails with the reason. *ret_worked is FALSE when nothing was
 * due. */
gboolean worker_step_run(SlDb *db, const SlConfig *config, gint64 now, gboolean *ret_worked,
                         GError **error);

/* When the next task is due; 0: there is none. */
gboolean worker_step_next_due(SlDb *db, gint64 *ret_due, GError **error);
