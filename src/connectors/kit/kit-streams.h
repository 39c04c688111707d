/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-output.h"
#include "sl-json-write.h"

/* A source whose streams are known when it is written is a table of them: the kit answers discover
 * from it, and read goes through it with the statuses that the platform wants. */

typedef struct KitRead KitRead;

typedef struct {
    const char *name;
    const char *properties;  /* JSON: the object `properties` of the stream's schema */
    const char *primary_key; /* the member that names a record; NULL: none */
    const char *cursor;      /* the member that only grows: the stream can be incremental;
                                NULL: full refresh only */
    gboolean resumable;      /* a full refresh goes on at its state, too */
    /* Sends the records, and a state (kit_output_state()) behind each piece that need not come
     * again, at least one. stream->state says where the last run was. TRUE also when it ends early
     * because of kit_stopping(): the stream is INCOMPLETE then. */
    gboolean (*read)(const KitRead *read, const KitStream *stream, GError **error);
} KitSourceStream;

/* Both take a table that ends with a row without a name. */
void kit_streams_write(const KitSourceStream *table, SlJsonWriter *w);
gboolean kit_streams_read(const KitSourceStream *table, const KitRead *read, GError **error);
