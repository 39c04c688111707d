/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit.h"

#include "destpg-load.h"
#include "destpg-name.h"
#include "destpg-table.h"

/* One stream: its table, where its rows go meanwhile, and how they get into place.
 *
 *                       rows go to                          at the end
 *   append              the table                           –
 *   dedup               temporary table                     upsert into the table, always
 *   overwrite           the table if it is new, empty or    COMPLETE: the temporary table replaces
 *                       of this generation; else temporary  the table; else it waits
 *   dedup + truncate    temporary table                     COMPLETE: its newest rows replace the
 *                                                           table (or are upserted, if the table is
 *                                                           new, empty or of this generation)
 *
 * Temporary tables are ordinary, durable tables: states were acknowledged for their rows, so a
 * failed attempt leaves them to the next one. */
typedef struct {
    const KitStream *config;
    DestpgTableName name;
    char *temp;  /* table name of the temporary table */
    char *temp2; /* of the deduplicated copy of it */
    DestpgLayout layout;
    gboolean dedup;
    gboolean to_temp;
    DestpgLane lane;
} DestpgStream;

/* Names and layouts of all streams. `warn` gets what is worth telling. NULL: error. */
GArray *destpg_streams_new(const DestpgConfig *config, const KitCatalog *catalog, KitOutput *warn,
                           GError **error);

/* Sets where rows go. */
void destpg_stream_aim(DestpgStream *stream, gboolean to_temp);

/* Makes the table that takes the rows ready, and the lane. */
gboolean destpg_stream_begin(DestpgStream *stream, const DestpgConfig *config, DestpgConn *conn,
                             GError **error);
gboolean destpg_stream_end(DestpgStream *stream, const DestpgConfig *config, DestpgConn *conn,
                           KitStatus status, GError **error);
