/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry-read.h"

#include <string.h>

#include "sl-error.h"

#define ID "ef69ef6e-aa7f-4af1-a01d-ef775033524e"
#define ID2 "dfd88b22-b603-4c3d-aad7-3701784586b1"
#define NEED                                                                                       \
    "\"name\":\"Faker\",\"dockerRepository\":\"airbyte/"                                           \
    "source-faker\",\"dockerImageTag\":\"6.2.0\",\"spec\":{}"
#define SOURCE "\"sourceDefinitionId\":\"" ID "\"," NEED

static GPtrArray *
read_sources(const char *sources, GError **error)
{
    g_autofree char *text = g_strdup_printf("{\"sources\":[%s],\"destinations\":[]}", sources);
    return sl_registry_read(text, strlen(text), error);
}

static SlRegistryEntry *
entry_of(const char *members, GPtrArray **keep)
{
    g_autofree char *source =
        g_strdup_printf("{" SOURCE "%s%s}", *members != '\0' ? "," : "", members);
    g_autoptr(GError) error = NULL;
    *keep = read_sources(source, &error);
    g_assert_no_error(error);
    g_assert_cmpuint((*keep)->len, ==, 1);
    return (*keep)->pdata[0];
}

static void
test_bare(void)
{
    g_autoptr(GPtrArray) keep = NULL;
    const SlRegistryEntry *entry = entry_of("", &keep);
    g_assert_cmpstr(entry->definition_id, ==, ID);
    g_assert_cmpint(entry->actor_type, ==, SL_ACTOR_TYPE_SOURCE);
    g_assert_cmpstr(entry->docker_image_tag, ==, "6.2.0");
    g_assert_cmpstr(entry->documentation_url, ==, "");
    g_assert_cmpstr(entry->spec, ==, "{}");
    g_assert_cmpuint(strlen(entry->digest), ==, 64);
    g_assert_null(entry->pypi_package);
    g_assert_null(entry->allowed_hosts);
}

static void
test_whole(void)
{
    g_autoptr(GPtrArray) keep = NULL;
    const SlRegistryEntry *entry = entry_of(
        "\"icon\":\"faker.svg\",\"iconUrl\":\"https://x.example/"
        "faker.svg\",\"supportLevel\":\"certified\","
        "\"releaseStage\":\"beta\",\"tags\":[\"cdk:python\",\"language:python\"],\"allowedHosts\":{"
        "\"hosts\":"
        "[\"a.example\",\"${host}\"]},\"resourceRequirements\":{\"default\":{\"memory_limit\":"
        "\"1Gi\"}},"
        "\"releases\":{\"breakingChanges\":{\"6.0.0\":{\"message\":\"x\",\"upgradeDeadline\":"
        "\"2024-10-01\"}}},"
        "\"remoteRegistries\":{\"pypi\":{\"enabled\":true,\"packageName\":\"airbyte-source-faker\"}"
        "},"
        "\"manifestUrl\":\"https://x.example/"
        "m.yaml\",\"maxSecondsBetweenMessages\":5400,\"unknown\":{\"a\":[1]},\"documentationUrl\":"
        "null",
        &keep);
    g_assert_cmpstr(entry->icon, ==, "https://x.example/faker.svg");
    g_assert_cmpstr(entry->support_level, ==, "certified");
    g_assert_cmpstr(entry->language, ==, "python");
    g_assert_cmpstr(entry->pypi_package, ==, "airbyte-source-faker");
    g_assert_cmpstr(entry->manifest_url, ==, "https://x.example/m.yaml");
    g_assert_cmpstr(entry->allowed_hosts[1], ==, "${host}");
    g_assert_cmpint(entry->max_seconds_between_messages, ==, 5400);
    g_assert_nonnull(strstr(entry->breaking_changes, "2024-10-01"));
    g_assert_cmpstr(entry->documentation_url, ==, "");
}

static void
test_order_and_tombstones(void)
{
    static const char text[] =
        "{\"destinations\":[{\"destinationDefinitionId\":\"" ID2 "\"," NEED "}],"
        "\"sources\":[{" SOURCE ",\"tombstone\":true}]}";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = sl_registry_read(text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(entries->len, ==, 1);
    const SlRegistryEntry *entry = entries->pdata[0];
    g_assert_cmpstr(entry->definition_id, ==, ID2);
    g_assert_cmpint(entry->actor_type, ==, SL_ACTOR_TYPE_DESTINATION);
}

static void
test_refused(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", ""},
        {"[]", "'sources' is not an array"},
        {"{\"sources\":{}}", "'sources' is not an array"},
        {"{\"sources\":[]}", "'destinations' is not an array"},
        {"{\"sources\":[],\"destinations\":[]}", "no connector is in it"},
        {"{\"sources\":[7],\"destinations\":[]}", "sources[0]: "},
        {"{\"sources\":[{" SOURCE "},{" SOURCE "}],\"destinations\":[]}",
         "sources[1] 'Faker': " ID " is there twice"},
        {"{\"sources\":[{" SOURCE "}],\"destinations\":[{\"destinationDefinitionId\":\"" ID
         "\"," NEED "}]}",
         "destinations[0] 'Faker': " ID " is there twice"},
        {"{\"sources\":[{" NEED "}],\"destinations\":[]}",
         "sources[0] 'Faker': sourceDefinitionId: is missing"},
        {"{\"sources\":[{\"sourceDefinitionId\":\"nope\"," NEED "}],\"destinations\":[]}",
         "sources[0] 'Faker': sourceDefinitionId: "},
        {"{\"sources\":[{\"sourceDefinitionId\":\"" ID
         "\",\"name\":\"X\",\"dockerRepository\":\"x\",\"spec\":{}}],\"destinations\":[]}",
         "sources[0] 'X': dockerImageTag: "},
        {"{\"sources\":[{" SOURCE ",\"allowedHosts\":{\"hosts\":\"x\"}}],\"destinations\":[]}",
         "sources[0] 'Faker': allowedHosts.hosts: "},
        {"{\"sources\":[{" SOURCE ",\"spec\":\"x\"}],\"destinations\":[]}",
         "sources[0] 'Faker': spec: "},
        {"{\"sources\":[{" SOURCE "}],\"destinations\":[]", ""}, /* cut off */
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].text);
        g_assert_null(sl_registry_read(cases[i].text, strlen(cases[i].text), &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].why));
    }
}

