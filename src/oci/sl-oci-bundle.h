/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-oci-record.h"

/* The other way round: an unpacked image as one archive, to be carried to a host without a network.
 * It is an ordinary image (a layout, compressed as a whole by zstd), which other tools read too.
 * Its digest is another than that of the image it comes from, because what was thrown away when
 * that was unpacked (owners, setuid bits) is thrown away. */

/* Writes the image in `root` (STORE/roots/DIGEST) to a descriptor; `labels` are NAME=VALUE. */
gboolean sl_oci_bundle_write(const char *root, const char *const *labels, int fd, GError **error);
