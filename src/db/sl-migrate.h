/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* Migrations are files NNNN_verb_noun.sql in one folder, numbered from 0001 without a gap, forward
 * only. All that are missing are applied in one transaction: an upgrade whose third file fails
 * leaves the database as the version before had it. An advisory lock lets one process work while
 * others wait. */
typedef struct {
    guint applied; /* by this call */
    guint version; /* of the schema afterwards */
} SlMigrateResult;

/* Brings the database to the newest version of `folder`. Errors: SL_ERROR_CONFIG when the folder
 * has a gap, when an applied file was changed since, or when the database is newer than the folder
 * (each names the file and the way out); the statement's own error, prefixed with the file, when a
 * migration fails. */
gboolean sl_migrate(SlDb *db, const char *folder, SlMigrateResult *ret, GError **error);

/* How the database stands to `folder`, for who wants to save it first: its version (0: empty), and
 * how many migrations are missing. Errors as above, and nothing is changed. */
gboolean sl_migrate_look(SlDb *db, const char *folder, guint *ret_version, guint *ret_missing,
                         GError **error);
