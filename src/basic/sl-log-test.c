/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "sl-log.h"

#include <string.h>

/* The readable writer is tested in a child, whose stderr is a pipe. */
static void
test_fields(void)
{
    if (g_test_subprocess()) {
        sl_log_init("sluice-test");
        g_auto(SlLogScope) job = sl_log_scope(SL_LOG_JOB_ID, "7");
        g_auto(SlLogScope) none = sl_log_scope(SL_LOG_STREAM, NULL);
        {
            g_auto(SlLogScope) attempt = sl_log_scope(SL_LOG_ATTEMPT, "0");
            sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_JOB_CREATED, "made %s", "it");
        }
        g_warning("outer, ignoring");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*sluice-test: info: made it ?ATTEMPT=0? ?JOB_ID=7?\n*");
    g_test_trap_assert_stderr("*sluice-test: warning: outer, ignoring ?JOB_ID=7?\n*");
    g_test_trap_assert_stderr_unmatched("*STREAM*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/basic/log/fields", test_fields);
    return g_test_run();
}
