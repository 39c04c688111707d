/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-job-log.h"

#include <string.h>

static SlMask *
make_mask(const char *config, const char *paths)
{
    SlMask *mask = sl_mask_new();
    /* in one document, as in a workload's input */
    g_autofree char *both = g_strdup_printf("[%s,%s]", config, paths);
    g_autoptr(SlJsonDoc) doc = sl_json_read(both, strlen(both), NULL, NULL);
    g_assert_nonnull(doc);
    sl_mask_add_paths(mask, doc, sl_json_at(doc, sl_json_root(doc), 0),
                      sl_json_at(doc, sl_json_root(doc), 1));
    return mask;
}

static void
test_mask(void)
{
    g_autoptr(SlMask) mask = make_mask(
        "{\"password\":\"hunter22\",\"host\":\"example\",\"auth\":{\"key\":\"hunter\"},"
        "\"pin\":12345,\"tiny\":\"ab\",\"list\":[{\"t\":\"first-one\"},{\"t\":\"second-one\"}],"
        "\"pem\":\"-----BEGIN-----\\nMIIBsecretline\\n--\\n\"}",
        "[\"password\",[\"auth\",\"key\"],\"/"
        "pin\",\"$.tiny\",\"list.*.t\",\"pem\",\"missing.x\",5]");
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"nothing here but example and ab", NULL},
        {"p=hunter22;hunter22", "p=******;******"},
        {"key hunter!", "key ******!"},
        {"pin 12345", "pin ******"},
        {"first-one second-one", "****** ******"},
        {"  MIIBsecretline", "  ******"},
        {"-- stays", NULL},
        {"-----BEGIN-----\nMIIBsecretline\n--", "******"},
        {"{\"k\":\"-----BEGIN-----\\nMIIBsecretline\\n--\"}", "{\"k\":\"******\"}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *masked = sl_mask_apply(mask, cases[i].text, strlen(cases[i].text));
        g_assert_cmpstr(masked, ==, cases[i].masked);
    }
}

static void
test_line(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(SlMask) mask = sl_mask_new();
    sl_mask_add(mask, "s3cret");
    sl_job_log_append(out, 17, SL_JOB_LOG_WARN, SL_JOB_LOG_SOURCE, "a\n\"s3cret\"\xff", 11, NULL,
                      mask);
    g_assert_cmpstr(out->str, ==,
                    "{\"timestamp\":17,\"level\":\"WARN\",\"logSource\":\"source\",\"message\":"
                    "\"a\\n\\\"******\\\"\357\277\275\"}\n");
    g_string_truncate(out, 0);
    sl_job_log_append(out, 17, SL_JOB_LOG_ERROR, SL_JOB_LOG_ORCHESTRATOR, "m", 1, "at s3cret",
                      mask);
    g_assert_cmpstr(
        out->str, ==,
        "{\"timestamp\":17,\"level\":\"ERROR\",\"logSource\":"
        "\"replication-orchestrator\",\"message\":\"m\",\"stackTrace\":\"at ******\"}\n");
}

static void
test_long_line(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *text = g_strnfill(SL_JOB_LOG_MAX_TEXT + 1000, 'a');
    memcpy(text + SL_JOB_LOG_MAX_TEXT - 1, "\xe2\x82\xac", 3);
    sl_job_log_append(out, 1, SL_JOB_LOG_INFO, SL_JOB_LOG_PLATFORM, text, strlen(text), NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(out->str, out->len, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *message = sl_json_dup_string(sl_json_get(doc, sl_json_root(doc), "message"));
    g_assert_cmpuint(strlen(message), <, SL_JOB_LOG_MAX_TEXT + 20);
    g_assert_true(g_str_has_suffix(message, "a … (cut)"));
}

static void
test_levels(void)
{
    g_assert_cmpint(sl_job_log_level("ERROR"), ==, SL_JOB_LOG_ERROR);
    g_assert_cmpint(sl_job_log_level("warning"), ==, SL_JOB_LOG_WARN);
    g_assert_cmpint(sl_job_log_level("nonsense"), ==, SL_JOB_LOG_INFO);
    g_assert_cmpint(sl_job_log_level(NULL), ==, SL_JOB_LOG_INFO);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/job-log/mask", test_mask);
    g_test_add_func("/protocol/job-log/line", test_line);
    g_test_add_func("/protocol/job-log/long-line", test_long_line);
    g_test_add_func("/protocol/job-log/levels", test_levels);
    return g_test_run();
}
