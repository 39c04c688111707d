/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-diff.h"

#include <string.h>

/* A configured stream "a" with these fields, against a discovered one. */
static const struct {
    const char *what, *old_fields, *config, *new_fields, *transforms;
    gboolean breaking;
} cases[] = {
    {"nothing", "\"id\":{\"type\":\"integer\"},\"o\":{\"properties\":{\"k\":{}}}", "",
     "\"o\":{\"properties\":{\"k\":{}}},\"id\":{\"type\":\"integer\"}", "", FALSE},
    {"the order of members", "\"id\":{\"a\":[1,2],\"b\":\"\\u0041\"}", "",
     "\"id\":{\"b\":\"A\",\"a\":[1,2]}", "", FALSE},
    {"a field more", "\"id\":{}", "", "\"id\":{},\"n\":{\"type\":\"string\"}",
     "{\"transformType\":\"add_field\",\"fieldName\":[\"n\"],\"breaking\":false,\"addField\":{"
     "\"schema\":{\"type\":\"string\"}}}",
     FALSE},
    {"a field less", "\"id\":{},\"n\":{}", "", "\"id\":{}",
     "{\"transformType\":\"remove_field\",\"fieldName\":[\"n\"],\"breaking\":false,\"removeField\":"
     "{\"schema\":{}}}",
     FALSE},
    {"the cursor", "\"id\":{},\"n\":{}", ",\"sync_mode\":\"incremental\",\"cursor_field\":[\"n\"]",
     "\"id\":{}",
     "{\"transformType\":\"remove_field\",\"fieldName\":[\"n\"],\"breaking\":true,\"removeField\":{"
     "\"schema\":{}}}",
     TRUE},
    {"a cursor that is not used", "\"id\":{},\"n\":{}",
     ",\"sync_mode\":\"full_refresh\",\"cursor_field\":[\"n\"]", "\"id\":{}",
     "{\"transformType\":\"remove_field\",\"fieldName\":[\"n\"],\"breaking\":false,\"removeField\":"
     "{\"schema\":{}}}",
     FALSE},
    {"the key", "\"id\":{},\"n\":{}", ",\"primary_key\":[[\"x\"],[\"id\"]]", "\"n\":{}",
     "{\"transformType\":\"remove_field\",\"fieldName\":[\"id\"],\"breaking\":true,\"removeField\":"
     "{\"schema\":{}}}",
     TRUE},
    {"another type", "\"id\":{\"type\":\"integer\"}", "", "\"id\":{\"type\":\"string\"}",
     "{\"transformType\":\"update_field_schema\",\"fieldName\":[\"id\"],\"breaking\":false,"
     "\"updateFieldSchema\":{\"oldSchema\":{\"type\":\"integer\"},\"newSchema\":{\"type\":"
     "\"string\"}}}",
     FALSE},
    {"inside", "\"o\":{\"properties\":{\"k\":{},\"l\":{}}}", ",\"primary_key\":[[\"o\",\"l\"]]",
     "\"o\":{\"properties\":{\"k\":{}}}",
     "{\"transformType\":\"remove_field\",\"fieldName\":[\"o\",\"l\"],\"breaking\":true,"
     "\"removeField\":{\"schema\":{}}}",
     TRUE},
};

static void
test_fields(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *old = g_strdup_printf(
            "{\"streams\":[{\"stream\":{\"name\":\"a\",\"json_schema\":{\"properties\":{%s}}}%s}]}",
            cases[i].old_fields, cases[i].config);
        g_autofree char *new = g_strdup_printf(
            "{\"streams\":[{\"name\":\"a\",\"namespace\":\"\",\"json_schema\":{\"properties\":{%s}}"
            "}]}",
            cases[i].new_fields);
        gboolean breaking = !cases[i].breaking;
        g_autofree char *diff = config_diff(old, NULL, new, &breaking, &error);
        g_assert_no_error(error);
        g_autofree char *expected =
            cases[i].transforms[0] == '\0'
                ? g_strdup("{\"transforms\":[]}")
                : g_strdup_printf(
                      "{\"transforms\":[{\"transformType\":\"update_stream\",\"streamDescriptor\":{"
                      "\"name\":\"a\",\"namespace\":\"\"},\"updateStream\":{\"fieldTransforms\":[%"
                      "s]"
                      ",\"streamAttributeTransforms\":[]}}]}",
                      cases[i].transforms);
        g_test_message("%s", cases[i].what);
        g_assert_cmpstr(diff, ==, expected);
        g_assert_cmpint(breaking, ==, cases[i].breaking);
    }
}

