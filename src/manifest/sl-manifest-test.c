/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-manifest.h"

#include <string.h>

#include "sl-error.h"

static SlJsonDoc *
read_text(const char *text)
{
    g_autoptr(GError) error = NULL;
    SlJsonDoc *doc = sl_json_read_copy(text, strlen(text), NULL, &error);
    g_assert_no_error(error);
    return doc;
}

#define HEAD "\"version\":\"6.1.0\",\"type\":\"DeclarativeSource\""
#define CHECK "\"check\":{\"type\":\"CheckStream\",\"stream_names\":[\"a\"]}"
#define STREAM                                                                                     \
    "{\"type\":\"DeclarativeStream\",\"name\":\"a\",\"retriever\":{\"type\":\"SimpleRetriever\"}}"
#define SPEC "\"spec\":{\"type\":\"Spec\",\"connection_specification\":{\"type\":\"object\"}}"
#define WHOLE "{" HEAD "," CHECK ",\"streams\":[" STREAM "]," SPEC "}"

static const struct {
    const char *manifest, *spec; /* or the error */
} specs[] = {
    {WHOLE, "{\"connectionSpecification\":{\"type\":\"object\"}}"},
    {"{\"spec\":{\"documentation_url\":\"https://x\",\"connection_specification\":{\"a\":1.10}}}",
     "{\"connectionSpecification\":{\"a\":1.10},\"documentationUrl\":\"https://x\"}"},
    {"{\"spec\":{\"connectionSpecification\":{}}}", "{\"connectionSpecification\":{}}"},
    {"{\"spec\":{\"connection_specification\":{},\"advanced_auth\":{\"auth_flow_type\":"
     "\"oauth2.0\"}}}",
     "{\"connectionSpecification\":{},\"advanced_auth\":{\"auth_flow_type\":\"oauth2.0\"}}"},
    /* references: of the whole, of a part, with members of its own before */
    {"{\"spec\":\"#/definitions/"
     "s\",\"definitions\":{\"s\":{\"connection_specification\":{\"x\":1}}}}",
     "{\"connectionSpecification\":{\"x\":1}}"},
    {"{\"spec\":{\"$ref\":\"#/definitions/s\",\"documentation_url\":\"u\"},\"definitions\":{\"s\":{"
     "\"documentation_url\":\"v\",\"connection_specification\":{\"x\":1}}}}",
     "{\"connectionSpecification\":{\"x\":1},\"documentationUrl\":\"u\"}"},
    {"{\"spec\":{\"connection_specification\":{\"properties\":{\"a\":{\"$ref\":\"#/definitions/p\","
     "\"title\":\"A\"},\"b\":\"#/definitions/p\",\"c\":{\"$ref\":\"#/n\"},\"d\":[\"#/l/1\"]}}},"
     "\"definitions\":{\"p\":{\"type\":\"string\",\"title\":\"P\"}},\"n\":5,\"l\":[0,\"one\"]}",
     "{\"connectionSpecification\":{\"properties\":{\"a\":{\"type\":\"string\",\"title\":\"A\"},"
     "\"b\":{\"type\":\"string\",\"title\":\"P\"},\"c\":5,\"d\":[\"one\"]}}}"},
    {"{\"spec\":{\"connection_specification\":{\"a\":\"#/n/path\"}},\"n\":{\"path\":1},\"n/"
     "path\":2}",
     "{\"connectionSpecification\":{\"a\":2}}"},
    /* what is wrong */
    {"{}", "manifest.spec.connection_specification: is required, and an object"},
    {"{\"spec\":[]}", "manifest.spec.connection_specification: is required, and an object"},
    {"{\"spec\":{\"connection_specification\":[]}}",
     "manifest.spec.connection_specification: is required, and an object"},
    {"{\"spec\":\"#/no\"}", "manifest.spec: '#/no' is not in the manifest"},
    {"{\"spec\":{\"connection_specification\":{\"a\":[{\"b\":\"#/no/b\"}]}}}",
     "manifest.spec.connection_specification.a[0].b: '#/no/b' is not in the manifest"},
    {"{\"spec\":\"#/a\",\"a\":\"#/b\",\"b\":\"#/a\"}", "goes round"},
    {"{\"spec\":{\"$ref\":\"#/spec\"}}", "manifest.spec.$ref: the reference goes round"},
    {"{\"spec\":{\"$ref\":7}}", "manifest.spec.$ref: is no reference such as"},
    {"{\"spec\":{\"connection_specification\":{\"a\":{\"x\":\"#/spec/"
     "connection_specification\"}}}}",
     "goes round, or deeper"},
};

