/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-schema.h"

#include <string.h>

#include "sl-error.h"

/* What the official suite does not say: reasons, paths, bounds, exact numbers, patterns. */

static char *
faults_text(const GPtrArray *faults)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; faults != NULL && i < faults->len; i++) {
        const SlSchemaFault *fault = faults->pdata[i];
        g_string_append_printf(text, "%s%s: %s", i > 0 ? "; " : "", fault->path, fault->reason);
    }
    return g_string_free(text, FALSE);
}

/* "" for a valid value. */
static char *
ask(const char *text, const char *value, const SlSchemaAsk *how, GError **error)
{
    g_autoptr(SlSchema) schema = sl_schema_compile(text, strlen(text), NULL, error);
    g_autoptr(SlJsonDoc) doc =
        schema != NULL ? sl_json_read(value, strlen(value), NULL, error) : NULL;
    g_autoptr(GPtrArray) faults = NULL;
    g_autoptr(GError) local = NULL;
    if (doc == NULL)
        return NULL;
    gboolean ok = sl_schema_validate(schema, doc, sl_json_root(doc), how, &faults, &local);
    g_assert_cmpint(ok, ==, faults == NULL && local == NULL);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    return faults_text(faults);
}

#define METHOD(name, more)                                                                         \
    "{\"required\":[\"m\"],\"properties\":{\"m\":{\"const\":\"" name "\"}" more "}}"

static const struct {
    const char *schema, *value, *reasons;
} cases[] = {
    {"{\"type\":\"integer\"}", "\"a\"", "c: expected integer, found string"},
    {"{\"type\":\"integer\"}", "1.50", "c: expected integer, found number"},
    {"{\"type\":\"integer\"}", "1.0e2", ""},
    {"{\"type\":\"integer\"}", "123456789012345678901234567890", ""},
    {"{\"type\":[\"string\",\"null\"]}", "true", "c: expected string or null, found boolean"},
    /* exact: as doubles each of these would go the other way */
    {"{\"maximum\":9007199254740992}", "9007199254740993", "c: must be at most 9007199254740992"},
    {"{\"exclusiveMinimum\":0.1}", "0.1000000000000000000001", ""},
    {"{\"const\":9007199254740993}", "9007199254740992", "c: expected 9007199254740993"},
    {"{\"const\":1.0}", "10e-1", ""},
    {"{\"multipleOf\":0.01}", "4.02", ""},
    {"{\"multipleOf\":0.01}", "1.13", ""},
    {"{\"multipleOf\":0.01}", "4.021", "c: must be a multiple of 0.01"},
    {"{\"multipleOf\":1e-400}", "1e400", ""},
    {"{\"multipleOf\":3}", "1e999999999999", "c: must be a multiple of 3"},
    {"{\"minimum\":1e400}", "1e399", "c: must be at least 1e400"},
    {"{\"maximum\":-1}", "-0", "c: must be at most -1"},
    /* code points */
    {"{\"maxLength\":1}", "\"\\ud83d\\ude00\"", ""},
    {"{\"minLength\":2}", "\"\xf0\x9f\x98\x80\"", "c: must have at least 2 characters"},
    /* patterns: ECMA's, not Perl's */
    {"{\"pattern\":\"^\\\\d+$\"}", "\"\\u0661\"", "c: does not match the pattern '^\\d+$'"},
    {"{\"pattern\":\"^a$\"}", "\"a\\n\"", "c: does not match the pattern '^a$'"},
    {"{\"pattern\":\"^\\\\s$\"}", "\"\\ufeff\"", ""},
    {"{\"pattern\":\"^[\\\\S]$\"}", "\"\\u2003\"", "c: does not match the pattern '^[\\S]$'"},
    {"{\"pattern\":\"^\\\\w$\"}", "\"\xc3\xa9\"", "c: does not match the pattern '^\\w$'"},
    {"{\"pattern\":\"^\\\\p{Letter}$\"}", "\"\xc3\xa9\"", ""},
    {"{\"pattern\":\"^[^]$\"}", "\"\\n\"", ""},
    {"{\"pattern\":\"^\\\\ud83d\\\\ude00$\"}", "\"\xf0\x9f\x98\x80\"", ""},
    {"{\"pattern\":\"^[[:alpha:]]$\"}", "\"b\"", "c: does not match the pattern '^[[:alpha:]]$'"},
    /* paths */
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}}}", "{\"a\":[\"\",1]}",
     "c.a[1]: expected string, found number"},
    {"{\"additionalProperties\":false}", "{\"a.b\":1}", "c[\"a.b\"]: there is no such property"},
    {"{\"required\":[\"a\",\"b\"]}", "{}", "c: 'a' is required; c: 'b' is required"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"minimum\":3}}}", "{\"b\":1,\"a\":2}",
     "c.b: must be at least 3; c.a: expected string, found number"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}", "c: 'b' is required beside 'a'"},
    {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]",
     "c: two of its elements are equal"},
    {"{\"uniqueItems\":true}", "[[1],[true],[\"1\"],1,true,\"1\"]", ""},
    /* every occurrence of a repeated key counts */
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1,\"a\":\"\"}",
     "c.a: expected string, found number"},
    /* alternatives: by their constant */
    {"{\"oneOf\":[" METHOD("NO", "") "," METHOD("SSH", ",\"port\":{\"type\":\"integer\"}") "]}",
     "{\"m\":\"SSH\",\"port\":\"x\"}", "c.port: expected integer, found string"},
    {"{\"oneOf\":[" METHOD("NO", "") "," METHOD("SSH", "") "]}", "{\"m\":\"VPN\"}",
     "c.m: expected one of \"NO\", \"SSH\""},
    {"{\"oneOf\":[{\"$ref\":\"#/definitions/a\"},{\"$ref\":\"#/definitions/b\"}],\"definitions\":"
     "{\"a\":" METHOD("A", "") ",\"b\":" METHOD("B", ",\"x\":{\"type\":\"null\"}") "}}",
     "{\"m\":\"B\",\"x\":1}", "c.x: expected null, found number"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "[]",
     "c: expected string or integer, found array"},
    {"{\"anyOf\":[{\"type\":\"string\",\"minLength\":2},{\"type\":\"integer\"}]}", "\"a\"",
     "c: must have at least 2 characters"},
    {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2},{\"type\":\"string\"}]}", "5",
     "c: fits more than one alternative (number 1 and number 2)"},
    {"{\"not\":{\"type\":\"object\"}}", "{}", "c: is what it must not be"},
    {"{\"if\":{\"minimum\":5},\"then\":{\"multipleOf\":5},\"else\":{\"maximum\":3}}", "4",
     "c: must be at most 3"},
};

