/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-address.h"

static const struct {
    const char *text, *printed; /* NULL: none */
    gboolean denied;
} cases[] = {
    {"10.0.0.5", "10.0.0.5/32", FALSE},
    {"10.1.2.3/8", "10.0.0.0/8", FALSE},
    {"10.1.2.3/31", "10.1.2.2/31", FALSE},
    {"127.0.0.2/32", "127.0.0.2/32", FALSE},
    {"::1", "::1/128", FALSE},
    {"fd00::1/9", "fd00::/9", FALSE},
    {"2001:db8::ffff/33", "2001:db8::/33", FALSE},
    /* what gives credentials to whoever asks, and what contains it */
    {"169.254.169.254", "169.254.169.254/32", TRUE},
    {"169.254.0.0/16", "169.254.0.0/16", TRUE},
    {"168.0.0.0/7", "168.0.0.0/7", TRUE},
    {"0.0.0.0/0", "0.0.0.0/0", TRUE},
    {"::/0", "::/0", TRUE},
    {"224.0.0.1", "224.0.0.1/32", TRUE},
    {"fe80::1", "fe80::1/128", TRUE},
    {"fe80:0:0:1::1", "fe80:0:0:1::1/128", FALSE},
    {"ff02::1", "ff02::1/128", TRUE},
    {"::ffff:169.254.169.254", "::ffff:169.254.169.254/128", TRUE},
    {"::ffff:10.0.0.1", "::ffff:10.0.0.1/128", FALSE},
    /* neither */
    {"", NULL, FALSE},
    {"localhost", NULL, FALSE},
    {"*.example.com", NULL, FALSE},
    {"10.0.0", NULL, FALSE},
    {"10.0.0.5/33", NULL, FALSE},
    {"10.0.0.5/", NULL, FALSE},
    {"10.0.0.5/-1", NULL, FALSE},
    {"10.0.0.5/8x", NULL, FALSE},
    {"10.0.0.5 ", NULL, FALSE},
    {"10.0.0.5:80", NULL, FALSE},
    {"[::1]", NULL, FALSE},
    {"::1/129", NULL, FALSE},
    {"/8", NULL, FALSE},
};

static void
test_all(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SlAddress address;
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(sl_address_parse(cases[i].text, &address), ==, cases[i].printed != NULL);
        if (cases[i].printed == NULL)
            continue;
        g_autofree char *printed = sl_address_print(&address);
        g_assert_cmpstr(printed, ==, cases[i].printed);
        g_assert_cmpint(sl_address_is_denied(&address), ==, cases[i].denied);
    }
}

static void
test_overlaps(void)
{
    static const struct {
        const char *a, *b;
        gboolean overlap;
    } pairs[] = {
        {"10.0.0.0/8", "10.9.0.1", TRUE},  {"10.0.0.1", "10.0.0.2", FALSE},
        {"10.0.0.0/31", "10.0.0.1", TRUE}, {"0.0.0.0/0", "1.2.3.4", TRUE},
        {"0.0.0.0/0", "::1", FALSE},       {"::/0", "::1", TRUE},
        {"fd00::/8", "fc00::/8", FALSE},   {"fc00::/7", "fd00::/8", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        SlAddress a, b;
        g_assert_true(sl_address_parse(pairs[i].a, &a) && sl_address_parse(pairs[i].b, &b));
        g_assert_cmpint(sl_address_overlaps(&a, &b), ==, pairs[i].overlap);
        g_assert_cmpint(sl_address_overlaps(&b, &a), ==, pairs[i].overlap);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/address/all", test_all);
    g_test_add_func("/basic/address/overlaps", test_overlaps);
    return g_test_run();
}
