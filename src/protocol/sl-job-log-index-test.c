/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-job-log-index.h"

#include <string.h>

#include "sl-job-log.h"

static void
test_marks(void)
{
    static const SlJobLogMark marks[] = {
        {0, 0, 0, FALSE},
        {1000, G_MAXINT64, 1785585600000, FALSE},
        {1234567, 3, -1, TRUE},
        {5000000000000, 1, 2, FALSE},
    };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    SlJobLogMark mark;
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        sl_job_log_mark_append(bytes, &marks[i]);
    g_assert_cmpuint(bytes->len, ==, G_N_ELEMENTS(marks) * SL_JOB_LOG_INDEX_BYTES);
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_assert_true(sl_job_log_mark_parse(bytes->data + i * SL_JOB_LOG_INDEX_BYTES, &mark));
        g_assert_cmpuint(mark.line, ==, marks[i].line);
        g_assert_cmpuint(mark.offset, ==, marks[i].offset);
        g_assert_cmpint(mark.timestamp, ==, marks[i].timestamp);
        g_assert_cmpint(mark.is_error, ==, marks[i].is_error);
    }
    g_assert_cmpmem(bytes->data + SL_JOB_LOG_INDEX_BYTES, 3, "\xe8\x03\0", 3); /* little endian */
    const guint8 bad[][SL_JOB_LOG_INDEX_BYTES] = {
        {1},                                                 /* a line that is no mark */
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}, /* before the beginning */
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(sl_job_log_mark_parse(bad[i], &mark));
}

/* What the writer writes is parsed; what it does not, is not, wherever it ends. */
static void
test_heads(void)
{
    for (int level = SL_JOB_LOG_FATAL; level <= SL_JOB_LOG_TRACE; level++)
        for (int source = SL_JOB_LOG_SOURCE; source <= SL_JOB_LOG_PLATFORM; source++) {
            g_autoptr(GString) line = g_string_new(NULL);
            SlJobLogHead head;
            sl_job_log_append(line, 1785585600123, (SlJobLogLevel)level, (SlJobLogSource)source,
                              "a \"b\"", 5, "stack", NULL);
            g_assert_true(sl_job_log_head_parse(line->str, line->len, &head));
            g_assert_cmpint(head.timestamp, ==, 1785585600123);
            g_assert_cmpint(head.level, ==, level);
            g_assert_cmpint(head.source, ==, source);
            g_assert_true(g_str_has_prefix(head.message, "\"a \\\"b\\\"\","));
            for (gsize n = 0; n <= (gsize)(head.message - line->str); n++) {
                g_autofree char *cut = g_memdup2(line->str, n + 1); /* for the sanitizer */
                SlJobLogHead none;
                g_assert_false(sl_job_log_head_parse(cut, n, &none));
            }
        }
    static const char huge[] = "{\"timestamp\":99999999999999999999,\"level\":\"INFO\","
                               "\"logSource\":\"source\",\"message\":\"\"}";
    static const char *const bad[] = {
        "",
        "{}",
        "half a line",
        "{\"timestamp\":1}",
        huge,
        "{\"timestamp\":1,\"level\":\"LOUD\",\"logSource\":\"source\",\"message\":\"\"}",
        "{\"timestamp\":1,\"level\":\"INFO\",\"logSource\":\"me\",\"message\":\"\"}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        SlJobLogHead none;
        g_assert_false(sl_job_log_head_parse(bad[i], strlen(bad[i]), &none));
    }
    g_assert_cmpint(sl_job_log_level_value("warn"), ==, SL_JOB_LOG_WARN);
    g_assert_cmpint(sl_job_log_level_value("warnx"), ==, -1);
    g_assert_cmpint(sl_job_log_source_value("Destination"), ==, SL_JOB_LOG_DESTINATION);
    g_assert_cmpint(sl_job_log_source_value(""), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/job-log-index/marks", test_marks);
    g_test_add_func("/protocol/job-log-index/heads", test_heads);
    return g_test_run();
}
