/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-retry.h"

static gint64
backoff(const SlConfig *limits, gint64 n)
{
    gint64 wait = limits->retry_backoff_min_usec;
    for (gint64 i = 1; i < n && wait < limits->retry_backoff_max_usec; i++)
        if (__builtin_mul_overflow(wait, limits->retry_backoff_base, &wait))
            return limits->retry_backoff_max_usec;
    return MIN(wait, limits->retry_backoff_max_usec);
}

WorkerVerdict
worker_retry_decide(const SlConfig *limits, const SlJob *job, const WorkerFailure *failure)
{
    WorkerVerdict verdict = {
        .complete_successive = failure->progress ? 0 : job->complete_successive + 1,
        .complete_total = job->complete_total + (failure->progress ? 0 : 1),
        .partial_successive = failure->progress ? job->partial_successive + 1 : 0,
        .partial_total = job->partial_total + (failure->progress ? 1 : 0),
    };
    verdict.retry = !failure->cancelled && !failure->config_error &&
                    verdict.complete_successive < limits->retry_complete_successive &&
                    verdict.complete_total < limits->retry_complete_total &&
                    verdict.partial_successive < limits->retry_partial_successive &&
                    verdict.partial_total < limits->retry_partial_total;
    if (verdict.retry && !failure->progress)
        verdict.wait_usec = backoff(limits, verdict.complete_successive);
    return verdict;
}
