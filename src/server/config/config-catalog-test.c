/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-catalog.h"

#include <string.h>

#include "sl-error.h"
#include "sl-json-read.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{},\"note\":{}},"   \
    "\"x\":1.10}"
#define FULL "{\"name\":\"my users\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":"
#define KEY "\"source_defined_primary_key\":[[\"id\"]]"
#define CURSOR "\"source_defined_cursor\":true,\"default_cursor_field\":[\"at\"]"

static const char two[] =
    "{\"streams\":["
    "{\"name\":\"a\",\"namespace\":\"n\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":"
    "[\"full_refresh\",\"incremental\"],\"is_resumable\":true," CURSOR "," KEY "},"
    "{\"name\":\"b\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":[\"full_refresh\"],"
    "\"namespace\":null}]}";

static char *
at(const char *json, const char *stream, const char *part, const char *name)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, NULL);
    g_assert_nonnull(doc);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), entry) {
        if (!sl_json_string_is(sl_json_get_path(doc, entry, "stream", "name", NULL), stream))
            continue;
        const SlJsonNode *node = sl_json_get_path(doc, entry, part, name, NULL);
        return node != NULL ? sl_json_dup_span(node) : g_strdup("none");
    }
    return g_strdup("no stream");
}

static void
expect(const char *json, const char *stream, const char *part, const char *name, const char *value)
{
    g_autofree char *found = at(json, stream, part, name);
    if (g_strcmp0(found, value) != 0)
        g_test_message("%s.%s.%s in %s", stream, part, name, json);
    g_assert_cmpstr(found, ==, value);
}

/* --- discovered --------------------------------------------------------------------------------
 */

