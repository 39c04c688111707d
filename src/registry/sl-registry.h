/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"

/* What an update did. `source` is NULL when no registry is set; then nothing was done. */
typedef struct {
    char *source;       /* file or address */
    gboolean unchanged; /* what was there was there before */
    gint64 entries, saved, removed;
} SlRegistryUpdate;

void sl_registry_update_clear(SlRegistryUpdate *update);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlRegistryUpdate, sl_registry_update_clear)

/* Reads [Registry] File= or, when there is no such file, asks Url= (once changed only: ETag,
 * Last-Modified), and makes the database's entries the same, in one transaction. Blocks; the
 * network is waited for without one.
 *
 * Whatever is wrong (a file that cannot be read, an answer that is not 200 or 304, a text that is
 * no registry) changes nothing; the error names the file or address and the place. */
gboolean sl_registry_update(SlDb *db, const SlConfig *config, gint64 now, SlRegistryUpdate *ret,
                            GError **error);
