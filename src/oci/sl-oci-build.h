/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-oci-layer.h"
#include "sl-oci-record.h"

/* Unpacks an image of a layout beside a store: the layers that the store does not have into
 * WORK/layers/ID, and WORK/root with image.json and mounts/. Nothing of the store is changed, and
 * no privilege is needed: whoever has called takes it over. */
SlOciRecord *sl_oci_build(const char *layout, const char *store, const char *work,
                          const char *reference, const SlOciLimits *limits, GError **error);
