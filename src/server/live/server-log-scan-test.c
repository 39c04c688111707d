/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-log-scan.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "sl-fd.h"

#define BASE G_GINT64_CONSTANT(1785585600000)

static int
make_fd(const char *text, gsize len)
{
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("sl-log-XXXXXX", &name, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_unlink(name);
    g_assert_cmpint(write(fd, text, len), ==, (gssize)len);
    return fd;
}

static SlLogFile *
make_file(const char *text, gsize len)
{
    return sl_log_file_new(make_fd(text, len));
}

/* Lines of every kind and length; the n-th is n seconds younger than the first. */
static GString *
make_log(guint n_lines, guint seed)
{
    static const char *const texts[] = {"plain",       "with \"quotes\"", "a\nnew line",
                                        "back\\slash", "Upper CASE",      "\xc3\xa4\xe2\x82\xac",
                                        "needle in it"};
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    GString *log = g_string_new(NULL);
    for (guint i = 0; i < n_lines; i++) {
        g_autofree char *fill = g_strnfill(
            g_rand_int_range(random, 0, 100) == 0 ? 40000 : (gsize)g_rand_int_range(random, 0, 300),
            'f');
        g_autofree char *text = g_strdup_printf(
            "%u %s %s", i, texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))], fill);
        sl_job_log_append(
            log, BASE + 1000 * (gint64)i,
            (SlJobLogLevel)g_rand_int_range(random, SL_JOB_LOG_FATAL, SL_JOB_LOG_TRACE + 1),
            (SlJobLogSource)g_rand_int_range(random, 0, 4), text, strlen(text), NULL, NULL);
    }
    return log;
}

/* All that matches, the plain way. */
static GString *
expect(const GString *log, const ServerLogFilter *filter)
{
    GString *out = g_string_new(NULL);
    for (const char *p = log->str; *p != '\0';) {
        const char *newline = strchr(p, '\n');
        if (server_log_filter_matches(filter, p, (gsize)(newline - p)))
            g_string_append_len(out, p, newline + 1 - p);
        p = newline + 1;
    }
    return out;
}

/* Page by page, in either direction; every page is bounded, and none repeats or leaves out a line.
 */
static GString *
collect(SlLogFile *file, gint64 size, const ServerLogFilter *filter, gboolean backwards,
        guint limit)
{
    GString *out = g_string_new(NULL);
    gint64 at = backwards ? size : 0;
    for (guint pages = 0;; pages++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) page = g_string_new(NULL);
        g_auto(ServerLogScan) scan = {.filter = filter,
                                      .from = at,
                                      .backwards = backwards,
                                      .max_lines = limit,
                                      .max_text = 100000};
        g_assert_true(server_log_scan(file, size, &scan, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(scan.lines->len, <=, limit);
        g_assert_cmpuint(pages, <, 100000);
        for (guint i = 0; i < scan.lines->len; i++) {
            const ServerLogLine *line = scan.lines->pdata[i];
            g_assert_cmpint(line->next - line->offset, ==, (gint64)strlen(line->text) + 1);
            g_string_append_printf(page, "%s\n", line->text);
        }
        if (backwards)
            g_string_prepend(out, page->str);
        else
            g_string_append(out, page->str);
        g_assert_true(scan.done || scan.next != at);
        at = scan.next;
        if (scan.done)
            return out;
    }
}

static void
test_pages(void)
{
    static const struct {
        int level, source;
        const char *grep;
        gboolean ignore_case;
        gint64 since, until;
    } cases[] = {
        {-1, -1, NULL, FALSE, 0, 0},
        {SL_JOB_LOG_ERROR, -1, NULL, FALSE, 0, 0},
        {-1, SL_JOB_LOG_DESTINATION, NULL, FALSE, 0, 0},
        {SL_JOB_LOG_WARN, SL_JOB_LOG_SOURCE, "needle", FALSE, 0, 0},
        {-1, -1, "upper case", TRUE, 0, 0},
        {-1, -1, "upper case", FALSE, 0, 0},
        {-1, -1, "\"quotes\"", FALSE, 0, 0},
        {-1, -1, "nowhere", FALSE, 0, 0},
        {-1, -1, "needle", FALSE, BASE + 500000, BASE + 700000},
    };
    static const guint limits[] = {1, 7, 1000};
    g_autoptr(GString) log = make_log(3000, 1);
    g_autoptr(SlLogFile) file = make_file(log->str, log->len);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ServerLogFilter) filter = {.max_level = cases[i].level,
                                          .source = cases[i].source,
                                          .since = cases[i].since,
                                          .until = cases[i].until};
        if (cases[i].grep != NULL)
            server_log_filter_set_grep(&filter, cases[i].grep, cases[i].ignore_case);
        g_autoptr(GString) expected = expect(log, &filter);
        if (i != 5 && i != 7)
            g_assert_cmpuint(expected->len, >, 0);
        else
            g_assert_cmpuint(expected->len, ==, 0);
        for (guint j = 0; j < G_N_ELEMENTS(limits); j++) {
            g_autoptr(GString) forwards =
                collect(file, (gint64)log->len, &filter, FALSE, limits[j]);
            g_autoptr(GString) backwards =
                collect(file, (gint64)log->len, &filter, TRUE, limits[j]);
            g_assert_true(g_string_equal(forwards, expected));
            g_assert_true(g_string_equal(backwards, expected));
        }
    }
}

