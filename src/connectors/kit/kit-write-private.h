/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-channel.h"
#include "kit-input.h"
#include "kit-private.h"
#include "sl-channel-books.h"
#include "sl-frame-schema.h"
#include "sl-json-scan.h"

/* Between kit-write.c (what messages mean) and kit-write-input.c (where they come from). */

struct KitWrite {
    const KitDestination *destination;
    gpointer self;
    const KitConfig *config;
    const KitCatalog *catalog;
    KitOutput *out;
    int stop_fd;

    KitInput *inputs; /* standard input, or the sockets of the channel */
    guint n_inputs;
    SlJsonScanner *scanner;
    SlJsonDoc *scratch; /* for STATE and TRACE lines */

    const KitChannel *channel; /* NULL: none. The rest is of a channel only */
    SlChannelBooks *books;     /* which states are due */
    SlFrameSchema **schemas;   /* per stream, with PROTOBUF */
    SlBytes made;              /* what frames became; records of the batch are offsets into it */

    KitRecord batch[KIT_BATCH];
    guint n_batch;
    const KitStream *last; /* stream of the last record */
    KitStatus *status;     /* per stream */

    GQueue pending; /* PendingState, oldest first */
    guint64 last_seq;
    gint64 oldest_usec; /* when the first state that flush() can release came; 0: there is none */
    gboolean any_held;
    gboolean *finished; /* per stream: complete and put in place */
};

/* --- kit-write.c --------------------------------------------------------------------------- */
gboolean kit_write_hand_over(KitWrite *write, GError **error);
gboolean kit_write_flush(KitWrite *write, GError **error);
const KitStream *kit_write_find_stream(KitWrite *write, const SlMessage *message, GError **error);
/* A state whose records have all been handed over. */
gboolean kit_write_take_state(KitWrite *write, SlSpan line, SlSpan payload, GError **error);
void kit_write_take_trace(KitWrite *write, SlSpan payload);
/* The stream that a {"stream_descriptor": …} names; NULL: none of ours. */
const KitStream *kit_write_described(const KitWrite *write, const SlJsonDoc *doc,
                                     const SlJsonNode *descriptor);

/* --- kit-write-input.c --------------------------------------------------------------------- */
gboolean kit_write_open_inputs(KitWrite *write, gboolean *ret_stopped, GError **error);
void kit_write_close_inputs(KitWrite *write);
/* Everything up to the end of the input. ret_stopped: SIGTERM came first. */
gboolean kit_write_consume(KitWrite *write, gboolean *ret_stopped, GError **error);
