/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* JSON texts in, JSON texts out. NULL: text that is not JSON, or no object where one must be
 * (SL_ERROR_INVALID). */

/* `patch` over `base`: objects deeply, everything else whole. A stored secret ({"_secret": ID}) is
 * a leaf. */
char *server_json_merge(const char *base, const char *patch, GError **error);

/* The members of an object but `without`; `value` (NULL: nothing) stands under that name first. */
char *server_json_replace(const char *json, const char *without, const char *value, GError **error);

/* A string member of an object; NULL: none. */
char *server_json_string(const char *json, const char *name);
