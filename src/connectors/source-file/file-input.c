/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define CHUNK (256 * 1024)
/* A quote that is never closed would make the rest of a file one row. */
#define MAX_ROW ((gsize)64 * 1024 * 1024)

typedef gssize (*DecodeFunc)(FileDecoder *decoder, char *out, gsize n, GError **error);

struct FileDecoder {
    int fd;
    DecodeFunc decode; /* 0: end; -1: error */
    guchar raw[CHUNK]; /* as read from the file */
    gsize raw_at, raw_n;
    z_stream gzip;
    gboolean gzip_open;
    ZSTD_DStream *zstd;
    gboolean inside; /* a compressed frame has begun and not ended */
};

/* More raw bytes, when there are none left. */
static gboolean
decoder_refill(FileDecoder *d, GError **error)
{
    if (d->raw_at < d->raw_n)
        return TRUE;
    gssize n;
    do
        n = read(d->fd, d->raw, sizeof d->raw);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sl_error_set_errno(error, errno, "reading");
    d->raw_at = 0;
    d->raw_n = (gsize)n;
    return TRUE;
}

static gssize
decode_plain(FileDecoder *d, char *out, gsize n, GError **error)
{
    if (!decoder_refill(d, error))
        return -1;
    gsize len = MIN(n, d->raw_n - d->raw_at);
    memcpy(out, d->raw + d->raw_at, len);
    d->raw_at += len;
    return (gssize)len;
}

/* The raw bytes are at their end: is that a good place? */
static gssize
decoder_end(const FileDecoder *d, GError **error)
{
    if (!d->inside)
        return 0;
    sl_error_set(error, SL_ERROR_INVALID, "the compressed data ends too early");
    return -1;
}

/* A file may hold several members (gzip(1), "cat a.gz b.gz"). */
static gssize
decode_gzip(FileDecoder *d, char *out, gsize n, GError **error)
{
    for (;;) {
        if (!decoder_refill(d, error))
            return -1;
        if (d->raw_at == d->raw_n)
            return decoder_end(d, error);
        d->inside = TRUE;
        d->gzip.next_in = d->raw + d->raw_at;
        d->gzip.avail_in = (uInt)(d->raw_n - d->raw_at);
        d->gzip.next_out = (Bytef *)out;
        d->gzip.avail_out = (uInt)MIN(n, G_MAXINT);
        int result = inflate(&d->gzip, Z_NO_FLUSH);
        d->raw_at = d->raw_n - d->gzip.avail_in;
        gsize len = (gsize)((char *)d->gzip.next_out - out);
        if (result == Z_STREAM_END) {
            d->inside = FALSE;
            inflateReset(&d->gzip);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            sl_error_set(error, SL_ERROR_INVALID, "damaged gzip data: %s",
                         d->gzip.msg != NULL ? d->gzip.msg : zError(result));
            return -1;
        }
        if (len > 0)
            return (gssize)len;
    }
}

static gssize
decode_zstd(FileDecoder *d, char *out, gsize n, GError **error)
{
    for (;;) {
        if (!decoder_refill(d, error))
            return -1;
        if (d->raw_at == d->raw_n)
            return decoder_end(d, error);
        ZSTD_inBuffer in = {d->raw, d->raw_n, d->raw_at};
        ZSTD_outBuffer target = {out, n, 0};
        gsize left = ZSTD_decompressStream(d->zstd, &target, &in);
        d->raw_at = in.pos;
        if (ZSTD_isError(left)) {
            sl_error_set(error, SL_ERROR_INVALID, "damaged zstd data: %s", ZSTD_getErrorName(left));
            return -1;
        }
        d->inside = left != 0;
        if (target.pos > 0)
            return (gssize)target.pos;
    }
}

static FileCompression
decoder_infer(const FileDecoder *d)
{
    static const guchar gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (d->raw_n >= sizeof gzip && memcmp(d->raw, gzip, sizeof gzip) == 0)
        return FILE_COMPRESSION_GZIP;
    if (d->raw_n >= sizeof zstd && memcmp(d->raw, zstd, sizeof zstd) == 0)
        return FILE_COMPRESSION_ZSTD;
    return FILE_COMPRESSION_NONE;
}

