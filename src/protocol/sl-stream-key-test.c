/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-stream-key.h"

#include <string.h>

#include "sl-error.h"

static SlStreamKey *
make(const char *text, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    return sl_stream_key_new(doc, sl_json_root(doc), error);
}

/* PK missing in dedup stream: all parts must be null or missing to be refused. */
static void
test_records(void)
{
    static const struct {
        const char *key, *data;
        gboolean good;
    } rows[] = {
        {"[[\"id\"]]", "{\"id\":1}", TRUE},
        {"[[\"id\"]]", "{\"x\":{\"id\":1}}", FALSE},
        {"[[\"id\"]]", "{}", FALSE},
        {"[[\"id\"]]", "{\"id\":null}", FALSE},
        {"[[\"id\"]]", "{\"id\": null , \"x\":1}", FALSE},
        {"[[\"id\"]]", "{\"id\":\"\"}", TRUE},
        {"[[\"id\"]]", "{\"id\":false}", TRUE},
        {"[[\"id\"]]", "{\"\\u0069d\":1}", TRUE},
        {"[[\"id\"]]", "{\"id\":null,\"id\":2}", TRUE},
        {"[[\"a\"],[\"b\"]]", "{\"b\":1}", TRUE},
        {"[[\"a\"],[\"b\"]]", "{\"a\":null,\"b\":null}", FALSE},
        {"[[\"a\",\"b\"]]", "{\"a\":{\"b\":1}}", TRUE},
        {"[[\"a\",\"b\"]]", "{\"a\":{\"b\":null}}", FALSE},
        {"[[\"a\",\"b\"]]", "{\"a\":{}}", FALSE},
        {"[[\"a\",\"b\"]]", "{\"a\":1}", FALSE},
        {"[[\"a\",\"b\"]]", "{\"a\":[{\"b\":1}]}", FALSE},
        {"[[\"a\",\"b\"]]", "{\"a\":{\"x\":1},\"b\":1}", FALSE},
        {"[[\"id\"]]", "{\"x\":01}", TRUE}, /* broken: somebody else's matter */
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *own = g_strdup_printf("{\"primary_key\":%s}", rows[i].key);
        g_autofree char *defined = g_strdup_printf(
            "{\"primary_key\":[],\"stream\":{\"source_defined_primary_key\":%s}}", rows[i].key);
        const char *const streams[] = {own, defined};
        for (guint j = 0; j < G_N_ELEMENTS(streams); j++) {
            g_autoptr(SlStreamKey) key = make(streams[j], &error);
            g_assert_no_error(error);
            g_test_message("%s in %s", rows[i].key, rows[i].data);
            g_assert_cmpint(sl_stream_key_check(key, (SlSpan){rows[i].data, strlen(rows[i].data)}),
                            ==, rows[i].good);
        }
    }
}

static void
test_title(void)
{
    g_autoptr(SlStreamKey) key = make("{\"primary_key\":[[\"id\"],[\"part\",\"code\"]]}", NULL);
    g_assert_cmpstr(sl_stream_key_title(key), ==, "id, part.code");
}

static void
test_none(void)
{
    static const char *const none[] = {"{}", "{\"primary_key\":null}", "{\"primary_key\":[]}",
                                       "{\"primary_key\":[[]]}"};
    static const char *const bad[] = {"{\"primary_key\":[\"id\"]}", "{\"primary_key\":[[1]]}"};
    for (guint i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(make(none[i], &error));
        g_assert_no_error(error);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(make(bad[i], &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream-key/records", test_records);
    g_test_add_func("/stream-key/title", test_title);
    g_test_add_func("/stream-key/none", test_none);
    return g_test_run();
}
