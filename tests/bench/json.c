/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "rival.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "sl-json-scan-private.h"
#include "sl-ledger.h"
#include "sl-rename.h"
#include "sl-stream-table.h"

/* How fast lines are read, and changed, on one core.
 *
 *   bench-json [MEGABYTES [ROUNDS [METHOD [CORPUS]]]]
 *       for people; with --tsv for programs: corpus, method, GB/s, and the median of the rounds'
 *       ratios to the rival of its kind
 *   bench-json --write CORPUS BYTES
 *       the corpus itself
 *
 * Rounds of all methods are interleaved, so that the machine's moods hit all of them; times are of
 * the CPU. */

#define MAX_ROUNDS 101
#define STATE_RECORDS 1000

typedef struct {
    const char *name;
    gsize record; /* bytes of one line, about */
    void (*append)(GString *out, GRand *rand, guint n);
    const char *drop, *hash; /* members of data, for methods that change it */
} Corpus;

typedef struct Bench Bench;
typedef struct {
    const char *name;
    const char *kernel; /* NULL: any */
    guint64 (*run)(Bench *b);
    guint rival; /* the method it is compared with, by its index */
    double times[MAX_ROUNDS];
} Method;

struct Bench {
    const Corpus *corpus;
    const char *text, *end;
    const SlJsonKernel *kernel;
    const char *only; /* the one method to run, for profiles; NULL: all */
    guint64 n_lines;
    SlJsonDoc doc;
};

/* --- corpora ---------------------------------------------------------------------------------- */

static guint
below(GRand *rand, guint n)
{
    return (guint)g_rand_int_range(rand, 0, (gint32)n);
}

static void
append_users(GString *out, GRand *rand, guint n)
{
    static const char *const streams[] = {"users", "purchases", "products"};
    static const char *const names[] = {"Ana Mar\\u00eda", "J\xc3\xbcrgen", "O'Neill",
                                        "\\\"Bob\\\""};
    static const char *const notes[] = {"prefers e-mail\\nno calls", "", "returning customer",
                                        "C:\\\\Temp\\\\list.txt", "see {ticket} [12]"};
    g_string_append_printf(
        out,
        "{\"type\":\"RECORD\",\"record\":{\"stream\":\"%s\",\"data\":{\"id\":%u,\"created_at\":"
        "\"2026-08-01T12:%02u:%02uZ\",\"name\":\"%s\",\"email\":\"user%u@example.com\",\"age\":%u,"
        "\"height\":\"1.%u\",\"title\":null,\"active\":%s,\"balance\":%u.%02u,\"note\":\"%s\","
        "\"address\":{\"street_number\":\"%u\",\"street_name\":\"Long Meadow Lane\",\"city\":"
        "\"Springfield\",\"postal_code\":\"%05u\",\"country_code\":\"DE\"},\"gender\":\"other\"},"
        "\"emitted_at\":17%011u}}\n",
        streams[below(rand, 3)], n, below(rand, 60), below(rand, 60), names[below(rand, 4)], n,
        below(rand, 90), below(rand, 99), below(rand, 2) ? "true" : "false", below(rand, 100000),
        below(rand, 100), notes[below(rand, 5)], below(rand, 999), below(rand, 99999), n);
}

static void
append_wide(GString *out, GRand *rand, guint n)
{
    g_string_append(out, "{\"type\":\"RECORD\",\"record\":{\"stream\":\"wide\",\"data\":{");
    for (guint i = 0; i < 100; i++) {
        if (i % 2 == 0)
            g_string_append_printf(out, "%s\"column_%02u\":%u", i > 0 ? "," : "", i,
                                   g_rand_int(rand));
        else
            g_string_append_printf(out, ",\"column_%02u\":\"value %u\"", i, g_rand_int(rand));
    }
    g_string_append_printf(out, "},\"emitted_at\":17%011u}}\n", n);
}

static void
append_tiny(GString *out, GRand *rand, guint n)
{
    g_string_append_printf(
        out,
        "{\"type\":\"RECORD\",\"record\":{\"stream\":\"tiny\",\"data\":{\"id\":%u,"
        "\"value\":\"%08x\"},\"emitted_at\":17%011u}}\n",
        n, g_rand_int(rand), n);
}

/* --- methods ---------------------------------------------------------------------------------- */

static guint64
run_lines(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text; p < b->end; n++)
        p = sl_json_find_newline(p, b->end) + 1;
    return n;
}

static guint64
run_scan(Bench *b)
{
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(b->kernel);
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        SlMessage m;
        next = sl_json_find_newline(p, b->end);
        sl_json_scan(scanner, p, (gsize)(next - p), &m);
        n += m.type == SL_MESSAGE_RECORD;
    }
    return n;
}

