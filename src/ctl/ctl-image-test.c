/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-image.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_split(void)
{
    static const struct {
        const char *image, *repository, *version, *source;
    } cases[] = {
        {"airbyte/source-faker:6.2", "airbyte/source-faker", "6.2", "airbyte/source-faker:6.2"},
        {"airbyte/source-faker", "airbyte/source-faker", "latest", "airbyte/source-faker"},
        {"source-x", "source-x", "latest", "source-x"},
        {"source-x:1", "source-x", "1", "source-x:1"},
        {"127.0.0.1:5000/a/b:1.0", "127.0.0.1:5000/a/b", "1.0", "127.0.0.1:5000/a/b:1.0"},
        {"127.0.0.1:5000/a/b", "127.0.0.1:5000/a/b", "latest", "127.0.0.1:5000/a/b"},
        {"r.example/a@" DIGEST, "r.example/a", "sha256:0123456789ab", "r.example/a@" DIGEST},
        {"r.example:5/a:2@" DIGEST, "r.example:5/a", "2", "r.example:5/a@" DIGEST},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *repository = NULL, *version = NULL;
        g_autofree char *source = ctl_image_source(cases[i].image);
        g_assert_true(ctl_image_check(cases[i].image));
        ctl_image_split(cases[i].image, &repository, &version);
        g_assert_cmpstr(repository, ==, cases[i].repository);
        g_assert_cmpstr(version, ==, cases[i].version);
        g_assert_cmpstr(source, ==, cases[i].source);
    }
}

static void
test_refused(void)
{
    static const char *const images[] = {
        "",
        "-flag",
        "/a",
        "a/",
        "a//b",
        "a:",
        "a b",
        "a;b",
        "a:1:2",
        "a/../b",
        "a@sha256:12",
        "a@sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "docker://a/b",
        "a\n",
        "a$b",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(images); i++)
        if (ctl_image_check(images[i]))
            g_error("'%s' was accepted", images[i]);
}

static void
test_type(void)
{
    static const struct {
        const char *names[2], *type;
    } cases[] = {
        {{"airbyte/source-faker", NULL}, "source"},
        {{"airbyte/destination-dev-null", NULL}, "destination"},
        {{"airbyte-source-faker", NULL}, "source"},
        {{"source-x", NULL}, "source"},
        {{"thing", "destination-y"}, "destination"},
        {{NULL, "source-y"}, "source"},
        {{"r.example:5000/team/source-x", NULL}, "source"},
        {{"team/resource-x", NULL}, NULL},
        {{"thing", NULL}, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(ctl_image_guess_type(cases[i].names, 2), ==, cases[i].type);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/image/split", test_split);
    g_test_add_func("/ctl/image/refused", test_refused);
    g_test_add_func("/ctl/image/type", test_type);
    return g_test_run();
}
