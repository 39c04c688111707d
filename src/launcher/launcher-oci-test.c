/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-oci.h"

#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

#include "sl-error.h"

#define AUTO_ID "550e8400-e29b-41d4-a716-446655440000"
#define COMPACT "550e8400e29b41d4a716446655440000"
#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LAYER(c) "c" #c "23456789abcdef0123456789abcdef"
#define ROOT "/run/sluice/roots/sluice_source_" COMPACT

typedef struct {
    char *images, *root, *record;
    SlConfig *config;
    LauncherWorkload *workload; /* of the last unit, whose texts are its */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    static const char record[] =
        "{\"image\":\"sha256:" DIGITS "\",\"layers\":[\"" LAYER(1) "\",\"" LAYER(
            2) "\"],\"command\":[\"/usr/bin/python\",\"/main.py\"],\"environment\":[\"A=b c\","
               "\"PATH=/usr/bin\"],\"directory\":\"/airbyte\"}";
    f->images = g_dir_make_tmp("launcher-XXXXXX", NULL);
    f->root = g_build_filename(f->images, "roots", DIGITS, NULL);
    f->record = g_build_filename(f->root, "image.json", NULL);
    f->config = sl_config_new();
    g_assert_cmpint(g_mkdir_with_parents(f->root, 0755), ==, 0);
    g_assert_true(g_file_set_contents(f->record, record, -1, NULL));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *roots = g_build_filename(f->images, "roots", NULL);
    g_unlink(f->record);
    g_rmdir(f->root);
    g_rmdir(roots);
    g_rmdir(f->images);
    g_free(f->images);
    g_free(f->root);
    g_free(f->record);
    sl_config_free(f->config);
    launcher_workload_free(f->workload);
}

/* A source with these members of `launch` besides the runtime; "%t" is the image's folder. */
static LauncherUnit *
build(Fixture *f, const char *members, GError **error)
{
    const LauncherPaths paths = {"/lib/s", "/lib/s/connectors", "/t", "/run/sluice/workloads",
                                 f->images};
    g_auto(GStrv) parts = g_strsplit(members, "%t", -1);
    g_autofree char *filled = g_strjoinv(f->root, parts);
    g_autofree char *text = g_strdup_printf(
        "{\"workloadId\":\"7_0_sync\",\"autoId\":\"" AUTO_ID "\",\"type\":\"sync\",\"jobId\":7,"
        "\"attemptNumber\":0,\"launch\":{\"source\":{\"runtime\":\"oci\",%s}}}",
        filled);
    GError *fault = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, error);
    g_assert_nonnull(doc);
    launcher_workload_free(f->workload);
    f->workload = launcher_workload_parse(doc, sl_json_root(doc), &fault, error);
    g_assert_nonnull(f->workload);
    g_assert_no_error(fault);
    return launcher_policy_connector(f->workload, LAUNCHER_SOURCE, f->config, &paths, error);
}

/* The last value of a property, as text; NULL: not set. */
static char *
get(const LauncherUnit *unit, const char *wanted)
{
    g_autoptr(GVariant) properties = g_variant_ref_sink(sl_unit_spec_build(&unit->spec));
    GVariantIter iter;
    const char *name;
    GVariant *value;
    char *text = NULL;
    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_next(&iter, "(&sv)", &name, &value)) {
        if (strcmp(name, wanted) == 0) {
            g_free(text);
            text = g_variant_print(value, FALSE);
        }
        g_variant_unref(value);
    }
    return text;
}

static void
expect(const LauncherUnit *unit, const char *name, const char *value)
{
    g_autofree char *text = get(unit, name);
    if (g_strcmp0(text, value) != 0)
        g_error("%s is %s, expected %s", name, text, value);
}

static void
test_unit(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *name, *value;
    } properties[] = {
        {"RootDirectory", "'" ROOT "'"},
        {"WorkingDirectory", "'/airbyte'"},
        {"MountAPIVFS", "true"},
        {"ProtectHome", "'no'"}, /* of the image's own */
        /* All that native connectors have. */
        {"DynamicUser", "true"},
        {"NoNewPrivileges", "true"},
        {"CapabilityBoundingSet", "0"},
        {"ProtectSystem", "'strict'"},
        {"PrivateUsers", "true"},
        {"PrivateIPC", "true"},
        {"RestrictNamespaces", "0"},
        {"SystemCallErrorNumber", "1"},
        {"MemoryDenyWriteExecute", NULL}, /* images may have JIT compilers */
        {"PrivateNetwork", NULL},
        {"StateDirectory", NULL},
        {"MemoryMax", "2147483648"},
        {"Slice", "'sluice-workloads-" COMPACT ".slice'"},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherUnit) unit =
        build(f, "\"command\":[\"image\",\"-v\"],\"tree\":\"%t\"", &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++)
        expect(unit, properties[i].name, properties[i].value);
    g_autofree char *words = g_strjoinv(" ", (char **)unit->spec.command);
    g_assert_cmpstr(words, ==,
                    "/run/sluice-supervisor --env A=b c --env PATH=/usr/bin -- /usr/bin/python "
                    "/main.py -v");
    g_autofree char *shown = get(unit, "BindReadOnlyPaths");
    g_assert_nonnull(strstr(shown, "('/lib/s/sluice-init', '/run/sluice-supervisor', false, 0)"));
    g_assert_nonnull(strstr(shown, "('/etc/resolv.conf', '/etc/resolv.conf', true, 0)"));
    g_assert_null(strstr(shown, "/usr"));
}

