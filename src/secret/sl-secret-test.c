/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-secret.h"

#include <string.h>

#include "sl-error.h"

#define SPEC                                                                                       \
    "{\"type\":\"object\",\"properties\":{"                                                        \
    "\"password\":{\"type\":\"string\",\"airbyte_secret\":true},\"port\":{\"type\":\"integer\"},"  \
    "\"pin\":{\"type\":\"integer\",\"airbyte_secret\":true},"                                      \
    "\"keys\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"airbyte_secret\":true}},"       \
    "\"tunnel\":{\"oneOf\":[{\"properties\":{\"m\":{\"const\":\"NO\"}}},"                          \
    "{\"properties\":{\"m\":{\"const\":\"SSH\"},\"key\":{\"airbyte_secret\":true},"                \
    "\"deep\":{\"allOf\":[{\"properties\":{\"k\":{\"airbyte_secret\":true}}}]}}}]}}}"

/* References are numbered in order of appearance; the plain values are collected. */
static char *
put(const char *plain, gpointer data, GError **error)
{
    GPtrArray *seen = data;
    g_ptr_array_add(seen, g_strdup(plain));
    return g_strdup_printf("id%u", seen->len);
}

static char *
split(const char *config, const char *old, const char *expected_plain, GError **error)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
    char *result = sl_secret_split(config, SPEC, old, put, seen, error);
    g_ptr_array_add(seen, NULL);
    g_autofree char *joined = g_strjoinv("|", (char **)seen->pdata);
    if (result != NULL)
        g_assert_cmpstr(joined, ==, expected_plain);
    return result;
}