static void
test_reasons(void)
{
    const SlSchemaAsk how = {.root = "c"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s of %s", cases[i].schema, cases[i].value);
        g_autofree char *reasons = ask(cases[i].schema, cases[i].value, &how, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(reasons, ==, cases[i].reasons);
    }
}

/* Schemas that are none, strictly; leniently each accepts 1. */
static const struct {
    const char *schema, *reason;
} broken[] = {
    {"{\"type\":\"strnig\"}", "'type' at byte 8: there is no such type"},
    {"{\"type\":[]}", "expected a type"},
    {"{\"pattern\":\"(\"}", "'(' is no pattern"},
    {"{\"pattern\":\"(*LIMIT_MATCH=1)a\"}", "is no pattern"},
    {"{\"multipleOf\":0}", "greater than 0"},
    {"{\"minLength\":-1}", "a number of things"},
    {"{\"required\":\"a\"}", "a list of names"},
    {"{\"properties\":[]}", "an object of schemas"},
    {"{\"patternProperties\":{\"[\":{}}}", "is no pattern"},
    {"{\"allOf\":[1]}", "expected an object or a boolean"},
    {"{\"$ref\":\"#/definitions/none\"}", "$ref 'schema:///#/definitions/none' leads nowhere"},
    {"{\"$ref\":\"http://elsewhere.example/a\"}", "leads nowhere"},
};

static void
test_broken(void)
{
    const SlSchemaSource lenient = {.lenient = TRUE};
    g_autoptr(SlJsonDoc) one = sl_json_read("1", 1, NULL, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        const char *text = broken[i].schema;
        g_assert_null(sl_schema_compile(text, strlen(text), NULL, &error));
        g_test_message("%s: %s", text, error->message);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, broken[i].reason));
        g_autoptr(SlSchema) schema = sl_schema_compile(text, strlen(text), &lenient, NULL);
        g_assert_nonnull(schema);
        g_assert_true(sl_schema_validate(schema, one, sl_json_root(one), NULL, NULL, NULL));
    }
}

