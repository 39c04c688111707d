/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-spec.h"

#include <string.h>

#include "sl-error.h"

/* Property schemas in place of %s below; configurations; NULL: accepted. */
static const struct {
    const char *schema, *configuration, *reason;
} cases[] = {
    {"{}", "{\"x\":1}", NULL},
    {"{\"type\":\"string\"}", "{\"x\":\"a\"}", NULL},
    {"{\"type\":\"string\"}", "{\"x\":null}", "configuration.x: expected string"},
    {"{\"type\":[\"string\",\"null\"]}", "{\"x\":null}", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "{\"x\":1}",
     "configuration.x: expected string or null, found number"},
    {"{\"type\":\"integer\"}", "{\"x\":5.0}", NULL},
    {"{\"type\":\"integer\"}", "{\"x\":5.5}", "configuration.x: expected integer"},
    {"{\"type\":\"number\"}", "{\"x\":\"5\"}", "configuration.x: expected number"},
    {"{\"type\":\"boolean\"}", "{\"x\":false}", NULL},
    {"{\"type\":\"boolean\"}", "{\"x\":0}", "configuration.x: expected boolean"},
    {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "{\"x\":[\"a\",\"b\"]}", NULL},
    {"{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "{\"x\":[\"a\",7]}",
     "configuration.x[1]: expected string"},
    {"{\"enum\":[\"a\",2]}", "{\"x\":2}", NULL},
    {"{\"enum\":[\"a\",2]}", "{\"x\":\"\\u0061\"}", NULL},
    {"{\"enum\":[\"a\",2]}", "{\"x\":\"2\"}", "configuration.x: expected one of [\"a\",2]"},
    {"{\"const\":\"a\"}", "{\"x\":\"b\"}", "configuration.x: expected \"a\""},
    {"{\"minimum\":1,\"maximum\":10}", "{\"x\":10}", NULL},
    {"{\"minimum\":1,\"maximum\":10}", "{\"x\":10.5}", "configuration.x: must be at most 10"},
    {"{\"minimum\":1}", "{\"x\":0}", "configuration.x: must be at least 1"},
    {"{\"minLength\":2,\"maxLength\":3}", "{\"x\":\"\xc3\xa4\xc3\xb6\xc3\xbc\"}", NULL},
    {"{\"minLength\":2}", "{\"x\":\"\xc3\xa4\"}", "configuration.x: must have at least 2"},
    {"{\"maxLength\":3}", "{\"x\":\"abcd\"}", "configuration.x: must have at most 3"},
    {"{\"pattern\":\"^[0-9]+$\"}", "{\"x\":\"12\"}", NULL},
    {"{\"pattern\":\"^[0-9]+$\"}", "{\"x\":\"1a\"}", "configuration.x: does not match"},
    {"{\"pattern\":\"[\"}", "{\"x\":\"1a\"}", NULL}, /* no pattern at all */
    {"{\"required\":[\"y\"]}", "{\"x\":{}}", "configuration.x: 'y' is required"},
    {"{\"properties\":{\"y\":{\"type\":\"string\"}}}", "{\"x\":{\"y\":1}}",
     "configuration.x.y: expected string"},
    {"{\"properties\":{\"y\":{}},\"additionalProperties\":false}", "{\"x\":{\"z\":1}}",
     "configuration.x.z: there is no such property"},
    {"{\"allOf\":[{\"type\":\"string\"},{\"minLength\":3}]}", "{\"x\":\"ab\"}",
     "must have at least 3"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "{\"x\":1}", NULL},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "{\"x\":[]}",
     "configuration.x: expected"},
    {"{\"$ref\":\"#/nowhere\"}", "{\"x\":1}", NULL}, /* passed over */
    {"{\"$ref\":\"#/definitions/s\"}", "{\"x\":1}",
     "configuration.x: expected string, found number"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "{\"x\":3}", "more than one alternative"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"x\":{\"a\":1}}", "configuration.x: 'b' is required"},
    {"{\"type\":\"integer\"}", "{\"x\":\"\",\"y\":1}",
     "x: expected integer, found string; configuration.y: expected"},
    {"{\"type\":\"string\",\"airbyte_secret\":true,\"minLength\":20}", "{\"x\":\"**********\"}",
     NULL},
    {"{\"type\":\"string\",\"airbyte_secret\":true}", "{\"x\":{\"_secret\":\"1\"}}", NULL},
    {"{\"type\":\"string\"}", "{\"x\":{\"_secret\":\"1\"}}", "configuration.x: expected string"},
};

