/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl-object.h"

/* Deletes the environments of `folder` that were retired over an hour ago, that none of the
 * connectors (CtlObject) has and that nothing runs from. One that a connector has again is no
 * longer retired. */
gboolean ctl_collect_in(const char *folder, const GPtrArray *connectors, GError **error);
