/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* Paths inside a tree that is being made from foreign names. */

/* "./a//b/" → "a/b"; "" is the root. NULL: it has "..", a part or the whole is too long, or it is
 * no path at all. */
char *sl_oci_path_clean(const char *path);

/* Opens the folder `path` below `root`; neither ".." nor a symbolic link leads anywhere. -1 and
 * errno. With `make`, missing folders are made. */
int sl_oci_path_open(int root, const char *path, gboolean make);

gboolean sl_oci_is_whiteout(const struct stat *st);