/* What is written to the end, cut, or no log at all. */
static void
test_odd_files(void)
{
    static const struct {
        const char *text;
        gint64 from;
        const char *forwards;
        gint64 next;
        const char *backwards;
    } cases[] = {
        {"", 0, "", 0, ""},
        {"half", 0, "", 0, ""},
        {"one\nhalf", 0, "one\n", 4, "one\n"},
        {"one\n\ntwo\n", 0, "one\n\ntwo\n", 9, "one\n\ntwo\n"},
        {"one\ntwo\n", 4, "two\n", 8, "one\n"},
        {"one\ntwo\n", 99, "", 8, "one\ntwo\n"},
        {"one\ntwo\n", -5, "one\ntwo\n", 8, ""},
        {"\xff\xfe\n", 0, "\xef\xbf\xbd\xef\xbf\xbd\n", 3, ""},
    };
    ServerLogFilter all = SERVER_LOG_FILTER_INIT;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 size = (gint64)strlen(cases[i].text);
        g_autoptr(SlLogFile) file = make_file(cases[i].text, (gsize)size);
        for (gboolean backwards = FALSE; backwards <= TRUE; backwards++) {
            gint64 from = cases[i].from;
            if (backwards && from == 0)
                from = size;
            g_auto(ServerLogScan) scan = {.filter = &all,
                                          .from = from,
                                          .backwards = backwards,
                                          .max_lines = 10,
                                          .max_text = 1000};
            g_autoptr(GString) got = g_string_new(NULL);
            g_assert_true(server_log_scan(file, size, &scan, NULL));
            for (guint j = 0; j < scan.lines->len; j++)
                g_string_append_printf(got, "%s\n", ((ServerLogLine *)scan.lines->pdata[j])->text);
            if (i != 7 || !backwards)
                g_assert_cmpstr(got->str, ==, backwards ? cases[i].backwards : cases[i].forwards);
            g_assert_true(scan.done);
            if (!backwards)
                g_assert_cmpint(scan.next, ==, cases[i].next);
        }
    }
    /* shorter than it was said to be: it was cut meanwhile */
    g_autoptr(SlLogFile) file = make_file("one\n", 4);
    g_auto(ServerLogScan) scan = {.filter = &all, .max_lines = 10, .max_text = 1000};
    g_assert_true(server_log_scan(file, 1 << 30, &scan, NULL));
    g_assert_cmpuint(scan.lines->len, ==, 1);
}

static guint64
bytes_read(void)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/io", &text, NULL, NULL));
    return g_ascii_strtoull(strstr(text, "rchar: ") + 7, NULL, 10);
}

/* A log of 3 GiB: its end at once, a search in pieces that are bounded, and beyond lines that are
 * longer than any. */