static gboolean
decoder_start(FileDecoder *d, FileCompression compression, GError **error)
{
    if (!decoder_refill(d, error))
        return FALSE;
    if (compression == FILE_COMPRESSION_INFER)
        compression = decoder_infer(d);
    d->decode = decode_plain;
    if (compression == FILE_COMPRESSION_GZIP) {
        d->decode = decode_gzip;
        d->gzip_open = inflateInit2(&d->gzip, 15 + 16) == Z_OK;
        return d->gzip_open || sl_error_set(error, SL_ERROR_FAILED, "starting zlib failed");
    }
    if (compression == FILE_COMPRESSION_ZSTD) {
        d->decode = decode_zstd;
        d->zstd = ZSTD_createDStream();
        return d->zstd != NULL || sl_error_set(error, SL_ERROR_FAILED, "starting zstd failed");
    }
    return TRUE;
}

gboolean
file_input_refuse(const FileInput *input, guint64 line, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set(error, SL_ERROR_INVALID, "%s, line %" G_GUINT64_FORMAT ": %s", input->path,
                        line, text);
}

/* Each byte over 0x7f becomes two. */
static gssize
decode_latin1(FileInput *input, char *out, gsize n, GError **error)
{
    char *from = out + n / 2;
    gssize len = input->decoder->decode(input->decoder, from, n / 2, error);
    char *p = out;
    /* The write position never passes the read position: it starts half the room behind. */
    for (gssize i = 0; i < len; i++) {
        guchar c = (guchar)from[i];
        if (c >= 0x80) {
            *p++ = (char)(0xc0 | c >> 6);
            c = 0x80 | (c & 0x3f);
        }
        *p++ = (char)c;
    }
    return len <= 0 ? len : p - out;
}

static gssize
input_decode(FileInput *input, GError **error)
{
    gsize room = input->size - (gsize)(input->end - input->buf);
    gssize n = input->latin1 ? decode_latin1(input, input->end, room, error)
                             : input->decoder->decode(input->decoder, input->end, room, error);
    if (n < 0)
        g_prefix_error(error, "%s: ", input->path);
    else
        input->end += n;
    input->at_end = n == 0;
    return n;
}

gboolean
file_input_fill(FileInput *input, GError **error)
{
    gsize unread = (gsize)(input->end - input->p);
    if (unread > MAX_ROW)
        return file_input_refuse(input, input->line, error,
                                 "a row of more than 64 MiB; is a closing quote missing?");
    if (unread > 0 && input->p > input->buf)
        memmove(input->buf, input->p, unread);
    if (input->size - unread < CHUNK) {
        input->size = MAX(input->size * 2, (gsize)4 * CHUNK);
        input->buf = g_realloc(input->buf, input->size + FILE_PADDING);
    }
    input->p = input->buf;
    input->end = input->buf + unread;
    gssize n = input_decode(input, error);
    memset(input->end, 0, FILE_PADDING);
    return n >= 0;
}

static gboolean
input_skip_bom(FileInput *input, GError **error)
{
    while (input->end - input->p < 3 && !input->at_end)
        if (!file_input_fill(input, error))
            return FALSE;
    gsize n = (gsize)(input->end - input->p);
    if (input->latin1)
        return TRUE;
    if (n >= 3 && memcmp(input->p, "\xef\xbb\xbf", 3) == 0)
        input->p += 3;
    else if (n >= 2 &&
             (memcmp(input->p, "\xff\xfe", 2) == 0 || memcmp(input->p, "\xfe\xff", 2) == 0))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "%s: the file is in UTF-16; only utf-8 and latin-1 can be read",
                            input->path);
    return TRUE;
}

FileInput *
file_input_open(const char *path, const FileOptions *options, GError **error)
{
    g_autoptr(FileInput) input = g_new0(FileInput, 1);
    input->decoder = g_new0(FileDecoder, 1);
    input->path = path;
    input->line = 1;
    input->latin1 = options->latin1;
    input->decoder->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (input->decoder->fd < 0) {
        sl_error_set_errno(error, errno, "%s", path);
        return NULL;
    }
    posix_fadvise(input->decoder->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (!decoder_start(input->decoder, options->compression, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    if (!file_input_fill(input, error) || !input_skip_bom(input, error))
        return NULL;
    return g_steal_pointer(&input);
}

void
file_input_close(FileInput *input)
{
    if (input == NULL)
        return;
    if (input->decoder->gzip_open)
        inflateEnd(&input->decoder->gzip);
    ZSTD_freeDStream(input->decoder->zstd);
    sl_fd_clear(&input->decoder->fd);
    g_free(input->decoder);
    g_free(input->buf);
    g_free(input);
}
