/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit.h"

/* Between kit-main.c and kit-write.c only. */

/* Runs a destination over the lines of `fd` to their end. FALSE without error: stopped by SIGTERM
 * (what had arrived is durable). stop_fd becomes readable when SIGTERM comes. */
gboolean kit_write_run(const KitDestination *destination, const KitConfig *config,
                       const KitCatalog *catalog, KitOutput *out, int fd, int stop_fd,
                       GError **error);

/* SIGTERM has come. */
gboolean kit_signalled(void);

/* Streams that were STARTED and never ended get INCOMPLETE. */
void kit_output_abandon(KitOutput *out, const KitCatalog *catalog);
