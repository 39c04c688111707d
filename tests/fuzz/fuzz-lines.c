/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

#include "sl-channel-books.h"
#include "sl-json-scan-private.h"
#include "sl-rename.h"
#include "sl-trace.h"

/* What a source writes: lines. Every instruction set says the same of each, in whatever pieces they
 * come; the strict reader agrees wherever the line is JSON; what we rewrite stays the same record.
 */

#define N_KERNELS 3

static void
check_members(SlJsonDoc *doc, const SlMessage *m)
{
    gboolean escaped, bad = FALSE;
    SlSpan key, value;
    guint n = 0;
    gboolean valid = sl_json_read_into(doc, m->data.p, m->data.n, NULL, NULL);
    for (gsize at = 0; sl_json_members_next(m->data, &at, &key, &escaped, &value, &bad); n++)
        fuzz_check(key.p > m->data.p && value.p > key.p &&
                   value.p + value.n <= m->data.p + m->data.n);
    fuzz_check(!valid || (!bad && n == sl_json_root(doc)->count));
}

/* Under another name it is the same record, but for the name. */
static void
check_rename(const SlMessage *m, const char *line, gsize len)
{
    SlCatalogStream stream = {.to_ns = (char *)(len % 2 == 0 ? "ns" : NULL),
                              .to_name_json = (char *)"\"other\\\"}\"",
                              .to_ns_json = (char *)(len % 2 == 0 ? "\"ns\"" : "null"),
                              .renamed = TRUE};
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(SlJsonDoc) doc = {0};
    SlMessage renamed;
    sl_rename_record(&stream, m, NULL, line, len, out);
    sl_json_judge(&doc, out->str, out->len, &renamed);
    fuzz_check(renamed.type == SL_MESSAGE_RECORD);
    fuzz_check(renamed.stream.n == 8 && memcmp(renamed.stream.p, "other\\\"}", 8) == 0);
    fuzz_check(len % 2 == 0 ? renamed.ns.n == 2 : renamed.ns.n == 0);
    fuzz_check(renamed.data.n == m->data.n && memcmp(renamed.data.p, m->data.p, m->data.n) == 0);
    fuzz_check(renamed.emitted_at.n == m->emitted_at.n && renamed.meta.n == m->meta.n);
}

static void
read_payload(const SlMessage *m)
{
    g_auto(SlTrace) trace = {0};
    g_auto(SlLogMessage) log = {0};
    if (m->type == SL_MESSAGE_TRACE)
        sl_trace_parse(m->payload, &trace, NULL);
    if (m->type == SL_MESSAGE_LOG)
        sl_log_message_parse(m->payload, &log, NULL);
    if (m->type == SL_MESSAGE_CONTROL)
        g_free(sl_control_parse(m->payload, NULL));
}

static void
check_line(SlJsonScanner *const scanners[], guint n, const char *line, gsize len)
{
    SlMessage first = {0}, m;
    g_auto(SlJsonDoc) doc = {0};
    for (guint i = 0; i < n; i++) {
        sl_json_scan(scanners[i], line, len, &m);
        if (i == 0)
            first = m;
        fuzz_check(sl_message_equal(&first, &m));
    }
    gboolean valid = sl_json_read_into(&doc, line, len, NULL, NULL);
    sl_json_judge(&doc, line, len, &m);
    if (valid || first.type != SL_MESSAGE_RECORD)
        fuzz_check(sl_message_equal(&first, &m));
    read_payload(&first);
    if (first.type != SL_MESSAGE_RECORD)
        return;
    SlSpan partition = sl_channel_find_partition(&first, line, len);
    fuzz_check(partition.n == 0 || (partition.p > line && partition.p + partition.n < line + len));
    check_members(&doc, &first);
    if (valid)
        check_rename(&first, line, len);
}

/* The whole text as a stream that comes in pieces of varying size. */
static void
check_stream(SlJsonScanner *scanner, const char *text, gsize len)
{
    const char *end = text + len, *p = text;
    gsize searched = 0;
    for (const char *to = text; p < end;) {
        SlMessage m;
        const char *next = sl_json_scan_next(scanner, p, to, &searched, &m);
        if (next != NULL) {
            fuzz_check(next == sl_json_find_newline(p, end) + 1 && searched == 0);
            p = next;
            continue;
        }
        fuzz_check(searched == (gsize)(to - p) && sl_json_find_newline(p, to) == to);
        if (to == end)
            break; /* the last line, without its newline */
        gsize piece = 1 + (gsize)((guint8)to[0]) % 97;
        to += MIN(piece, (gsize)(end - to));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[N_KERNELS] = {"portable", "sse2", "avx2"};
    g_autofree char *text = fuzz_copy(data, size, SL_JSON_PADDING);
    SlJsonScanner *scanners[N_KERNELS];
    guint n = 0;
    for (guint i = 0; i < N_KERNELS; i++) {
        const SlJsonKernel *kernel = sl_json_kernel_find(names[i]);
        if (kernel != NULL)
            scanners[n++] = sl_json_scanner_new_for(kernel);
    }
    const char *end = text + size;
    for (const char *p = text, *next; p < end; p = next) {
        next = sl_json_find_newline(p, end);
        next += next < end;
        check_line(scanners, n, p, (gsize)(next - p));
    }
    for (guint i = 0; i < n; i++) {
        check_stream(scanners[i], text, size);
        sl_json_scanner_free(scanners[i]);
    }
    return 0;
}
