/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

/* What the scanner must say of a line. NULL: the span is absent. "" with p set counts as "". */
typedef struct {
    const char *line;
    SlMessageType type;
    gboolean broken; /* looks_like_record */
    const char *stream, *ns, *data, *emitted_at, *meta;
} Case;

#define HEAD "{\"type\":\"RECORD\",\"record\":{"
#define NONE(line)                                                                                 \
    {                                                                                              \
        line, SL_MESSAGE_NONE, FALSE                                                               \
    }
#define BROKEN(line)                                                                               \
    {                                                                                              \
        line, SL_MESSAGE_NONE, TRUE                                                                \
    }
#define RECORD(line, ...)                                                                          \
    {                                                                                              \
        line, SL_MESSAGE_RECORD, FALSE, __VA_ARGS__                                                \
    }

static const Case cases[] = {
    RECORD(HEAD "\"stream\":\"users\",\"emitted_at\":17,\"data\":{\"a\":1}}}", "users", NULL,
           "{\"a\":1}", "17"),
    RECORD(HEAD "\"stream\":\"users\",\"data\":{\"a\":1},\"emitted_at\":17}}\n", "users", NULL,
           "{\"a\":1}", "17"),
    /* key order is free, white space too */
    RECORD("{\"record\":{\"data\":{\"type\":\"STATE\"},\"emitted_at\":1,\"stream\":\"s\"},"
           "\"type\":\"RECORD\"}",
           "s", NULL, "{\"type\":\"STATE\"}", "1"),
    RECORD(" { \"type\" : \"RECORD\" , \"record\" : { \"stream\" : \"s\" , \"data\" : { } , "
           "\"emitted_at\" : 5 } } ",
           "s", NULL, "{ }", "5"),
    RECORD(HEAD "\"stream\":\"s\",\"data\":{}}}\r\n", "s", NULL, "{}"),
    RECORD("\t" HEAD "\"stream\":\"s\",\"data\":{}}}\r", "s", NULL, "{}"),
    /* null, "" and missing namespaces are one value */
    RECORD(HEAD "\"namespace\":null,\"stream\":\"s\",\"data\":{}}}", "s", NULL, "{}"),
    RECORD(HEAD "\"namespace\":\"\",\"stream\":\"s\",\"data\":{}}}", "s", NULL, "{}"),
    RECORD(HEAD "\"namespace\":\"n\",\"stream\":\"s\",\"data\":{}}}", "s", "n", "{}"),
    /* names stay raw */
    RECORD(HEAD "\"stream\":\"a\\\"\\u00e9}\",\"data\":{}}}", "a\\\"\\u00e9}", NULL, "{}"),
    RECORD(HEAD "\"stream\":\"\",\"data\":{}}}", "", NULL, "{}"),
    RECORD(HEAD "\"stream\":\"\xc3\xa9{\",\"data\":{}}}", "\xc3\xa9{", NULL, "{}"),
    /* escaped keys mean what they say */
    RECORD("{\"t\\u0079pe\":\"RECORD\",\"record\":{\"stream\":\"s\",\"d\\u0061ta\":{\"x\":2}}}",
           "s", NULL, "{\"x\":2}"),
    RECORD("{\"type\":\"R\\u0045CORD\",\"record\":{\"stream\":\"s\",\"data\":{}}}", "s", NULL,
           "{}"),
    /* the last of repeated keys wins */
    RECORD(HEAD "\"stream\":\"a\",\"stream\":\"b\",\"data\":{\"x\":1},\"data\":{}}}", "b", NULL,
           "{}"),
    RECORD("{\"type\":\"STATE\",\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{}}}",
           "s", NULL, "{}"),
    RECORD(HEAD "\"stream\":\"a\",\"data\":{}},\"record\":{\"stream\":\"b\",\"data\":{\"y\":0}}}",
           "b", NULL, "{\"y\":0}"),
    RECORD(HEAD "\"namespace\":\"n\",\"namespace\":null,\"stream\":\"s\",\"data\":{}}}", "s", NULL,
           "{}"),
    /* other members, at both levels */
    RECORD("{\"x\":[{\"type\":\"LOG\"}],\"type\":\"RECORD\",\"record\":{\"file\":{\"data\":{}},"
           "\"stream\":\"s\",\"data\":{},\"meta\":{\"changes\":[]},\"z\":null},\"y\":-1.5e3}",
           "s", NULL, "{}", NULL, "{\"changes\":[]}"),
    RECORD(HEAD "\"stream\":\"s\",\"data\":{},\"meta\":null,\"emitted_at\":null}}", "s", NULL,
           "{}"),
    RECORD(HEAD "\"stream\":\"s\",\"data\":{},\"emitted_at\":1.7e12}}", "s", NULL, "{}", "1.7e12"),
    /* braces, quotes and backslashes inside data */
    RECORD(HEAD "\"stream\":\"s\",\"data\":{\"a\":\"}\\\"}\",\"b\":\"\\\\\",\"c\":{\"d\":[{}]}}}}",
           "s", NULL, "{\"a\":\"}\\\"}\",\"b\":\"\\\\\",\"c\":{\"d\":[{}]}}"),
    /* broken records: no stream, no data, wrong types, cut off, something behind */
    BROKEN(HEAD "\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":null,\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":1,\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":\"s\"}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":null}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":[]}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":\"{}\"}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"data\":1}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"namespace\":5,\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"emitted_at\":\"5\"}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"meta\":[]}}"),
    BROKEN("{\"type\":\"RECORD\"}"),
    BROKEN("{\"type\":\"RECORD\",\"record\":[]}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{\"a\":\"}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{\"a\":{}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{}}}x"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{}}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{}}}" HEAD "\"stream\":\"s\",\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"emitted_at\":017}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"emitted_at\":}}"),
    BROKEN(HEAD "\"stream\":\"s\" \"data\":{}}}"),
    BROKEN(HEAD "\"stream\":\"s\xff\",\"data\":{}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"x\":[1}}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},\"x\":01}}"),
    BROKEN(HEAD "\"stream\":\"s\",\"data\":{},}}"),
    BROKEN("{\"type\":\"RECORD\",\"record\":{\"stream\":\"s\",\"data\":{\n}}"),
    BROKEN("2026-08-01 INFO hello " HEAD "\"stream\":\"s\",\"data\":{}}}"),
    BROKEN("{ \"TYPE\" : \"Record\" , \"record\" : oops"),
    /* no protocol message at all */
    NONE(""),
    NONE("\n"),
    NONE(" \r\n"),
    NONE("hello"),
    NONE("{"),
    NONE("{}"),
    NONE("[1]"),
    NONE("{\"type\":\"FOO\"}"),
    NONE("{\"type\":\"record\",\"x\":1}"),
    NONE("{\"type\":[\"RECORD\"]}"),
    NONE("{\"type\":null}"),
    NONE("{\"type\":\"STATE\",\"type\":null}"),
    NONE("{\"type\":\"STATE\"} x"),
    NONE("{\"type\":\"STATE\",\"state\":{}"),
    NONE("\"{\\\"type\\\":\\\"RECORD\\\",\\\"record\\\":{}}\""),
    NONE("\xef\xbb\xbf{\"type\":\"STATE\"}"),
};

