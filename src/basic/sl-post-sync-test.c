/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-post-sync.h"

#include "sl-error.h"

static void
test_check(void)
{
    static const struct {
        const char *globs, *unit;
        int code; /* -1: allowed */
    } cases[] = {
        {"", "dbt.service", SL_ERROR_FORBIDDEN},
        {"  ", "dbt.service", SL_ERROR_FORBIDDEN},
        {"dbt.service", "dbt.service", -1},
        {"a.service\tdbt.service  b.target", "dbt.service", -1},
        {"dbt.service", "dbt.target", SL_ERROR_FORBIDDEN},
        {"dbt", "dbt.service", SL_ERROR_FORBIDDEN},
        {"dbt*", "dbt-nightly.service", -1},
        {"dbt-?.service", "dbt-1.service", -1},
        {"dbt-[12].service", "dbt-3.service", SL_ERROR_FORBIDDEN},
        {"*.service", "poweroff.target", SL_ERROR_FORBIDDEN},
        {"dbt@.service", "dbt@.service", -1},
        /* whoever may edit a connection does not choose the instance */
        {"dbt@.service", "dbt@root.service", SL_ERROR_FORBIDDEN},
        {"dbt@*.service", "dbt@prod.service", -1},
        {"dbt@*.service", "dbt@.service", -1},
        /* \x2d is part of names, not an escape */
        {"my\\x2ddbt.service", "my\\x2ddbt.service", -1},
        {"my\\x2ddbt.service", "myx2ddbt.service", SL_ERROR_FORBIDDEN},
        {"*", "dbt", SL_ERROR_INVALID},
        {"*", "dbt.socket", SL_ERROR_INVALID},
        {"*", "dbt.timer", SL_ERROR_INVALID},
        {"*", "../dbt.service", SL_ERROR_INVALID},
        {"*", "a b.service", SL_ERROR_INVALID},
        {"*", "a;b.service", SL_ERROR_INVALID},
        {"*", "a\n.service", SL_ERROR_INVALID},
        {"*", ".service", SL_ERROR_INVALID},
        {"*", "@.service", SL_ERROR_INVALID},
        {"*", "a@b@c.service", SL_ERROR_INVALID},
        {"*", "d\303\244.service", SL_ERROR_INVALID},
        {"*", "", SL_ERROR_INVALID},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gboolean ok = sl_post_sync_check(cases[i].globs, cases[i].unit, &error);
        g_test_message("'%s' with '%s': %s", cases[i].unit, cases[i].globs,
                       ok ? "allowed" : error->message);
        g_assert_true(ok == (cases[i].code == -1));
        if (!ok)
            g_assert_error(error, SL_ERROR, cases[i].code);
    }
}

static void
test_length(void)
{
    g_autofree char *name = g_strnfill(192, 'x'), *unit = g_strconcat(name, ".service", NULL);
    g_autofree char *longer = g_strconcat("x", unit, NULL);
    g_assert_true(sl_post_sync_is_unit(unit));
    g_assert_false(sl_post_sync_is_unit(longer));
}

static void
test_instance(void)
{
    static const struct {
        const char *unit;
        gint64 job_id;
        const char *wanted;
    } cases[] = {
        {"dbt.service", 7, "dbt.service"},
        {"dbt@.service", 7, "dbt@7.service"},
        {"dbt@.target", G_MAXINT64, "dbt@9223372036854775807.target"},
        {"dbt@prod.service", 7, "dbt@prod.service"},
        {"a.b@.service", 12, "a.b@12.service"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *unit = sl_post_sync_unit_of_job(cases[i].unit, cases[i].job_id);
        g_assert_cmpstr(unit, ==, cases[i].wanted);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/post-sync/check", test_check);
    g_test_add_func("/basic/post-sync/length", test_length);
    g_test_add_func("/basic/post-sync/instance", test_instance);
    return g_test_run();
}
