/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-coding.h"

#include <gio/gio.h>
#include <string.h>

/* What JSON is made of repeats itself so much that more work saves little: of a list, level 1
 * leaves a twentieth, level 6 a twenty-fifth in four times the time. */
#define LEVEL 1

gboolean
sl_http_coding_is_taken(const char *header, const char *name)
{
    g_auto(GStrv) items = g_strsplit(header != NULL ? header : "", ",", -1);
    for (char **item = items; *item != NULL; item++) {
        g_auto(GStrv) parts = g_strsplit(*item, ";", 2);
        if (parts[0] == NULL || g_ascii_strcasecmp(g_strstrip(parts[0]), name) != 0)
            continue;
        const char *quality = parts[1] != NULL ? strstr(parts[1], "q=") : NULL;
        return quality == NULL || g_ascii_strtod(quality + 2, NULL) > 0;
    }
    return FALSE;
}

GBytes *
sl_http_coding_gzip(GBytes *body)
{
    gsize len, read = 0, written = 0, done = 0;
    const char *data = g_bytes_get_data(body, &len);
    g_autofree char *out = g_malloc(MAX(len, 1));
    g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, LEVEL);
    GConverterResult result = G_CONVERTER_CONVERTED;
    for (gsize at = 0; result == G_CONVERTER_CONVERTED; at += read, done += written) {
        if (done == len)
            return NULL;
        result = g_converter_convert(G_CONVERTER(zlib), data + at, len - at, out + done, len - done,
                                     G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
    }
    /* an error is that there is no room for it in the length of the body itself */
    if (result != G_CONVERTER_FINISHED || done >= len)
        return NULL;
    return g_bytes_new_take(g_realloc(g_steal_pointer(&out), done), done);
}