static void
test_split(void)
{
    static const struct {
        const char *config, *old, *result, *plain;
    } cases[] = {
        {"{\"port\":5432,\"n\":18446744073709551615,\"password\":\"x\"}", NULL,
         "{\"port\":5432,\"n\":18446744073709551615,\"password\":{\"_secret\":\"id1\"}}", "x"},
        {"{\"keys\":[\"a\",\"b\"],\"pin\":12}", NULL,
         "{\"keys\":[{\"_secret\":\"id1\"},{\"_secret\":\"id2\"}],\"pin\":{\"_secret\":\"id3\"}}",
         "a|b|12"},
        {"{\"tunnel\":{\"m\":\"SSH\",\"key\":\"k\",\"deep\":{\"k\":\"d\"}}}", NULL,
         "{\"tunnel\":{\"m\":\"SSH\",\"key\":{\"_secret\":\"id1\"},\"deep\":{\"k\":{\"_secret\":"
         "\"id2\"}}}}",
         "k|d"},
        {"{\"password\":null}", NULL, "{\"password\":null}", ""},
        /* the mask keeps what is stored, a new value replaces it */
        {"{\"password\":\"**********\",\"keys\":[\"**********\",\"new\"]}",
         "{\"password\":{\"_secret\":\"o1\"},\"keys\":[{\"_secret\":\"o2\"},{\"_secret\":\"o3\"}]}",
         "{\"password\":{\"_secret\":\"o1\"},\"keys\":[{\"_secret\":\"o2\"},{\"_secret\":\"id1\"}]"
         "}",
         "new"},
        /* stored already */
        {"{\"password\":{\"_secret\":\"o1\"}}", NULL, "{\"password\":{\"_secret\":\"o1\"}}", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *result = split(cases[i].config, cases[i].old, cases[i].plain, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(result, ==, cases[i].result);
    }
}

/* Where secrets may be marked: each configuration has "s" as its only secret value. */
static void
test_places(void)
{
    static const struct {
        const char *spec, *config;
    } places[] = {
        {"{\"$ref\":\"#/definitions/d\",\"definitions\":{\"d\":{\"properties\":{\"a\":{\"$ref\":"
         "\"#/definitions/e~1f\"}}},\"e/f\":{\"airbyte_secret\":true}}}",
         "{\"a\":\"s\"}"},
        {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"k\":{\"airbyte_secret\":true}}}}}}",
         "{\"a\":[{\"k\":\"s\",\"l\":\"open\"}]}"},
        {"{\"properties\":{\"a\":{\"items\":[{},{\"airbyte_secret\":true}]}}}",
         "{\"b\":\"open\",\"a\":[\"s\"]}"},
        {"{\"additionalProperties\":{\"airbyte_secret\":true},\"properties\":{\"b\":{}}}",
         "{\"b\":\"open\",\"a\":\"s\"}"},
        {"{\"patternProperties\":{\"^a\":{\"airbyte_secret\":true}}}", "{\"a\":\"s\"}"},
        {"{\"if\":{},\"then\":{\"properties\":{\"a\":{\"airbyte_secret\":true}}}}",
         "{\"a\":\"s\"}"},
        {"{\"allOf\":[{\"anyOf\":[{\"oneOf\":[{\"properties\":{\"a\":{\"airbyte_secret\":true}}}]}]"
         "}]}",
         "{\"a\":\"s\"}"},
        /* a marked object: all in it */
        {"{\"properties\":{\"a\":{\"airbyte_secret\":true}}}", "{\"a\":{\"b\":[\"s\"]}}"},
        /* a reference that comes round */
        {"{\"properties\":{\"a\":{\"$ref\":\"#\"},\"k\":{\"airbyte_secret\":true}}}",
         "{\"a\":{\"a\":{\"k\":\"s\"}}}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autofree char *result =
            sl_secret_split(places[i].config, places[i].spec, NULL, put, seen, &error);
        g_test_message("%s: %s", places[i].spec, result);
        g_assert_no_error(error);
        g_assert_cmpuint(seen->len, ==, 1);
        g_assert_cmpstr(seen->pdata[0], ==, "s");
        g_assert_null(strstr(result, "\"s\""));
    }
}

#define BRANCHES                                                                                   \
    "{\"properties\":{\"t\":{\"oneOf\":[{\"properties\":{\"m\":{\"const\":\"A\"},\"k\":{"          \
    "\"airbyte_secret\":true}}},{\"properties\":{\"m\":{\"enum\":[\"B\"]},\"k\":{"                 \
    "\"airbyte_secret\":true}}}]}}}"

/* The same branch keeps, another one does not, whatever the member is called. */
static void
test_branches(void)
{
    static const char old[] = "{\"t\":{\"m\":\"A\",\"k\":{\"_secret\":\"o\"}}}";
    static const struct {
        const char *config, *result;
    } edits[] = {
        {"{\"t\":{\"m\":\"\\u0041\",\"k\":\"**********\"}}",
         "{\"t\":{\"m\":\"\\u0041\",\"k\":{\"_secret\":\"o\"}}}"},
        {"{\"t\":{\"k\":\"**********\"}}", "{\"t\":{\"k\":{\"_secret\":\"o\"}}}"},
        {"{\"t\":{\"m\":\"B\",\"k\":\"new\"}}",
         "{\"t\":{\"m\":\"B\",\"k\":{\"_secret\":\"id1\"}}}"},
        {"{\"t\":{\"m\":\"B\",\"k\":\"**********\"}}", NULL},
        /* merged (PATCH) */
        {"{\"t\":{\"m\":\"A\",\"k\":{\"_secret\":\"o\"}}}",
         "{\"t\":{\"m\":\"A\",\"k\":{\"_secret\":\"o\"}}}"},
        {"{\"t\":{\"m\":\"B\",\"k\":{\"_secret\":\"o\"}}}", "{\"t\":{\"m\":\"B\"}}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autofree char *result =
            sl_secret_split(edits[i].config, BRANCHES, old, put, seen, &error);
        g_assert_cmpstr(result, ==, edits[i].result);
        if (result == NULL) {
            g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
            g_assert_true(g_str_has_prefix(error->message, "t.k: "));
        }
    }
}

static void
test_mask_without_secret(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(split("{\"tunnel\":{\"key\":\"**********\"}}", "{}", "", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, "tunnel.key: "));
    g_clear_error(&error);
    g_assert_null(split("{\"password\"", NULL, "", &error));
    g_assert_nonnull(error);
}

static char *
get(const char *id, gpointer data, GError **error)
{
    if (strcmp(id, "lost") != 0)
        return g_strconcat("plain \"", id, "\"", NULL);
    sl_error_set(error, SL_ERROR_NOT_FOUND, "lost");
    return NULL;
}

static void
test_references(void)
{
    static const char stored[] =
        "{\"a\":[{\"_secret\":\"1\"}],\"n\":1.10,"
        "\"b\":{\"_secret\":\"2\",\"and\":\"more\"},\"c\":{\"_secret\":\"3\"}}";
    g_autofree char *masked = sl_secret_mask(stored, NULL);
    g_assert_cmpstr(masked, ==,
                    "{\"a\":[\"**********\"],\"n\":1.10,\"b\":{\"_secret\":\"2\",\"and\":"
                    "\"more\"},\"c\":\"**********\"}");
    g_auto(GStrv) ids = sl_secret_list(stored, NULL);
    g_autofree char *joined = g_strjoinv(",", ids);
    g_assert_cmpstr(joined, ==, "1,3");
    g_autofree char *paths = sl_secret_paths(stored, NULL);
    g_assert_cmpstr(paths, ==, "[[\"a\",\"*\"],[\"c\"]]");
    g_autofree char *filled = sl_secret_fill("{\"p\":{\"_secret\":\"9\"}}", get, NULL, NULL);
    g_assert_cmpstr(filled, ==, "{\"p\":\"plain \\\"9\\\"\"}");
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_secret_fill("{\"p\":{\"_secret\":\"lost\"}}", get, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
}

/* A name that no C string holds is an error, not a crash. */
static void
test_nul_in_a_name(void)
{
    static const char config[] = "{\"a\":{\"b\\u0000\":1}}";
    g_autoptr(GError) error = NULL;
    g_assert_null(sl_secret_mask(config, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(sl_secret_list(config, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(sl_secret_split(config, "{\"type\":\"object\"}", NULL, put, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_autofree char *paths =
        sl_secret_paths("{\"b\\u0000\":{\"_secret\":\"1\"},\"c\":{\"_secret\":\"2\"}}", NULL);
    g_assert_cmpstr(paths, ==, "[[\"c\"]]");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/secret/split", test_split);
    g_test_add_func("/secret/secret/places", test_places);
    g_test_add_func("/secret/secret/branches", test_branches);
    g_test_add_func("/secret/secret/mask-without-secret", test_mask_without_secret);
    g_test_add_func("/secret/secret/references", test_references);
    g_test_add_func("/secret/secret/nul-in-a-name", test_nul_in_a_name);
    return g_test_run();
}
