/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "kit-catalog.h"
#include "sl-error.h"

#define STREAM(name, more)                                                                         \
    "{\"stream\":{\"name\":\"" name "\",\"json_schema\":{\"type\":\"object\"}" more "},"           \
    "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append_dedup\""
#define CATALOG(streams) "{\"streams\":[" streams "]}"

static KitCatalog *
parse(const char *text)
{
    GError *error = NULL;
    KitCatalog *catalog = kit_catalog_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    return catalog;
}

static void
test_keys(void)
{
    g_autoptr(KitCatalog) catalog = parse(CATALOG(STREAM(
        "own",
        ",\"source_defined_primary_key\":[[\"id\"],[\"a\",\"b\"]],"
        "\"source_defined_cursor\":true,\"default_cursor_field\":["
        "\"ts\"]") ",\"primary_key\":[[\"x\"]],\"cursor_field\":[\"y\"]"
                   "}," STREAM("chosen", ",\"default_cursor_field\":[\"ts\"],"
                                         "\"namespace\":\"\"") ",\"primary_key\":"
                                                               "[[\"x\"]],"
                                                               "\"cursor_field\":"
                                                               "[\"o\",\"y\"]}"
                                                               "," STREAM("usual", ",\"def"
                                                                                   "ault_"
                                                                                   "cursor"
                                                                                   "_field"
                                                                                   "\":["
                                                                                   "\"ts\""
                                                                                   "],"
                                                                                   "\"name"
                                                                                   "space"
                                                                                   "\":"
                                                                                   "\"n\"") "}"));
    g_assert_cmpuint(catalog->n_streams, ==, 3);
    const KitStream *s = catalog->streams;
    g_assert_cmpint(s[0].sync_mode, ==, KIT_SYNC_INCREMENTAL);
    g_assert_cmpint(s[0].destination_mode, ==, KIT_DESTINATION_APPEND_DEDUP);
    g_assert_cmpuint(s[0].n_primary_key, ==, 2);
    g_assert_cmpstr(s[0].primary_key[1][1], ==, "b");
    g_assert_cmpstr(s[0].cursor_field[0], ==, "ts");
    g_assert_cmpstr(s[1].primary_key[0][0], ==, "x");
    g_assert_cmpstr(s[1].cursor_field[1], ==, "y");
    g_assert_null(s[1].ns);
    g_assert_cmpuint(s[2].n_primary_key, ==, 0);
    g_assert_cmpstr(s[2].cursor_field[0], ==, "ts");
    g_assert_cmpstr(s[2].ns, ==, "n");
    g_assert_true(kit_catalog_find(catalog, "n", 1, "usual", 5) == &s[2]);
    g_assert_true(kit_catalog_find(catalog, NULL, 0, "chosen", 6) == &s[1]);
    g_assert_null(kit_catalog_find(catalog, NULL, 0, "usual", 5));
}

static void
test_generations(void)
{
    g_autoptr(KitCatalog) catalog = parse(CATALOG(STREAM("none", "") "}," STREAM(
        "append", "") ",\"generation_id\":3,\"minimum_generation_id\":0,\"sync_id\":7}"
                      "," STREAM("truncate",
                                 "") ",\"generation_id\":3.0,\"minimum_generation_id\":3},"
                                     "{\"stream\":{\"name\":\"old\",\"json_schema\":{}},"
                                     "\"sync_mode\":\"full_refresh\","
                                     "\"destination_sync_mode\":\"overwrite\",\"generation_"
                                     "id\":null}"));
    const KitStream *s = catalog->streams;
    g_assert_false(s[0].generations || s[0].truncate);
    g_assert_true(s[1].generations && !s[1].truncate);
    g_assert_cmpint(s[1].sync_id, ==, 7);
    g_assert_true(s[2].generations && s[2].truncate);
    g_assert_true(!s[3].generations && s[3].truncate);
}

