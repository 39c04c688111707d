/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-catalog-diff.h"

#include <string.h>

#include "sl-error.h"

#define CATALOG(streams) "{\"streams\":[" streams "]}"
#define STREAM(name, more)                                                                         \
    "{\"stream\":{\"name\":\"" name                                                                \
    "\",\"json_schema\":{\"properties\":{\"a\":{},\"b\":{},\"c\":{}}}}"                            \
    ",\"sync_mode\":\"full_refresh\",\"destination_sync_mode\":\"append\"" more "}"
#define OTHER_NS "{\"stream\":{\"name\":\"x\",\"namespace\":\"n\"},\"sync_mode\":\"full_refresh\"}"
#define SELECTED(fields) ",\"selectedFields\":[" fields "]"
#define FIELD(name) "{\"fieldPath\":[\"" name "\"]}"

/* Empty members are left out here. */
static const struct {
    const char *name, *before, *after, *diff;
} cases[] = {
    {"same", CATALOG(STREAM("x", "")), CATALOG(STREAM("x", "")), NULL},
    {"the order of streams", CATALOG(STREAM("x", "") "," STREAM("y", "")),
     CATALOG(STREAM("y", "") "," STREAM("x", "")), NULL},
    {"nothing, empty and null are one", CATALOG(STREAM("x", ",\"cursor_field\":[]")),
     CATALOG(STREAM("x", ",\"primary_key\":null,\"mappers\":[]")), NULL},
    {"all fields selected is all fields", CATALOG(STREAM("x", "")),
     CATALOG(STREAM("x", SELECTED(FIELD("c") "," FIELD("b") "," FIELD("a")))), NULL},
    {"a stream comes", CATALOG(""), CATALOG(STREAM("x", "")),
     "\"streamsEnabled\":[{\"streamName\":\"x\",\"status\":\"enabled\"}]"},
    {"a stream goes", CATALOG(STREAM("x", "")), CATALOG(""),
     "\"streamsDisabled\":[{\"streamName\":\"x\",\"status\":\"disabled\"}]"},
    {"the same name elsewhere", CATALOG(STREAM("x", "")), CATALOG(STREAM("x", "") "," OTHER_NS),
     "\"streamsEnabled\":[{\"streamName\":\"x\",\"streamNamespace\":\"n\",\"status\":\"enabled\"}"
     "]"},
    {"fields go", CATALOG(STREAM("x", "")), CATALOG(STREAM("x", SELECTED(FIELD("b")))),
     "\"fieldsDisabled\":[{\"streamName\":\"x\",\"fields\":[\"a\",\"c\"],\"status\":\"disabled\"}"
     "]"},
    {"fields come", CATALOG(STREAM("x", SELECTED(FIELD("b")))), CATALOG(STREAM("x", "")),
     "\"fieldsEnabled\":[{\"streamName\":\"x\",\"fields\":[\"a\",\"c\"],\"status\":\"enabled\"}]"},
    {"one comes, one goes", CATALOG(STREAM("x", SELECTED(FIELD("a")))),
     CATALOG(STREAM("x", SELECTED(FIELD("b")))),
     "\"fieldsEnabled\":[{\"streamName\":\"x\",\"fields\":[\"b\"],\"status\":\"enabled\"}],"
     "\"fieldsDisabled\":[{\"streamName\":\"x\",\"fields\":[\"a\"],\"status\":\"disabled\"}]"},
    {"modes", CATALOG(STREAM("x", "")),
     CATALOG("{\"stream\":{\"name\":\"x\",\"json_schema\":{\"properties\":{\"a\":{},\"b\":{},\"c\":"
             "{}}}},"
             "\"sync_mode\":\"incremental\",\"destination_sync_mode\":\"append_dedup\"}"),
     "\"syncModesChanged\":[{\"streamName\":\"x\",\"prevSourceSyncMode\":\"full_refresh\","
     "\"prevDestinationSyncMode\":\"append\",\"currentSourceSyncMode\":\"incremental\","
     "\"currentDestinationSyncMode\":\"append_dedup\"}]"},
    {"a cursor", CATALOG(STREAM("x", "")), CATALOG(STREAM("x", ",\"cursor_field\":[\"a\"]")),
     "\"cursorFieldsChanged\":[{\"streamName\":\"x\",\"prev\":[],\"current\":[\"a\"]}]"},
    {"a key", CATALOG(STREAM("x", ",\"primary_key\":[[\"a\"]]")),
     CATALOG(STREAM("x", ",\"primary_key\":[[\"a\"],[\"b\"]]")),
     "\"primaryKeysChanged\":[{\"streamName\":\"x\",\"prev\":[[\"a\"]],\"current\":[[\"a\"],[\"b\"]"
     "]}]"},
    /* what a mapper is given may be a key */
    {"mappers", CATALOG(STREAM("x", "")),
     CATALOG(STREAM("x", ",\"mappers\":[{\"type\":\"encryption\",\"key\":\"hidden\"}]")),
     "\"mappersChanged\":[{\"streamName\":\"x\"}]"},
};

static char *
without_empty(const char *diff)
{
    static const char *const members[] = {
        "streamsEnabled",   "streamsDisabled",     "fieldsEnabled",      "fieldsDisabled",
        "syncModesChanged", "cursorFieldsChanged", "primaryKeysChanged", "mappersChanged"};
    GString *text = g_string_new(diff);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *empty = g_strdup_printf("\"%s\":[]", members[i]);
        g_string_replace(text, empty, "", 0);
    }
    while (g_string_replace(text, ",,", ",", 0) > 0) {
    }
    g_string_replace(text, "{,", "{", 1);
    if (g_str_has_suffix(text->str, ",}"))
        g_string_truncate(text, text->len - 2), g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

static void
test_cases(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *diff = sl_catalog_config_diff(cases[i].before, cases[i].after, &error);
        g_test_message("%s", cases[i].name);
        g_assert_no_error(error);
        if (cases[i].diff == NULL) {
            g_assert_null(diff);
            continue;
        }
        g_autofree char *short_text = without_empty(diff);
        g_autofree char *wanted = g_strdup_printf("{%s}", cases[i].diff);
        g_assert_cmpstr(short_text, ==, wanted);
    }
}

static void
test_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_catalog_config_diff("{", CATALOG(""), &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(sl_catalog_config_diff(CATALOG(""), "", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/catalog-config-diff/cases", test_cases);
    g_test_add_func("/protocol/catalog-config-diff/refused", test_refused);
    return g_test_run();
}
