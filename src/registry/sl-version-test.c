/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-version.h"

static void
test_order(void)
{
    /* each is below the next: Semantic Versioning 2.0.0, §11, and what registries really have */
    static const char *const rising[] = {
        "0.0.1",
        "0.1",
        "0.9.9",
        "0.10.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "2.0.0",
        "2.0.0.1",
        "10.0.0",
        "20230101.1",
        "99999999999999999999999.0.0",
    };
    for (guint i = 0; i < G_N_ELEMENTS(rising); i++)
        for (guint j = 0; j < G_N_ELEMENTS(rising); j++) {
            int order = sl_version_compare(rising[i], rising[j]);
            g_test_message("%s %s", rising[i], rising[j]);
            g_assert_cmpint((order > 0) - (order < 0), ==, (i > j) - (i < j));
        }
}

static void
test_same(void)
{
    static const char *const same[][2] = {
        {"1.2", "1.2.0"},      {"v1.2.3", "1.2.3"},           {"1.2.3+build.5", "1.2.3+build.9"},
        {"01.2.003", "1.2.3"}, {"1.0.0-rc.01", "1.0.0-rc.1"}, {"1.0.0-rc.1+x", "1.0.0-rc.1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
        g_test_message("%s %s", same[i][0], same[i][1]);
        g_assert_cmpint(sl_version_compare(same[i][0], same[i][1]), ==, 0);
        g_assert_cmpint(sl_version_compare(same[i][1], same[i][0]), ==, 0);
    }
}

static void
test_ordered(void)
{
    static const char *const yes[] = {"1", "0.1.2", "v3.4.5", "1.0.0-rc.1", "1.0.0+x"};
    static const char *const no[] = {"", "latest", "dev", "v", "sha256:12ab", "1x", "-1.0"};
    for (guint i = 0; i < G_N_ELEMENTS(yes); i++)
        g_assert_true(sl_version_is_ordered(yes[i]));
    for (guint i = 0; i < G_N_ELEMENTS(no); i++) {
        g_test_message("%s", no[i]);
        g_assert_false(sl_version_is_ordered(no[i]));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry/version/order", test_order);
    g_test_add_func("/registry/version/same", test_same);
    g_test_add_func("/registry/version/ordered", test_ordered);
    return g_test_run();
}