static void
assert_span(SlSpan span, const char *want)
{
    if (want == NULL) {
        g_assert_null(span.p);
        g_assert_cmpuint(span.n, ==, 0);
    } else {
        g_assert_nonnull(span.p);
        g_assert_cmpmem(span.p, span.n, want, strlen(want));
    }
}

/* A line followed by padding that would be taken for JSON if it were looked at. */
static char *
padded_copy(const char *line, gsize len)
{
    char *copy = g_malloc(len + SL_JSON_PADDING);
    memcpy(copy, line, len);
    for (gsize i = 0; i < SL_JSON_PADDING; i++)
        copy[len + i] = "}\"\\{"[i % 4];
    return copy;
}

static void
assert_case(SlJsonScanner *scanner, const Case *c)
{
    gsize len = strlen(c->line);
    g_autofree char *line = padded_copy(c->line, len);
    SlMessage m;

    g_autofree char *shown = g_strescape(c->line, NULL);
    g_test_message("%s", shown);
    sl_json_scan(scanner, line, len, &m);
    g_assert_cmpint(m.type, ==, c->type);
    g_assert_cmpint(m.looks_like_record, ==, c->broken);
    assert_span(m.stream, c->stream);
    assert_span(m.ns, c->ns);
    assert_span(m.data, c->data);
    assert_span(m.emitted_at, c->emitted_at);
    assert_span(m.meta, c->meta);
    g_assert_cmpint(m.stream_escaped, ==, c->stream != NULL && strchr(c->stream, '\\') != NULL);
    if (c->type == SL_MESSAGE_RECORD) {
        g_assert_cmpint(m.payload.p[0], ==, '{');
        g_assert_cmpint(m.payload.p[m.payload.n - 1], ==, '}');
        g_assert_true(m.data.p > m.payload.p);
        g_assert_true(m.data.p + m.data.n < m.payload.p + m.payload.n);
    }
}

