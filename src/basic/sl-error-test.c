/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-error.h"

#include <errno.h>
#include <gio/gio.h>

/* Every value has a complete row, and no two share a name: an added value without a row fails here.
 */
static void
test_table_complete(void)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (int code = 0; code < SL_N_ERRORS; code++) {
        const SlErrorInfo *info = sl_error_info(code);
        g_assert_nonnull(info->name);
        g_assert_true(g_str_has_prefix(info->dbus_name, "org.sluice.Error."));
        g_assert_nonnull(info->title);
        g_assert_nonnull(info->failure_type);
        g_assert_cmpuint(info->http_status, >=, 400);
        g_assert_cmpuint(info->http_status, <, 600);
        g_assert_true(g_hash_table_add(names, (gpointer)info->name));
    }
}

static void
test_errno(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_error_set_errno(&error, ENOENT, "opening '%s'", "x"));
    g_assert_error(error, SL_ERROR, SL_ERROR_NOT_FOUND);
    g_assert_true(g_str_has_prefix(error->message, "opening 'x': "));
    g_assert_false(sl_error_set_errno(NULL, EIO, "nobody listens"));
}

static void
test_foreign(void)
{
    g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "late");
    g_assert_cmpint(sl_error_code(error), ==, SL_ERROR_TIMED_OUT);
    g_assert_true(sl_error_info_for(error)->retryable);
    g_assert_cmpint(sl_error_code(NULL), ==, SL_ERROR_FAILED);
    g_assert_cmpstr(sl_error_info(SL_N_ERRORS)->name, ==, "failed");
}

/* The problem stays with the error through copies and prefixes. */
static void
test_problem(void)
{
    g_autoptr(GError) error = NULL;
    const char *type, *title, *data;
    g_assert_false(sl_error_set(&error, SL_ERROR_EXISTS, "x"));
    g_assert_false(sl_error_get_problem(error, &type, &title, &data));
    g_clear_error(&error);
    g_assert_false(sl_error_set_problem(&error, SL_ERROR_EXISTS, "error:t", "T",
                                        g_strdup("{\"a\":1}"), "no %d", 7));
    g_prefix_error(&error, "say ");
    g_autoptr(GError) copy = g_error_copy(error);
    g_clear_error(&error);
    g_assert_error(copy, SL_ERROR, SL_ERROR_EXISTS);
    g_assert_cmpstr(copy->message, ==, "say no 7");
    g_assert_true(sl_error_get_problem(copy, &type, &title, &data));
    g_assert_cmpstr(type, ==, "error:t");
    g_assert_cmpstr(title, ==, "T");
    g_assert_cmpstr(data, ==, "{\"a\":1}");
    g_assert_false(sl_error_get_problem(NULL, &type, &title, &data));
    g_assert_false(sl_error_set_problem(NULL, SL_ERROR_EXISTS, "t", "T", g_strdup("{}"), "x"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/error/table-complete", test_table_complete);
    g_test_add_func("/basic/error/errno", test_errno);
    g_test_add_func("/basic/error/foreign", test_foreign);
    g_test_add_func("/basic/error/problem", test_problem);
    return g_test_run();
}
