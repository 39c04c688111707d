/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* Ids that Airbyte's clients know: the default organization, and our default workspace. */
#define BOOTLOADER_ORGANIZATION "00000000-0000-0000-0000-000000000000"
#define BOOTLOADER_WORKSPACE "5a11ce00-0000-4000-8000-000000000001"

/* The default organization and workspace (only when there is none at all), and a definition for
 * every *.json in `folder`. Running it again changes nothing but what a newer package ships.
 * Errors name the file. A missing folder is an installation without connectors: no error. */
gboolean bootloader_seed(SlDb *db, const char *folder, gint64 now, guint *ret_definitions,
                         GError **error);