static void
test_streams(void)
{
    static const char old[] = "{\"streams\":[{\"stream\":{\"name\":\"a\",\"namespace\":\"n\"}},"
                              "{\"stream\":{\"name\":\"b\"}}]}";
    static const char new[] = "{\"streams\":[{\"name\":\"b\"},{\"name\":\"a\",\"namespace\":\"m\"},"
                              "{\"name\":\"c\"}]}";
    static const char known[] = "{\"streams\":[{\"name\":\"c\",\"json_schema\":{}}]}";
    gboolean breaking = TRUE;
    g_autofree char *diff = config_diff(old, NULL, new, &breaking, NULL);
    g_assert_cmpstr(diff, ==,
                    "{\"transforms\":[{\"transformType\":\"remove_stream\",\"streamDescriptor\":{"
                    "\"name\":\"a\",\"namespace\":\"n\"}},{\"transformType\":\"add_stream\","
                    "\"streamDescriptor\":{\"name\":\"a\",\"namespace\":\"m\"}},{\"transformType\":"
                    "\"add_stream\",\"streamDescriptor\":{\"name\":\"c\"}}]}");
    g_assert_false(breaking);
    /* seen before and not chosen: no news */
    g_autofree char *less = config_diff(old, known, new, NULL, NULL);
    g_assert_null(strstr(less, "\"c\""));
    g_assert_nonnull(strstr(less, "\"m\""));
}

static void
test_keys(void)
{
    static const struct {
        const char *before, *mode, *after;
        gboolean changed, breaking;
    } keys[] = {
        {"[[\"id\"]]", "append_dedup", "[[\"id\"]]", FALSE, FALSE},
        {"[[\"id\"]]", "append_dedup", "[[\"x\"]]", TRUE, TRUE},
        {"[[\"id\"]]", "append_dedup", "[]", TRUE, TRUE},
        {"[[\"id\"]]", "append", "[[\"x\"]]", TRUE, FALSE},
        {"[]", "append_dedup", "[[\"x\"]]", TRUE, FALSE},
        {"null", "append_dedup", "[]", FALSE, FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *old = g_strdup_printf(
            "{\"streams\":[{\"stream\":{\"name\":\"a\","
            "\"source_defined_primary_key\":%s},\"destination_sync_mode\":\"%s\"}]}",
            keys[i].before, keys[i].mode);
        g_autofree char *new = g_strdup_printf(
            "{\"streams\":[{\"name\":\"a\",\"source_defined_primary_key\":%s}]}", keys[i].after);
        gboolean breaking = FALSE;
        g_autofree char *diff = config_diff(old, NULL, new, &breaking, NULL);
        g_assert_cmpint(strstr(diff, "update_primary_key") != NULL, ==, keys[i].changed);
        g_assert_cmpint(breaking, ==, keys[i].breaking);
    }
    g_assert_null(config_diff("{", NULL, "{}", NULL, NULL));
    g_assert_null(config_diff("{}", "{", "{}", NULL, NULL));
    g_assert_null(config_diff("{}", NULL, "{", NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/config/diff/fields", test_fields);
    g_test_add_func("/server/config/diff/streams", test_streams);
    g_test_add_func("/server/config/diff/keys", test_keys);
    return g_test_run();
}
