/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-oci-image.h"
#include "sl-oci-stack.h"

/* Unpacks one layer into a folder of its own (layer.md of the OCI image specification).
 *
 * The archive is foreign. Refused: names with "..", symbolic links on the way to an entry, hard
 * links to what the layer does not have, devices, sockets and FIFOs, more than the limits, and any
 * digest that is not as told; devices in /dev are passed over. Not kept: owners, setuid bits,
 * extended attributes; everybody may read everything. Times of files stay: Python compares them.
 *
 * Whiteouts become character devices 0/0, which needs no privilege. A folder that hides all below
 * it gets one for each name there, so that no extended attribute is needed either: what a layer's
 * folder holds depends on the layers below it, and is named by all of them. */

/* What an image may have; what a layer has is taken off. */
typedef struct {
    gint64 max_bytes; /* of all files together, as if they had no holes */
    guint max_entries;
} SlOciLimits;

#define SL_OCI_MAX_BYTES ((gint64)16 << 30)
#define SL_OCI_MAX_ENTRIES 1000000

/* `folder` is there and empty; what is in it after an error is to be thrown away. SL_ERROR_INVALID:
 * the layer is not what it should be; other errors are the host's. */
gboolean sl_oci_layer_unpack(const char *layout, const SlOciLayer *layer, const SlOciStack *below,
                             const char *folder, SlOciLimits *left, GError **error);
