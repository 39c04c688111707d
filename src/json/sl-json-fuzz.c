/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-fuzz-lines.h"
#include "sl-json-scan-private.h"

#ifdef HAVE_YYJSON
#include <yyjson.h>
#endif

/* Differential fuzzing: sl-json-fuzz [LINES [SEED]]. Lines are made here, then damaged; every
 * instruction set must say the same of each, and what the strict reader says wherever that one has
 * an opinion. Deterministic: a failure prints the seed, the number and the line. */

#define N_KERNELS 3
#define DEFAULT_LINES 200000
#define DEFAULT_SEED 20260801

typedef struct {
    guint32 seed;
    guint64 line;
    SlFuzzLines lines;
    guint n_kernels;
    SlJsonScanner *by_line[N_KERNELS], *by_stream[N_KERNELS];
    GHashTable *headers; /* number → the names that lines with it have */
    gboolean failed;
    guint64 n_valid, n_records, n_lax, n_templates, n_stream_templates, n_members, n_sparse;
} Fuzz;

static void
disagree(Fuzz *f, const char *what)
{
    g_autofree char *shown = g_strescape(f->lines.text->str, NULL);
    g_printerr("seed %u, line %" G_GUINT64_FORMAT ": %s\n%s\n", f->seed, f->line, what, shown);
    f->failed = TRUE;
}

/* --- what must hold --------------------------------------------------------------------------- */

/* The text in memory of its own: with padding of garbage, or with nothing readable behind it. */
static char *
own_copy(Fuzz *f, const char *text, gsize len, gsize padding)
{
    char *copy = g_malloc(MAX(len + padding, 1));
    memcpy(copy, text, len);
    for (gsize i = 0; i < padding; i++)
        copy[len + i] = "\"}{\\]0,\n"[sl_fuzz_below(&f->lines, 8)];
    return copy;
}

/* The line is not JSON, but a scanner took it for a record: then its only fault is inside data. */
static void
check_lax(Fuzz *f, SlJsonDoc *doc, const char *line, gsize len, const SlMessage *m)
{
    gsize before = (gsize)(m->data.p - line), behind = before + m->data.n;
    g_autoptr(GString) repaired = g_string_new_len(line, (gssize)before);
    g_string_append(repaired, "{}");
    g_string_append_len(repaired, line + behind, (gssize)(len - behind));
    SlMessage judged;
    sl_json_judge(doc, repaired->str, repaired->len, &judged);
    if (judged.type != SL_MESSAGE_RECORD)
        return disagree(f, "a record whose fault is not inside data");
    if (judged.data.p != repaired->str + before || judged.stream.n != m->stream.n ||
        memcmp(judged.stream.p, m->stream.p, m->stream.n) != 0 || judged.ns.n != m->ns.n ||
        judged.meta.n != m->meta.n || judged.emitted_at.n != m->emitted_at.n)
        return disagree(f, "a record that reads otherwise without its data");
    f->n_lax++;
}

/* All members at once against the walk: the same ones, or of some all that were asked for. */
static void
check_members_read(Fuzz *f, SlSpan object)
{
    g_auto(SlJsonMembers) all = {0}, some = {0};
    SlSpan key, value;
    gboolean escaped, bad = FALSE;
    guint n = 0, n_some = 0;
    guint64 bits = G_GUINT64_CONSTANT(1) << sl_fuzz_below(&f->lines, 64);
    gboolean good = sl_json_members_read(&all, object);
    gboolean some_good = sl_json_members_read_some(&some, object, bits);
    for (gsize cursor = 0; sl_json_members_next(object, &cursor, &key, &escaped, &value, &bad);
         n++) {
        SlJsonMember *one = n < all.n ? &all.list[n] : NULL;
        if (good && (one == NULL || one->key.p != key.p || one->key.n != key.n ||
                     one->value.p != value.p || one->value.n != value.n || one->escaped != escaped))
            return disagree(f, "a member read otherwise than walked");
        if (some.sparse && !escaped && (sl_json_name_bit(key.p, key.n) & bits) == 0)
            continue;
        one = n_some < some.n ? &some.list[n_some] : NULL;
        n_some++;
        if (some_good && (one == NULL || one->key.p != key.p || one->value.p != value.p ||
                          one->value.n != value.n || one->escaped != escaped))
            return disagree(f, "a member left out that was asked for");
    }
    f->n_sparse += some_good && some.sparse;
    if (good == bad || some_good == bad || (good && (n != all.n || n_some != some.n)))
        disagree(f, "members read of an object that cannot be walked, or the other way round");
}