#define TUNNEL                                                                                     \
    "{\"type\":\"object\",\"oneOf\":[{\"required\":[\"m\"],\"properties\":{\"m\":{\"const\":"      \
    "\"NO\"}}},"                                                                                   \
    "{\"required\":[\"m\",\"host\"],\"properties\":{\"m\":{\"const\":\"SSH\"},\"host\":{\"type\":" \
    "\"string\"}}}]}"

static void
judge_case(const char *schema, const char *configuration, const char *reason)
{
    g_autofree char *spec = g_strdup_printf(
        "{\"connectionSpecification\":{\"definitions\":{\"s\":"
        "{\"type\":\"string\"}},\"properties\":{\"y\":{\"type\":\"null\"},\"x\":%s}}}",
        schema);
    g_autoptr(GError) error = NULL;
    gboolean ok = server_spec_judge(spec, configuration, &error);
    g_test_message("%s %s: %s", schema, configuration, ok ? "accepted" : error->message);
    if (reason == NULL) {
        g_assert_no_error(error);
        g_assert_true(ok);
    } else {
        g_assert_error(error, SL_ERROR, SL_ERROR_UNPROCESSABLE);
        g_assert_nonnull(strstr(error->message, reason));
    }
}

static void
test_words(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        judge_case(cases[i].schema, cases[i].configuration, cases[i].reason);
}

/* The reason is that of the variant that was meant. */
static void
test_variants(void)
{
    judge_case(TUNNEL, "{\"x\":{\"m\":\"NO\"}}", NULL);
    judge_case(TUNNEL, "{\"x\":{\"m\":\"SSH\",\"host\":\"h\"}}", NULL);
    judge_case(TUNNEL, "{\"x\":{\"m\":\"SSH\"}}", "configuration.x: 'host' is required");
    judge_case(TUNNEL, "{\"x\":{\"m\":\"SSH\",\"host\":1}}",
               "configuration.x.host: expected string");
    judge_case(TUNNEL, "{\"x\":{\"m\":\"VPN\"}}",
               "configuration.x.m: expected one of \"NO\", \"SSH\"");
}

/* A specification that refers to itself without end gives no answer, and so no configuration. */
static void
test_endless(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(
        server_spec_judge("{\"connectionSpecification\":{\"$ref\":\"#\"}}", "{\"x\":1}", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNPROCESSABLE);
    g_assert_nonnull(strstr(error->message, "configuration cannot be judged by its schema"));
}

static void
test_no_object(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *inner = server_spec_connection("{\"connectionSpecification\":{\"a\":1}}");
    g_autofree char *none = server_spec_connection("{}");
    g_assert_false(server_spec_judge("{}", "[]", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_UNPROCESSABLE);
    g_assert_true(server_spec_judge("{}", "{\"a\":1}", NULL));
    g_assert_false(server_spec_judge("{}", "{", NULL));
    g_assert_cmpstr(inner, ==, "{\"a\":1}");
    g_assert_cmpstr(none, ==, "{}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/spec/words", test_words);
    g_test_add_func("/server/spec/variants", test_variants);
    g_test_add_func("/server/spec/endless", test_endless);
    g_test_add_func("/server/spec/no-object", test_no_object);
    return g_test_run();
}
