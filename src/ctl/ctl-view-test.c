/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "ctl-args.h"
#include "ctl-log.h"
#include "ctl-progress.h"
#include "ctl-schedule.h"
#include "ctl-table.h"
#include "ctl-yaml.h"

/* What people see: tables, progress, logs, schedules. */

static const CtlColumn columns[] = {{"NAME", CTL_COLUMN_SHRINK},
                                    {"STATE", CTL_COLUMN_STATE},
                                    {"ROWS", CTL_COLUMN_RIGHT},
                                    {"ID", CTL_COLUMN_WIDE}};

static CtlTable *
make_table(void)
{
    CtlTable *table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    ctl_table_add(table, "{\"n\":\n1}", 8, "first", g_strdup("first"), g_strdup("failed"),
                  g_strdup("10"), g_strdup("x1"));
    ctl_table_add(table, "{}", 2, "日本", g_strdup("日本の長い長い名前"), NULL, g_strdup("7"),
                  g_strdup("x2"));
    return table;
}

static void
assert_table(CtlFormat format, CtlStyle style, const char *wanted)
{
    g_autoptr(CtlTable) table = make_table();
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, format, &style, "2 rows.", out);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void
test_table(void)
{
    CtlStyle plain = {.utf8 = TRUE, .legend = TRUE}, bare = {.utf8 = TRUE};
    CtlStyle color = {.utf8 = TRUE, .color = TRUE}, narrow = {.utf8 = TRUE, .width = 24};
    assert_table(CTL_FORMAT_TABLE, plain,
                 "NAME                STATE   ROWS\n"
                 "first               failed    10\n"
                 "日本の長い長い名前  -          7\n\n2 rows.\n");
    assert_table(CTL_FORMAT_WIDE, bare,
                 "first               failed  10  x1\n日本の長い長い名前  -        7  x2\n");
    assert_table(CTL_FORMAT_TABLE, color,
                 "first               \033[1;31mfailed\033[0m  10\n"
                 "日本の長い長い名前  -        7\n");
    assert_table(CTL_FORMAT_TABLE, narrow, "first         failed  10\n日本の長い…   -        7\n");
    assert_table(CTL_FORMAT_NAME, plain, "first\n日本\n");
    assert_table(CTL_FORMAT_JSONL, plain, "{\"n\": 1}\n{}\n");
    assert_table(CTL_FORMAT_YAML, plain, "- \"n\": 1\n- {}\n");
    assert_table(CTL_FORMAT_JSON, plain, "[\n  {\n    \"n\": 1\n  },\n  {}\n]\n");
}

static void
test_bar(void)
{
    g_autofree char *none = ctl_progress_bar(0, 4, TRUE);
    g_autofree char *half = ctl_progress_bar(0.53, 4, TRUE);
    g_autofree char *full = ctl_progress_bar(2.0, 4, TRUE);
    g_autofree char *plain = ctl_progress_bar(0.5, 4, FALSE);
    g_assert_cmpstr(none, ==, "    ");
    g_assert_cmpstr(half, ==, "██▏ ");
    g_assert_cmpstr(full, ==, "████");
    g_assert_cmpstr(plain, ==, "##..");
}

static CtlJob *
make_job(int records, int estimated, int attempt)
{
    g_autofree char *text = g_strdup_printf(
        "{\"jobId\":7,\"status\":\"running\",\"attempts\":[{\"attemptNumber\":%d,\"stats\":"
        "{\"streams\":[{\"streamName\":\"orders\",\"stats\":{\"recordsEmitted\":%d,"
        "\"bytesEmitted\":%d,\"estimatedRecords\":%d}},{\"streamName\":\"x\"}]}}]}",
        attempt, records, records * 10, estimated);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    return ctl_job_parse(doc, sl_json_root(doc));
}

static void
assert_block(const CtlProgress *progress, const CtlJob *job, gint64 now, guint lines, guint width,
             const char *wanted)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_progress_append_block(progress, job, now, lines, width, out);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void