/* The walk over data's members against the strict reader's document of it. */
static void
check_members(Fuzz *f, SlJsonDoc *doc, SlSpan data)
{
    g_autofree char *copy = own_copy(f, data.p, data.n, 0);
    SlSpan object = {copy, data.n}, key, value;
    gboolean escaped, bad;
    gsize cursor = 0, last = 0;
    gboolean valid = sl_json_read_into(doc, copy, data.n, NULL, NULL);
    const SlJsonNode *root = valid ? sl_json_root(doc) : NULL;
    const SlJsonNode *child = valid ? sl_json_first(doc, root) : NULL;

    while (sl_json_members_next(object, &cursor, &key, &escaped, &value, &bad)) {
        if (cursor <= last || cursor > data.n || key.p < copy || value.p + value.n > copy + data.n)
            return disagree(f, "a member outside its object");
        last = cursor;
        f->n_members++;
        if (!valid)
            continue;
        if (child == NULL || key.p != child->p + 1 || key.n != child->n - 2 ||
            escaped != child->escaped || value.p != child[1].p || value.n != child[1].n)
            return disagree(f, "a member that the reader sees otherwise");
        child = sl_json_next(doc, root, child);
    }
    if (valid && (bad || child != NULL))
        return disagree(f, "the walk over valid members ended early");
    check_members_read(f, object);
}