static guint64
run_next(Bench *b)
{
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(b->kernel);
    guint64 n = 0;
    SlMessage m;
    gsize searched = 0;
    const char *p = b->text;
    while ((p = sl_json_scan_next(scanner, p, b->end, &searched, &m)) != NULL) {
        n += m.type == SL_MESSAGE_RECORD;
        if (p == b->end)
            break;
    }
    return n;
}

static guint64
run_members(Bench *b)
{
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(b->kernel);
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        SlMessage m;
        SlSpan key, value;
        gboolean escaped, bad = FALSE;
        next = sl_json_find_newline(p, b->end);
        sl_json_scan(scanner, p, (gsize)(next - p), &m);
        for (gsize at = 0; sl_json_members_next(m.data, &at, &key, &escaped, &value, &bad);)
            continue;
        n += !bad;
    }
    return n;
}

static guint64
run_judge(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        SlMessage m;
        next = sl_json_find_newline(p, b->end);
        sl_json_judge(&b->doc, p, (gsize)(next - p), &m);
        n += m.type == SL_MESSAGE_RECORD;
    }
    return n;
}

static guint64
run_read(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        next = sl_json_find_newline(p, b->end);
        n += sl_json_read_into(&b->doc, p, (gsize)(next - p), NULL, NULL);
    }
    return n;
}

/* --- changing lines --------------------------------------------------------------------------- */

void
bench_hash(const char *text, gsize len, char hex[65])
{
    static const EVP_MD *sha;
    static EVP_MD_CTX *context;
    guint8 digest[EVP_MAX_MD_SIZE];
    if (sha == NULL) {
        sha = EVP_sha256();
        context = EVP_MD_CTX_new();
    }
    EVP_DigestInit_ex(context, sha, NULL);
    EVP_DigestUpdate(context, text, len);
    EVP_DigestFinal_ex(context, digest, NULL);
    for (guint i = 0; i < 32; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[64] = '\0';
}

/* A catalog of the corpus' streams: one member of data is dropped, maybe one hashed. */
static SlCatalog *
make_catalog(const Corpus *corpus, gboolean hashed)
{
    static const char *const streams[] = {"users", "purchases", "products", "wide", "tiny"};
    g_autoptr(GString) text = g_string_new("{\"streams\":[");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
        g_string_append_printf(
            text,
            "%s{\"stream\":{\"name\":\"%s\",\"json_schema\":{\"type\":\"object\",\"properties\":{"
            "\"%s\":{\"type\":\"string\"},\"%s\":{\"type\":\"string\"}}}},\"sync_mode\":"
            "\"full_refresh\",\"destination_sync_mode\":\"append\",\"mappers\":[{\"id\":\"1\","
            "\"type\":\"field-filtering\",\"mapperConfiguration\":{\"targetField\":\"%s\"}}",
            i > 0 ? "," : "", streams[i], corpus->drop, corpus->hash, corpus->drop);
        if (hashed)
            g_string_append_printf(text,
                                   ",{\"id\":\"2\",\"type\":\"hashing\",\"mapperConfiguration\":{"
                                   "\"targetField\":\"%s\",\"method\":\"SHA-256\","
                                   "\"fieldNameSuffix\":\"_hashed\"}}",
                                   corpus->hash);
        g_string_append(text, "]}");
    }
    g_string_append(text, "]}");
    SlCatalogNames names = {.prefix = BENCH_PREFIX};
    SlCatalog *catalog = sl_catalog_parse(text->str, text->len, &names, &error);
    if (catalog == NULL)
        g_error("the benchmark's catalog: %s", error->message);
    return catalog;
}

/* As the orchestrator does it: scan, find the stream, map, write under the new name. */
static guint64
change_lines(Bench *b, gboolean hashed)
{
    g_autoptr(SlCatalog) catalog = make_catalog(b->corpus, hashed);
    g_autoptr(SlStreamTable) table = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(b->kernel);
    g_autoptr(GString) mapped = g_string_new(NULL), out = g_string_new(NULL);
    guint64 n = 0;
    gsize searched = 0, selected;
    SlMessage m;
    for (const char *p = b->text, *next; p < b->end; p = next) {
        next = sl_json_scan_next(scanner, p, b->end, &searched, &m);
        gint i = sl_stream_table_find(table, m.ns, m.ns_escaped, m.stream, m.stream_escaped);
        g_string_truncate(mapped, 0);
        g_string_truncate(out, 0);
        if (i < 0 || sl_mapper_apply(catalog->streams[i].mapper, m.data, mapped, &selected, NULL) !=
                         SL_MAPPED_CHANGED)
            continue;
        sl_rename_record(&catalog->streams[i], &m, mapped, p, (gsize)(next - p), out);
        n += out->len > 0;
    }
    return n;
}

