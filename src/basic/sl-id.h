/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Ids are lower-case hyphenated UUIDs (RFC 9562) everywhere but in unit names, where the dashes
 * would make systemd nest slices: there the 32 bare digits stand. */

char *sl_id_new(void); /* a random (version 4) UUID */

/* Is it a UUID in the form above? Upper case is not: ids are compared as text. */
gboolean sl_id_is_valid(const char *id);

/* "550e8400-…" → "550e8400…": 32 digits, for unit names and paths. NULL when `id` is no UUID. */
char *sl_id_compact(const char *id);

/* The way back; NULL when `compact` is not 32 lower-case hex digits. */
char *sl_id_expand(const char *compact);

/* 256 random bits of the kernel in hex, for tokens and secrets: GLib's random numbers are not made
 * for those. */
char *sl_id_new_secret(GError **error);