static void
test_large(void)
{
    const gint64 hole = (gint64)3 << 30;
    ServerLogFilter all = SERVER_LOG_FILTER_INIT;
    g_autoptr(GString) log = make_log(2000, 2);
    int fd = make_fd(log->str, log->len);
    g_autoptr(SlLogFile) file = sl_log_file_new(fd);
    gint64 size = hole + (gint64)log->len;
    g_assert_cmpint(pwrite(fd, "\n", 1, hole - 1), ==, 1);
    g_assert_cmpint(pwrite(fd, log->str, log->len, hole), ==, (gssize)log->len);
    guint64 before = bytes_read();
    g_auto(ServerLogScan) tail = {
        .filter = &all, .from = size, .backwards = TRUE, .max_lines = 100, .max_text = 1 << 20};
    g_assert_true(server_log_scan(file, size, &tail, NULL));
    g_assert_cmpuint(tail.lines->len, ==, 100);
    g_assert_cmpuint(bytes_read() - before, <, 2 << 20);

    g_auto(ServerLogFilter) rare = SERVER_LOG_FILTER_INIT;
    server_log_filter_set_grep(&rare, "1999 ", FALSE);
    gint64 at = 0;
    guint found = 0, calls = 0;
    for (gboolean done = FALSE; !done; calls++) {
        before = bytes_read();
        g_auto(ServerLogScan)
            scan = {.filter = &rare, .from = at, .max_lines = 10, .max_text = 1 << 20};
        g_assert_true(server_log_scan(file, size, &scan, NULL));
        g_assert_cmpuint(bytes_read() - before, <, 20 << 20);
        g_assert_cmpint(scan.next, >, at);
        at = scan.next;
        done = scan.done;
        found += scan.lines->len;
    }
    g_assert_cmpuint(found, >=, 1);
    g_assert_cmpuint(calls, >, 100);
}

static void
test_time(void)
{
    g_autoptr(GString) log = make_log(5000, 3);
    g_autoptr(SlLogFile) file = make_file(log->str, log->len);
    static const gint64 seconds[] = {-5, 0, 1, 2500, 4998, 4999, 5000, 99999};
    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        gint64 offset, time = BASE + 1000 * seconds[i];
        g_assert_true(server_log_find_time(file, (gint64)log->len, time, &offset, NULL));
        ServerLogFilter filter = {.max_level = -1, .source = -1, .since = time};
        g_auto(ServerLogScan)
            scan = {.filter = &filter, .from = offset, .max_lines = 1, .max_text = 1};
        g_assert_true(server_log_scan(file, (gint64)log->len, &scan, NULL));
        if (seconds[i] >= 5000) {
            g_assert_cmpuint(scan.lines->len, ==, 0);
            continue;
        }
        const ServerLogLine *line = scan.lines->pdata[0];
        SlJobLogHead head;
        g_assert_true(sl_job_log_head_parse(line->text, strlen(line->text), &head));
        g_assert_cmpint(head.timestamp, ==, MAX(time, BASE));
        g_assert_cmpint(line->offset - offset, <, 200 << 10);
    }
}

/* Escapes are no letters, and keys are no text. */
static void
test_grep(void)
{
    static const struct {
        const char *text, *grep;
        gboolean ignore_case, found;
    } cases[] = {
        {"a\nbc", "nbc", FALSE, FALSE},      {"a\nbc", "a\nbc", FALSE, TRUE},
        {"a\\nbc", "nbc", FALSE, TRUE},      {"a\\\nbc", "nbc", FALSE, FALSE},
        {"C:\\new", "\\new", FALSE, TRUE},   {"say \"hi\"", "\"hi\"", FALSE, TRUE},
        {"x", "level", FALSE, FALSE},        {"x", "INFO", FALSE, FALSE},
        {"x", "message", FALSE, FALSE},      {"ERROR: x", "error", TRUE, TRUE},
        {"ERROR: x", "error", FALSE, FALSE}, {"\xc3\x84", "\xc3\x84", TRUE, TRUE},
        {"a\tb", "a\tb", TRUE, TRUE},        {"", "x", FALSE, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        g_auto(ServerLogFilter) filter = SERVER_LOG_FILTER_INIT;
        sl_job_log_append(line, BASE, SL_JOB_LOG_INFO, SL_JOB_LOG_SOURCE, cases[i].text,
                          strlen(cases[i].text), NULL, NULL);
        server_log_filter_set_grep(&filter, cases[i].grep, cases[i].ignore_case);
        if (server_log_filter_matches(&filter, line->str, line->len - 1) != cases[i].found) {
            g_test_message("'%s' in %s", cases[i].grep, line->str);
            g_test_fail();
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/log-scan/pages", test_pages);
    g_test_add_func("/server/log-scan/odd-files", test_odd_files);
    g_test_add_func("/server/log-scan/large", test_large);
    g_test_add_func("/server/log-scan/time", test_time);
    g_test_add_func("/server/log-scan/grep", test_grep);
    return g_test_run();
}
