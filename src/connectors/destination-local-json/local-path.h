/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The root under which all files stay: $SLUICE_LOCAL_ROOT, or /var/lib/sluice/local-json. */
const char *local_path_root(void);

/* Opens (and makes) the folder `path` below the root. Refused with SL_ERROR_INVALID: "..", with
 * SL_ERROR_FORBIDDEN: a symbolic link on the way, which could lead outside. -1: error. */
int local_path_open(const char *path, GError **error);

/* The file of a stream: "_airbyte_raw_NAMESPACE.NAME.jsonl". What is not [A-Za-z0-9_-] stands as
 * %XX, so two streams never share a file; a long one ends in a hash. */
char *local_path_file(const char *ns, const char *name);
