/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Points in time are gint64 microseconds since 1970-01-01 UTC, as in g_get_real_time(). Waits and
 * deadlines use g_get_monotonic_time() instead: a stepped clock must not shorten a lease. */

/* RFC 3339 in UTC with seconds always present, fraction only when it is not zero:
 * "2026-08-01T12:00:00Z", "2026-08-01T12:00:00.25Z". */
char *sl_time_format(gint64 usec);

/* Reads RFC 3339 ("T" or a space; Z, ±hh, ±hh:mm; missing offset is UTC).
 * Errors: SL_ERROR_INVALID naming the text. */
gboolean sl_time_parse(const char *text, gint64 *ret_usec, GError **error);

/* A span as systemd writes it: "90", "1min 30s", "6h", "2 weeks", "500ms". A bare number is
 * seconds. Errors: SL_ERROR_INVALID naming the text. */
gboolean sl_time_parse_span(const char *text, gint64 *ret_usec, GError **error);

/* ISO 8601 duration, whole seconds: "PT0S", "PT1H2M3S". */
char *sl_time_format_duration(gint64 usec);