static guint64
run_change(Bench *b)
{
    return change_lines(b, FALSE);
}

static guint64
run_change_hash(Bench *b)
{
    return change_lines(b, TRUE);
}

/* `line` is padded, and so is what the destination would read. */
static void
take_state(SlLedger *ledger, SlJsonScanner *scanner, const GString *line, GString *out)
{
    SlMessage m;
    sl_json_scan(scanner, line->str, line->len, &m);
    g_string_truncate(out, 0);
    if (!sl_ledger_add_state(ledger, line->str, line->len, m.payload, out, NULL))
        return;
    gsize sent = out->len;
    g_string_set_size(out, sent + SL_JSON_PADDING);
    sl_json_scan(scanner, out->str, sent, &m);
    sl_ledger_acknowledge(ledger, m.payload);
}

/* Scan, find the stream, count; with states: enter, number, acknowledge one per STATE_RECORDS. */
static guint64
count_lines(Bench *b, gboolean states)
{
    g_autoptr(SlCatalog) catalog = make_catalog(b->corpus, FALSE);
    g_autoptr(SlStreamTable) table = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(b->kernel);
    g_autoptr(SlLedger) ledger = sl_ledger_new(catalog, NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL), state = g_string_sized_new(512);
    SlStreamBooks *books = sl_ledger_books(ledger);
    guint64 n = 0;
    gsize searched = 0;
    SlMessage m;
    g_string_printf(state,
                    "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{"
                    "\"stream_descriptor\":{\"name\":\"%s\"},\"stream_state\":{\"cursor\":"
                    "\"2026-01-01T00:00:00Z\"}}}}\n",
                    catalog->streams[0].name);
    for (const char *p = b->text, *next; p < b->end; p = next) {
        next = sl_json_scan_next(scanner, p, b->end, &searched, &m);
        gint i = sl_stream_table_find(table, m.ns, m.ns_escaped, m.stream, m.stream_escaped);
        if (i < 0)
            continue;
        sl_ledger_count_record(books, i, m.data.n);
        if (++n % STATE_RECORDS == 0 && states)
            take_state(ledger, scanner, state, out);
    }
    return sl_ledger_open_states(ledger) == 0 ? n : 0;
}

static guint64
run_count(Bench *b)
{
    return count_lines(b, FALSE);
}

static guint64
run_states(Bench *b)
{
    return count_lines(b, TRUE);
}

static guint64
run_rival(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        next = sl_json_find_newline(p, b->end);
        n += (guint64)bench_rival.parse(p, (gsize)(next - p));
    }
    return n;
}

static guint64
run_rival_edit(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        next = sl_json_find_newline(p, b->end);
        n += bench_rival.edit(p, (gsize)(next - p), b->corpus->drop, NULL) > 0;
    }
    return n;
}

static guint64
run_rival_hash(Bench *b)
{
    guint64 n = 0;
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        next = sl_json_find_newline(p, b->end);
        n += bench_rival.edit(p, (gsize)(next - p), b->corpus->drop, b->corpus->hash) > 0;
    }
    return n;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static double
cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static gboolean
run_round(Bench *b, Method *methods, guint n_methods, guint round)
{
    for (guint i = 0; i < n_methods; i++) {
        Method *m = &methods[i];
        b->kernel = m->kernel != NULL ? sl_json_kernel_find(m->kernel) : sl_json_kernel_get();
        if (b->kernel == NULL || (b->only != NULL && !g_str_equal(b->only, m->name)))
            continue;
        double start = cpu_seconds();
        guint64 n = m->run(b);
        m->times[round] = cpu_seconds() - start;
        if (n != b->n_lines) {
            g_printerr("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " lines\n", m->name, n,
                       b->n_lines);
            return FALSE;
        }
    }
    return TRUE;
}