test_progress(void)
{
    const gint64 sec = G_USEC_PER_SEC;
    g_autoptr(CtlProgress) progress = ctl_progress_new(FALSE);
    g_autoptr(CtlJob) first = make_job(1000, 4000, 0);
    g_autoptr(CtlJob) second = make_job(2000, 4000, 0);
    g_autoptr(CtlJob) over = make_job(5000, 4000, 0);
    g_autoptr(CtlJob) again = make_job(10, 0, 1);
    ctl_progress_update(progress, first, 100 * sec);
    ctl_progress_update(progress, second, 101 * sec);
    assert_block(progress, second, 101 * sec, 9, 0,
                 "job 7 running, 1.0 s\n"
                 "orders  ######......  50 %  2.0k/4.0k rows  1.0k rows/s  eta 2.0 s\n"
                 "x       0 rows  0 rows/s  0.0 s\n");
    assert_block(progress, second, 101 * sec, 3, 21,
                 "job 7 running, 1.0 s\norders  ######......\nand 1 more stream\n");
    /* An estimate that was too low is no estimate. */
    ctl_progress_update(progress, over, 102 * sec);
    g_autofree char *line = ctl_progress_line(progress, over, 102 * sec);
    g_assert_cmpstr(line, ==, "job 7 running, 2.0 s: 5.0k rows, 50.0 kB, 1.7k rows/s");
    /* Another attempt begins at nothing: no rate below zero, no old rate. */
    ctl_progress_update(progress, again, 103 * sec);
    line = (g_free(line), ctl_progress_line(progress, again, 103 * sec));
    g_assert_cmpstr(line, ==, "job 7 running, attempt 2, 3.0 s: 10 rows, 100 B, 0 rows/s");
}

static void
assert_log(CtlLogFormat format, const char *worst, const char *line, const char *wanted)
{
    CtlLogStyle style = {.format = format, .worst = ctl_log_rank(worst), .utc = TRUE};
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_log_append(&style, line, strlen(line), out);
    g_assert_cmpstr(out->str, ==, wanted);
}

static void
test_log(void)
{
    const char *warn = "{\"timestamp\":1785585600123,\"level\":\"WARN\",\"logSource\":"
                       "\"destination\",\"message\":\"a\\nb\\u001b[2J\\n\"}";
    assert_log(CTL_LOG_SHORT, "debug", warn,
               "2026-08-01 12:00:00Z WARN  destination: a\n    b?[2J\n");
    assert_log(CTL_LOG_CAT, "warning", warn, "a\n    b?[2J\n");
    assert_log(CTL_LOG_CAT, "err", warn, "");
    assert_log(CTL_LOG_SHORT, "err", "no \x1bJSON", "no ?JSON\n");
    assert_log(CTL_LOG_SHORT, "err", "", "");
    g_assert_cmpint(ctl_log_rank("TRACE"), ==, 5);
    g_assert_cmpint(ctl_log_rank("loud"), ==, -1);
}

/* What is in the window and holds the pattern; a line without a time is in no window. */
/* What YAML would take for something else is quoted. */
static void
test_yaml(void)
{
    static const struct {
        const char *json, *yaml;
    } cases[] = {
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"\"a\"", "a\n"},
        {"{\"a\":1,\"b\":[],\"c\":{}}", "a: 1\nb: []\nc: {}\n"},
        {"{\"a\":{\"b\":{\"c\":null}}}", "a:\n  b:\n    c: null\n"},
        {"{\"a\":[1,{\"b\":2,\"c\":[3]},[4,5]]}", "a:\n- 1\n- b: 2\n  c:\n  - 3\n- - 4\n  - 5\n"},
        {"[{\"a\":1,\"b\":2},{\"a\":3}]", "- a: 1\n  b: 2\n- a: 3\n"},
        {"[1.10,1e3,true,null]", "- 1.10\n- 1e3\n- true\n- null\n"},
        {"[\"true\",\"No\",\"y\",\"12\",\"1:30\",\"\",\"a: b\",\"a \",\"- a\",\"#\",\"*a\"]",
         "- \"true\"\n- \"No\"\n- \"y\"\n- \"12\"\n- \"1:30\"\n- \"\"\n- \"a: b\"\n- \"a \"\n"
         "- \"- a\"\n- \"#\"\n- \"*a\"\n"},
        {"[\"a/b c_d-e.f\",\"2026-08-01\",\"x\\ny\\t\\\"z\\\\\",\"\\u0007\\u0000\"]",
         "- a/b c_d-e.f\n- \"2026-08-01\"\n- \"x\\ny\\t\\\"z\\\\\"\n- \"\\u0007\\u0000\"\n"},
        {"{\"\\ud83d\\ude00 ü\":\"\\u2028\"}", "\"😀 ü\": \"\\u2028\"\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SlJsonDoc) doc = sl_json_read(cases[i].json, strlen(cases[i].json), NULL, NULL);
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_nonnull(doc);
        ctl_yaml_append(out, doc, sl_json_root(doc));
        g_assert_cmpstr(out->str, ==, cases[i].yaml);
    }
}

