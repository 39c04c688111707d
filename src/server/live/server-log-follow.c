/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-log.h"
#include "server-pieces.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-sql.h"

/* A log as it grows: an event per line, whose id is the offset behind it, so that a client goes on
 * where it was with Last-Event-ID. */

#define MAX_LINES 500
#define MAX_TEXT ((gint64)64 << 10)
#define FROM_END ((gint64)64 << 10) /* where to begin when nobody says */
#define LOOK_USEC ((gint64)G_USEC_PER_SEC / 2)
#define ASK_USEC (2 * (gint64)G_USEC_PER_SEC) /* quiet so long: has the attempt ended? */
#define HEARTBEAT_USEC (15 * (gint64)G_USEC_PER_SEC)
#define STREAM_USEC (15 * 60 * (gint64)G_USEC_PER_SEC) /* then with one's rights again */

typedef struct {
    SlDb *db;
    ServerLog log;
    ServerLogFilter filter;
    gint64 at;
    gint64 changed, asked,
        said; /* monotonic: something was read; the attempt was; something was said */
    gint64 ends;
    char *key;
    const char *status; /* of the attempt */
} Follower;

static void
follower_free(gpointer data)
{
    Follower *follower = data;
    server_log_clear(&follower->log);
    server_log_filter_clear(&follower->filter);
    sl_db_unref(follower->db);
    g_free(follower->key);
    g_free(follower);
}

static void
say(GString *out, const char *event, gint64 id, const char *name, const char *value)
{
    g_string_append_printf(out, "id: %" G_GINT64_FORMAT "\nevent: %s\ndata: {\"%s\":\"%s\"}\n\n",
                           id, event, name, value);
}

static void
append_lines(GString *out, const GPtrArray *lines)
{
    for (guint i = 0; i < lines->len; i++) {
        const ServerLogLine *line = lines->pdata[i];
        g_strdelimit(line->text, "\r", ' '); /* would be the end of a line here */
        g_string_append_printf(out, "id: %" G_GINT64_FORMAT "\ndata: %s\n\n", line->next,
                               line->text);
    }
}

/* The file is opened when it appears. FALSE: it is not there (any more). */
static gboolean
ensure_file(Follower *follower, GString *out)
{
    ServerLog *log = &follower->log;
    if (log->file != NULL && sl_log_file_is_gone(log->file))
        g_clear_pointer(&log->file, sl_log_file_free); /* deleted, or compressed */
    if (log->file == NULL)
        log->file = sl_log_file_open(log->path, NULL);
    gint64 size = log->file != NULL ? sl_log_file_size(log->file, NULL) : -1;
    if (size < 0)
        return FALSE;
    log->size = size;
    if (log->size < follower->at) { /* cut, for want of space; what follows is new */
        follower->at = log->size;
        say(out, "reset", follower->at, "reason", "the log was truncated");
    }
    return TRUE;
}

/* Is there more by now? */
static gboolean
read_on(Follower *follower, GString *out, GError **error)
{
    g_auto(ServerLogScan) scan = {.filter = &follower->filter,
                                  .from = follower->at,
                                  .max_lines = MAX_LINES,
                                  .max_text = MAX_TEXT};
    if (!server_log_scan(follower->log.file, follower->log.size, &scan, error))
        return FALSE;
    append_lines(out, scan.lines);
    if (scan.next > follower->at)
        follower->changed = g_get_monotonic_time();
    follower->at = scan.next;
    return !scan.done;
}

static void
ask_for_end(Follower *follower, gint64 now)
{
    g_autoptr(SlAttempt) attempt = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(follower->db, TRUE, NULL);
    follower->asked = now;
    if (tx == NULL ||
        !sl_sql_attempt_get(tx, follower->log.job_id, follower->log.attempt_number, &attempt, NULL))
        return; /* the database is away; the log is still there */
    if (attempt == NULL || attempt->status != SL_ATTEMPT_STATUS_RUNNING)
        follower->log.ended = TRUE;
    follower->status =
        attempt != NULL ? sl_enum_name(&sl_attempt_status_enum, (int)attempt->status) : "deleted";
}

