/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-failure.h"

#include <string.h>

static SlJsonDoc *
write_all(const SlFailures *failures)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    g_autoptr(GError) error = NULL;
    sl_failures_write(failures, &w);
    SlJsonDoc *doc = sl_json_read_copy(out->str, out->len, NULL, &error);
    g_assert_no_error(error);
    return doc;
}

static void
assert_member(const SlJsonDoc *doc, guint i, const char *key, const char *value)
{
    const SlJsonNode *node = sl_json_get(doc, sl_json_at(doc, sl_json_root(doc), i), key);
    g_assert_nonnull(node);
    g_autofree char *text = sl_json_dup_string(node);
    g_assert_cmpstr(text, ==, value);
}

static void
test_order(void)
{
    g_autoptr(SlFailures) failures = sl_failures_new();
    SlTrace late = {.type = SL_TRACE_ERROR, .message = (char *)"late", .emitted_at = 20};
    SlTrace early = {.type = SL_TRACE_ERROR,
                     .message = (char *)"early",
                     .failure_type = (char *)"config_error",
                     .stream_name = (char *)"s",
                     .emitted_at = 10};
    g_assert_null(sl_failures_first(failures, NULL));
    sl_failures_add(failures, SL_ORIGIN_SOURCE, SL_FAILURE_SYSTEM, "exit 1", "inside");
    sl_failures_add_trace(failures, SL_ORIGIN_SOURCE, &late);
    sl_failures_add_trace(failures, SL_ORIGIN_DESTINATION, &early);
    g_autoptr(SlJsonDoc) doc = write_all(failures);
    assert_member(doc, 0, "externalMessage", "early");
    assert_member(doc, 0, "failureType", "config_error");
    assert_member(doc, 0, "failureOrigin", "destination");
    assert_member(doc, 1, "externalMessage", "late");
    assert_member(doc, 1, "failureType", "system_error");
    assert_member(doc, 2, "externalMessage", "exit 1");
    assert_member(doc, 2, "internalMessage", "inside");
    const char *origin = NULL;
    g_assert_cmpstr(sl_failures_first(failures, &origin), ==, "early");
    g_assert_cmpstr(origin, ==, "destination");
    g_assert_cmpstr(sl_failures_trace_of(failures, SL_ORIGIN_SOURCE), ==, "late");
    g_assert_null(sl_failures_trace_of(failures, SL_ORIGIN_PLATFORM));
    gboolean retryable = TRUE;
    const SlJsonNode *first = sl_json_at(doc, sl_json_root(doc), 0);
    g_assert_true(sl_json_get_boolean(sl_json_get(doc, first, "retryable"), &retryable));
    g_assert_false(retryable);
    g_assert_true(
        sl_json_string_is(sl_json_get_path(doc, first, "streamDescriptor", "name", NULL), "s"));
}

static void
test_limits(void)
{
    g_autoptr(SlFailures) failures = sl_failures_new();
    g_autofree char *text = g_strnfill(60001, 'x');
    memcpy(text + 49999, "\xc3\xa9", 2); /* a character across the limit */
    for (guint i = 0; i < 15; i++) {
        SlTrace trace = {.type = SL_TRACE_ERROR, .message = text, .emitted_at = i + 1};
        sl_failures_add_trace(failures, SL_ORIGIN_SOURCE, &trace);
    }
    sl_failures_add(failures, SL_ORIGIN_SOURCE, SL_FAILURE_SYSTEM, "exit 1", NULL);
    g_assert_cmpuint(sl_failures_count(failures), ==, 10);
    g_autoptr(SlJsonDoc) doc = write_all(failures);
    g_assert_cmpuint(sl_json_root(doc)->count, ==, 11);
    /* the flood has not pushed out what was seen from outside */
    assert_member(doc, 9, "externalMessage", "exit 1");
    assert_member(doc, 10, "externalMessage", "6 further failures were left out; see the log");
    const SlJsonNode *message =
        sl_json_get(doc, sl_json_at(doc, sl_json_root(doc), 0), "externalMessage");
    g_autofree char *cut = sl_json_dup_string(message);
    g_assert_true(g_str_has_suffix(cut, "x … (cut)"));
    g_assert_true(g_utf8_validate(cut, -1, NULL));
    g_assert_cmpuint(strlen(cut), <, 50020);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/failure/order", test_order);
    g_test_add_func("/protocol/failure/limits", test_limits);
    return g_test_run();
}
