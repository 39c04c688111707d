/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A dump of the database (pg_dump, custom format), taken before a migration so that the version
 * before can be gone back to: FOLDER/sluice-VVVV-YYYYmmddTHHMMSSZ.dump, VVVV being the version of
 * its schema. A file with this name is whole: it is written under another one.
 *
 * `programs`: a folder with pg_dump that is looked into before the usual places; may be NULL.
 * Errors name what is missing, and that Dumps= in sluice.conf turns this off. */
typedef struct {
    const char *conninfo, *folder, *programs;
    guint version;
    gint64 now; /* microseconds since 1970 */
} BootloaderDump;

/* *ret_path: of the dump. */
gboolean bootloader_dump(const BootloaderDump *dump, char **ret_path, GError **error);

/* Deletes the oldest ones but `keep`. */
void bootloader_dump_sweep(const char *folder, guint keep);

/* The last one; NULL: there is none. */
char *bootloader_dump_find_last(const char *folder);
