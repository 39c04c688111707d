/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"

/* The hint that there is work: LISTEN on the database, as a role that may do nothing else. The slow
 * poll behind it finds the same; so a data plane that cannot see the database only gets slower. */
typedef struct LauncherWake LauncherWake;

LauncherWake *launcher_wake_new(const SlConfig *config, void (*wake)(gpointer data), gpointer data);
gboolean launcher_wake_is_connected(const LauncherWake *wake);
void launcher_wake_free(LauncherWake *wake);
