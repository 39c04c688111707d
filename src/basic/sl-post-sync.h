/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Units of systemd that a connection may start after a run, by the globs of [PostSync] Units=. The
 * server judges by it what a connection is given, the launcher what it is asked to start. */

/* Could `text` be such a unit: NAME.service, NAME.target, NAME@.service, NAME@INSTANCE.service? */
gboolean sl_post_sync_is_unit(const char *text);

/* SL_ERROR_INVALID: no unit; SL_ERROR_FORBIDDEN: not among `globs` (separated by spaces). The name
 * is judged as the connection has it, so that `dbt@.service` allows one template and nothing that
 * looks like an instance of it. */
gboolean sl_post_sync_check(const char *globs, const char *unit, GError **error);

/* The unit to start: a template gets the number of the run as its instance, dbt@.service →
 * dbt@7.service; everything else is itself. */
char *sl_post_sync_unit_of_job(const char *unit, gint64 job_id);
