/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-policy.h"

#include <glib/gstdio.h>
#include <string.h>

#include "launcher-backend.h"
#include "launcher-docker.h"
#include "sl-error.h"
#include "sl-json-read.h"

#define AUTO_ID "550e8400-e29b-41d4-a716-446655440000"
#define COMPACT "550e8400e29b41d4a716446655440000"

static const LauncherPaths paths = {"/lib/s", "/lib/s/connectors", "/var/lib/sluice/connectors",
                                    "/run/sluice/workloads", "/var/lib/sluice/images"};

static LauncherWorkload *
parse(const char *launch, GError **fault, GError **error)
{
    g_autofree char *text =
        g_strdup_printf("{\"workloadId\":\"7_0_sync\",\"autoId\":\"" AUTO_ID "\",\"type\":\"sync\","
                        "\"jobId\":7,\"attemptNumber\":0,\"connectionId\":null,\"launch\":%s}",
                        launch);
    GError *reason = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, &reason);
    g_assert_no_error(reason);
    return launcher_workload_parse(doc, sl_json_root(doc), fault, error);
}

static LauncherWorkload *
parse_ok(const char *launch)
{
    GError *fault = NULL, *error = NULL;
    LauncherWorkload *workload = parse(launch, &fault, &error);
    g_assert_no_error(error);
    g_assert_no_error(fault);
    return workload;
}

/* The value of a property as text; the last one when it is given twice; NULL: not set. */
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

static LauncherUnit *
connector(const LauncherWorkload *workload, LauncherRole role, GError **error)
{
    g_autoptr(SlConfig) config = sl_config_new();
    return launcher_policy_connector(workload, role, config, &paths, error);
}

static void
test_workload(void)
{
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"source\":{\"runtime\":\"native\",\"command\":[\"x\"]},\"later\":1}");
    g_auto(GStrv) fields = launcher_workload_log_fields(workload);
    g_autofree char *joined = g_strjoinv(" ", fields);
    g_assert_cmpstr(workload->id, ==, "7_0_sync");
    g_assert_cmpstr(workload->orchestrator, ==, "sluice-orchestrator-" COMPACT ".scope");
    g_assert_cmpstr(workload->slice, ==, "sluice-workloads-" COMPACT ".slice");
    g_assert_cmpstr(workload->connector[LAUNCHER_DESTINATION], ==,
                    "sluice-destination-" COMPACT ".service");
    g_assert_null(workload->launch[LAUNCHER_DESTINATION]);
    g_assert_true(workload->launch[LAUNCHER_SOURCE]->network);
    g_assert_cmpstr(joined, ==, "SLUICE_WORKLOAD_ID=7_0_sync SLUICE_JOB_ID=7 SLUICE_ATTEMPT=0");
}

static void
test_faults(void)
{
    static const struct {
        const char *launch, *text;
    } cases[] = {
        {"{}", "launch: has neither"},
        {"{\"source\":[]}", "launch.source: expected an object"},
        {"{\"source\":{\"command\":[\"x\"]}}", "launch.source.runtime: missing"},
        {"{\"source\":{\"runtime\":1,\"command\":[\"x\"]}}", "launch.source.runtime: expected a s"},
        {"{\"source\":{\"runtime\":\"native\"}}", "launch.source.command: missing"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[]}}", "launch.source.command: missing"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\",7]}}",
         "launch.source.command: expected a list of strings"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"memoryMax\":0}}",
         "launch.source.memoryMax: expected a whole number"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"memoryMax\":1.5}}",
         "launch.source.memoryMax: expected a whole number"},
        {"{\"destination\":{\"runtime\":\"native\",\"command\":[\"a\"],\"network\":\"no\"}}",
         "launch.destination.network: expected true or false"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"writable\":[\"/etc/x\"]}}",
         "launch.source.writable: '/etc/x' is no plain path below '/var/lib/sluice/'"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"writable\":["
         "\"/var/lib/sluice/../../etc\"]}}",
         "is no plain path"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"readable\":[\"srv\"]}}",
         "launch.source.readable: 'srv'"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"allowedAddresses\":\"x\"}}",
         "launch.source.allowedAddresses: expected a list of strings"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"allowedAddresses\":["
         "\"10.0.0.1\",\"db.example.com\"]}}",
         "launch.source.allowedAddresses: 'db.example.com' is no address"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"allowedAddresses\":["
         "\"169.254.169.254\"]}}",
         "'169.254.169.254' is link-local or multicast"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"],\"allowedAddresses\":["
         "\"0.0.0.0/0\"]}}",
         "'0.0.0.0/0' is link-local or multicast, in part at least"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) fault = NULL;
        g_autoptr(LauncherWorkload) workload = parse(cases[i].launch, &fault, NULL);
        g_assert_nonnull(workload); /* can be claimed and failed with this reason */
        g_assert_error(fault, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(fault->message, cases[i].text) == NULL)
            g_error("case %zu: '%s' is not in '%s'", i, cases[i].text, fault->message);
    }
}