/* No answer is an error, whoever asks for how long. */
static const struct {
    const char *schema, *value;
} endless[] = {
    {"{\"$ref\":\"#\"}", "1"},
    {"{\"definitions\":{\"a\":{\"$ref\":\"#/definitions/b\"},\"b\":{\"$ref\":\"#/definitions/a\"}},"
     "\"not\":{\"$ref\":\"#/definitions/a\"}}",
     "1"},
    {"{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", "1"},
    {"{\"anyOf\":[{\"not\":{\"$ref\":\"#\"}},{\"not\":{\"$ref\":\"#\"}}]}", "1"},
    {"{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""},
    {"{\"not\":{\"pattern\":\"^(a|a)*$\"}}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""},
};

static void
test_endless(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(endless); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *reasons = ask(endless[i].schema, endless[i].value, NULL, &error);
        g_test_message("%s: %s", endless[i].schema, error != NULL ? error->message : reasons);
        g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    }
}

static void
test_bounds(void)
{
    g_autoptr(GString) value = g_string_new("[");
    g_autoptr(GError) error = NULL;
    const SlSchemaAsk three = {.max_faults = 3}, little = {.max_work = 100};
    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(value, "%s%u", i > 0 ? "," : "", i);
    g_string_append_c(value, ']');
    g_autofree char *reasons = ask("{\"items\":{\"type\":\"null\"}}", value->str, &three, &error);
    g_assert_cmpstr(reasons, ==,
                    "value[0]: expected null, found number; value[1]: expected null, found number; "
                    "value[2]: expected null, found number");
    g_assert_null(ask("{\"items\":{\"type\":\"number\"}}", value->str, &little, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
    g_clear_error(&error);
    g_autoptr(GString) deep = g_string_new(NULL);
    for (guint i = 0; i < 200; i++)
        g_string_append(deep, "{\"not\":");
    g_assert_null(sl_schema_compile(deep->str, deep->len, NULL, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_TOO_LARGE);
}

/* A thousand different elements and as many equal members: nothing is quadratic enough to stop. */
static void
test_large(void)
{
    g_autoptr(GString) value = g_string_new("[");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 20000; i++)
        g_string_append_printf(value, "%s{\"id\":%u,\"t\":\"x\"}", i > 0 ? "," : "", i);
    g_string_append_c(value, ']');
    g_autofree char *reasons = ask("{\"uniqueItems\":true}", value->str, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(reasons, ==, "");
}

static const struct {
    const char *format, *text;
    gboolean ok;
} formats[] = {
    {"date", "2024-02-29", TRUE},
    {"date", "2023-02-29", FALSE},
    {"date", "2023-2-01", FALSE},
    {"date-time", "2024-01-01T00:00:00Z", TRUE},
    {"date-time", "2024-01-01T00:00:00.123+05:30", TRUE},
    {"date-time", "2024-01-01 00:00:00Z", FALSE},
    {"date-time", "2024-01-01T00:00:00", FALSE},
    {"date-time", "2016-12-31T23:59:60Z", TRUE},
    {"date-time", "2016-12-31T23:58:60Z", FALSE},
    {"date-time", "2016-12-31T15:59:60-08:00", TRUE},
    {"time", "24:00:00Z", FALSE},
    {"uri", "https://host.example/a?b#c", TRUE},
    {"uri", "no uri", FALSE},
    {"uri", "/relative", FALSE},
    {"email", "a.b+c@host.example", TRUE},
    {"email", "a..b@host.example", FALSE},
    {"email", "host.example", FALSE},
    {"hostname", "a-b.example", TRUE},
    {"hostname", "-a.example", FALSE},
    {"uuid", "00000000-0000-0000-0000-000000000000", TRUE},
    {"uuid", "00000000-0000-0000-0000-00000000000", FALSE},
    {"ipv4", "192.0.2.1", TRUE},
    {"ipv4", "192.0.2.256", FALSE},
    {"ipv6", "2001:db8::1", TRUE},
    {"ipv6", "192.0.2.1", FALSE},
    {"regex", "^a$", TRUE},
    {"regex", "(", FALSE},
    {"nobody-knows", "x", TRUE},
};

static void
test_formats(void)
{
    const SlSchemaAsk how = {.formats = TRUE};
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *schema = g_strdup_printf("{\"format\":\"%s\"}", formats[i].format);
        g_autofree char *value = g_strdup_printf("\"%s\"", formats[i].text);
        g_autofree char *remark = ask(schema, value, NULL, NULL);
        g_autofree char *reasons = ask(schema, value, &how, NULL);
        g_test_message("%s %s: %s", schema, value, reasons);
        g_assert_cmpstr(remark, ==, ""); /* a remark only, unless asked */
        g_assert_cmpint(*reasons == '\0', ==, formats[i].ok);
    }
}

static void
test_remote(void)
{
    const SlSchemaRemote remotes[] = {
        {"http://h.example/a.json", "{\"definitions\":{\"n\":{\"$ref\":\"b.json\"}}}"},
        {"http://h.example/b.json", "{\"type\":\"null\"}"},
    };
    const SlSchemaSource source = {remotes, G_N_ELEMENTS(remotes), FALSE};
    const char *text = "{\"$ref\":\"http://h.example/a.json#/definitions/n\"}";
    g_autoptr(SlSchema) schema = sl_schema_compile(text, strlen(text), &source, NULL);
    g_autoptr(SlJsonDoc) good = sl_json_read("null", 4, NULL, NULL);
    g_autoptr(SlJsonDoc) bad = sl_json_read("0", 1, NULL, NULL);
    g_assert_nonnull(schema);
    g_assert_true(sl_schema_validate(schema, good, sl_json_root(good), NULL, NULL, NULL));
    g_assert_false(sl_schema_validate(schema, bad, sl_json_root(bad), NULL, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schema/reasons", test_reasons);
    g_test_add_func("/schema/broken", test_broken);
    g_test_add_func("/schema/endless", test_endless);
    g_test_add_func("/schema/bounds", test_bounds);
    g_test_add_func("/schema/large", test_large);
    g_test_add_func("/schema/formats", test_formats);
    g_test_add_func("/schema/remote", test_remote);
    return g_test_run();
}