/* A second opinion on what is JSON, where one is installed. Numbers raw: we keep 1e400 too. */
static void
check_reader(Fuzz *f, char *text, gsize len, gboolean valid)
{
#ifdef HAVE_YYJSON
    yyjson_doc *doc = yyjson_read_opts(text, len, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    if ((doc != NULL) != valid)
        disagree(f, "reader and yyjson differ");
    yyjson_doc_free(doc);
#endif
}

/* One answer against the judge's. */
static void
check_answer(Fuzz *f, const char *line, gsize len, const SlMessage *m)
{
    g_auto(SlJsonDoc) doc = {0};
    g_autofree char *exact = own_copy(f, line, len, 0);
    SlMessage judged;

    gboolean valid = sl_json_read_into(&doc, exact, len, NULL, NULL);
    check_reader(f, exact, len, valid);
    f->n_valid += valid;
    f->n_records += m->type == SL_MESSAGE_RECORD;
    sl_json_judge(&doc, line, len, &judged);
    if (!sl_message_equal(m, &judged)) {
        if (valid || m->type != SL_MESSAGE_RECORD || judged.type != SL_MESSAGE_NONE)
            return disagree(f, "scanner and reader differ");
        check_lax(f, &doc, line, len, m);
    }
    if (m->type == SL_MESSAGE_RECORD)
        check_members(f, &doc, m->data);
}

/* One number, one pair of names; callers take the second line's word for it. */
static void
check_header(Fuzz *f, const SlMessage *m)
{
    if (m->header == 0)
        return;
    g_autofree char *names =
        g_strdup_printf("%d %.*s %d %.*s", m->ns_escaped, (int)m->ns.n, m->ns.n > 0 ? m->ns.p : "",
                        m->stream_escaped, (int)m->stream.n, m->stream.p);
    const char *known = g_hash_table_lookup(f->headers, GUINT_TO_POINTER(m->header));
    if (known == NULL)
        g_hash_table_insert(f->headers, GUINT_TO_POINTER(m->header), g_steal_pointer(&names));
    else if (!g_str_equal(known, names))
        disagree(f, "one header, two streams");
}

static void
check_line(Fuzz *f)
{
    gsize len = f->lines.text->len;
    g_autofree char *line = own_copy(f, f->lines.text->str, len, SL_JSON_PADDING);
    SlMessage first = {0}, m;

    for (guint i = 0; i < f->n_kernels; i++) {
        sl_json_scan(f->by_line[i], line, len, &m);
        if (i == 0)
            first = m;
        else if (!sl_message_equal(&first, &m))
            return disagree(f, "two instruction sets, two answers");
    }
    f->n_templates += sl_json_scanner_get_misses(f->by_line[0]) == 0;
    check_header(f, &first);
    check_answer(f, line, len, &first);
}

/* The text as a stream that arrives in two reads; damage may have put newlines inside. */
static void
check_stream(Fuzz *f)
{
    g_string_append_c(f->lines.text, '\n');
    gsize len = f->lines.text->len;
    g_autofree char *text = own_copy(f, f->lines.text->str, len, SL_JSON_PADDING);
    const char *end = text + len;

    for (guint i = 0; i < f->n_kernels && !f->failed; i++) {
        gsize searched = 0;
        const char *to =
            sl_fuzz_below(&f->lines, 2) == 0 ? end : text + sl_fuzz_below(&f->lines, (guint)len);
        for (const char *p = text, *next; p < end && !f->failed; p = next) {
            const char *want = sl_json_find_newline(p, end) + 1;
            SlMessage m;
            next = sl_json_scan_next(f->by_stream[i], p, to, &searched, &m);
            if (next == NULL && want <= to)
                return disagree(f, "a whole line not found");
            if (next == NULL) {
                to = end; /* the second read */
                next = sl_json_scan_next(f->by_stream[i], p, to, &searched, &m);
            }
            if (next != want || searched != 0)
                return disagree(f, "a line found wrongly in a stream");
            check_answer(f, p, (gsize)(next - p), &m);
        }
        f->n_stream_templates += sl_json_scanner_get_misses(f->by_stream[i]) == 0;
    }
}

static void
run(Fuzz *f, guint64 n_lines)
{
    static const char *const names[N_KERNELS] = {"portable", "sse2", "avx2"};
    for (guint i = 0; i < N_KERNELS; i++) {
        const SlJsonKernel *kernel = sl_json_kernel_find(names[i]);
        if (kernel != NULL) {
            f->by_line[f->n_kernels] = sl_json_scanner_new_for(kernel);
            f->by_stream[f->n_kernels++] = sl_json_scanner_new_for(kernel);
        }
    }
    for (f->line = 0; f->line < n_lines && !f->failed; f->line++) {
        sl_fuzz_lines_next(&f->lines);
        check_line(f);
        check_stream(f);
    }
    for (guint i = 0; i < f->n_kernels; i++) {
        sl_json_scanner_free(f->by_line[i]);
        sl_json_scanner_free(f->by_stream[i]);
    }
}

int
main(int argc, char **argv)
{
    guint64 n_lines = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : DEFAULT_LINES;
    guint32 seed = argc > 2 ? (guint32)g_ascii_strtoull(argv[2], NULL, 10) : DEFAULT_SEED;
    Fuzz f = {.seed = seed};

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
    g_print("seed %u, %" G_GUINT64_FORMAT " lines\n", seed, n_lines);
    f.headers = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    sl_fuzz_lines_init(&f.lines, seed);
    run(&f, n_lines);
    sl_fuzz_lines_clear(&f.lines);
    gboolean headers_seen = g_hash_table_size(f.headers) > 0;
    g_hash_table_unref(f.headers);
    if (f.failed)
        return 1;
    g_print("%" G_GUINT64_FORMAT " valid texts, %" G_GUINT64_FORMAT " records (%" G_GUINT64_FORMAT
            " with a fault inside data), %" G_GUINT64_FORMAT
            " found by a template, %" G_GUINT64_FORMAT " members walked\n",
            f.n_valid, f.n_records, f.n_lax, f.n_templates, f.n_members);
    /* A fuzzer that no longer reaches the paths it is there for has failed too. */
    guint64 n_answers = n_lines * (1 + f.n_kernels);
    if (n_lines >= 10000 &&
        (!headers_seen || f.n_sparse < f.n_records / 20 || f.n_valid < n_answers / 2 ||
         f.n_records < n_answers / 2 || f.n_lax < n_answers / 200 || f.n_templates < n_lines / 20 ||
         f.n_stream_templates < n_lines / 20)) {
        g_printerr("too few lines of some kind: the generator is out of tune\n");
        return 1;
    }
    return 0;
}
