/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-records.h"

/* Jobs that move data with their attempts, as several operations answer with them. */

/* Attempts of some jobs and their statistics, read at once. */
typedef struct {
    GPtrArray *attempts; /* SlAttempt */
    GPtrArray *stats;    /* SlConfigStatsRow */
} ConfigRuns;

void config_runs_clear(ConfigRuns *runs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConfigRuns, config_runs_clear)

/* `rows`: SlConfigJobRow. */
gboolean config_runs_load(ServerCtx *ctx, const GPtrArray *rows, ConfigRuns *ret, GError **error);

SlConfigJobRead *config_run_job(const ConfigRuns *runs, const SlConfigJobRow *row);

/* Of one job: SlConfigAttemptRead, in order. */
GPtrArray *config_run_attempts(const ConfigRuns *runs, gint64 job_id);

/* SL_ERROR_NOT_FOUND. */
gboolean config_run_load(ServerCtx *ctx, gint64 job_id, SlConfigJobRow **ret, GError **error);

/* A job with everything; with `logs` those of its attempts too. */
gboolean config_run_give(ServerCtx *ctx, gint64 job_id, gboolean logs, SlConfigJobInfo **ret,
                         GError **error);