static void
test_spec(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = read_text(specs[i].manifest);
        g_autofree char *spec = sl_manifest_spec(doc, &error);
        g_test_message("%s", specs[i].manifest);
        if (specs[i].spec[0] == '{') {
            g_assert_no_error(error);
            g_assert_cmpstr(spec, ==, specs[i].spec);
            continue;
        }
        g_assert_null(spec);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, specs[i].spec) == NULL)
            g_assert_cmpstr(error->message, ==, specs[i].spec);
    }
}

static const struct {
    const char *manifest, *error; /* NULL: it is good */
} checks[] = {
    {WHOLE, NULL},
    {"{" HEAD "," CHECK ",\"dynamic_streams\":[{}]," SPEC "}", NULL},
    {"{" HEAD ",\"check\":\"#/definitions/c\",\"definitions\":{\"c\":{}},\"streams\":[{\"$ref\":"
     "\"#/definitions/s\"}]," SPEC "}",
     "manifest.streams[0].$ref: '#/definitions/s' is not in the manifest"},
    {"{" HEAD "," CHECK
     ",\"streams\":[\"#/definitions/s\",{\"$ref\":\"#/definitions/s\",\"name\":\"b\"}],"
     "\"definitions\":{\"s\":" STREAM "}," SPEC "}",
     NULL},
    {"{" HEAD "," CHECK ",\"streams\":[{\"type\":\"StateDelegatingStream\"}]," SPEC "}", NULL},
    {"{" HEAD "," CHECK ",\"streams\":[" STREAM
     "],\"x\":{\"config_overrides\":{\"a\":\"#/no\"}}," SPEC "}",
     NULL},
    {"[]", "manifest: is no object but "},
    {"\"text\"", "manifest: is no object but "},
    {"{\"version\":\"6.1.0\"}", "manifest.type: is required, the text 'DeclarativeSource'"},
    {"{\"type\":\"Other\"}", "manifest.type: 'Other' is not the text"},
    {"{\"type\":\"DeclarativeSource\"}", "manifest.version: is required, a version as text"},
    {"{\"type\":\"DeclarativeSource\",\"version\":6.1}", "manifest.version: is required"},
    {"{\"type\":\"DeclarativeSource\",\"version\":\"new\"}", "manifest.version: 'new' is not"},
    {"{" HEAD "," SPEC "}", "manifest.check: is required"},
    {"{" HEAD "," CHECK "," SPEC "}", "manifest.streams: is required, a list with at least one"},
    {"{" HEAD "," CHECK ",\"streams\":[]," SPEC "}", "manifest.streams: is required"},
    {"{" HEAD "," CHECK ",\"streams\":{}," SPEC "}", "manifest.streams: is no list"},
    {"{" HEAD "," CHECK ",\"streams\":[" STREAM ",7]," SPEC "}",
     "manifest.streams[1]: is no object"},
    {"{" HEAD "," CHECK ",\"streams\":[{\"type\":\"DeclarativeStream\"}]," SPEC "}",
     "manifest.streams[0].retriever: is required"},
    {"{" HEAD "," CHECK ",\"streams\":[" STREAM "]}", "manifest.spec.connection_specification: is"},
    {"{" HEAD "," CHECK ",\"streams\":[" STREAM "],\"definitions\":{\"a\":[\"#/b\"]}," SPEC "}",
     "manifest.definitions.a[0]: '#/b' is not in the manifest"},
};

static void
test_check(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = read_text(checks[i].manifest);
        gboolean ok = sl_manifest_check(doc, &error);
        g_test_message("%s", checks[i].manifest);
        if (checks[i].error == NULL) {
            g_assert_no_error(error);
            g_assert_true(ok);
            continue;
        }
        g_assert_false(ok);
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, checks[i].error) == NULL)
            g_assert_cmpstr(error->message, ==, checks[i].error);
    }
}

