/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-policy.h"

#include "sl-error.h"

/* What a connection has of its own, changed by a person. */
static void
test_merge(void)
{
    static const struct {
        const char *before, *changes, *after, *message; /* one of the last two */
    } cases[] = {
        {"{}", "{}", "{}", NULL},
        {"{}", "{\"RetryCompleteTotal\":3}", "{\"RetryCompleteTotal\":\"3\"}", NULL},
        {"{}", "{\"WarnAfterSec\":\"48h\",\"CatchUp\":false}",
         "{\"CatchUp\":\"no\",\"WarnAfterSec\":\"2d\"}", NULL},
        {"{\"CatchUp\":\"no\",\"WarnAfterSec\":\"2d\"}", "{\"CatchUp\":null}",
         "{\"WarnAfterSec\":\"2d\"}", NULL},
        {"{\"CatchUp\":\"no\"}", "{\"WarnAfterSec\":null}", "{\"CatchUp\":\"no\"}", NULL},
        /* what a newer version has left there goes with the next change */
        {"{\"Newer\":\"1\",\"CatchUp\":\"yes\"}", "{\"RetryCompleteTotal\":\"4\"}",
         "{\"CatchUp\":\"yes\",\"RetryCompleteTotal\":\"4\"}", NULL},
        /* above the host's longest wait, until that one is longer too */
        {"{}", "{\"RetryBackoffMinSec\":\"1h\"}", NULL, "RetryBackoffMinSec= is above"},
        {"{}", "{\"RetryBackoffMinSec\":\"1h\",\"RetryBackoffMaxSec\":\"2h\"}",
         "{\"RetryBackoffMinSec\":\"1h\",\"RetryBackoffMaxSec\":\"2h\"}", NULL},
        {"{\"RetryBackoffMinSec\":\"1h\",\"RetryBackoffMaxSec\":\"2h\"}",
         "{\"RetryBackoffMaxSec\":null}", NULL, "RetryBackoffMinSec= is above"},
        {"{}", "{\"RetryCompleteTotal\":0}", NULL, "properties.RetryCompleteTotal: '0' is out"},
        {"{}", "{\"RetryTotal\":1}", NULL, "properties.RetryTotal: no property"},
        {"{}", "{\"RetryTotal\":null}", NULL, "properties.RetryTotal: no property"},
        {"{}", "{\"CatchUp\":[]}", NULL, "properties.CatchUp: expected text"},
        {"{}", "[1,2]", NULL, "properties: expected object"},
        {"{}", "7", NULL, "properties: expected object"},
    };
    g_autoptr(SlConfig) host = sl_config_new();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *after = sl_policy_merge(host, cases[i].before, cases[i].changes, &error);
        g_test_message("case %d: %s", (int)i, error != NULL ? error->message : after);
        g_assert_cmpstr(after, ==, cases[i].after);
        if (cases[i].message == NULL)
            continue;
        g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

/* Over the host's, which stays. */
static void
test_apply(void)
{
    g_autoptr(SlConfig) host = sl_config_new();
    g_autoptr(SlConfig) own = sl_policy_apply(
        host, "{\"RetryCompleteTotal\":\"2\",\"DisableAfterSec\":\"1d\",\"CatchUp\":\"no\"}");
    g_assert_cmpint(own->retry_complete_total, ==, 2);
    g_assert_cmpint(own->disable_after_usec, ==, 86400 * (gint64)G_USEC_PER_SEC);
    g_assert_cmpint(own->scheduler_catch_up, ==, 0);
    g_assert_cmpint(own->retry_complete_successive, ==, host->retry_complete_successive);
    g_assert_cmpstr(own->server_public_url, ==, host->server_public_url);
    g_assert_cmpint(host->retry_complete_total, ==, 10);
    g_autoptr(SlConfig) rest =
        sl_policy_apply(host, "{\"RetryCompleteTotal\":\"x\",\"RetryPartialTotal\":\"2\"}");
    g_assert_cmpint(rest->retry_complete_total, ==, 10);
    g_assert_cmpint(rest->retry_partial_total, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* what is left out is a warning */
    g_test_add_func("/queue/policy/merge", test_merge);
    g_test_add_func("/queue/policy/apply", test_apply);
    return g_test_run();
}
