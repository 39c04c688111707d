/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* An image in one file, as 'docker save', 'skopeo copy' and sl_oci_bundle_write() make them; it may
 * be compressed as a whole. */

typedef enum {
    SL_OCI_ARCHIVE_LAYOUT, /* a layout as an archive; Docker's are since version 25 */
    SL_OCI_ARCHIVE_DOCKER, /* manifest.json and layers by names of their own: skopeo reads it */
} SlOciArchiveKind;

/* SL_ERROR_INVALID: it is cut off, or no image. */
gboolean sl_oci_archive_detect(const char *path, SlOciArchiveKind *ret, GError **error);

/* Takes what belongs to a layout out of an archive; `layout` is a folder that is there. Digests are
 * not computed here: whoever reads a layout does. */
gboolean sl_oci_archive_unpack(const char *path, const char *layout, GError **error);