static const struct {
    const char *manifest, *place;
} codes[] = {
    {WHOLE, NULL},
    {"{\"streams\":[{\"retriever\":{\"type\":\"CustomRetriever\",\"class_name\":\"c.R\"}}]}",
     "manifest.streams[0].retriever"},
    {"{\"definitions\":{\"a\":{\"class_name\":\"source_x.components.A\"}}}",
     "manifest.definitions.a"},
    /* a stream may have a column of that name, and a configuration a property */
    {"{\"schemas\":{\"x\":{\"class_name\":\"y\",\"type\":\"Customer\"}}}", NULL},
    {"{\"spec\":{\"connection_specification\":{\"class_name\":\"x\"}}}", NULL},
    {"{\"streams\":[{\"schema_loader\":{\"type\":\"InlineSchemaLoader\",\"schema\":{\"properties\":"
     "{"
     "\"x\":{\"class_name\":\"text\"}}}}}]}",
     NULL},
};

static void
test_code(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(SlJsonDoc) doc = read_text(codes[i].manifest);
        g_autofree char *place = sl_manifest_find_code(doc);
        g_assert_cmpstr(place, ==, codes[i].place);
    }
}

static const struct {
    const char *version, *requirement, *kit;
    gboolean runs;
} versions[] = {
    {"6.1.0", "airbyte-cdk>=6.1.0,<7", "6.61.6", TRUE},
    {"6.61.6", "airbyte-cdk>=6.61.6,<7", "6.61.6", TRUE},
    {"6.61.7", "airbyte-cdk>=6.61.7,<7", "6.61.6", FALSE},
    {"6.9.0", "airbyte-cdk>=6.9.0,<7", "6.10.0", TRUE},
    {"7.2", "airbyte-cdk>=7.2.0,<8", "7.39.1", TRUE},
    {"7.2", "airbyte-cdk>=7.2.0,<8", "6.61.6", FALSE},
    {"6.1.0", "airbyte-cdk>=6.1.0,<7", "7.39.1", FALSE},
    {"6.36.0.dev1", "airbyte-cdk>=6.36.0,<7", "6.36.0", TRUE},
    /* older ones are what the oldest that we take understands */
    {"0.29.0", "airbyte-cdk>=6.0.0,<7", "6.0.0", TRUE},
    {"4.6.2", "airbyte-cdk>=6.0.0,<7", "7.0.0", FALSE},
    {NULL, "airbyte-cdk>=6.0.0,<7", "6.5.2", TRUE},
    {"x", "airbyte-cdk>=6.0.0,<7", "x", FALSE},
};

static void
test_versions(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
        g_autofree char *requirement = sl_manifest_requirement(versions[i].version);
        g_assert_cmpstr(requirement, ==, versions[i].requirement);
        g_assert_cmpint(sl_manifest_runs_on(versions[i].version, versions[i].kit), ==,
                        versions[i].runs);
    }
    g_autoptr(SlJsonDoc) with = read_text(WHOLE), without = read_text("{\"version\":6}");
    g_autofree char *version = sl_manifest_version(with), *none = sl_manifest_version(without);
    g_assert_cmpstr(version, ==, "6.1.0");
    g_assert_null(none);
}

static void
test_configure(void)
{
    static const struct {
        const char *configuration, *expected; /* NULL: it is none */
    } configurations[] = {
        {"{}", "{\"__injected_declarative_manifest\":{\"a\": 1}}"},
        {"{\"k\":1.10,\"o\":{\"__injected_x\":1}}",
         "{\"k\":1.10,\"o\":{\"__injected_x\":1},\"__injected_declarative_manifest\":{\"a\": 1}}"},
        {"{\"__injected_declarative_manifest\":{},\"__injected_components_py\":\"evil\",\"k\":1}",
         "{\"k\":1,\"__injected_declarative_manifest\":{\"a\": 1}}"},
        {"[]", NULL},
        {"{", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(configurations); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            sl_manifest_configure(configurations[i].configuration, "{\"a\": 1}", &error);
        g_assert_cmpstr(text, ==, configurations[i].expected);
        g_assert_true((text == NULL) == (error != NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/spec", test_spec);
    g_test_add_func("/manifest/check", test_check);
    g_test_add_func("/manifest/code", test_code);
    g_test_add_func("/manifest/versions", test_versions);
    g_test_add_func("/manifest/configure", test_configure);
    return g_test_run();
}
