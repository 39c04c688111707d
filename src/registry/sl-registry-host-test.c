/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-registry-host.h"

#include <glib/gstdio.h>

/* What the launcher does not have is never offered; what needs an engine only with one. */
static void
test_host(void)
{
    g_autofree char *folder = g_dir_make_tmp("sl-registry-host-XXXXXX", NULL);
    g_autofree char *there = g_build_filename(folder, "engine.sock", NULL);
    g_autofree char *missing = g_build_filename(folder, "other.sock", NULL);
    gboolean images = g_file_test("/usr/bin/skopeo", G_FILE_TEST_EXISTS) &&
                      g_file_test("/run/systemd/system", G_FILE_TEST_EXISTS);
    const struct {
        const char *wished, *socket, *expected;
    } cases[] = {
        {"native pypi docker", there, "native pypi docker"},
        {"native pypi docker", missing, "native pypi"},
        {"docker,\tpypi", there, "docker pypi"},
        {"docker", missing, ""},
        {"npm manifest oci native", there, images ? "manifest oci native" : "manifest native"},
        {"", there, ""},
    };
    g_assert_true(g_file_set_contents(there, "", 0, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *able = sl_registry_host_runtimes(cases[i].wished, cases[i].socket);
        g_assert_cmpstr(able, ==, cases[i].expected);
    }
    g_unlink(there);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry/host/runtimes", test_host);
    return g_test_run();
}