/* The configuration that a page begins with hangs on what the source can do. */
static void
test_default_modes(void)
{
    static const struct {
        const char *rest, *source, *destination;
    } cases[] = {
        {"[\"full_refresh\",\"incremental\"]," CURSOR "," KEY, "incremental", "append_dedup"},
        {"[\"full_refresh\",\"incremental\"]," CURSOR, "full_refresh", "overwrite"},
        {"[\"full_refresh\",\"incremental\"]," KEY, "full_refresh", "overwrite"},
        {"[\"full_refresh\",\"incremental\"]", "full_refresh", "overwrite"},
        {"[\"incremental\"]," CURSOR, "incremental", "append"},
        {"[\"incremental\"]," CURSOR "," KEY, "incremental", "append_dedup"},
        {"[\"incremental\"]", "incremental", "append"},
        {"[\"full_refresh\"]," CURSOR "," KEY, "full_refresh", "overwrite"},
        {"[]", "full_refresh", "overwrite"},
        {"null", "full_refresh", "overwrite"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *discovered = g_strdup_printf("{\"streams\":[" FULL "%s}]}", cases[i].rest);
        g_autofree char *source = g_strdup_printf("\"%s\"", cases[i].source);
        g_autofree char *destination = g_strdup_printf("\"%s\"", cases[i].destination);
        g_autofree char *catalog = config_catalog_from_discovered(discovered, NULL, NULL);
        g_assert_nonnull(catalog);
        expect(catalog, "my users", "config", "syncMode", source);
        expect(catalog, "my users", "config", "destinationSyncMode", destination);
        expect(catalog, "my users", "config", "aliasName", "\"my_users\"");
        expect(catalog, "my users", "config", "selected", "true"); /* it is alone */
        expect(catalog, "my users", "config", "suggested", "true");
    }
}

static void
test_discovered(void)
{
    static const char *const suggested[] = {"b", NULL};
    g_autofree char *plain = config_catalog_from_discovered(two, NULL, NULL);
    expect(plain, "a", "config", "selected", "false");
    expect(plain, "b", "config", "selected", "false");
    expect(plain, "a", "config", "cursorField", "[\"at\"]");
    expect(plain, "a", "config", "primaryKey", "[[\"id\"]]");
    expect(plain, "b", "config", "cursorField", "[]");
    expect(plain, "b", "config", "fieldSelectionEnabled", "false");
    expect(plain, "a", "stream", "jsonSchema", SCHEMA); /* byte for byte */
    expect(plain, "a", "stream", "namespace", "\"n\"");
    expect(plain, "a", "stream", "isResumable", "true");
    expect(plain, "a", "stream", "sourceDefinedCursor", "true");
    expect(plain, "b", "stream", "namespace", "none"); /* null is as good as missing */
    expect(plain, "b", "stream", "isResumable", "none");
    g_autofree char *some = config_catalog_from_discovered(two, suggested, NULL);
    expect(some, "a", "config", "selected", "false");
    expect(some, "b", "config", "selected", "true");
    g_autofree char *back = config_catalog_to_discovered(plain, NULL);
    g_autofree char *again = config_catalog_from_discovered(back, NULL, NULL);
    g_assert_cmpstr(again, ==, plain);
    g_autofree char *none = config_catalog_from_discovered("{\"streams\":[]}", NULL, NULL);
    g_assert_cmpstr(none, ==, "{\"streams\":[]}");
    g_assert_null(config_catalog_from_discovered("{}", NULL, NULL));
    g_assert_null(config_catalog_from_discovered("{", NULL, NULL));
}

/* --- configured --------------------------------------------------------------------------------
 */

static const char configured[] =
    "{\"streams\":[{\"stream\":{\"name\":\"a\",\"namespace\":\"n\",\"json_schema\":" SCHEMA
    ",\"supported_sync_modes\":[\"full_refresh\",\"incremental\"]},\"sync_mode\":\"incremental\","
    "\"destination_sync_mode\":\"append_dedup\",\"cursor_field\":[\"at\"],\"primary_key\":"
    "[[\"id\"]],\"selectedFields\":[{\"fieldPath\":[\"id\"]},{\"fieldPath\":[\"at\"]}],"
    "\"mappers\":[{\"id\":\"m\",\"type\":\"encryption\",\"mapperConfiguration\":{\"key\":"
    "{\"_secret\":\"5f0c4f4e-5d5f-4d3e-9c1d-3f8d1f1e2a3b\"}}}]}]}";

static void
test_configured(void)
{
    g_autofree char *catalog = config_catalog_from_configured(configured, NULL);
    g_assert_nonnull(catalog);
    expect(catalog, "a", "config", "selected", "true");
    expect(catalog, "a", "config", "syncMode", "\"incremental\"");
    expect(catalog, "a", "config", "destinationSyncMode", "\"append_dedup\"");
    expect(catalog, "a", "config", "cursorField", "[\"at\"]");
    expect(catalog, "a", "config", "primaryKey", "[[\"id\"]]");
    expect(catalog, "a", "config", "fieldSelectionEnabled", "true");
    expect(catalog, "a", "config", "selectedFields",
           "[{\"fieldPath\":[\"id\"]},{\"fieldPath\":[\"at\"]}]");
    expect(catalog, "a", "stream", "jsonSchema",
           "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"at\":{}},\"x\":1."
           "10}");
    g_assert_nonnull(strstr(catalog, "\"key\":\"**********\""));
    g_assert_null(strstr(catalog, "_secret"));
}

/* What a page sends back unchanged is stored as it was. */
static void
test_round_trip(void)
{
    static const char stored[] =
        "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":" SCHEMA
        ",\"supported_sync_modes\":[\"full_refresh\",\"incremental\"],\"is_resumable\":false},"
        "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append_dedup\","
        "\"destination_object_name\":\"o\",\"include_files\":true,\"cursor_field\":[\"at\"],"
        "\"primary_key\":[[\"id\"],[\"at\"]],\"mappers\":[{\"id\":\"m\",\"type\":\"hashing\","
        "\"mapperConfiguration\":{\"targetField\":\"note\"}}]}]}";
    g_autofree char *catalog = config_catalog_from_configured(stored, NULL);
    g_autofree char *back = config_catalog_to_configured(catalog, NULL);
    g_assert_cmpstr(back, ==, stored);
    /* generations are given out and never taken back */
    g_autoptr(GString) with = g_string_new(stored);
    g_string_replace(with, "\"include_files\":true,",
                     "\"include_files\":true,\"generation_id\":3,\"minimum_generation_id\":1,"
                     "\"sync_id\":9,",
                     1);
    g_autofree char *more = config_catalog_from_configured(with->str, NULL);
    expect(more, "a", "config", "generationId", "3");
    expect(more, "a", "config", "minimumGenerationId", "1");
    expect(more, "a", "config", "syncId", "9");
    g_autofree char *less = config_catalog_to_configured(more, NULL);
    g_assert_cmpstr(less, ==, stored);
}

static void
test_merge(void)
{
    static const char other[] =
        "{\"streams\":[{\"stream\":{\"name\":\"b\",\"json_schema\":{\"old\":1}},\"sync_mode\":"
        "\"full_refresh\",\"destination_sync_mode\":\"append\"},{\"stream\":{\"name\":\"a\","
        "\"json_schema\":{}},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"append\"}]"
        "}";
    g_autofree char *merged = config_catalog_merge(two, other, TRUE, NULL);
    g_autofree char *without = config_catalog_merge(two, other, FALSE, NULL);
    expect(merged, "b", "config", "selected", "true");
    expect(merged, "b", "config", "destinationSyncMode", "\"append\"");
    expect(merged, "b", "stream", "jsonSchema", SCHEMA); /* the news of the source */
    expect(merged, "a", "config", "selected", "false");  /* another namespace: another stream */
    g_assert_nonnull(strstr(merged, "{\"stream\":{\"name\":\"a\",\"jsonSchema\":{}}"));
    g_assert_null(strstr(without, "{\"stream\":{\"name\":\"a\",\"jsonSchema\":{}}"));
    g_autofree char *back = config_catalog_to_configured(merged, NULL);
    g_assert_nonnull(back);
    expect(back, "b", "stream", "json_schema", SCHEMA);
}

/* --- what a client sends -----------------------------------------------------------------------
 */

#define STREAM(rest) "{\"stream\":{\"name\":\"a\",\"jsonSchema\":" SCHEMA rest "},"
#define CONFIG(rest)                                                                               \
    "\"config\":{\"selected\":true,\"syncMode\":\"incremental\",\"destinationSyncMode\":"          \
    "\"append_dedup\",\"cursorField\":[\"at\"],\"primaryKey\":[[\"id\"]]" rest "}}"

static void
test_stored(void)
{
    static const struct {
        const char *entry, *stored;
    } cases[] = {
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"syncMode\":\"full_refresh\","
         "\"destinationSyncMode\":\"append\",\"selected\":false}}",
         ""},
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"syncMode\":\"x\"}}", ""},
        {"{\"stream\":{\"name\":\"a\"}}", ""},
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"selected\":true,\"syncMode\":\"full_refresh\","
         "\"destinationSyncMode\":\"append\",\"aliasName\":\"zz\",\"generationId\":4}}",
         "{\"stream\":{\"name\":\"a\",\"json_schema\":{},\"supported_sync_modes\":[\"full_"
         "refresh\"]"
         "},\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"append\"}"},
        /* the source's own cursor and key go before */
        {"{\"stream\":{\"name\":\"a\",\"sourceDefinedCursor\":true,\"defaultCursorField\":[\"c\"],"
         "\"sourceDefinedPrimaryKey\":[[\"k\"]]},\"config\":{\"selected\":true,\"syncMode\":"
         "\"incremental\",\"destinationSyncMode\":\"append_dedup\",\"cursorField\":[\"z\"],"
         "\"primaryKey\":[[\"z\"]],\"selectedFields\":[{\"fieldPath\":[\"q\"]}]}}",
         "{\"stream\":{\"name\":\"a\",\"source_defined_cursor\":true,\"default_cursor_field\":"
         "[\"c\"],\"source_defined_primary_key\":[[\"k\"]],\"json_schema\":{},"
         "\"supported_sync_modes\":[\"full_refresh\"]},\"sync_mode\":\"incremental\","
         "\"destination_sync_mode\":\"append_dedup\",\"cursor_field\":[\"c\"],\"primary_key\":"
         "[[\"k\"]]}"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[{\"fieldPath\":"
                           "[\"id\"]},{\"fieldPath\":[\"at\"]}]"),
         "{\"stream\":{\"name\":\"a\",\"json_schema\":" SCHEMA ",\"supported_sync_modes\":"
         "[\"full_refresh\"]},\"sync_mode\":\"incremental\",\"destination_sync_mode\":"
         "\"append_dedup\",\"cursor_field\":[\"at\"],\"primary_key\":[[\"id\"]],\"selectedFields\":"
         "[{\"fieldPath\":[\"id\"]},{\"fieldPath\":[\"at\"]}]}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *catalog = g_strdup_printf("{\"streams\":[%s]}", cases[i].entry);
        g_autofree char *stored = g_strdup_printf("{\"streams\":[%s]}", cases[i].stored);
        g_autofree char *found = config_catalog_to_configured(catalog, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(found, ==, stored);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *entry, *message;
    } cases[] = {
        {"{\"config\":{\"selected\":true}}", "streams[0].stream.name: is required"},
        {"{\"stream\":{\"name\":3},\"config\":{\"selected\":true}}", "stream.name: is required"},
        {"{\"stream\":{\"name\":\"\"},\"config\":{\"selected\":true}}", "stream.name: is required"},
        {"{\"stream\":{\"name\":\"a\",\"jsonSchema\":[]},\"config\":{\"selected\":true}}",
         "streams[0].stream.jsonSchema: expected object"},
        {"{\"stream\":{\"name\":\"a\",\"isResumable\":1},\"config\":{\"selected\":true}}",
         "stream.isResumable: expected boolean"},
        {"{\"stream\":{\"name\":\"a\",\"sourceDefinedPrimaryKey\":[\"x\"]},\"config\":{"
         "\"selected\":"
         "true}}",
         "sourceDefinedPrimaryKey: expected array of arrays of strings"},
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"selected\":true}}",
         "config.syncMode: is required"},
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"selected\":true,\"syncMode\":\"often\"}}",
         "config.syncMode: 'often' is no mode"},
        {"{\"stream\":{\"name\":\"a\"},\"config\":{\"selected\":true,\"syncMode\":\"full_refresh\"}"
         "}",
         "config.destinationSyncMode: is required"},
        {STREAM(",\"supportedSyncModes\":[\"full_refresh\"]") CONFIG(""),
         "config.syncMode: the source cannot do 'incremental'"},
        {STREAM("") CONFIG(",\"cursorField\":[]"), "config.cursorField: is required"},
        {STREAM("") CONFIG(",\"cursorField\":\"at\""), "cursorField: expected array of strings"},
        {STREAM("") CONFIG(",\"cursorField\":[\"q\"]"), "cursorField: there is no field 'q'"},
        {STREAM("") CONFIG(",\"primaryKey\":[]"), "config.primaryKey: is required to dedup"},
        {STREAM("") CONFIG(",\"primaryKey\":[[]]"), "primaryKey: expected array of arrays"},
        {STREAM("") CONFIG(",\"primaryKey\":[[\"q\"]]"), "primaryKey: there is no field 'q'"},
        {STREAM("") CONFIG(",\"mappers\":{}"), "config.mappers: expected array"},
        {STREAM("") CONFIG(",\"hashedFields\":[{\"fieldPath\":[\"id\"]}]"), "use mappers"},
        {STREAM("") CONFIG(",\"generationId\":\"x\""), "generationId: expected integer"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true"), "selectedFields: at least one"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[{\"fieldPath\":["
                           "\"id\",\"x\"]}]"),
         "must be one top-level field"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[\"id\"]"),
         "must be one top-level field"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[{\"fieldPath\":["
                           "\"q\"]}]"),
         "selectedFields: there is no field 'q'"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[{\"fieldPath\":["
                           "\"id\"]}]"),
         "the cursor must be selected"},
        {STREAM("") CONFIG(",\"fieldSelectionEnabled\":true,\"selectedFields\":[{\"fieldPath\":["
                           "\"at\"]}]"),
         "the primary key must be selected"},
        {STREAM("") CONFIG("") "," STREAM("") CONFIG(""), "streams[1].stream: is there twice"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *catalog = g_strdup_printf("{\"streams\":[%s]}", cases[i].entry);
        g_assert_null(config_catalog_to_configured(catalog, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, cases[i].message) == NULL)
            g_test_message("'%s' is not in '%s'", cases[i].message, error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(config_catalog_to_configured("{\"streams\":{}}", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_null(config_catalog_to_discovered("{\"streams\":[{}]}", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/config/catalog/default-modes", test_default_modes);
    g_test_add_func("/server/config/catalog/discovered", test_discovered);
    g_test_add_func("/server/config/catalog/configured", test_configured);
    g_test_add_func("/server/config/catalog/round-trip", test_round_trip);
    g_test_add_func("/server/config/catalog/merge", test_merge);
    g_test_add_func("/server/config/catalog/stored", test_stored);
    g_test_add_func("/server/config/catalog/refused", test_refused);
    return g_test_run();
}