static void
test_golden(gconstpointer kernel)
{
    g_autoptr(SlJsonScanner) learning = sl_json_scanner_new_for(kernel);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonScanner) fresh = sl_json_scanner_new_for(kernel);
        /* A scanner that knows nothing, one that knows this line, one that knows them all. */
        assert_case(fresh, &cases[i]);
        assert_case(fresh, &cases[i]);
        assert_case(learning, &cases[i]);
    }
    for (gsize i = G_N_ELEMENTS(cases); i-- > 0;)
        assert_case(learning, &cases[i]);
}

static void
test_types(void)
{
    static const struct {
        const char *line, *type, *payload;
    } lines[] = {
        {"{\"type\":\"STATE\",\"state\":{\"id\":1}}", "STATE", "{\"id\":1}"},
        {"{\"state\":{},\"type\":\"STATE\"}", "STATE", "{}"},
        {"{\"type\":\"STATE\"}", "STATE", NULL},
        {"{\"type\":\"STATE\",\"state\":null}", "STATE", NULL},
        {"{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\"},\"state\":{}}", "LOG",
         "{\"level\":\"INFO\"}"},
        {"{\"type\":\"SPEC\",\"spec\":{}}", "SPEC", "{}"},
        {"{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{}}", "CONNECTION_STATUS", "{}"},
        {"{\"type\":\"CATALOG\",\"catalog\":{}}", "CATALOG", "{}"},
        {"{\"type\":\"TRACE\",\"trace\":{}}", "TRACE", "{}"},
        {"{\"type\":\"CONTROL\",\"control\":{}}", "CONTROL", "{}"},
        {"{\"type\":\"DESTINATION_CATALOG\",\"destination_catalog\":{}}", "DESTINATION_CATALOG",
         "{}"},
    };
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new();
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = padded_copy(lines[i].line, strlen(lines[i].line));
        SlMessage m;
        sl_json_scan(scanner, line, strlen(lines[i].line), &m);
        g_assert_cmpstr(sl_message_type_name(m.type), ==, lines[i].type);
        assert_span(m.payload, lines[i].payload);
        assert_span(m.data, NULL);
    }
    g_assert_cmpstr(sl_message_type_name(SL_MESSAGE_NONE), ==, "NONE");
    g_assert_cmpstr(sl_message_type_name((SlMessageType)99), ==, "NONE");
}

/* Every special piece at every place of a 64-byte block, and across its border. */
static void
test_alignment(gconstpointer kernel)
{
    static const char *const pieces[] = {
        "}",
        "{",
        "\\\"",
        "\\\\",
        "\\\\\\\"",
        "\\\\\\\\",
        "\\\"}",
        "}\\\\",
        "[\\\"{",
        "\\u0022",
        "\\n\\n\\n\\n",
        "\\\\\\\\\\\\\\\\\\\"",
        "\\/{{{",
        ",:",
        "\xc3\xa9",
        "\xf0\x9f\x98\x80}",
        "\\\"\\\"\\\"\\\"",
    };
    static const char *const shapes[] = {
        HEAD "\"stream\":\"s\",\"data\":{\"a\":\"%s%s\"},\"emitted_at\":1}}",
        HEAD "\"stream\":\"s\",\"emitted_at\":1,\"data\":{\"%s%s\":[{\"b\":{}},{}]}}}",
        HEAD "\"stream\":\"s\",\"data\":{\"a\":{\"%s\":{\"%s\":\"\"}}},\"emitted_at\":1}}",
    };
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
    g_auto(SlJsonDoc) doc = {0};
    for (gsize shape = 0; shape < G_N_ELEMENTS(shapes); shape++) {
        for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
            for (gsize pad = 0; pad <= 130; pad++) {
                g_autofree char *space = g_strnfill(pad, 'x');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                g_autofree char *text = g_strdup_printf(shapes[shape], space, pieces[i]);
#pragma GCC diagnostic pop
                gsize len = strlen(text);
                g_autofree char *line = padded_copy(text, len);
                SlMessage fast, judged;
                sl_json_scan(scanner, line, len, &fast);
                sl_json_judge(&doc, line, len, &judged);
                g_assert_cmpint(judged.type, ==, SL_MESSAGE_RECORD);
                g_assert_true(sl_message_equal(&fast, &judged));
            }
        }
    }
}

