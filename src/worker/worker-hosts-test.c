/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-hosts.h"

#define POSTGRES "${host} ${tunnel_method.tunnel_host}"

static const struct {
    const char *allowed, *configuration;
    const char *addresses; /* NULL: nothing can be enforced */
} cases[] = {
    {"127.0.0.2/32", "{}", "127.0.0.2/32"},
    {"10.0.0.0/8 fd00::/8", "{}", "10.0.0.0/8 fd00::/8"},
    {"10.0.0.5", NULL, "10.0.0.5/32"},
    /* values of the configuration */
    {POSTGRES, "{\"host\":\"10.0.0.5\"}", "10.0.0.5/32"},
    {POSTGRES, "{\"host\":\"10.0.0.5\",\"tunnel_method\":{\"tunnel_host\":\"192.0.2.1\"}}",
     "10.0.0.5/32 192.0.2.1/32"},
    {POSTGRES, "{\"host\":\"10.0.0.5\",\"tunnel_method\":{\"tunnel_host\":null}}", "10.0.0.5/32"},
    {POSTGRES, "{\"host\":\"::1\"}", "::1/128"},
    {"${host}", "{\"host\":\"10.0.0.5:5432\"}", "10.0.0.5/32"},
    {"${url}", "{\"url\":\"https://user@10.0.0.5:8443/x?y=a:b\"}", "10.0.0.5/32"},
    {"${url}", "{\"url\":\"http://[fd00::1]:80/\"}", "fd00::1/128"},
    /* names, which nobody can enforce, and then nothing is */
    {"api.example.com", "{}", NULL},
    {"*.example.com 10.0.0.5", "{}", NULL},
    {"10.0.0.5 *", "{}", NULL},
    {POSTGRES, "{\"host\":\"db.example.com\"}", NULL},
    {POSTGRES, "{\"host\":\"10.0.0.5\",\"tunnel_method\":{\"tunnel_host\":\"bastion\"}}", NULL},
    {"${subdomain}.example.com", "{\"subdomain\":\"10.0.0.5\"}", NULL},
    {"${host", "{\"host\":\"10.0.0.5\"}", NULL},
    {"${url}", "{\"url\":\"https://example.com/10.0.0.5\"}", NULL},
    /* a secret is not known here */
    {"${host}", "{\"host\":{\"_secret\":\"x\"}}", NULL},
    {"${host}", "{\"host\":5}", NULL},
    {"${host}", "no JSON", NULL},
    /* nothing is said, or nothing is there */
    {"", "{}", NULL},
    {POSTGRES, "{}", NULL},
    {"${host}", "{\"host\":\"\"}", NULL},
    /* everywhere */
    {"0.0.0.0/0", "{}", NULL},
    {"10.0.0.5 ::/0", "{}", NULL},
};

static void
test_resolve(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) allowed =
            *cases[i].allowed != '\0' ? g_strsplit(cases[i].allowed, " ", -1) : g_new0(char *, 1);
        g_auto(GStrv) found = worker_hosts_resolve(allowed, cases[i].configuration);
        g_autofree char *line = found != NULL ? g_strjoinv(" ", found) : NULL;
        g_test_message("%s in %s", cases[i].allowed, cases[i].configuration);
        g_assert_cmpstr(line, ==, cases[i].addresses);
    }
    g_assert_null(worker_hosts_resolve(NULL, "{}"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker/hosts/resolve", test_resolve);
    return g_test_run();
}
