/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "kit-config.h"
#include "sl-error.h"

static const char spec[] =
    "{\"connectionSpecification\":{\"type\":\"object\",\"required\":[\"host\"],\"properties\":{"
    "\"host\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5,\"pattern\":\"^[a-zé]+$\"},"
    "\"port\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535,\"default\":5432},"
    "\"ratio\":{\"type\":\"number\",\"default\":0.5},"
    "\"deep\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"flag\":{\"type\":\"boolean\",\"default\":true}}},"
    "\"tags\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,\"items\":{\"type\":\"string\"}},"
    "\"either\":{\"type\":[\"string\",\"null\"]},"
    "\"ssl\":{\"type\":\"object\",\"oneOf\":["
    "{\"required\":[\"mode\"],\"properties\":{\"mode\":{\"const\":\"off\"}}},"
    "{\"required\":[\"mode\",\"ca\"],\"properties\":{\"mode\":{\"enum\":[\"on\"]},"
    "\"ca\":{\"type\":\"string\"},\"depth\":{\"type\":\"integer\",\"default\":9}}}]},"
    "\"free\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}}}}";

static void
test_accepts(void)
{
    static const char *const texts[] = {
        "{\"host\":\"a\"}",
        "{\"host\":\"\\u00e9\\u00e9ééé\",\"unknown\":[{}]}",
        "{\"host\":\"a\",\"port\":5.0,\"ratio\":1e-3,\"either\":null}",
        "{\"host\":\"a\",\"tags\":[\"x\",\"y\"],\"deep\":{}}",
        "{\"host\":\"a\",\"ssl\":{\"mode\":\"off\"},\"free\":7}",
        "{\"host\":\"a\",\"ssl\":{\"mode\":\"\\u006fn\",\"ca\":\"\"},\"free\":\"x\"}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KitConfig) config = kit_config_parse(spec, texts[i], strlen(texts[i]), &error);
        g_assert_no_error(error);
        g_assert_nonnull(config);
    }
}

static void
test_refuses(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{}", "configuration.host: missing"},
        {"[]", "configuration: expected object"},
        {"{\"host\":1}", "configuration.host: expected string"},
        {"{\"host\":null}", "configuration.host: expected string"},
        {"{\"host\":\"\"}", "configuration.host: shorter than 1 characters"},
        {"{\"host\":\"abcdef\"}", "configuration.host: longer than 5 characters"},
        {"{\"host\":\"A\"}", "configuration.host: must match ^[a-zé]+$"},
        {"{\"host\":\"a\\u0000\"}", "configuration.host: holds a NUL character"},
        {"{\"host\":\"a\",\"port\":0}", "configuration.port: must be at least 1"},
        {"{\"host\":\"a\",\"port\":65536}", "configuration.port: must be at most 65535"},
        {"{\"host\":\"a\",\"port\":1.5}", "configuration.port: expected integer"},
        {"{\"host\":\"a\",\"port\":99999999999999999999}", "configuration.port: expected integer"},
        {"{\"host\":\"a\",\"either\":1}", "configuration.either: expected string or null"},
        {"{\"host\":\"a\",\"deep\":{\"flagg\":true}}",
         "configuration.deep.flagg: unknown property"},
        {"{\"host\":\"a\",\"deep\":{\"flag\":\"yes\"}}",
         "configuration.deep.flag: expected boolean"},
        {"{\"host\":\"a\",\"tags\":[]}", "configuration.tags: fewer than 1 elements"},
        {"{\"host\":\"a\",\"tags\":[\"x\",\"x\",\"x\"]}",
         "configuration.tags: more than 2 elements"},
        {"{\"host\":\"a\",\"tags\":[\"x\",2]}", "configuration.tags[1]: expected string"},
        {"{\"host\":\"a\",\"ssl\":{}}", "configuration.ssl.mode: must be one of \"off\", \"on\""},
        {"{\"host\":\"a\",\"ssl\":{\"mode\":\"x\"}}",
         "configuration.ssl.mode: must be one of \"off\", \"on\""},
        {"{\"host\":\"a\",\"ssl\":{\"mode\":\"on\"}}", "configuration.ssl.ca: missing"},
        {"{\"host\":\"a\",\"free\":true}", "configuration.free: fits none of the alternatives"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KitConfig) config =
            kit_config_parse(spec, rows[i].text, strlen(rows[i].text), &error);
        g_assert_null(config);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_cmpstr(error->message, ==, rows[i].message);
    }
}

static void
test_values_stay_out_of_errors(void)
{
    static const char text[] = "{\"host\":\"SECRET\",\"port\":\"SECRET\"}";
    g_autoptr(GError) error = NULL;
    g_assert_null(kit_config_parse(spec, text, strlen(text), &error));
    g_assert_null(strstr(error->message, "SECRET"));
}

static void
test_get(void)
{
    static const char text[] =
        "{\"host\":\"a\",\"ratio\":2,\"ssl\":{\"mode\":\"on\",\"ca\":\"x\"}}";
    g_autoptr(KitConfig) config = kit_config_parse(spec, text, strlen(text), NULL);
    g_autofree char *host = kit_config_dup_string(config, "host", NULL);
    g_assert_cmpstr(host, ==, "a");
    g_assert_cmpfloat(kit_config_get_double(config, "ratio", NULL), ==, 2);
    /* Defaults: plain, below an object that is missing, and in the branch that was chosen. */
    g_assert_cmpint(kit_config_get_int(config, "port", NULL), ==, 5432);
    g_assert_true(kit_config_get_boolean(config, "deep", "flag", NULL));
    g_assert_cmpint(kit_config_get_int(config, "ssl", "depth", NULL), ==, 9);
    g_assert_null(kit_config_get(config, "either", NULL));
    g_assert_null(kit_config_get(config, "nothing", "below", NULL));
    g_assert_null(kit_config_dup_string(config, "port", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kit/config/accepts", test_accepts);
    g_test_add_func("/kit/config/refuses", test_refuses);
    g_test_add_func("/kit/config/values-stay-out-of-errors", test_values_stay_out_of_errors);
    g_test_add_func("/kit/config/get", test_get);
    return g_test_run();
}
