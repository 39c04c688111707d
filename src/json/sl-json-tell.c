/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "sl-json-fuzz-lines.h"
#include "sl-json-scan-private.h"

/* sl-json-tell LINES SEED: makes and damages lines as sl-json-fuzz does, and tells what the scanner
 * and the strict reader say of each, for a parser that is not ours to contradict
 * (tests/fuzz/test-json-differential). One record per line, all numbers little endian:
 *   u32 length, the line, u8 "the strict reader takes it", u8 message type as the scanner sees it,
 *   u8 1: the stream's name has escapes | 2: the namespace,
 *   for payload, stream, namespace, data, meta, emitted_at: u32 offset in the line, u32 length. */

static void
put(guint32 value)
{
    guint32 little = GUINT32_TO_LE(value);
    fwrite(&little, sizeof little, 1, stdout);
}

static void
put_span(const char *line, SlSpan span)
{
    put(span.p != NULL ? (guint32)(span.p - line) : 0);
    put(span.p != NULL ? (guint32)span.n : 0);
}

static void
tell(SlJsonScanner *scanner, SlJsonDoc *doc, const GString *text)
{
    SlMessage m;
    g_autofree char *line = g_malloc0(text->len + SL_JSON_PADDING);
    memcpy(line, text->str, text->len);
    sl_json_scan(scanner, line, text->len, &m);
    put((guint32)text->len);
    fwrite(line, 1, text->len, stdout);
    putchar(sl_json_read_into(doc, line, text->len, NULL, NULL));
    putchar(m.type);
    putchar((m.stream_escaped ? 1 : 0) | (m.ns_escaped ? 2 : 0));
    const SlSpan spans[] = {m.payload, m.stream, m.ns, m.data, m.meta, m.emitted_at};
    for (guint i = 0; i < G_N_ELEMENTS(spans); i++)
        put_span(line, spans[i]);
}

int
main(int argc, char **argv)
{
    guint64 n = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 1000;
    SlFuzzLines lines;
    g_auto(SlJsonDoc) doc = {0};
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new();
    sl_fuzz_lines_init(&lines, argc > 2 ? (guint32)g_ascii_strtoull(argv[2], NULL, 10) : 1);
    for (guint64 i = 0; i < n; i++) {
        sl_fuzz_lines_next(&lines);
        tell(scanner, &doc, lines.text);
    }
    sl_fuzz_lines_clear(&lines);
    return fflush(stdout) == 0 ? 0 : 1;
}