/* No line costs more than its length: neither deep ones, nor long ones, nor many braces. */
static void
test_hostile(gconstpointer kernel)
{
    const gsize n = 4 * 1000 * 1000;
    static const char *const fills[] = {
        "[",  "{",    "{\"type\":\"record\",",
        "\\", "\"",   "{ ",
        "}",  "\\\"", "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\""};
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
    for (gsize i = 0; i < G_N_ELEMENTS(fills); i++) {
        for (gsize head = 0; head < 2; head++) {
            g_autoptr(GString) line = g_string_sized_new(n + 256);
            if (head == 1)
                g_string_append(line, HEAD "\"stream\":\"s\",\"data\":{\"a\":\"\",\"b\":");
            while (line->len < n)
                g_string_append(line, fills[i]);
            g_autofree char *padded = padded_copy(line->str, line->len);
            SlMessage m;
            gint64 start = g_get_monotonic_time();
            sl_json_scan(scanner, padded, line->len, &m);
            g_assert_cmpint(m.type, ==, SL_MESSAGE_NONE);
            g_assert_cmpint(m.looks_like_record, ==, head == 1);
            g_assert_cmpint(g_get_monotonic_time() - start, <,
                            60 * G_USEC_PER_SEC); /* linear: milliseconds */
        }
    }
}

/* Depth inside data is the destination's affair, but costs no stack here. */
static void
test_deep_data(gconstpointer kernel)
{
    const gsize n = 500;
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
    g_autoptr(GString) line = g_string_new(HEAD "\"stream\":\"s\",\"data\":{\"a\":");
    for (gsize i = 0; i < n; i++)
        g_string_append(line, "{\"a\":");
    g_string_append_c(line, '1');
    for (gsize i = 0; i < n + 3; i++)
        g_string_append_c(line, '}');
    g_autofree char *padded = padded_copy(line->str, line->len);
    SlMessage m;
    sl_json_scan(scanner, padded, line->len, &m);
    g_assert_cmpint(m.type, ==, SL_MESSAGE_RECORD);
    g_assert_cmpuint(m.data.n, ==, 6 * (n + 1) + 1);
}

static void
test_newline(void)
{
    char buf[200];
    for (gsize i = 0; i < sizeof buf; i++) {
        memset(buf, 'x', sizeof buf);
        buf[i] = '\n';
        g_assert_true(sl_json_find_newline(buf, buf + sizeof buf) == buf + i);
        g_assert_true(sl_json_find_newline(buf, buf + i) == buf + i);
        g_assert_true(sl_json_find_newline(buf + i + 1, buf + sizeof buf) == buf + sizeof buf);
    }
}

/* The second line of a stream is found by its template, whatever the layout; many streams too. */
static void
test_templates(gconstpointer kernel)
{
    static const char *const layouts[] = {
        HEAD "\"stream\":\"s%u\",\"emitted_at\":%u,\"data\":{\"a\":%u}}}\n",
        HEAD "\"stream\":\"s%u\",\"data\":{\"a\":%u},\"emitted_at\":%u}}\r\n",
        "{\"record\":{\"stream\":\"s%u\",\"data\":{\"a\":%u},\"emitted_at\":%u},"
        "\"type\":\"RECORD\"}",
        "{\"record\": {\"namespace\": \"n%u\", \"data\": {\"a\": %u}, \"emitted_at\": %u, "
        "\"meta\":{\"changes\":[]}, \"stream\":\"x\"}, \"type\": \"RECORD\"}",
        HEAD "\"stream\":\"s%u\",\"data\":{\"a\":%u,\"b\":%u}}}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
        g_auto(SlJsonDoc) doc = {0};
        for (guint n = 0; n < 2000; n++) {
            guint stream = n < 1000 ? n % 12 : (n * n) % 12;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            g_autofree char *text = g_strdup_printf(layouts[i], stream, n * 997, n * n * n);
#pragma GCC diagnostic pop
            g_autofree char *line = padded_copy(text, strlen(text));
            SlMessage fast, judged;
            sl_json_scan(scanner, line, strlen(text), &fast);
            sl_json_judge(&doc, line, strlen(text), &judged);
            g_assert_cmpint(fast.type, ==, SL_MESSAGE_RECORD);
            g_assert_true(sl_message_equal(&fast, &judged));
            if (n >= 12)
                g_assert_cmpuint(sl_json_scanner_get_misses(scanner), ==, 0);
        }
    }
}

