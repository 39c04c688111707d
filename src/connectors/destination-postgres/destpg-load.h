/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "destpg-conn.h"
#include "destpg-row.h"

/* Rows of several streams on one connection: each stream has a buffer; a buffer that is full goes
 * out as COPY data, and COPY statements of different streams take turns within one transaction.
 * So one commit makes durable whatever came before a state, for all streams at once. */
typedef struct DestpgLoad DestpgLoad;

typedef struct {
    const char *stream; /* for errors; borrowed */
    DestpgRow *row;
    char *copy; /* copy … from stdin (format binary) */
    DestpgBuffer buffer;
    guint64 rows; /* handed over since the start */
} DestpgLane;

void destpg_lane_clear(DestpgLane *lane);

DestpgLoad *destpg_load_new(DestpgConn *conn, guint n_lanes);
void destpg_load_free(DestpgLoad *load);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DestpgLoad, destpg_load_free)

/* Takes one record. The lane must live until it is committed. */
gboolean destpg_load_add(DestpgLoad *load, DestpgLane *lane, SlSpan data, SlSpan emitted_at,
                         SlSpan meta, GError **error);
/* Bytes since the last commit. */
guint64 destpg_load_bytes(const DestpgLoad *load);
/* Sends what is left and commits. */
gboolean destpg_load_commit(DestpgLoad *load, GError **error);