static void
test_mount(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherUnit) unit = build(f, "\"command\":[\"image\"],\"tree\":\"%t\"", &error);
    g_assert_no_error(error);
    g_autofree char *options = g_strdup_printf(
        "'ro,nodev,nosuid,lowerdir=%s/mounts:%s/layers/" LAYER(2) ":%s/layers/" LAYER(1) "'",
        f->root, f->images, f->images);
    g_assert_cmpstr(unit->aux->spec.name, ==, "run-sluice-roots-sluice_source_" COMPACT ".mount");
    expect(unit->aux, "What", "'overlay'");
    expect(unit->aux, "Type", "'overlay'");
    expect(unit->aux, "Where", "'" ROOT "'");
    expect(unit->aux, "Options", options);
    expect(unit->aux, "StopWhenUnneeded", "true");
    expect(unit->aux, "ExecStart", NULL);
}

static void
test_members(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *members, *name, *value, *words; /* of the command's end */
    } cases[] = {
        {"\"command\":[\"/bin/other\",\"x\"],\"tree\":\"%t\"", "PrivateNetwork", NULL,
         "-- /bin/other x"},
        {"\"command\":[\"image\"],\"tree\":\"%t\",\"network\":false", "PrivateNetwork", "true",
         "-- /usr/bin/python /main.py"},
        {"\"command\":[\"image\"],\"tree\":\"%t\",\"writable\":[\"/var/lib/sluice/x\"]",
         "StateDirectory", "['sluice/x']", "/main.py"},
        {"\"command\":[\"image\"],\"tree\":\"%t\",\"memoryMax\":1000000", "MemoryMax", "1000000",
         "/main.py"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(LauncherUnit) unit = build(f, cases[i].members, &error);
        g_assert_no_error(error);
        expect(unit, cases[i].name, cases[i].value);
        g_autofree char *words = g_strjoinv(" ", (char **)unit->spec.command);
        g_assert_true(g_str_has_suffix(words, cases[i].words));
    }
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *members, *text;
    } cases[] = {
        {"\"command\":[\"image\"]", "tree: '' is no image"},
        {"\"command\":[\"image\"],\"tree\":\"/usr\"", "tree: '/usr' is no image of"},
        {"\"command\":[\"image\"],\"tree\":\"%t/..\"", "is no image of"},
        {"\"command\":[\"image\"],\"tree\":\"%t0\"", "is no image of"},
        {"\"command\":[\"sh\"],\"tree\":\"%t\"", "command: 'sh' is neither 'image'"},
        {"\"command\":[\"/a/../b\"],\"tree\":\"%t\"", "command: '/a/../b' is neither"},
        {"\"command\":[\"image\"],\"tree\":\"%t\",\"readable\":[\"/etc\"]",
         "readable: '/etc': an image sees no paths of the host"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(build(f, cases[i].members, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_true(g_str_has_prefix(error->message, "launch.source."));
        if (strstr(error->message, cases[i].text) == NULL)
            g_error("case %zu: got: %s", i, error->message);
    }
}

/* An image that was removed, or whose record somebody has changed. */
static void
test_record(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{", "image.json': "},
        {"{\"image\":\"x\",\"layers\":[\"../../../etc\"],\"command\":[\"/x\"],\"environment\":[],"
         "\"directory\":\"/\"}",
         "is no id of a layer"},
        {NULL, "image.json': No such file or directory"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        if (cases[i].text != NULL)
            g_assert_true(g_file_set_contents(f->record, cases[i].text, -1, NULL));
        else
            g_assert_cmpint(g_unlink(f->record), ==, 0);
        g_assert_null(build(f, "\"command\":[\"image\"],\"tree\":\"%t\"", &error));
        g_assert_true(g_str_has_prefix(error->message, "launch.source.tree: "));
        g_assert_nonnull(strstr(error->message, cases[i].expected));
    }
}

/* Empty folders of mounts that are gone go; what is young or has something in it stays. */
static void
test_sweep(Fixture *f, gconstpointer data)
{
    g_autofree char *roots = g_build_filename(f->images, "mounts", NULL);
    g_autofree char *old = g_build_filename(roots, "old", NULL);
    g_autofree char *full = g_build_filename(roots, "full", NULL);
    g_autofree char *inner = g_build_filename(full, "inner", NULL);
    g_autofree char *young = g_build_filename(roots, "young", NULL);
    const struct utimbuf past = {1, 1};
    g_assert_cmpint(g_mkdir_with_parents(old, 0755), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(inner, 0755), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(young, 0755), ==, 0);
    g_assert_cmpint(utime(old, &past), ==, 0);
    g_assert_cmpint(utime(full, &past), ==, 0);
    launcher_oci_sweep(roots);
    g_assert_cmpint(g_rmdir(old), ==, -1);
    g_assert_cmpint(g_rmdir(inner), ==, 0);
    g_assert_cmpint(g_rmdir(full), ==, 0);
    g_assert_cmpint(g_rmdir(young), ==, 0);
    g_assert_cmpint(g_rmdir(roots), ==, 0);
    launcher_oci_sweep(roots); /* before the first image there is no folder */
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, gconstpointer data);
    } tests[] = {
        {"/launcher/oci/unit", test_unit},       {"/launcher/oci/mount", test_mount},
        {"/launcher/oci/members", test_members}, {"/launcher/oci/refused", test_refused},
        {"/launcher/oci/record", test_record},   {"/launcher/oci/sweep", test_sweep},
    };
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