/* The last lines may be written after the end was reported. */
static gboolean
is_over(Follower *follower, const SlHttpPiece *piece, gint64 now)
{
    gboolean quiet = now - follower->changed >= ASK_USEC;
    if (!follower->log.ended && (piece->run == SL_HTTP_WOKEN || now - follower->asked >= ASK_USEC))
        ask_for_end(follower, now);
    return follower->log.ended && quiet;
}

static SlHttpPieceNext
make_follow(SlHttpPiece *piece, gpointer data)
{
    Follower *follower = data;
    g_autoptr(GError) error = NULL;
    gboolean there = ensure_file(follower, piece->out);
    gboolean more = there && read_on(follower, piece->out, &error);
    gint64 now = g_get_monotonic_time();

    if (error != NULL)
        return SL_HTTP_PIECE_FAIL;
    if (piece->out->len == 0 && !more && is_over(follower, piece, now)) {
        say(piece->out, "end", follower->at, "status", there ? follower->status : "deleted");
        return SL_HTTP_PIECE_LAST;
    }
    /* where it stands is told too, though no line of what was read is asked for */
    if (piece->out->len == 0 && (follower->said == 0 || now - follower->said >= HEARTBEAT_USEC))
        g_string_append_printf(piece->out, ": quiet\nid: %" G_GINT64_FORMAT "\n\n", follower->at);
    if (piece->out->len > 0)
        follower->said = now;
    if (piece->run == SL_HTTP_STOPPING || now >= follower->ends)
        return SL_HTTP_PIECE_LAST;
    piece->key = follower->key;
    piece->until = now + LOOK_USEC;
    return more ? SL_HTTP_PIECE_MORE : SL_HTTP_PIECE_WAIT;
}

static gboolean
find_start(const ServerCtx *ctx, const SlLogSearchRequest *in, Follower *follower, GError **error)
{
    const char *header = sl_http_request_get_header(ctx->request, "Last-Event-ID");
    gint64 size = follower->log.size, offset = -FROM_END, found;
    if (sl_record_has(&sl_log_search_request_record, in, SL_LOG_SEARCH_REQUEST_OFFSET))
        offset = in->offset;
    if (header != NULL && header[0] != '\0' &&
        !g_ascii_string_to_signed(header, 10, 0, G_MAXINT64, &offset, NULL))
        return sl_error_set(error, SL_ERROR_INVALID, "Last-Event-ID: '%s' is not one of ours",
                            header);
    follower->at = offset >= 0 ? offset : MAX(size + offset, 0);
    if (follower->log.file == NULL || follower->at == 0 || follower->at >= size)
        return TRUE;
    if (offset >= 0)
        return TRUE;
    /* a whole line: what ends before the byte that was asked for */
    ServerLogFilter all = SERVER_LOG_FILTER_INIT;
    g_auto(ServerLogScan)
        scan = {.filter = &all, .from = follower->at, .max_lines = 1, .max_text = 1};
    if (!server_log_scan(follower->log.file, size, &scan, error))
        return FALSE;
    found = scan.lines->len > 0 ? ((ServerLogLine *)scan.lines->pdata[0])->next : follower->at;
    follower->at = found;
    return TRUE;
}

gboolean
server_attempt_log_follow(ServerCtx *ctx, const SlLogSearchRequest *in, ServerPieces **ret,
                          GError **error)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, in->job_id);
    Follower *follower = g_new0(Follower, 1);
    follower->db = sl_db_ref(ctx->server->db);
    follower->filter = (ServerLogFilter)SERVER_LOG_FILTER_INIT;
    follower->key = server_job_key(id);
    follower->ends = g_get_monotonic_time() + STREAM_USEC;
    g_autoptr(ServerPieces) pieces =
        server_pieces_new("text/event-stream", make_follow, follower, follower_free);
    if (!server_log_filter_read(in, &follower->filter, error) ||
        !server_log_open(ctx, in->job_id, in->attempt_number, &follower->log, error) ||
        !find_start(ctx, in, follower, error))
        return FALSE;
    follower->status = follower->log.status;
    *ret = g_steal_pointer(&pieces);
    return TRUE;
}
