/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A point in time as people write it, in the forms of journalctl: "2026-08-01 12:00[:30]",
 * "2026-08-01", "12:00", "now", "today", "yesterday", "2h ago", "-30min", "+5min", "@1785585600",
 * and RFC 3339 with its offset. What has no offset is of `zone`. `now` and *ret in microseconds.
 * Errors: a usage error that names the text. */
gboolean ctl_when_parse(const char *text, gint64 now, GTimeZone *zone, gint64 *ret, GError **error);
