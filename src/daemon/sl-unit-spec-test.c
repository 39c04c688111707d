/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-unit.h"

#include <string.h>

static char *
print(const SlUnitSpec *spec)
{
    g_autoptr(GVariant) properties = g_variant_ref_sink(sl_unit_spec_build(spec));
    g_assert_cmpstr(g_variant_get_type_string(properties), ==, "a(sv)");
    GString *out = g_string_new(NULL);
    GVariantIter iter;
    const char *name;
    GVariant *value;
    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_next(&iter, "(&sv)", &name, &value)) {
        g_autofree char *text = g_variant_print(value, TRUE);
        g_string_append_printf(out, "%s %s %s\n", name, g_variant_get_type_string(value), text);
        g_variant_unref(value);
    }
    return g_string_free(out, FALSE);
}

static void
test_empty(void)
{
    g_autofree char *text = print(&(SlUnitSpec){.name = "x.slice"});
    g_assert_cmpstr(text, ==, "");
}

static void
test_scope(void)
{
    g_autofree char *text = print(&(SlUnitSpec){
        .name = "x.scope",
        .description = "X",
        .slice = "y.slice",
        .pid = 4711,
        .memory_max = 1 << 20,
        .cpu_percent = 150,
        .runtime_max_usec = 5000000,
    });
    g_assert_cmpstr(text, ==,
                    "Description s 'X'\n"
                    "Slice s 'y.slice'\n"
                    "PIDs au [uint32 4711]\n"
                    "MemoryMax t uint64 1048576\n"
                    "CPUQuotaPerSecUSec t uint64 1500000\n"
                    "RuntimeMaxUSec t uint64 5000000\n");
}

static void
test_service(void)
{
    static const SlUnitSetting policy[] = {
        {"DynamicUser", SL_UNIT_BOOL, NULL, TRUE},
        {"UMask", SL_UNIT_UINT32, NULL, 077},
        {"RestrictNamespaces", SL_UNIT_UINT64, NULL, 0},
        {"SystemCallErrorNumber", SL_UNIT_INT32, NULL, 1},
        {"SystemCallFilter", SL_UNIT_ALLOW, "@system-service", 0},
        {"SystemCallFilter", SL_UNIT_DENY, "@privileged @resources", 0},
        {"SystemCallArchitectures", SL_UNIT_WORDS, "native", 0},
    };
    static const SlUnitMount mounts[] = {
        {NULL, "/run", "mode=0755", TRUE, FALSE},
        {"/a", "/b", NULL, TRUE, FALSE},
        {"/c", "/c", NULL, FALSE, TRUE},
    };
    static const char *const command[] = {"/bin/x", "$HOME", "a$$b", "%n 100%", NULL};
    static const char *const scope[] = {"y.scope", NULL};
    static const char *const fields[] = {"A=b", NULL};
    g_autofree char *text = print(&(SlUnitSpec){
        .name = "x.service",
        .binds_to = scope,
        .before = scope,
        .command = command,
        .policy = policy,
        .n_policy = G_N_ELEMENTS(policy),
        .mounts = mounts,
        .n_mounts = G_N_ELEMENTS(mounts),
        .deny_local_addresses = TRUE,
        .log_fields = fields,
    });
    g_assert_cmpstr(
        text, ==,
        "BindsTo as ['y.scope']\n"
        "Before as ['y.scope']\n"
        "DynamicUser b true\n"
        "UMask u uint32 63\n"
        "RestrictNamespaces t uint64 0\n"
        "SystemCallErrorNumber i 1\n"
        "SystemCallFilter (bas) (true, ['@system-service'])\n"
        "SystemCallFilter (bas) (false, ['@privileged', '@resources'])\n"
        "SystemCallArchitectures as ['native']\n"
        "TemporaryFileSystem a(ss) [('/run', 'mode=0755')]\n"
        "BindPaths a(ssbt) [('/a', '/b', false, uint64 0)]\n"
        "BindReadOnlyPaths a(ssbt) [('/c', '/c', true, uint64 0)]\n"
        "IPAddressDeny a(iayu) [(2, [byte 0xa9, 0xfe, 0x00, 0x00], uint32 16), (10, [0xfe, 0x80, "
        "0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], 64), "
        "(2, [0xe0, 0x00, 0x00, 0x00], 4), (10, [0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, "
        "0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], 8)]\n"
        "LogExtraFields aay [[byte 0x41, 0x3d, 0x62]]\n"
        "ExecStart a(sasb) [('/bin/x', ['/bin/x', '$$HOME', 'a$$$$b', '%n 100%'], false)]\n");
}

static void
test_allowed(void)
{
    static const char *const allowed[] = {"127.0.0.2/32", "fd00::/8", NULL};
    static const char *const none[] = {NULL};
    g_autofree char *text =
        print(&(SlUnitSpec){.allowed_addresses = allowed, .deny_local_addresses = TRUE});
    g_autofree char *closed = print(&(SlUnitSpec){.allowed_addresses = none});
#define ANY                                                                                        \
    "IPAddressDeny a(iayu) [(2, [byte 0x00, 0x00, 0x00, 0x00], uint32 0), (10, [0x00, 0x00, "      \
    "0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], 0)]\n"
    g_assert_cmpstr(text, ==,
                    ANY "IPAddressAllow a(iayu) [(2, [byte 0x7f, 0x00, 0x00, 0x02], uint32 32), "
                        "(10, [0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, "
                        "0x00, 0x00, 0x00, 0x00, 0x00], 8)]\n");
    g_assert_cmpstr(closed, ==, ANY "IPAddressAllow a(iayu) @a(iayu) []\n");
}

static void
test_after(void)
{
    static const char *const command[] = {"/bin/x", NULL};
    static const char *const after[] = {"/bin/y", "$z", NULL};
    g_autofree char *text = print(&(SlUnitSpec){
        .command = command, .command_after = after, .credential = "key", .input_fd = 5});
    g_assert_cmpstr(text, ==,
                    "StandardInputFileDescriptor h handle 0\n"
                    "LoadCredentialEncrypted a(ss) [('key', 'key')]\n"
                    "ExecStart a(sasb) [('/bin/x', ['/bin/x'], false)]\n"
                    "ExecStopPost a(sasb) [('/bin/y', ['/bin/y', '$$z'], false)]\n");
}

static void
test_path(void)
{
    static const struct {
        const char *path, *name;
    } cases[] = {
        {"/org/freedesktop/systemd1/unit/sluice_2dsource_2d550e.service",
         "sluice-source-550e.service"},
        {"/org/freedesktop/systemd1/unit/a_2eservice", "a.service"},
        {"/org/freedesktop/systemd1/unit/_5f_2ex_zz", "_.x_zz"},
        {"/org/freedesktop/systemd1/job/12", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = sl_unit_name_from_path(cases[i].path);
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/daemon/unit-spec/after", test_after);
    g_test_add_func("/daemon/unit-spec/allowed", test_allowed);
    g_test_add_func("/unit/spec/empty", test_empty);
    g_test_add_func("/unit/spec/scope", test_scope);
    g_test_add_func("/unit/spec/service", test_service);
    g_test_add_func("/unit/name-from-path", test_path);
    return g_test_run();
}
