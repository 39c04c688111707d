/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-trace.h"

#include <string.h>

#include "sl-error.h"

static gboolean
parse(const char *text, SlTrace *trace, GError **error)
{
    return sl_trace_parse((SlSpan){text, strlen(text)}, trace, error);
}

static void
test_error(void)
{
    g_auto(SlTrace) trace = {0};
    g_assert_true(parse("{\"type\":\"ERROR\",\"emitted_at\":1700000000123.0,\"error\":{\"message\":"
                        "\"no\\u0020luck\",\"internal_message\":\"i\",\"stack_trace\":\"a\\nb\","
                        "\"failure_type\":\"config_error\",\"stream_descriptor\":{\"name\":\"s\","
                        "\"namespace\":\"\"}}}",
                        &trace, NULL));
    g_assert_cmpint(trace.type, ==, SL_TRACE_ERROR);
    g_assert_cmpint(trace.emitted_at, ==, 1700000000123);
    g_assert_cmpstr(trace.message, ==, "no luck");
    g_assert_cmpstr(trace.internal_message, ==, "i");
    g_assert_cmpstr(trace.stack_trace, ==, "a\nb");
    g_assert_cmpstr(trace.failure_type, ==, "config_error");
    g_assert_cmpstr(trace.stream_name, ==, "s");
    g_assert_null(trace.stream_ns);
}

static void
test_estimate(void)
{
    g_auto(SlTrace) stream = {0}, sync = {0};
    g_assert_true(parse("{\"type\":\"ESTIMATE\",\"emitted_at\":1,\"estimate\":{\"type\":\"STREAM\","
                        "\"name\":\"s\",\"namespace\":\"n\",\"row_estimate\":10}}",
                        &stream, NULL));
    g_assert_false(stream.of_sync);
    g_assert_cmpstr(stream.stream_ns, ==, "n");
    g_assert_cmpint(stream.rows, ==, 10);
    g_assert_cmpint(stream.bytes, ==, -1);
    g_assert_true(parse("{\"type\":\"ESTIMATE\",\"emitted_at\":1,\"estimate\":{\"type\":\"SYNC\","
                        "\"byte_estimate\":5.0}}",
                        &sync, NULL));
    g_assert_true(sync.of_sync);
    g_assert_cmpint(sync.bytes, ==, 5);
}

static void
test_status(void)
{
    g_auto(SlTrace) trace = {0};
    g_assert_true(
        parse("{\"type\":\"STREAM_STATUS\",\"emitted_at\":1,\"stream_status\":{\"stream_"
              "descriptor\":{\"name\":\"s\"},\"status\":\"RUNNING\",\"reasons\":[{\"type\":"
              "\"RATE_LIMITED\",\"rate_limited\":{\"quota_reset\":5}}]}}",
              &trace, NULL));
    g_assert_cmpint(trace.status, ==, SL_STREAM_RUNNING);
    g_assert_true(trace.rate_limited);
    g_assert_cmpint(trace.quota_reset, ==, 5);
    g_assert_cmpstr(trace.stream_name, ==, "s");
}

static void
test_refused(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "trace.type: missing"},
        {"{\"type\":\"ERROR\"}", "trace.error: missing"},
        {"{\"type\":\"ERROR\",\"error\":{}}", "trace.error.message: missing"},
        {"{\"type\":\"ERROR\",\"error\":{\"message\":5}}", "trace.error.message: missing"},
        {"{\"type\":\"ESTIMATE\",\"estimate\":{\"type\":\"STREAM\"}}",
         "trace.estimate.name: missing"},
        {"{\"type\":\"STREAM_STATUS\",\"stream_status\":{\"status\":\"COMPLETE\"}}",
         "trace.stream_status.stream_descriptor.name: missing"},
        {"{\"type\":\"STREAM_STATUS\",\"stream_status\":{\"stream_descriptor\":{\"name\":\"s\"},"
         "\"status\":\"PENDING\"}}",
         "trace.stream_status.status: missing or unknown"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SlTrace) trace = {0};
        g_assert_false(parse(cases[i].text, &trace, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
    g_auto(SlTrace) later = {0};
    g_assert_true(parse("{\"type\":\"ANALYTICS\",\"analytics\":{}}", &later, NULL));
    g_assert_cmpint(later.type, ==, SL_TRACE_OTHER);
}

static void
test_log(void)
{
    static const char text[] = "{\"level\":\"warn\",\"message\":\"a\\nb\",\"stack_trace\":null}";
    g_auto(SlLogMessage) log = {0}, broken = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_log_message_parse((SlSpan){text, sizeof text - 1}, &log, NULL));
    g_assert_cmpstr(log.level, ==, "warn");
    g_assert_cmpstr(log.message, ==, "a\nb");
    g_assert_null(log.stack_trace);
    g_assert_false(sl_log_message_parse((SlSpan){"{}", 2}, &broken, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

static void
test_control(void)
{
    static const char good[] = "{\"type\":\"CONNECTOR_CONFIG\",\"emitted_at\":1,"
                               "\"connectorConfig\":{\"config\":{\"n\":1.0, \"k\":\"\\u0061\"}}}";
    static const char bad[] = "{\"type\":\"CONNECTOR_CONFIG\",\"connectorConfig\":{\"config\":[]}}";
    static const char other[] = "{\"type\":\"LATER\"}";
    g_autoptr(GError) error = NULL;
    g_autofree char *config = sl_control_parse((SlSpan){good, sizeof good - 1}, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config, ==, "{\"n\":1.0, \"k\":\"\\u0061\"}");
    /* what the platform has put in is not the user's */
    static const char injected[] =
        "{\"type\":\"CONNECTOR_CONFIG\",\"connectorConfig\":{\"config\":{\"n\":1.0, "
        "\"__injected_declarative_manifest\":{\"n\":2},\"__injected_x\":1,\"m\":[3]}}}";
    g_autofree char *own = sl_control_parse((SlSpan){injected, sizeof injected - 1}, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(own, ==, "{\"n\":1.0,\"m\":[3]}");
    g_assert_null(sl_control_parse((SlSpan){other, sizeof other - 1}, &error));
    g_assert_no_error(error);
    g_assert_null(sl_control_parse((SlSpan){bad, sizeof bad - 1}, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
}

static void
test_append_status(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    sl_trace_append_status(out, "\"a\"", "null", SL_STREAM_COMPLETE, 5);
    g_assert_cmpstr(out->str, ==,
                    "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":5,"
                    "\"stream_status\":{\"stream_descriptor\":{\"name\":\"a\"},\"status\":"
                    "\"COMPLETE\"}}}");
    g_string_truncate(out, 0);
    sl_trace_append_status(out, "\"a\"", "\"n\"", SL_STREAM_INCOMPLETE, 5);
    g_assert_nonnull(strstr(out->str, "{\"name\":\"a\",\"namespace\":\"n\"}"));
    g_assert_nonnull(strstr(out->str, "\"status\":\"INCOMPLETE\""));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/trace/error", test_error);
    g_test_add_func("/protocol/trace/estimate", test_estimate);
    g_test_add_func("/protocol/trace/status", test_status);
    g_test_add_func("/protocol/trace/refused", test_refused);
    g_test_add_func("/protocol/trace/log", test_log);
    g_test_add_func("/protocol/trace/control", test_control);
    g_test_add_func("/protocol/trace/append-status", test_append_status);
    return g_test_run();
}