static void
test_runtimes(void)
{
    static const struct {
        const char *members, *installed, *wished, *expected;
    } cases[] = {
        {"", NULL, "native pypi npm manifest oci docker", "oci docker"},
        {"", "native", "native pypi npm manifest oci docker", "native oci docker"},
        {"", "pypi", "native oci", "oci"},
        {"\"remoteRegistries\":{\"pypi\":{\"packageName\":\"p\"}}", NULL, "docker, pypi",
         "docker pypi"},
        {"\"remoteRegistries\":{\"pypi\":{\"enabled\":false,\"packageName\":\"p\"}}", NULL, "pypi",
         ""},
        {"\"remoteRegistries\":{\"npm\":{\"packageName\":\"p\"}}", NULL, "pypi npm", "npm"},
        {"\"language\":\"manifest-only\"", NULL, "manifest oci", "manifest oci"},
        {"\"tags\":[\"language:manifest-only\"]", NULL, "docker manifest", "docker manifest"},
        {"\"manifestUrl\":\"https://x/y\"", NULL, "manifest", "manifest"},
        {"", NULL, "", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) keep = NULL;
        SlRegistryEntry *entry = entry_of(cases[i].members, &keep);
        entry->installed_runtime = g_strdup(cases[i].installed);
        g_auto(GStrv) able = sl_registry_runtimes(entry, cases[i].wished);
        g_autofree char *line = g_strjoinv(" ", able);
        g_assert_cmpstr(line, ==, cases[i].expected);
    }
    g_autoptr(GError) error = NULL;
    g_assert_true(sl_registry_check_runtimes("oci,  native", NULL));
    g_assert_false(sl_registry_check_runtimes("native kubernetes", &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "'kubernetes'; there are: native, pypi"));
}

static void
test_outdated(void)
{
    static const struct {
        const char *runtime, *version;
        gboolean outdated;
        const char *breaking;
    } cases[] = {
        {NULL, NULL, FALSE, ""},          {"pypi", "6.2.0", FALSE, ""},
        {"pypi", "7.0.0", FALSE, ""},     {"pypi", "6.1.9", TRUE, ""},
        {"pypi", "5.9.0", TRUE, "6.0.0"}, {"oci", "1.0.0", TRUE, "2.0.0 6.0.0"},
        {"oci", "latest", FALSE, ""},     {"native", "0.1.0", FALSE, ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) keep = NULL;
        SlRegistryEntry *entry = entry_of(
            "\"releases\":{\"breakingChanges\":{\"10.0.0\":{},\"6.0.0\":{},\"2.0.0\":{}}}", &keep);
        entry->installed_runtime = g_strdup(cases[i].runtime);
        entry->installed_version = g_strdup(cases[i].version);
        g_auto(GStrv) breaking = sl_registry_breaking_versions(entry);
        g_autofree char *line = g_strjoinv(" ", breaking);
        g_test_message("%s", cases[i].version);
        g_assert_cmpint(sl_registry_is_outdated(entry), ==, cases[i].outdated);
        g_assert_cmpstr(line, ==, cases[i].breaking);
    }
}

/* A registry of many connectors, when it is beside the checkout. */
static void
test_catalogue(void)
{
    const char *folder = g_getenv("SLUICE_CONTRACT");
    g_autofree char *path =
        g_build_filename(folder != NULL ? folder : SL_CONTRACT, "connector_catalog.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len = 0;
    if (!g_file_get_contents(path, &text, &len, NULL)) {
        g_test_skip("../shared/contract is not there");
        return;
    }
    g_autoptr(GPtrArray) entries = sl_registry_read(text, len, &error);
    g_assert_no_error(error);
    guint sources = 0;
    for (guint i = 0; i < entries->len; i++) {
        const SlRegistryEntry *entry = entries->pdata[i];
        g_auto(GStrv) able = sl_registry_runtimes(entry, "native pypi npm manifest oci docker");
        sources += entry->actor_type == SL_ACTOR_TYPE_SOURCE;
        g_assert_true(g_strv_contains((const char *const *)able, "oci"));
    }
    g_assert_cmpuint(entries->len, ==, 128);
    g_assert_cmpuint(sources, ==, 96);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry/read/bare", test_bare);
    g_test_add_func("/registry/read/whole", test_whole);
    g_test_add_func("/registry/read/order-and-tombstones", test_order_and_tombstones);
    g_test_add_func("/registry/read/refused", test_refused);
    g_test_add_func("/registry/read/runtimes", test_runtimes);
    g_test_add_func("/registry/read/outdated", test_outdated);
    g_test_add_func("/registry/read/catalogue", test_catalogue);
    return g_test_run();
}
