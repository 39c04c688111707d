/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-value.h"

#include <string.h>

#include "ctl-args.h"
#include "sl-error.h"

static const char schema_text[] =
    "{\"properties\": {\"n\": {\"type\": \"integer\"}, \"f\": {\"type\": [\"null\", \"number\"]},"
    " \"b\": {\"type\": \"boolean\"}, \"s\": {\"type\": \"string\"}, \"any\": {},"
    " \"list\": {\"type\": \"array\", \"items\": {\"type\": \"integer\"}},"
    " \"words\": {\"type\": \"array\"},"
    " \"free\": {\"type\": \"object\"},"
    " \"auth\": {\"oneOf\": [{\"properties\": {\"user\": {\"type\": \"string\"}}},"
    "   {\"properties\": {\"token\": {\"type\": \"string\", \"airbyte_secret\": true}}}]}}}";

static void
test_set(void)
{
    g_autoptr(GError) error = NULL;
    const char *text = "{\"a\": 12345678901234567890, \"b\": {\"c\": [1]}, \"d\": \"x\"}";
    g_autoptr(CtlValue) value = ctl_value_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_true(ctl_value_set(value, "b.e.f", "true", &error));
    g_assert_true(ctl_value_set(value, "b.c", "null", &error));
    g_assert_true(ctl_value_set(value, "d.inner", "\"y\"", &error));
    g_assert_true(ctl_value_set(value, "g", "{\"h\": 1}", &error));
    g_assert_true(ctl_value_set(value, "g.i", "2", &error));
    g_autofree char *json = ctl_value_to_json(value);
    g_assert_cmpstr(json, ==,
                    "{\"a\":12345678901234567890,\"b\":{\"c\":null,\"e\":{\"f\":true}},"
                    "\"d\":{\"inner\":\"y\"},\"g\":{\"h\":1,\"i\":2}}");
    g_assert_false(ctl_value_set(value, "a..b", "1", &error));
    g_assert_error(error, CTL_USAGE_ERROR, 0);
}

static void
test_only_objects_are_configurations(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(ctl_value_parse("[]", 2, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(ctl_value_parse("{", 1, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
}

static void
test_types(void)
{
    static const struct {
        const char *path, *text;
        const char *json; /* NULL: a usage error */
    } rows[] = {
        {"n", "5", "5"},
        {"n", "-5", "-5"},
        {"n", "5.0", NULL},
        {"n", "05", NULL},
        {"n", "", NULL},
        {"f", "1e3", "1e3"},
        {"f", "x", NULL},
        {"b", "true", "true"},
        {"b", "1", NULL},
        {"s", "5", "\"5\""},
        {"s", "say \"x\"", "\"say \\\"x\\\"\""},
        {"any", "5", "5"},
        {"any", "five", "\"five\""},
        {"list", "1, 2", "[1,2]"},
        {"list", "[3]", "[3]"},
        {"list", "1,x", NULL},
        {"words", "a,b", "[\"a\",\"b\"]"},
        {"free", "{\"x\":1}", "{\"x\":1}"},
        {"free", "x", NULL},
        {"free.deep.er", "5", "5"},
        {"auth.token", "7", "\"7\""},
        {"auth.tokne", "7", NULL},
        {"nothing", "7", NULL},
    };
    g_autoptr(SlJsonDoc) doc = sl_json_read(schema_text, strlen(schema_text), NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json =
            ctl_value_from_text(doc, sl_json_root(doc), rows[i].path, rows[i].text, &error);
        g_assert_cmpstr(json, ==, rows[i].json);
        if (rows[i].json != NULL)
            continue;
        g_assert_error(error, CTL_USAGE_ERROR, 0);
        g_assert_nonnull(strstr(error->message, rows[i].path));
    }
}

static void
test_without_a_specification(void)
{
    g_autofree char *number = ctl_value_from_text(NULL, NULL, "x.y", "5", NULL);
    g_autofree char *text = ctl_value_from_text(NULL, NULL, "x", "five", NULL);
    g_assert_cmpstr(number, ==, "5");
    g_assert_cmpstr(text, ==, "\"five\"");
}

static void
test_secrets(void)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(schema_text, strlen(schema_text), NULL, NULL);
    g_assert_true(ctl_value_is_secret(doc, sl_json_root(doc), "auth.token"));
    g_assert_false(ctl_value_is_secret(doc, sl_json_root(doc), "auth.user"));
    g_assert_false(ctl_value_is_secret(doc, sl_json_root(doc), "nothing"));
    g_assert_false(ctl_value_is_secret(NULL, NULL, "auth.token"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/value/set", test_set);
    g_test_add_func("/ctl/value/objects", test_only_objects_are_configurations);
    g_test_add_func("/ctl/value/types", test_types);
    g_test_add_func("/ctl/value/no-specification", test_without_a_specification);
    g_test_add_func("/ctl/value/secrets", test_secrets);
    return g_test_run();
}
