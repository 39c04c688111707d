/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* Migrations are files NNNN_verb_noun.sql in one folder, numbered from 0001 without a gap, forward
 * only, one transaction each. An advisory lock lets one process work while others wait. */
typedef struct {
    guint applied; /* by this call */
    guint version; /* of the schema afterwards */
} SlMigrateResult;

/* Brings the database to the newest version of `folder`. Errors: SL_ERROR_CONFIG when the folder
 * has a gap, when an applied file was changed since, or when the database is newer than the folder
 * (each names the file and the way out); the statement's own error, prefixed with the file, when a
 * migration fails, which leaves the version before it. */
gboolean sl_migrate(SlDb *db, const char *folder, SlMigrateResult *ret, GError **error);
