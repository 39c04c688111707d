/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <gio/gio.h>
#include <string.h>

#include "server-log.h"
#include "server-pieces.h"
#include "server-routes.h"
#include "sl-error.h"

/* The file as it is, of any size: ranges of bytes (RFC 9110, one range), or compressed on the way.
 */

#define TYPE "application/x-ndjson"
#define PIECE ((gint64)256 << 10)

typedef struct {
    SlLogFile *file;
    gint64 at, end;
    GConverter *gzip; /* NULL: as it is */
    gboolean finished;
    char buffer[PIECE];
} Raw;

static void
raw_free(gpointer data)
{
    Raw *raw = data;
    sl_log_file_free(raw->file);
    g_clear_object(&raw->gzip);
    g_free(raw);
}

static gboolean
read_some(Raw *raw, gsize *ret_len)
{
    gssize n;
    *ret_len = 0;
    if (raw->at >= raw->end)
        return TRUE;
    n = sl_log_file_read(raw->file, raw->buffer, (gsize)MIN(PIECE, raw->end - raw->at), raw->at,
                         NULL);
    if (n <= 0) /* it was cut meanwhile: what was promised cannot be kept */
        return FALSE;
    raw->at += n;
    *ret_len = (gsize)n;
    return TRUE;
}

static SlHttpPieceNext
make_plain(SlHttpPiece *piece, gpointer data)
{
    Raw *raw = data;
    gsize len;
    if (!read_some(raw, &len))
        return SL_HTTP_PIECE_FAIL;
    g_string_append_len(piece->out, raw->buffer, (gssize)len);
    return raw->at < raw->end ? SL_HTTP_PIECE_MORE : SL_HTTP_PIECE_LAST;
}

static SlHttpPieceNext
make_gzip(SlHttpPiece *piece, gpointer data)
{
    Raw *raw = data;
    gsize len, used = 0;
    char out[64 << 10];
    if (!read_some(raw, &len))
        return SL_HTTP_PIECE_FAIL;
    GConverterFlags flags = raw->at < raw->end ? G_CONVERTER_NO_FLAGS : G_CONVERTER_INPUT_AT_END;
    while (!raw->finished && (used < len || flags == G_CONVERTER_INPUT_AT_END)) {
        gsize n_read, n_written;
        g_autoptr(GError) error = NULL;
        GConverterResult result =
            g_converter_convert(raw->gzip, raw->buffer + used, len - used, out, sizeof out, flags,
                                &n_read, &n_written, &error);
        if (result == G_CONVERTER_ERROR)
            return SL_HTTP_PIECE_FAIL;
        used += n_read;
        g_string_append_len(piece->out, out, (gssize)n_written);
        raw->finished = result == G_CONVERTER_FINISHED;
    }
    return raw->finished ? SL_HTTP_PIECE_LAST : SL_HTTP_PIECE_MORE;
}

/* "bytes=a-b", "bytes=a-", "bytes=-n". FALSE: not such a one, and the header does not count. */
static gboolean
parse_range(const char *header, gint64 size, gint64 *ret_from, gint64 *ret_to)
{
    g_auto(GStrv) ends = NULL;
    guint64 from = 0, to = 0;
    if (header == NULL || g_ascii_strncasecmp(header, "bytes=", 6) != 0)
        return FALSE;
    ends = g_strsplit(header + 6, "-", 2);
    if (g_strv_length(ends) != 2 || (ends[0][0] == '\0' && ends[1][0] == '\0') ||
        (ends[0][0] != '\0' &&
         !g_ascii_string_to_unsigned(ends[0], 10, 0, G_MAXINT64 - 1, &from, NULL)) ||
        (ends[1][0] != '\0' &&
         !g_ascii_string_to_unsigned(ends[1], 10, 0, G_MAXINT64 - 1, &to, NULL)))
        return FALSE;
    if (ends[0][0] == '\0') {
        *ret_from = MAX(size - (gint64)to, 0);
        *ret_to = to > 0 ? size : *ret_from;
        return TRUE;
    }
    if (ends[1][0] != '\0' && to < from)
        return FALSE;
    *ret_from = (gint64)from;
    *ret_to = ends[1][0] != '\0' ? MIN((gint64)to + 1, size) : size;
    return TRUE;
}

static gboolean
wants_gzip(const char *header)
{
    g_auto(GStrv) codings = g_strsplit(header != NULL ? header : "", ",", -1);
    for (guint i = 0; codings[i] != NULL; i++) {
        char *coding = g_strstrip(codings[i]);
        gsize len = strcspn(coding, "; \t");
        const char *quality = strstr(coding + len, "q=");
        if (len == 4 && g_ascii_strncasecmp(coding, "gzip", 4) == 0)
            return quality == NULL || g_ascii_strtod(quality + 2, NULL) > 0;
    }
    return FALSE;
}

static void
set_range(ServerPieces *pieces, gint64 from, gint64 to, gint64 size)
{
    g_autofree char *text = from < to ? g_strdup_printf("bytes %" G_GINT64_FORMAT
                                                        "-%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                                                        from, to - 1, size)
                                      : g_strdup_printf("bytes */%" G_GINT64_FORMAT, size);
    pieces->status = from < to ? 206 : 416;
    server_pieces_add_header(pieces, "Content-Range", text);
}

gboolean
server_attempt_log_raw(ServerCtx *ctx, const SlLogIdRequest *in, ServerPieces **ret, GError **error)
{
    g_auto(ServerLog) log = SERVER_LOG_INIT;
    if (!server_log_open(ctx, in->job_id, in->attempt_number, &log, error))
        return FALSE;
    gint64 from = 0, to = log.size;
    gboolean range =
        parse_range(sl_http_request_get_header(ctx->request, "Range"), log.size, &from, &to);
    gboolean gzip =
        !range && wants_gzip(sl_http_request_get_header(ctx->request, "Accept-Encoding"));
    g_autofree char *name = g_strdup_printf("attachment; filename=\"job-%" G_GINT64_FORMAT
                                            "-attempt-%" G_GINT64_FORMAT ".ndjson\"",
                                            in->job_id, in->attempt_number);
    Raw *raw = g_new0(Raw, 1);
    raw->at = from;
    raw->end = MAX(to, from);
    raw->file = g_steal_pointer(&log.file);
    raw->gzip = gzip ? G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1)) : NULL;
    *ret = server_pieces_new(TYPE, gzip ? make_gzip : make_plain, raw, raw_free);
    (*ret)->length = gzip ? -1 : raw->end - raw->at;
    server_pieces_add_header(*ret, "Accept-Ranges", "bytes");
    server_pieces_add_header(*ret, "Vary", "Accept-Encoding");
    server_pieces_add_header(*ret, "Content-Disposition", name);
    if (gzip)
        server_pieces_add_header(*ret, "Content-Encoding", "gzip");
    if (range)
        set_range(*ret, from, to, log.size);
    return TRUE;
}
