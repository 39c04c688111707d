/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "ctl-trace.h"

/* What people see of a message, and what it breaks. */
static const struct {
    const char *line, *shown, *fault; /* a fault that begins so; NULL: none */
} lines[] = {
    {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"data\":{\"x\":1},\"emitted_at\":1}}",
     "RECORD   a {\"x\":1}\n", NULL},
    {"{\"type\":\"RECORD\",\"record\":{\"data\":{}}}", "RECORD    {}\n",
     "line 1: a RECORD without the name"},
    {"{\"type\":\"RECORD\",\"record\":{\"stream\":\"a\",\"data\":7}}", "",
     "line 1: a RECORD whose data"},
    {"{\"type\":\"RECORD\"}", "", "line 1: a message of type RECORD without 'record'"},
    {"{\"type\":\"SPEC\",\"spec\":[]}", "", "line 1: a message of type SPEC without 'spec'"},
    {"{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"a\\u001b[31m\"}}",
     "LOG      INFO a?[31m\n", NULL},
    {"{\"type\":\"STATE\",\"state\":{\"type\":\"GLOBAL\"}}", "STATE    {\"type\":\"GLOBAL\"}\n",
     "line 1: a STATE of type GLOBAL without global"},
    {"{\"type\":\"STATE\",\"state\":{\"type\":\"ODD\"}}", "STATE    {\"type\":\"ODD\"}\n",
     "line 1: a STATE of unknown type 'ODD'"},
    {"{\"type\":\"STATE\",\"state\":{}}", "STATE    {}\n", "line 1: a STATE without type"},
    {"{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"GOOD\"}}",
     "STATUS   GOOD \n", "line 1: a CONNECTION_STATUS that is neither"},
    {"{\"type\":\"CATALOG\",\"catalog\":{}}", "", "line 1: a CATALOG without streams"},
    {"{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"a\",\"namespace\":\"n\"}]}}",
     "STREAM   n.a\n", NULL},
    {"{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"error\":{}}}", "ERROR     \n",
     "line 1: a TRACE of type ERROR without"},
    {"{\"type\":\"CONTROL\",\"control\":{\"type\":\"CONNECTOR_CONFIG\",\"connectorConfig\":{"
     "\"config\":"
     "{\"password\":\"hidden\"}}}}",
     "CONTROL  CONNECTOR_CONFIG\n", NULL},
    {"Traceback (most recent call last):", "?        Traceback (most recent call last):\n", NULL},
    {"{\"type\":\"NEW_KIND\"}", "?        {\"type\":\"NEW_KIND\"}\n", NULL},
    {"", "", NULL},
};

static void
test_lines(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(CtlTrace) trace = ctl_trace_new(1, FALSE);
        g_autoptr(GString) out = g_string_new(NULL);
        ctl_trace_add(trace, lines[i].line, strlen(lines[i].line), out);
        g_assert_cmpstr(out->str, ==, lines[i].shown);
        g_assert_cmpuint(trace->faults->len, ==, lines[i].fault != NULL ? 1 : 0);
        if (lines[i].fault != NULL)
            g_assert_true(g_str_has_prefix(trace->faults->pdata[0], lines[i].fault));
    }
}

#define STREAM_STATE(name, n)                                                                      \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"" name                     \
    "\"},\"stream_state\":" n "}}"

/* What --state gets of what the connector said, in the form that connectors take. */
static void
test_states(void)
{
    static const struct {
        const char *states[4], *file;
    } cases[] = {
        {{NULL}, NULL},
        {{STREAM_STATE("a", "1"), STREAM_STATE("b", "2"), STREAM_STATE("a", "3")},
         "[" STREAM_STATE("a", "3") "," STREAM_STATE("b", "2") "]"},
        {{"{\"type\":\"GLOBAL\",\"global\":{\"x\":1}}",
          "{\"type\":\"GLOBAL\",\"global\":{\"x\":2}}"},
         "[{\"type\":\"GLOBAL\",\"global\":{\"x\":2}}]"},
        {{"{\"data\":{\"a\":1}}", "{\"type\":\"LEGACY\",\"data\":{\"a\":2}}"}, "{\"a\":2}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(CtlTrace) trace = ctl_trace_new(0, FALSE);
        g_autoptr(GString) out = g_string_new(NULL);
        for (guint j = 0; cases[i].states[j] != NULL; j++) {
            g_autofree char *line =
                g_strdup_printf("{\"type\":\"STATE\",\"state\":%s}", cases[i].states[j]);
            ctl_trace_add(trace, line, strlen(line), out);
        }
        g_autofree char *file = ctl_trace_state_file(trace);
        g_assert_cmpstr(file, ==, cases[i].file);
        g_assert_cmpuint(trace->faults->len, ==, 0);
    }
}

static void
test_configure(void)
{
    static const struct {
        const char *stream, *mode, *more;
    } cases[] = {
        {"{\"name\":\"a\",\"supported_sync_modes\":[\"full_refresh\"]}", "full_refresh", ""},
        /* Incremental is no use without a cursor. */
        {"{\"name\":\"a\",\"supported_sync_modes\":[\"incremental\"]}", "full_refresh", ""},
        {"{\"name\":\"a\",\"supported_sync_modes\":[\"incremental\"],\"default_cursor_field\":["
         "\"t\"]}",
         "incremental", "\"cursor_field\":[\"t\"],"},
        {"{\"name\":\"a\",\"supported_sync_modes\":[\"full_refresh\",\"incremental\"],"
         "\"source_defined_cursor\":true,\"source_defined_primary_key\":[[\"id\"]]}",
         "incremental", "\"primary_key\":[[\"id\"]],"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *catalog = g_strdup_printf("{\"streams\":[%s]}", cases[i].stream);
        g_autofree char *configured = ctl_trace_configure(catalog, NULL);
        g_autofree char *wanted =
            g_strdup_printf("{\"streams\":[{\"stream\":%s,\"sync_mode\":\"%s\",\"destination_sync_"
                            "mode\":\"append\",%s"
                            "\"generation_id\":0,\"minimum_generation_id\":0,\"sync_id\":1}]}",
                            cases[i].stream, cases[i].mode, cases[i].more);
        g_assert_cmpstr(configured, ==, wanted);
    }
    g_assert_null(ctl_trace_configure("{\"streams\":1}", NULL));
    g_assert_null(ctl_trace_configure("{", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/trace/lines", test_lines);
    g_test_add_func("/ctl/trace/states", test_states);
    g_test_add_func("/ctl/trace/configure", test_configure);
    return g_test_run();
}
