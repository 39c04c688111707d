/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-load.h"

#include <string.h>

#include "sl-error.h"

/* A lane whose COPY is running sends small pieces, so that server and converter work side by side;
 * the others wait for a larger one, since taking turns costs a round trip. */
#define PIECE (64u << 10)
#define TURN (1u << 20)
/* Of all lanes together, so that memory does not grow with their number. */
#define MAX_WAITING (32u << 20)

struct DestpgLoad {
    DestpgConn *conn;
    DestpgScratch scratch;
    DestpgLane *current; /* whose COPY is running */
    GPtrArray *lanes;    /* with rows in their buffers */
    gboolean open;       /* a transaction */
    guint64 bytes;       /* of it */
    gsize turn;          /* TURN, or less with many lanes */
    gsize waiting;       /* bytes in buffers, about */
};

void
destpg_lane_clear(DestpgLane *lane)
{
    g_clear_pointer(&lane->row, destpg_row_free);
    g_clear_pointer(&lane->copy, g_free);
    destpg_buffer_clear(&lane->buffer);
}

DestpgLoad *
destpg_load_new(DestpgConn *conn, guint n_lanes)
{
    DestpgLoad *load = g_new0(DestpgLoad, 1);
    load->conn = conn;
    load->lanes = g_ptr_array_new();
    load->turn = CLAMP(MAX_WAITING / MAX(n_lanes, 1), PIECE, TURN);
    return load;
}

void
destpg_load_free(DestpgLoad *load)
{
    if (load == NULL)
        return;
    destpg_scratch_clear(&load->scratch);
    g_ptr_array_unref(load->lanes);
    g_free(load);
}

static gboolean
put(DestpgLoad *load, DestpgBuffer *buffer, GError **error)
{
    PGconn *pq = destpg_conn_pq(load->conn);
    for (gsize at = 0; at < buffer->len;) {
        int n = (int)MIN(buffer->len - at, (gsize)(16u << 20));
        if (PQputCopyData(pq, (const char *)buffer->data + at, n) != 1)
            return destpg_conn_fail(load->conn, NULL, error);
        at += (gsize)n;
    }
    buffer->len = 0;
    return TRUE;
}

/* The server's answer to the end of a COPY: here a row it did not like is named. */
static gboolean
end_copy(DestpgLoad *load, GError **error)
{
    PGconn *pq = destpg_conn_pq(load->conn);
    const DestpgLane *lane = load->current;
    if (lane == NULL)
        return TRUE;
    load->current = NULL;
    DestpgBuffer end = {0};
    destpg_row_end_copy(&end);
    gboolean ok = put(load, &end, error);
    destpg_buffer_clear(&end);
    if (!ok || PQputCopyEnd(pq, NULL) != 1)
        return !ok ? FALSE : destpg_conn_fail(load->conn, NULL, error);
    PGresult *result;
    while ((result = PQgetResult(pq)) != NULL) {
        if (ok && PQresultStatus(result) != PGRES_COMMAND_OK)
            ok = destpg_conn_fail(load->conn, result, error);
        PQclear(result);
    }
    if (!ok)
        g_prefix_error(error, "stream '%s': ", lane->stream);
    return ok;
}

static gboolean
begin_copy(DestpgLoad *load, DestpgLane *lane, GError **error)
{
    if (!load->open && !destpg_begin(load->conn, error))
        return FALSE;
    load->open = TRUE;
    if (!end_copy(load, error) || !destpg_exec(load->conn, lane->copy, error))
        return FALSE;
    load->current = lane;
    DestpgBuffer head = {0};
    destpg_row_begin_copy(&head);
    gboolean ok = put(load, &head, error);
    destpg_buffer_clear(&head);
    return ok;
}

static gboolean
send_lane(DestpgLoad *load, DestpgLane *lane, GError **error)
{
    if (lane != load->current && !begin_copy(load, lane, error))
        return FALSE;
    load->bytes += lane->buffer.len;
    load->waiting -= MIN(load->waiting, lane->buffer.len);
    g_ptr_array_remove_fast(load->lanes, lane);
    return put(load, &lane->buffer, error);
}

static DestpgLane *
fullest(const DestpgLoad *load)
{
    DestpgLane *best = g_ptr_array_index(load->lanes, 0);
    for (guint i = 1; i < load->lanes->len; i++) {
        DestpgLane *lane = g_ptr_array_index(load->lanes, i);
        if (lane->buffer.len > best->buffer.len)
            best = lane;
    }
    return best;
}

gboolean
destpg_load_add(DestpgLoad *load, DestpgLane *lane, SlSpan data, SlSpan emitted_at, SlSpan meta,
                GError **error)
{
    gsize before = lane->buffer.len;
    if (before == 0)
        g_ptr_array_add(load->lanes, lane);
    if (!destpg_row_append(lane->row, &lane->buffer, data, emitted_at, meta, &load->scratch,
                           error)) {
        g_prefix_error(error, "stream '%s': ", lane->stream);
        return FALSE;
    }
    lane->rows++;
    load->waiting += lane->buffer.len - before;
    if (lane->buffer.len >= (lane == load->current ? PIECE : load->turn))
        return send_lane(load, lane, error);
    return load->waiting < MAX_WAITING || send_lane(load, fullest(load), error);
}

guint64
destpg_load_bytes(const DestpgLoad *load)
{
    return load->bytes + load->waiting;
}

gboolean
destpg_load_commit(DestpgLoad *load, GError **error)
{
    /* The lane whose COPY is running first: no turn is needed for it. */
    if (load->current != NULL && load->current->buffer.len > 0 &&
        !send_lane(load, load->current, error))
        return FALSE;
    while (load->lanes->len > 0)
        if (!send_lane(load, g_ptr_array_index(load->lanes, 0), error))
            return FALSE;
    if (!load->open)
        return TRUE;
    if (!end_copy(load, error) || !destpg_commit(load->conn, error))
        return FALSE;
    load->open = FALSE;
    load->bytes = load->waiting = 0;
    return TRUE;
}
