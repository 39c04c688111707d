/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

#include <stdlib.h>
#include <time.h>
#ifdef HAVE_YYJSON
#include <yyjson.h>
#endif

/* How fast the readers are: sl-json-bench [MEGABYTES [ROUNDS]]. Rounds of all methods are
 * interleaved, so that the machine's moods hit all of them; medians of CPU time are printed. */

#define MAX_ROUNDS 101

typedef struct {
    const char *name;
    gsize record; /* bytes of one line, about */
    void (*append)(GString *out, GRand *rand, guint n);
} Corpus;

typedef struct Bench Bench;
typedef struct {
    const char *name;
    const char *kernel; /* NULL: any */
    guint64 (*run)(Bench *b);
    double times[MAX_ROUNDS];
} Method;

struct Bench {
    const char *text, *end;
    const SlJsonKernel *kernel;
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

#ifdef HAVE_YYJSON
static guint64
run_yyjson(Bench *b)
{
    guint64 n = 0;
    gsize room = yyjson_read_max_memory_usage(65536, 0);
    g_autofree void *memory = g_malloc(room);
    for (const char *p = b->text, *next; p < b->end; p = next + 1) {
        yyjson_alc allocator;
        next = sl_json_find_newline(p, b->end);
        yyjson_alc_pool_init(&allocator, memory, room);
        yyjson_doc *doc = yyjson_read_opts((char *)p, (gsize)(next - p), 0, &allocator, NULL);
        n += doc != NULL;
        yyjson_doc_free(doc);
    }
    return n;
}
#endif

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
        if (b->kernel == NULL)
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

static gboolean
run_corpus(const Corpus *corpus, gsize bytes, guint rounds)
{
    Method methods[] = {
        {"lines", NULL, run_lines},
        {"next avx2", "avx2", run_next},
        {"next sse2", "sse2", run_next},
        {"scan avx2", "avx2", run_scan},
        {"scan sse2", "sse2", run_scan},
        {"scan portable", "portable", run_scan},
        {"scan + members", NULL, run_members},
        {"judge", NULL, run_judge},
        {"strict read", NULL, run_read},
#ifdef HAVE_YYJSON
        {"yyjson read", NULL, run_yyjson},
#endif
    };
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(GString) text = g_string_sized_new(bytes + 4 * corpus->record + SL_JSON_PADDING);
    Bench b = {0};

    while (text->len < bytes) {
        corpus->append(text, rand, (guint)b.n_lines);
        b.n_lines++;
    }
    b.text = text->str;
    b.end = text->str + text->len;
    g_string_set_size(text, text->len + SL_JSON_PADDING);
    gboolean ok = TRUE;
    for (guint round = 0; ok && round < rounds; round++)
        ok = run_round(&b, methods, G_N_ELEMENTS(methods), round);
    g_print("%s, %.0f bytes a line\n", corpus->name, (double)(b.end - b.text) / (double)b.n_lines);
    for (guint i = 0; ok && i < G_N_ELEMENTS(methods); i++) {
        qsort(methods[i].times, rounds, sizeof methods[i].times[0], compare_doubles);
        double time = methods[i].times[rounds / 2];
        if (time > 0)
            g_print("  %-16s %7.2f GB/s %8.1f ns/line\n", methods[i].name,
                    (double)(b.end - b.text) / time / 1e9, time * 1e9 / (double)b.n_lines);
    }
    sl_json_doc_clear(&b.doc);
    return ok;
}

int
main(int argc, char **argv)
{
    static const Corpus corpora[] = {
        {"users", 425, append_users},
        {"wide", 2700, append_wide},
        {"tiny", 115, append_tiny},
    };
    gsize bytes = (argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 64) * 1000 * 1000;
    guint rounds = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 5;

    rounds = CLAMP(rounds, 1, MAX_ROUNDS);
    for (gsize i = 0; i < G_N_ELEMENTS(corpora); i++) {
        if (!run_corpus(&corpora[i], MAX(bytes, 1), rounds))
            return 1;
    }
    return 0;
}
