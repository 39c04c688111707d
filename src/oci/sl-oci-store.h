/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-oci-record.h"

/* The store of unpacked images as a whole (its folders: sl-oci-record.h). Whoever changes it holds
 * its lock. A folder ROOT.retired tells since when no connector has the image. */

/* What a claimed workload may take until it starts: so long an image stays that was replaced. */
#define SL_OCI_GRACE_SEC (60 * 60)

/* Waits for nobody: SL_ERROR_BUSY when somebody else has it. The descriptor is the lock. */
int sl_oci_store_lock(const char *store, GError **error);

/* An image that was found here is to stay. */
void sl_oci_store_keep(const char *store, const char *root);

/* Takes an image out of use at once; what runs on it goes on. A missing one is fine. */
gboolean sl_oci_store_remove(const char *store, const char *root, GError **error);

typedef struct {
    const char *const *used; /* roots that connectors have; NULL-terminated */
    const char *mountinfo;   /* a file as /proc/self/mountinfo */
    gint64 now_sec;
} SlOciCollect;

typedef struct {
    guint images, layers; /* removed */
    guint kept;           /* layers that nothing needs but what runs */
} SlOciCollected;

/* Removes images that are out of use, or that no connector has for SL_OCI_GRACE_SEC, and layers
 * that no image has; but nothing that is mounted. Whatever a run left that was killed goes, too.
 * Needs the lock. */
gboolean sl_oci_store_collect(const char *store, const SlOciCollect *how, SlOciCollected *ret,
                              GError **error);
