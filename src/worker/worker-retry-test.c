/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-retry.h"

/* A run of failures (c = complete, p = partial) until the job fails: number of attempts and the
 * waits between them, in seconds. */
static void
run(const char *pattern, const char *waits)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    g_autoptr(SlJob) job = sl_job_new();
    g_autoptr(GString) seen = g_string_new(NULL);
    for (const char *p = pattern; *p != '\0'; p++) {
        WorkerFailure failure = {.progress = *p == 'p'};
        WorkerVerdict verdict = worker_retry_decide(limits, job, &failure);
        if (!verdict.retry) {
            g_string_append(seen, "end");
            g_assert_cmpint(p[1], ==, '\0');
            break;
        }
        g_string_append_printf(seen, "%d ", (int)(verdict.wait_usec / G_USEC_PER_SEC));
        job->complete_successive = verdict.complete_successive;
        job->complete_total = verdict.complete_total;
        job->partial_successive = verdict.partial_successive;
        job->partial_total = verdict.partial_total;
    }
    g_assert_cmpstr(seen->str, ==, waits);
}

static void
test_matrix(void)
{
    run("ccccc", "10 30 90 270 end"); /* a dead connection: five attempts */
    run("cpcpc", "10 0 10 0 10 ");    /* a partial one zeroes the row */
    run("ccccpccccpcc", "10 30 90 270 0 10 30 90 270 0 10 end"); /* ten in all */
    run("pppppppppppppppppppp", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 end");
}

static void
test_no_retry(void)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    g_autoptr(SlJob) job = sl_job_new();
    WorkerFailure config_error = {.config_error = TRUE}, cancelled = {.cancelled = TRUE};
    g_assert_false(worker_retry_decide(limits, job, &config_error).retry);
    g_assert_false(worker_retry_decide(limits, job, &cancelled).retry);
}

static void
test_longest_wait(void)
{
    g_autoptr(SlConfig) limits = sl_config_new();
    g_autoptr(SlJob) job = sl_job_new();
    WorkerFailure failure = {0};
    limits->retry_complete_successive = limits->retry_complete_total = 1000;
    for (gint64 n = 0; n < 900; n++) {
        job->complete_successive = n;
        gint64 wait = worker_retry_decide(limits, job, &failure).wait_usec;
        g_assert_cmpint(wait, >=, limits->retry_backoff_min_usec);
        g_assert_cmpint(wait, <=, limits->retry_backoff_max_usec);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker/retry/matrix", test_matrix);
    g_test_add_func("/worker/retry/no-retry", test_no_retry);
    g_test_add_func("/worker/retry/longest-wait", test_longest_wait);
    return g_test_run();
}
