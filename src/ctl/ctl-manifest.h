/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl.h"

/* 'sluicectl connector install manifest:…': a file, an address, or a name of the registry. */
CtlExit ctl_manifest_install(Ctl *ctl, const char *where, GError **error);