/* Headers that always differ or are too long to learn are right all the same, and a stream that
 * comes after them is found by its template soon. */
static void
test_no_templates(gconstpointer kernel)
{
    g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
    g_autofree char *big = g_strnfill(2000, 'y');
    for (guint n = 0; n < 1000; n++) {
        g_autofree char *name =
            n < 900 ? g_strdup_printf("s%u%s", n, n % 3 == 0 ? big : "") : g_strdup("last");
        g_autofree char *text =
            g_strdup_printf(HEAD "\"stream\":\"%s\",\"data\":{\"a\":%u}}}", name, n);
        g_autofree char *line = padded_copy(text, strlen(text));
        SlMessage m;
        sl_json_scan(scanner, line, strlen(text), &m);
        g_assert_cmpint(m.type, ==, SL_MESSAGE_RECORD);
        assert_span(m.stream, name);
    }
    g_assert_cmpuint(sl_json_scanner_get_misses(scanner), ==, 0);
}

/* A stream of lines, cut at every place into two reads, gives what the lines give one by one. */
static void
test_stream(gconstpointer kernel)
{
    static const char text[] =
        HEAD "\"stream\":\"s\",\"data\":{\"a\":1},\"emitted_at\":17}}\n"
             "\n" HEAD "\"stream\":\"s\",\"data\":{\"a\":22},\"emitted_at\":18}}\r\n"
             "chatter\n" HEAD "\"stream\":\"s\",\"data\":{\"a\":\n333},\"emitted_at\":19}}\n" HEAD
             "\"stream\":\"t\",\"data\":{\"a\":22},\"emitted_at\":18}} \n"
             "{\"type\":\"STATE\"}\n";
    static const SlMessageType types[] = {
        SL_MESSAGE_RECORD, SL_MESSAGE_NONE, SL_MESSAGE_RECORD, SL_MESSAGE_NONE,
        SL_MESSAGE_NONE,   SL_MESSAGE_NONE, SL_MESSAGE_RECORD, SL_MESSAGE_STATE,
    };
    gsize len = sizeof text - 1;
    for (gsize cut = 0; cut <= len; cut++) {
        g_autoptr(SlJsonScanner) scanner = sl_json_scanner_new_for(kernel);
        g_autofree char *copy = padded_copy(text, len);
        const char *p = copy, *to = copy + cut;
        gsize searched = 0, n = 0;
        while (p < copy + len) {
            SlMessage m;
            const char *next = sl_json_scan_next(scanner, p, to, &searched, &m);
            if (next == NULL) {
                g_assert_true(to < copy + len);
                g_assert_cmpuint(searched, ==, (gsize)(to - p));
                to = copy + len;
                continue;
            }
            g_assert_true(next == strchr(p, '\n') + 1);
            g_assert_cmpint(m.type, ==, types[n++]);
            p = next;
        }
        g_assert_cmpuint(n, ==, G_N_ELEMENTS(types));
    }
}

static void
test_kernels(void)
{
    g_assert_true(sl_json_kernel_find("portable") == &sl_json_kernel_portable);
    g_assert_null(sl_json_kernel_find("avx9"));
    g_assert_nonnull(sl_json_kernel_get());
    const char *forced = g_getenv("SLUICE_JSON_ISA");
    if (forced != NULL && sl_json_kernel_find(forced) != NULL)
        g_assert_cmpstr(sl_json_kernel_get()->name, ==, forced);
}

/* A case for each instruction set that this processor has. */
static void
add_for_kernels(const char *name, GTestDataFunc test)
{
    static const char *const kernels[] = {"portable", "sse2", "avx2"};
    for (gsize i = 0; i < G_N_ELEMENTS(kernels); i++) {
        const SlJsonKernel *kernel = sl_json_kernel_find(kernels[i]);
        g_autofree char *path = g_strdup_printf("/json/scan/%s/%s", name, kernels[i]);
        if (kernel != NULL)
            g_test_add_data_func(path, kernel, test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_for_kernels("golden", test_golden);
    add_for_kernels("alignment", test_alignment);
    add_for_kernels("hostile", test_hostile);
    add_for_kernels("deep-data", test_deep_data);
    add_for_kernels("templates", test_templates);
    add_for_kernels("no-templates", test_no_templates);
    add_for_kernels("stream", test_stream);
    g_test_add_func("/json/scan/types", test_types);
    g_test_add_func("/json/scan/newline", test_newline);
    g_test_add_func("/json/scan/kernels", test_kernels);
    return g_test_run();
}