static void
test_identity(void)
{
    static const char *const cases[] = {
        "{\"autoId\":\"" AUTO_ID "\"}",
        "{\"workloadId\":\"w\"}",
        "{\"workloadId\":\"w\",\"autoId\":\"../../etc\"}",
        "{\"workloadId\":\"w\",\"autoId\":\"" COMPACT "\"}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlJsonDoc) doc = sl_json_read(cases[i], strlen(cases[i]), NULL, NULL);
        g_assert_null(launcher_workload_parse(doc, sl_json_root(doc), NULL, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_PROTOCOL);
    }
}

static void
test_slice_and_scope(void)
{
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"source\":{\"runtime\":\"native\",\"command\":[\"x\"],\"memoryMax\":1000000,"
                 "\"tasksMax\":10},\"destination\":{\"runtime\":\"native\",\"command\":[\"y\"]}}");
    g_autoptr(LauncherUnit) slice = launcher_policy_slice(workload, config);
    g_autoptr(LauncherUnit) scope = launcher_policy_scope(workload, 4711);
    g_autofree char *memory =
        g_strdup_printf("%" G_GINT64_FORMAT, (256 << 20) + 1000000 + config->connector_memory_max);

    expect(slice, "MemoryMax", memory);
    expect(slice, "TasksMax", "330"); /* 64 + 10 + 256 */
    expect(slice, "StopWhenUnneeded", "true");
    expect(slice, "IPAddressDeny", NULL); /* each connector's unit has it */
    expect(slice, "Slice", NULL);         /* its name says where it is */
    expect(scope, "Slice", "'sluice-workloads-" COMPACT ".slice'");
    expect(scope, "PIDs", "[4711]");
    expect(scope, "ExecStart", NULL);
}

static void
test_native(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"source\":{\"runtime\":\"native\",\"command\":[\"source-sample\",\"--x=$y\"],"
                 "\"memoryMax\":1000000,\"tasksMax\":10,\"cpuPercent\":50,\"runtimeMaxSec\":60}}");
    g_autoptr(LauncherUnit) unit = connector(workload, LAUNCHER_SOURCE, &error);
    g_assert_no_error(error);
    static const struct {
        const char *name, *value;
    } properties[] = {
        {"Type", "'exec'"},
        {"Slice", "'sluice-workloads-" COMPACT ".slice'"},
        {"BindsTo", "['sluice-orchestrator-" COMPACT ".scope']"},
        {"Before", "['sluice-orchestrator-" COMPACT ".scope']"},
        {"ExecStart", "[('/lib/s/sluice-init', ['/lib/s/sluice-init', '--', "
                      "'/lib/s/connectors/source-sample', '--x=$$y'], false)]"},
        {"BindPaths",
         "[('/run/sluice/workloads/" COMPACT "/source', '/run/sluice-init', false, 0)]"},
        {"TemporaryFileSystem",
         "[('/run', 'mode=0755,size=1m'), ('/run/sluice-files', 'mode=1777,size=256m'), "
         "('/dev/shm', 'mode=1777,size=64m')]"},
        {"MemoryMax", "1000000"},
        {"TasksMax", "10"},
        {"CPUQuotaPerSecUSec", "500000"},
        {"RuntimeMaxUSec", "60000000"},
        {"DynamicUser", "true"},
        {"NoNewPrivileges", "true"},
        {"CapabilityBoundingSet", "0"},
        {"AmbientCapabilities", "0"},
        {"ProtectSystem", "'strict'"},
        {"MemoryDenyWriteExecute", "true"},
        {"RestrictAddressFamilies", "(true, ['AF_UNIX', 'AF_INET', 'AF_INET6'])"},
        {"StandardOutput", "'null'"},
        {"StandardError", "'journal'"},
        {"SyslogIdentifier", "'sluice-source'"},
        {"PrivateNetwork", NULL},
        {"User", NULL},
        {"StateDirectory", NULL},
        {"RemainAfterExit", NULL}, /* would keep the pipes of the connector open in PID 1 */
        {"SetCredential", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++)
        expect(unit, properties[i].name, properties[i].value);
}

