/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-problem.h"

#include "sl-error.h"

#define BASE "https://reference.airbyte.com/reference/errors"

static void
test_codes(void)
{
    static const struct {
        SlErrorCode code;
        guint status;
        const char *face;
    } cases[] = {
        {SL_ERROR_INVALID, 400, "\"type\":\"" BASE "#bad-request\",\"title\":\"bad-request\""},
        {SL_ERROR_UNPROCESSABLE, 422, BASE "#unprocessable-entity\""},
        {SL_ERROR_CONFLICT, 409, BASE "#409-state-conflict\",\"title\":\"state-conflict\""},
        {SL_ERROR_FAILED, 500, "\"" BASE "\",\"title\":\"unexpected-problem\""},
        {SL_ERROR_UNAVAILABLE, 503, "\"" BASE "\",\"title\":\"service-unavailable\""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint status;
        sl_error_set(&error, cases[i].code, "it \"is\" so");
        g_autofree char *text = sl_problem_print(error, &status);
        g_assert_cmpuint(status, ==, cases[i].status);
        g_assert_nonnull(strstr(text, cases[i].face));
        g_assert_nonnull(
            strstr(text, "\"detail\":\"it \\\"is\\\" so\",\"data\":{\"message\":\"it "));
    }
}

static void
test_own(void)
{
    g_autoptr(GError) error = NULL;
    guint status;
    sl_error_set_problem(&error, SL_ERROR_EXISTS, "error:tag-already-exists", "Tag exists",
                         g_strdup("{\"n\":1}"), "x");
    g_autofree char *text = sl_problem_print(error, &status);
    g_assert_cmpstr(text, ==,
                    "{\"status\":409,\"type\":\"error:tag-already-exists\",\"title\":\"Tag "
                    "exists\",\"detail\":\"x\",\"data\":{\"n\":1}}");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/problem/codes", test_codes);
    g_test_add_func("/http/problem/own", test_own);
    return g_test_run();
}