static void
test_log_filters(void)
{
#define AT(msec)                                                                                   \
    "{\"timestamp\":" msec                                                                         \
    ",\"level\":\"INFO\",\"logSource\":\"source\",\"message\":\"Read 10 rows\"}"
#define NOON ((gint64)1785585600 * G_USEC_PER_SEC)
    static const struct {
        const char *line;
        gint64 since, until;
        const char *pattern;
        gboolean shown;
    } cases[] = {
        {AT("1785585600000"), 0, 0, NULL, TRUE},
        {AT("1785585600000"), NOON, NOON, NULL, TRUE},
        {AT("1785585599999"), NOON, 0, NULL, FALSE},
        {AT("1785585600001"), 0, NOON, NULL, FALSE},
        {AT("\"2026-08-01T12:00:01Z\""), NOON, 0, NULL, TRUE},
        {AT("null"), NOON, 0, NULL, FALSE},
        {AT("null"), 0, NOON, NULL, FALSE},
        {"no JSON", 0, NOON, NULL, FALSE},
        {"no JSON", 0, 0, "json", TRUE},
        {"no JSON", 0, 0, "Json", FALSE},
        {AT("0"), 0, 0, "read \\d+ rows$", TRUE},
        {AT("0"), 0, 0, "Read|Wrote", TRUE},
        {AT("0"), 0, 0, "READ", FALSE},
        {AT("0"), 0, 0, "source", FALSE}, /* of the message only */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GRegex) grep =
            cases[i].pattern != NULL ? ctl_log_compile(cases[i].pattern, &error) : NULL;
        CtlLogStyle style = {.format = CTL_LOG_CAT,
                             .worst = 5,
                             .since = cases[i].since,
                             .until = cases[i].until,
                             .grep = grep};
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_no_error(error);
        g_test_message("%u", i);
        ctl_log_append(&style, cases[i].line, strlen(cases[i].line), out);
        g_assert_cmpint(out->len > 0, ==, cases[i].shown);
    }
    static const char *const bad[] = {"(", "[a", "\xff", "*"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ctl_log_compile(bad[i], &error));
        g_assert_error(error, CTL_USAGE_ERROR, 0);
    }
}

static void
test_schedule(void)
{
    static const struct {
        const char *every;
        gint64 seconds;
    } spans[] = {{"6h", 21600}, {"30min", 1800}, {"90", 90}, {NULL, 0},
                 {"0", -1},     {"2 years", -1}, {"x", -1},  {"1500ms", -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(spans); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(ctl_schedule_seconds(spans[i].every, &error), ==, spans[i].seconds);
        g_assert_cmpint(error != NULL, ==, spans[i].seconds < 0);
    }
    g_autofree char *cron = ctl_schedule_build(" 0  0 4 * * ? ", NULL);
    g_assert_cmpstr(cron, ==, "{\"scheduleType\":\"cron\",\"cronExpression\":\"0 0 4 * * ?\"}");
    g_autofree char *manual = ctl_schedule_build(NULL, NULL);
    g_assert_cmpstr(manual, ==, "{\"scheduleType\":\"manual\"}");
    g_autoptr(GError) error = NULL;
    g_assert_null(ctl_schedule_build("0 4 * * *", &error));
    g_assert_error(error, CTL_USAGE_ERROR, 0);
    const char *basic = "{\"scheduleType\":\"basic\",\"basicTiming\":\"Every 6 HOURS\"}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(basic, strlen(basic), NULL, NULL);
    g_autofree char *text = ctl_schedule_text(doc, sl_json_root(doc));
    g_assert_cmpstr(text, ==, "every 6 hours");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/view/table", test_table);
    g_test_add_func("/ctl/view/bar", test_bar);
    g_test_add_func("/ctl/view/progress", test_progress);
    g_test_add_func("/ctl/view/log", test_log);
    g_test_add_func("/ctl/view/log/filters", test_log_filters);
    g_test_add_func("/ctl/view/yaml", test_yaml);
    g_test_add_func("/ctl/view/schedule", test_schedule);
    return g_test_run();
}