static void
test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"destination\":{\"runtime\":\"exec\",\"command\":[\"/srv/c/run\",\"-v\"],"
                 "\"writable\":[\"/var/lib/sluice/local\",\"/var/lib/sluice/b/c\"],"
                 "\"readable\":[\"/srv/in\"],\"network\":false}}");
    g_autoptr(LauncherUnit) unit = connector(workload, LAUNCHER_DESTINATION, &error);
    g_assert_no_error(error);
    expect(unit, "MemoryMax", "2147483648");
    expect(unit, "TasksMax", "256");
    expect(unit, "CPUQuotaPerSecUSec", NULL);
    expect(unit, "RuntimeMaxUSec", NULL); /* a sync may take as long as it takes */
    expect(unit, "PrivateNetwork", "true");
    expect(unit, "StateDirectory", "['sluice/local', 'sluice/b/c']");
    expect(unit, "User", "'sluice-local'");
    expect(unit, "MemoryDenyWriteExecute", NULL);
    expect(unit, "ExecStart",
           "[('/lib/s/sluice-init', ['/lib/s/sluice-init', '--', '/srv/c/run', '-v'], false)]");
    g_autofree char *readable = get(unit, "BindReadOnlyPaths");
    g_assert_nonnull(strstr(readable, "('/srv/in', '/srv/in', false, 0)"));
    g_assert_nonnull(strstr(readable, "('/srv/c', '/srv/c', false, 0)"));

    g_free(workload->type);
    workload->type = g_strdup("check");
    g_autoptr(LauncherUnit) check = connector(workload, LAUNCHER_DESTINATION, &error);
    expect(check, "RuntimeMaxUSec", "540000000");
}