static double
median(double *values, guint n)
{
    qsort(values, n, sizeof values[0], compare_doubles);
    return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void
print_method(const Bench *b, const Method *methods, const Method *m, guint rounds, gboolean tsv)
{
    double ratios[MAX_ROUNDS], times[MAX_ROUNDS], bytes = (double)(b->end - b->text);
    for (guint i = 0; i < rounds; i++) {
        times[i] = m->times[i];
        ratios[i] = m->times[i] > 0 ? methods[m->rival].times[i] / m->times[i] : 0;
    }
    double time = median(times, rounds), ratio = median(ratios, rounds);
    if (time <= 0) /* no such instruction set here */
        return;
    if (tsv)
        g_print("%s\t%s\t%.4f\t%.4f\n", b->corpus->name, m->name, bytes / time / 1e9, ratio);
    else
        g_print("  %-20s %7.2f GB/s %8.1f ns/line   %6.2f x %s\n", m->name, bytes / time / 1e9,
                time * 1e9 / (double)b->n_lines, ratio, methods[m->rival].name);
}

static void
make_text(const Corpus *corpus, gsize bytes, GString *text, guint64 *ret_lines)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (*ret_lines = 0; text->len < bytes; ++*ret_lines)
        corpus->append(text, rand, (guint)*ret_lines);
}

static gboolean
run_corpus(const Corpus *corpus, gsize bytes, guint rounds, gboolean tsv, const char *only)
{
    enum { RIVAL, RIVAL_EDIT, RIVAL_HASH, COUNT };
    Method methods[] = {
        {"rival", NULL, run_rival, RIVAL},
        {"rival edit", NULL, run_rival_edit, RIVAL_EDIT},
        {"rival edit hash", NULL, run_rival_hash, RIVAL_HASH},
        {"count", NULL, run_count, COUNT},
        {"count states", NULL, run_states, COUNT},
        {"lines", NULL, run_lines, RIVAL},
        {"next avx2", "avx2", run_next, RIVAL},
        {"next sse2", "sse2", run_next, RIVAL},
        {"next portable", "portable", run_next, RIVAL},
        {"scan avx2", "avx2", run_scan, RIVAL},
        {"scan sse2", "sse2", run_scan, RIVAL},
        {"scan + members", NULL, run_members, RIVAL},
        {"judge", NULL, run_judge, RIVAL},
        {"strict read", NULL, run_read, RIVAL},
        {"change", NULL, run_change, RIVAL_EDIT},
        {"change hash", NULL, run_change_hash, RIVAL_HASH},
    };
    g_autoptr(GString) text = g_string_sized_new(bytes + 4 * corpus->record + BENCH_PADDING);
    Bench b = {.corpus = corpus, .only = only};

    make_text(corpus, bytes, text, &b.n_lines);
    b.text = text->str;
    b.end = text->str + text->len;
    g_string_set_size(text, text->len + BENCH_PADDING);
    gboolean ok = TRUE;
    for (guint round = 0; ok && round < rounds; round++)
        ok = run_round(&b, methods, G_N_ELEMENTS(methods), round);
    if (!tsv)
        g_print("%s, %.0f bytes a line; the rival is %s\n", corpus->name,
                (double)(b.end - b.text) / (double)b.n_lines, bench_rival.name);
    for (guint i = 0; ok && i < G_N_ELEMENTS(methods); i++)
        print_method(&b, methods, &methods[i], rounds, tsv);
    sl_json_doc_clear(&b.doc);
    return ok;
}

static const Corpus corpora[] = {
    {"users", 425, append_users, "note", "email"},
    {"wide", 2700, append_wide, "column_01", "column_03"},
    {"tiny", 115, append_tiny, "id", "value"},
};

static int
write_corpus(const char *name, gsize bytes)
{
    for (guint i = 0; i < G_N_ELEMENTS(corpora); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        guint64 n;
        if (g_strcmp0(name, corpora[i].name) != 0)
            continue;
        make_text(&corpora[i], bytes, text, &n);
        return fwrite(text->str, 1, text->len, stdout) == text->len && fflush(stdout) == 0 ? 0 : 1;
    }
    g_printerr("there is no corpus '%s'\n", name);
    return 2;
}

int
main(int argc, char **argv)
{
    gboolean tsv = argc > 1 && g_str_equal(argv[1], "--tsv");
    if (argc == 4 && g_str_equal(argv[1], "--write"))
        return write_corpus(argv[2], g_ascii_strtoull(argv[3], NULL, 10));
    argc -= tsv;
    argv += tsv;
    gsize bytes = (argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 64) * 1000 * 1000;
    guint rounds = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 7;

    rounds = CLAMP(rounds, 1, MAX_ROUNDS);
    if (tsv)
        g_print("rival\t%s\t0\t0\n", bench_rival.name);
    for (gsize i = 0; i < G_N_ELEMENTS(corpora); i++) {
        if (argc > 4 && !g_str_equal(argv[4], corpora[i].name))
            continue;
        if (!run_corpus(&corpora[i], MAX(bytes, 1), rounds, tsv, argc > 3 ? argv[3] : NULL))
            return 1;
    }
    return 0;
}
