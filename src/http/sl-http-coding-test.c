/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-coding.h"

#include <gio/gio.h>
#include <string.h>

static void
test_taken(void)
{
    static const struct {
        const char *header;
        gboolean gzip;
    } cases[] = {
        {NULL, FALSE},          {"", FALSE},           {"gzip", TRUE},
        {"GZip", TRUE},         {"br, gzip", TRUE},    {"br,gzip;q=0.5", TRUE},
        {"gzip;q=0", FALSE},    {"gzip;q=0.0", FALSE}, {"gzip; q=0.001", TRUE},
        {"x-gzip", FALSE},      {"gzipped", FALSE},    {"identity", FALSE},
        {"gzip;level=9", TRUE}, {",,;,gzip", TRUE},    {"*;q=0, gzip", TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].header);
        g_assert_cmpint(sl_http_coding_is_taken(cases[i].header, "gzip"), ==, cases[i].gzip);
    }
}

static GBytes *
gunzip(GBytes *coded)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GInputStream) in = g_memory_input_stream_new_from_bytes(coded);
    g_autoptr(GZlibDecompressor) zlib = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) plain = g_converter_input_stream_new(in, G_CONVERTER(zlib));
    g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
    g_output_stream_splice(out, plain, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
    g_assert_no_error(error);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

/* Of any length, and what comes out again is what went in. */
static void
test_gzip(void)
{
    static const gsize lengths[] = {200, 1024, 70000, 3 << 20};
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        GString *text = g_string_new("[");
        while (text->len < lengths[i])
            g_string_append_printf(text, "{\"connectionId\":\"%08x\",\"name\":\"n\"},",
                                   g_random_int_range(0, 100));
        g_autoptr(GBytes) body = g_string_free_to_bytes(text);
        g_autoptr(GBytes) coded = sl_http_coding_gzip(body);
        g_assert_nonnull(coded);
        g_assert_cmpuint(g_bytes_get_size(coded), <, g_bytes_get_size(body) / 2);
        g_autoptr(GBytes) again = gunzip(coded);
        g_assert_true(g_bytes_equal(again, body));
    }
}

/* What would grow is left as it is. */
static void
test_noise(void)
{
    static const gsize lengths[] = {0, 1, 17, 4096, 100000};
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree guint8 *noise = g_malloc(lengths[i] + 4);
        for (gsize at = 0; at < lengths[i]; at += 4) {
            guint32 word = g_random_int();
            memcpy(noise + at, &word, 4);
        }
        g_autoptr(GBytes) body = g_bytes_new(noise, lengths[i]);
        g_assert_null(sl_http_coding_gzip(body));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/coding/taken", test_taken);
    g_test_add_func("/http/coding/gzip", test_gzip);
    g_test_add_func("/http/coding/noise", test_noise);
    return g_test_run();
}
