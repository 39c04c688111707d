/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* The link by which the first administrator sets e-mail and password. *ret stays NULL when one was
 * made before, or somebody can log in already: it is told once, and lost links are made anew by
 * `sluicectl setup-link`. Only a hash of the token rests in the database. */
gboolean bootloader_setup_link(SlDb *db, const char *public_url, gint64 now, gint64 expires,
                               char **ret, GError **error);
