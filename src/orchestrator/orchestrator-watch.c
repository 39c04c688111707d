/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <signal.h>

#include "orchestrator-sync.h"

/* The clocks of a sync: nothing waits without a deadline. */

#define EXIT_USEC (60 * G_USEC_PER_SEC)       /* from the end of its output to its exit */
#define EOF_USEC (5 * G_USEC_PER_SEC)         /* from its exit to the end of its output */
#define WIND_DOWN_USEC (120 * G_USEC_PER_SEC) /* once we stop: for the destination's last work */
#define CANCEL_USEC (3 * G_USEC_PER_SEC)      /* the same when somebody waits for the end */

static gboolean
is_over(gint64 since, gint64 limit, gint64 now) /* limit 0: never */
{
    return since != 0 && limit != 0 && now - since > limit;
}

static void
watch_source_silence(OrchestratorSync *sync, gint64 now)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_SOURCE];
    gint64 limit = sync->o->config->orchestrator_source_silence_usec, waiting, blocked;
    orchestrator_pump_get_times(sync->pump, &waiting, &blocked);
    if (sync->source_done || side->failed || side->started_at == 0 || waiting == 0)
        return;
    if (is_over(MAX(waiting, side->started_at), limit, now) && side->eof_at == 0) {
        orchestrator_fail(sync->o, SL_ORIGIN_SOURCE, SL_FAILURE_HEARTBEAT_TIMEOUT, NULL,
                          "the source has sent nothing for %" G_GINT64_FORMAT " seconds",
                          (now - MAX(waiting, side->started_at)) / G_USEC_PER_SEC);
        side->failed = sync->failed = TRUE;
        orchestrator_sync_source_is_over(sync);
    } else if (is_over(side->ended_at, EOF_USEC, now) && is_over(waiting, EOF_USEC, now)) {
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_WARN,
                             "the source has ended, but something holds its output open, ignoring");
        orchestrator_sync_source_is_over(sync);
    }
}

static void
watch_destination_stall(OrchestratorSync *sync, gint64 now)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_DESTINATION];
    gint64 limit = sync->o->config->orchestrator_destination_stall_usec, waiting, blocked;
    orchestrator_pump_get_times(sync->pump, &waiting, &blocked);
    if (side->failed || side->started_at == 0)
        return;
    gint64 since = blocked;
    if (sync->sink_closed_at != 0)
        since = MAX(sync->sink_closed_at, sync->activity_at);
    if (since == 0 || !is_over(MAX(since, side->started_at), limit, now))
        return;
    orchestrator_fail(sync->o, SL_ORIGIN_DESTINATION, SL_FAILURE_DESTINATION_TIMEOUT, NULL,
                      sync->sink_closed_at != 0
                          ? "the destination has not finished within %" G_GINT64_FORMAT
                            " seconds after its last record"
                          : "the destination has taken nothing for %" G_GINT64_FORMAT " seconds",
                      (now - MAX(since, side->started_at)) / G_USEC_PER_SEC);
    side->failed = sync->failed = TRUE;
    orchestrator_sync_end_side(sync, ORCHESTRATOR_SOURCE);
    orchestrator_sync_end_side(sync, ORCHESTRATOR_DESTINATION);
}

/* Output ended, but the process goes on; or the other way round. */
static void
watch_exit(OrchestratorSync *sync, OrchestratorRole role, gint64 now)
{
    OrchestratorSide *side = &sync->sides[role];
    if (side->connector == NULL)
        return;
    if (side->ended_at == 0 && side->kill_at == 0 && is_over(side->eof_at, EXIT_USEC, now)) {
        if (!side->failed && !sync->stopping)
            orchestrator_fail(sync->o, orchestrator_origin(role), SL_FAILURE_SYSTEM, NULL,
                              "the %s has closed its output, but did not end",
                              orchestrator_role_name(role));
        side->failed = sync->failed = TRUE;
        orchestrator_sync_end_side(sync, role);
    }
    if (side->ended_at == 0 && side->kill_at != 0 && now > side->kill_at) {
        orchestrator_connector_signal(side->connector, SIGKILL);
        side->kill_at = G_MAXINT64;
    }
    if (role == ORCHESTRATOR_DESTINATION && side->eof_at == 0 &&
        is_over(MAX(side->ended_at, side->ended_at != 0 ? sync->activity_at : 0), EOF_USEC, now)) {
        orchestrator_log_say(sync->o->log, SL_JOB_LOG_WARN,
                             "the destination has ended, but something holds its output open, "
                             "ignoring");
        orchestrator_sync_destination_eof(sync);
    }
}

/* Once we stop, the destination has its time for the rest, and no more: what it has acknowledged by
 * then is kept, the next sync reads the rest again. */
static void
watch_wind_down(OrchestratorSync *sync, gint64 now)
{
    OrchestratorSide *side = &sync->sides[ORCHESTRATOR_DESTINATION];
    if (sync->stopping && side->kill_at == 0 && side->ended_at == 0 &&
        is_over(sync->stopping_at, sync->cancelled ? CANCEL_USEC : WIND_DOWN_USEC, now))
        orchestrator_sync_end_side(sync, ORCHESTRATOR_DESTINATION);
}

gboolean
orchestrator_sync_on_tick(gpointer data)
{
    OrchestratorSync *sync = data;
    gint64 now = g_get_monotonic_time();
    if (sync->o->outcome != ORCHESTRATOR_RUNNING)
        return G_SOURCE_CONTINUE; /* the loop is being left */
    watch_source_silence(sync, now);
    watch_destination_stall(sync, now);
    watch_exit(sync, ORCHESTRATOR_SOURCE, now);
    watch_exit(sync, ORCHESTRATOR_DESTINATION, now);
    watch_wind_down(sync, now);
    return G_SOURCE_CONTINUE;
}