static void
test_refuses(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "catalog: "},
        {"{}", "catalog.streams: expected array"},
        {CATALOG("1"), "catalog.streams[0].stream: expected object"},
        {CATALOG("{\"stream\":{\"name\":\"a\"}}"),
         "catalog.streams[0].stream.json_schema: expected object"},
        {CATALOG("{\"stream\":{\"name\":\"a\",\"json_schema\":{}}}"),
         "catalog.streams[0].sync_mode: missing"},
        {CATALOG(STREAM("a", "") "}," STREAM("a", ",\"namespace\":null") "}"),
         "catalog.streams[1]: stream 'a' is configured twice"},
        {CATALOG(STREAM("a", "") ",\"primary_key\":[\"id\"]}"),
         "catalog.streams[0].primary_key: expected array of non-empty paths"},
        {CATALOG(STREAM("a", "") ",\"primary_key\":[[1]]}"),
         "catalog.streams[0].primary_key: expected array of strings"},
        {CATALOG(STREAM("a", "") ",\"cursor_field\":\"x\"}"),
         "catalog.streams[0].cursor_field: expected array of strings"},
        {CATALOG(STREAM("a", "") ",\"generation_id\":\"1\"}"),
         "catalog.streams[0].generation_id: expected integer"},
        {CATALOG(STREAM("a", "") ",\"generation_id\":1,\"minimum_generation_id\":2}"),
         "catalog.streams[0].minimum_generation_id: 2 is neither 0 nor the generation_id 1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(kit_catalog_parse(rows[i].text, strlen(rows[i].text), &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, rows[i].message));
    }
}

static void
attach(KitCatalog *catalog, const char *text)
{
    g_autoptr(GError) error = NULL;
    kit_catalog_attach_state(catalog, text, strlen(text), &error);
    g_assert_no_error(error);
}

static void
test_state(void)
{
    static const char two[] = CATALOG(STREAM("a", "") "}," STREAM("b", ",\"namespace\":\"n\"") "}");
    g_autoptr(KitCatalog) streams = parse(two);
    attach(streams,
           "[{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"b\",\"namespace\":"
           "\"n\"},\"stream_state\":{\"k\":1}}},{\"type\":\"STREAM\",\"stream\":{"
           "\"stream_descriptor\":{\"name\":\"gone\"},\"stream_state\":{}}},{\"type\":\"STREAM\","
           "\"stream\":{\"stream_descriptor\":{\"name\":\"a\",\"namespace\":null},"
           "\"stream_state\":null}}]");
    g_assert_null(streams->streams[0].state);
    const KitStream *b = &streams->streams[1];
    gint64 k = 0;
    g_assert_true(sl_json_get_int64(sl_json_get(b->state_of, b->state, "k"), &k) && k == 1);
    g_assert_null(streams->shared_state);

    g_autoptr(KitCatalog) global = parse(two);
    attach(global, "[{\"type\":\"GLOBAL\",\"global\":{\"shared_state\":{\"lsn\":5},"
                   "\"stream_states\":[{\"stream_descriptor\":{\"name\":\"a\"},"
                   "\"stream_state\":{}}]}}]");
    g_assert_nonnull(global->shared_state);
    g_assert_nonnull(global->streams[0].state);
    g_assert_null(global->streams[1].state);

    g_autoptr(KitCatalog) empty = parse(two);
    attach(empty, "[]");
    g_autoptr(KitCatalog) object = parse(two);
    attach(object, " {} ");
    g_assert_null(object->streams[0].state);
}

static void
test_bad_state(void)
{
    static const char *const texts[] = {"1", "[1]", "[{\"type\":\"STREAM\"}]", "[{\"data\":{}}]",
                                        "[{\"type\":\"STREAM\",\"stream\":{}}]"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KitCatalog) catalog = parse(CATALOG(STREAM("a", "") "}"));
        g_assert_false(kit_catalog_attach_state(catalog, texts[i], strlen(texts[i]), &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, "state"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kit/catalog/keys", test_keys);
    g_test_add_func("/kit/catalog/generations", test_generations);
    g_test_add_func("/kit/catalog/refuses", test_refuses);
    g_test_add_func("/kit/catalog/state", test_state);
    g_test_add_func("/kit/catalog/bad-state", test_bad_state);
    return g_test_run();
}
