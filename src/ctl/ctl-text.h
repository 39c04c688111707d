/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Small texts for people. Nothing here knows the API; results are to be freed. */

/* Columns on a terminal, wide and combining characters counted. */
guint ctl_text_width(const char *text);

/* The text without control characters (each becomes '?', white space a blank): what a server, a
 * connector or a file says must not drive the terminal. Invalid UTF-8 becomes U+FFFD. */
char *ctl_text_clean(const char *text, gssize len);

/* At most `width` columns; a cut ends in "…" (or "..." where the locale is not UTF-8). */
char *ctl_text_ellipsize(const char *text, guint width, gboolean utf8);

char *ctl_text_count(gint64 n);                 /* 950, 14.2k, 1.2M */
char *ctl_text_bytes(gint64 n);                 /* 950 B, 1.2 MB */
char *ctl_text_duration(gint64 usec);           /* 0.4 s, 58 s, 2 min 5 s, 3 h 2 min */
char *ctl_text_time(gint64 usec, gboolean utc); /* 2026-08-01 12:00:00 */

/* "PT1H2M3S" → microseconds; -1 when it is none. */
gint64 ctl_text_parse_iso_duration(const char *text);

/* Does the word hold a glob character? */
gboolean ctl_text_is_glob(const char *word);