static void
test_allowed_addresses(void)
{
    static const char *const runtimes[] = {"native", "exec", "pypi", "manifest"};
    for (gsize i = 0; i < G_N_ELEMENTS(runtimes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *launch =
            g_strdup_printf("{\"source\":{\"runtime\":\"%s\",\"command\":[\"%s\"],\"tree\":\"/var/"
                            "lib/sluice/connectors/x\","
                            "\"allowedAddresses\":[\"127.0.0.2/32\",\"fd00::/8\"]}}",
                            runtimes[i], i == 1 ? "/srv/c/run" : "run");
        g_autoptr(LauncherWorkload) workload = parse_ok(launch);
        g_autoptr(LauncherUnit) unit = connector(workload, LAUNCHER_SOURCE, &error);
        g_assert_no_error(error);
        g_autofree char *allowed = get(unit, "IPAddressAllow"),
                        *denied = get(unit, "IPAddressDeny");
        g_test_message("%s: %s", runtimes[i], allowed);
        g_assert_true(g_str_has_prefix(allowed, "[(2, [0x7f, 0x00, 0x00, 0x02], 32), (10, [0xfd,"));
        g_assert_true(g_str_has_prefix(denied, "[(2, [0x00, 0x00, 0x00, 0x00], 0), (10, [0x00,"));
    }
    g_autoptr(LauncherWorkload) open =
        parse_ok("{\"source\":{\"runtime\":\"native\",\"command\":[\"a\"]}}");
    g_autoptr(LauncherUnit) unit = connector(open, LAUNCHER_SOURCE, NULL);
    expect(unit, "IPAddressAllow", NULL);
}

static void
test_pypi(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("launcher-XXXXXX", NULL);
    g_autofree char *bin = g_build_filename(dir, "t", "bin", NULL);
    g_autofree char *script = g_build_filename(bin, "source-faker", NULL);
    const LauncherPaths here = {"/lib/s", "/lib/s/connectors", dir, "/w", "/i"};
    g_autoptr(SlConfig) config = sl_config_new();
    g_assert_cmpint(g_mkdir_with_parents(bin, 0700), ==, 0);
    g_assert_true(g_file_set_contents(script, "#!", -1, NULL));

    for (int i = 0; i < 2; i++) {
        g_autofree char *launch = g_strdup_printf(
            "{\"source\":{\"runtime\":\"pypi\",\"command\":[\"%s\"],\"tree\":\"%s/t\"}}",
            i == 0 ? "source-faker" : "source_faker.run", dir);
        g_autoptr(LauncherWorkload) workload = parse_ok(launch);
        g_autoptr(LauncherUnit) unit =
            launcher_policy_connector(workload, LAUNCHER_SOURCE, config, &here, &error);
        g_assert_no_error(error);
        g_autofree char *words = g_strjoinv(" ", (char **)unit->spec.command);
        g_autofree char *wanted =
            i == 0
                ? g_strdup_printf("/lib/s/sluice-init -- %s/t/bin/python %s", dir, script)
                : g_strdup_printf("/lib/s/sluice-init -- %s/t/bin/python -m source_faker.run", dir);
        g_assert_cmpstr(words, ==, wanted);
    }
    g_unlink(script);
    g_rmdir(bin);
    g_autofree char *tree = g_path_get_dirname(bin);
    g_rmdir(tree);
    g_rmdir(dir);
}

#define KEEPER                                                                                     \
    "/lib/s/sluice-container --name=sluice-source-" COMPACT " --slice=sluice-workloads-" COMPACT   \
    ".slice --workload=7_0_sync%s --image=reg.example/a/x:1 "                                      \
    "--init=/lib/s/sluice-init --sockets=/run/sluice/workloads/" COMPACT "/source --role=source "

/* The unit keeps a container: its own limits are small, those of the connector go to the engine. */
static void
test_docker(void)
{
    static const struct {
        const char *launch, *socket, *network, *words;
    } cases[] = {
        {"\"command\":[\"image\"]", "", "bridge",
         "--network=bridge --memory=2147483648 --tasks=256 --"},
        {"\"command\":[\"image\",\"-v\"],\"network\":false,\"memoryMax\":1000000,\"tasksMax\":9,"
         "\"cpuPercent\":50,\"writableRoot\":true",
         "/run/x.sock", "host",
         "--network=none --memory=1000000 --tasks=9 --cpu-percent=50 --writable-root -- -v"},
        {"\"command\":[\"/bin/run\",\"x y\"]", "", "host",
         "--network=host --memory=2147483648 --tasks=256 -- /bin/run x y"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SlConfig) config = sl_config_new();
        g_autofree char *launch = g_strdup_printf(
            "{\"source\":{\"runtime\":\"docker\",\"tree\":\"reg.example/a/x:1\",%s}}",
            cases[i].launch);
        g_autoptr(LauncherWorkload) workload = parse_ok(launch);
        g_free(config->engine_socket);
        g_free(config->engine_network);
        config->engine_socket = g_strdup(cases[i].socket);
        config->engine_network = g_strdup(cases[i].network);
        g_autoptr(LauncherUnit) unit =
            launcher_policy_connector(workload, LAUNCHER_SOURCE, config, &paths, &error);
        g_assert_no_error(error);
        g_autofree char *engine = *cases[i].socket != '\0'
                                      ? g_strconcat(" --engine=", cases[i].socket, NULL)
                                      : g_strdup("");
        g_autofree char *head = g_strdup_printf(KEEPER, engine);
        g_autofree char *wanted = g_strconcat(head, cases[i].words, NULL);
        g_autofree char *words = g_strjoinv(" ", (char **)unit->spec.command);
        g_autofree char *after = g_strjoinv(" ", (char **)unit->spec.command_after);
        g_assert_cmpstr(words, ==, wanted);
        g_assert_true(g_str_has_suffix(after, " --remove"));
        g_assert_nonnull(strstr(after, " --name=sluice-source-" COMPACT " "));
        g_assert_cmpint(strstr(after, "--engine=") != NULL, ==, *cases[i].socket != '\0');
    }
}

static void
test_docker_unit(void)
{
    static const struct {
        const char *name, *value;
    } properties[] = {
        {"BindsTo", "['sluice-orchestrator-" COMPACT ".scope']"},
        {"Slice", "'sluice-workloads-" COMPACT ".slice'"},
        {"BindPaths",
         "[('/run/sluice/workloads/" COMPACT "/source', '/run/sluice-init', true, 0)]"},
        {"RuntimeDirectory", "['sluice-containers/sluice-source-" COMPACT "']"},
        {"CapabilityBoundingSet", "32"}, /* CAP_KILL */
        {"AmbientCapabilities", "0"},
        {"PrivateNetwork", "true"},
        {"RestrictAddressFamilies", "(true, ['AF_UNIX'])"},
        {"MemoryMax", "134217728"},
        {"TasksMax", "16"},
        {"RuntimeMaxUSec", NULL},
        {"TimeoutStopUSec", "20000000"},
        {"DynamicUser", NULL}, /* an engine's socket is root's */
        {"SupplementaryGroups", NULL},
        {"LoadCredentialEncrypted", NULL},
        {"SyslogIdentifier", "'sluice-source'"},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"source\":{\"runtime\":\"docker\",\"command\":[\"image\"],\"tree\":\"x@sha256:"
                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}");
    g_autoptr(LauncherUnit) unit = connector(workload, LAUNCHER_SOURCE, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++)
        expect(unit, properties[i].name, properties[i].value);
    g_autofree char *denied = NULL;
    g_autoptr(LauncherUnit) slice = launcher_policy_slice(workload, config);
    g_assert_nonnull(denied = get(slice, "IPAddressDeny"));
}

/* [Launcher] Backend=docker: the orchestrator's keeper, and connectors that end with it. */
static void
test_contained(void)
{
    static const struct {
        const char *name, *value;
    } properties[] = {
        {"Slice", "'sluice-workloads-" COMPACT ".slice'"},
        {"StandardInputFileDescriptor", "0"},
        {"StandardInput", NULL},
        {"RuntimeDirectory", "['sluice-containers/sluice-orchestrator-" COMPACT "']"},
        {"CapabilityBoundingSet", "32"},
        {"MemoryMax", "134217728"},
        {"TimeoutStopUSec", "20000000"},
        {"BindPaths", NULL},
        {"LoadCredentialEncrypted", NULL},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(SlConfig) config = sl_config_new();
    g_autoptr(LauncherWorkload) workload =
        parse_ok("{\"source\":{\"runtime\":\"native\",\"command\":[\"x\"]}}");
    launcher_workload_contain(workload);
    g_assert_cmpstr(workload->orchestrator, ==, "sluice-orchestrator-" COMPACT ".service");
    g_autoptr(LauncherUnit) unit = launcher_docker_orchestrator(
        workload, config, &paths, "/lib/s/sluice-orchestrator", 998, 997, 5);
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++)
        expect(unit, properties[i].name, properties[i].value);
    g_autofree char *words = g_strjoinv(" ", (char **)unit->spec.command);
    g_assert_cmpstr(
        words, ==,
        "/lib/s/sluice-container --name=sluice-orchestrator-" COMPACT
        " --slice=sluice-workloads-" COMPACT ".slice --workload=7_0_sync "
        "--orchestrator --role=orchestrator --user=998:997 --memory=268435456 "
        "--tasks=64 -- /lib/s/sluice-orchestrator --workload 7_0_sync --auto-id " AUTO_ID);
    g_assert_null(strstr(words, "token"));
    g_autoptr(LauncherUnit) source = connector(workload, LAUNCHER_SOURCE, &error);
    g_assert_no_error(error);
    expect(source, "BindsTo", "['sluice-orchestrator-" COMPACT ".service']");
    g_assert_cmpuint(launcher_docker_find_process(workload), ==, 0); /* no keeper, no process */
}

static void
test_refused(void)
{
    static const struct {
        const char *launch, *text;
    } cases[] = {
        {"{\"source\":{\"runtime\":\"lxc\",\"command\":[\"x\"]}}",
         "launch.source.runtime: this launcher does not know 'lxc'"},
        {"{\"source\":{\"runtime\":\"docker\",\"command\":[\"image\"]}}",
         "launch.source.tree: missing; it names the image"},
        {"{\"source\":{\"runtime\":\"docker\",\"command\":[\"image\"],\"tree\":\"a b\"}}",
         "launch.source.tree: 'a b' is no image"},
        {"{\"source\":{\"runtime\":\"docker\",\"command\":[\"sh\"],\"tree\":\"a:1\"}}",
         "launch.source.command: 'sh' is neither 'image'"},
        {"{\"source\":{\"runtime\":\"docker\",\"command\":[\"image\"],\"tree\":\"a:1\","
         "\"readable\":[\"/etc\"]}}",
         "launch.source.readable: '/etc': a container sees no folders"},
        {"{\"source\":{\"runtime\":\"docker\",\"command\":[\"image\"],\"tree\":\"a:1\","
         "\"writable\":[\"/var/lib/sluice/x\"]}}",
         "launch.source.writable: '/var/lib/sluice/x': a container sees no folders"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"../../bin/sh\"]}}",
         "launch.source.command: '../../bin/sh'"},
        {"{\"source\":{\"runtime\":\"native\",\"command\":[\"..\"]}}",
         "launch.source.command: '..'"},
        {"{\"source\":{\"runtime\":\"exec\",\"command\":[\"run\"]}}",
         "launch.source.command: 'run'"},
        {"{\"source\":{\"runtime\":\"exec\",\"command\":[\"/a/../run\"]}}", "'/a/../run'"},
        {"{\"source\":{\"runtime\":\"pypi\",\"command\":[\"m\"]}}", "launch.source.tree: ''"},
        {"{\"source\":{\"runtime\":\"pypi\",\"command\":[\"m\"],\"tree\":\"/usr\"}}",
         "launch.source.tree: '/usr' is no folder below"},
        {"{\"source\":{\"runtime\":\"pypi\",\"command\":[\"-c\"],"
         "\"tree\":\"/var/lib/sluice/connectors/x\"}}",
         "launch.source.command: '-c'"},
        {"{\"destination\":{\"runtime\":\"native\",\"command\":[\"x\"]}}", "has no source"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(LauncherWorkload) workload = parse_ok(cases[i].launch);
        g_assert_null(connector(workload, LAUNCHER_SOURCE, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        if (strstr(error->message, cases[i].text) == NULL)
            g_error("case %zu: '%s' is not in '%s'", i, cases[i].text, error->message);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/launcher/workload/names", test_workload);
    g_test_add_func("/launcher/workload/faults", test_faults);
    g_test_add_func("/launcher/workload/identity", test_identity);
    g_test_add_func("/launcher/policy/slice-and-scope", test_slice_and_scope);
    g_test_add_func("/launcher/policy/native", test_native);
    g_test_add_func("/launcher/policy/defaults", test_defaults);
    g_test_add_func("/launcher/policy/pypi", test_pypi);
    g_test_add_func("/launcher/policy/allowed-addresses", test_allowed_addresses);
    g_test_add_func("/launcher/policy/docker/command", test_docker);
    g_test_add_func("/launcher/policy/docker/unit", test_docker_unit);
    g_test_add_func("/launcher/policy/docker/orchestrator", test_contained);
    g_test_add_func("/launcher/policy/refused", test_refused);
    return g_test_run();
}
