/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-channel.h"
#include "kit.h"

/* Between kit-main.c and kit-write.c only. */

typedef struct {
    const KitDestination *destination;
    const KitConfig *config;
    const KitCatalog *catalog;
    KitOutput *out;
    const KitChannel *channel; /* NULL: standard input */
    int stop_fd;               /* readable when SIGTERM comes */
} KitWriteOptions;

/* Runs a destination to the end of its input. *ret_stopped: SIGTERM came first (what had arrived is
 * durable). */
gboolean kit_write_run(const KitWriteOptions *options, gboolean *ret_stopped, GError **error);

/* SIGTERM has come. */
gboolean kit_signalled(void);

/* Records and states go to the sockets from now on. */
gboolean kit_output_use_channel(KitOutput *out, const KitChannel *channel,
                                const KitCatalog *catalog, int stop_fd, GError **error);
/* Everything was sent: waits until each socket has had its reader. */
void kit_output_finish_channel(KitOutput *out);

/* Streams that were STARTED and never ended get INCOMPLETE. */
void kit_output_abandon(KitOutput *out, const KitCatalog *catalog);
