/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "scheduler-turn.h"

#include <unistd.h>

#include "scheduler-next.h"
#include "sl-error.h"
#include "sl-log.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "sl-time.h"

#define LEADER "scheduler"
#define BATCH 200

void
scheduler_state_init(SchedulerState *state, SlDb *db, const SlConfig *config)
{
    *state = (SchedulerState){.db = db, .config = config};
    state->holder = g_strdup_printf("%s/%d/%08x", g_get_host_name(), (int)getpid(), g_random_int());
}

static void
resign(SchedulerState *state)
{
    g_autoptr(SlTx) tx = sl_db_begin(state->db, FALSE, NULL);
    if (tx != NULL && sl_sql_leader_resign(tx, LEADER, state->holder, state->term, NULL, NULL) &&
        sl_tx_notify(tx, SL_CHANNEL_SCHEDULE, NULL, NULL))
        sl_tx_commit(tx, NULL);
}

void
scheduler_state_clear(SchedulerState *state)
{
    if (state->term > 0)
        resign(state);
    g_clear_pointer(&state->holder, g_free);
}

/* --- leadership ------------------------------------------------------------------------------ */

/* The same transaction looks ahead, so that an idle scheduler asks three small questions a turn. */
static gboolean
renew_or_elect(SchedulerState *state, char **ret_due, GError **error)
{
    gint64 lease_ms = state->config->scheduler_lease_usec / 1000, renewed = 0, term = 0;
    g_autoptr(SlTx) tx = sl_db_begin(state->db, FALSE, error);
    if (tx == NULL)
        return FALSE;
    if (state->term > 0 &&
        !sl_sql_leader_renew(tx, LEADER, state->holder, state->term, lease_ms, &renewed, error))
        return FALSE;
    if (renewed == 0 && !sl_sql_leader_elect(tx, LEADER, state->holder, lease_ms, &term, error))
        return FALSE;
    if (!sl_sql_connection_look_ahead(tx, ret_due, error) || !sl_tx_commit(tx, error))
        return FALSE;
    if (renewed > 0)
        return TRUE;
    if (state->term > 0)
        sl_log_event(G_LOG_LEVEL_WARNING, SL_EVENT_LEADER_LOST,
                     "Lost the lease of term %" G_GINT64_FORMAT, state->term);
    if (term > 0)
        sl_log_event(G_LOG_LEVEL_INFO, SL_EVENT_LEADER_ELECTED, "Leading, term %" G_GINT64_FORMAT,
                     term);
    state->term = term;
    return TRUE;
}

/* Begins a transaction that is only worth something while our term lasts. */
static SlTx *
begin_as_leader(SchedulerState *state, GError **error)
{
    gint64 held = 0, silent_ms = state->config->scheduler_lease_usec / 1000;
    g_autoptr(SlTx) tx = sl_db_begin(state->db, FALSE, error);
    if (tx == NULL ||
        !sl_sql_leader_hold(tx, LEADER, state->holder, state->term, silent_ms, &held, error))
        return NULL;
    if (held == 0) {
        sl_error_set(error, SL_ERROR_CONFLICT, "another scheduler leads now");
        return NULL;
    }
    return g_steal_pointer(&tx);
}

/* --- the duties ------------------------------------------------------------------------------ */

/* One piece of work in one transaction; *ret_more: there may be another. */
typedef gboolean (*Duty)(SchedulerState *state, SlTx *tx, gint64 now, gboolean *ret_more,
                         GError **error);

static SchedulerRules
rules_of(const SchedulerState *state, const SlConnection *connection)
{
    gboolean own = sl_record_has(&sl_connection_record, connection, SL_CONNECTION_CATCH_UP);
    return (SchedulerRules){
        .catch_up = own ? connection->catch_up : state->config->scheduler_catch_up != 0,
        .jitter = state->config->scheduler_jitter != 0,
    };
}

/* A schedule that cannot be read must not stop the others: it never runs until it is edited. */
static gboolean
set_next_run(SchedulerState *state, SlTx *tx, const SlConnection *connection, gint64 now,
             GError **error)
{
    const SchedulerRules rules = rules_of(state, connection);
    gint64 next = 0;
    g_autoptr(GError) reason = NULL;
    if (!scheduler_next_run(connection, &rules, now, &next, &reason)) {
        g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_CONNECTION_ID, connection->connection_id);
        g_warning("Schedule of connection '%s': %s, ignoring", connection->name, reason->message);
    }
    return sl_sql_connection_set_next_run(tx, connection->connection_id, next > 0 ? &next : NULL,
                                          NULL, error);
}

static gboolean
recompute_changed(SchedulerState *state, SlTx *tx, gint64 now, gboolean *ret_more, GError **error)
{
    g_autoptr(GPtrArray) changed = NULL;
    if (!sl_sql_connection_take_changed(tx, BATCH, &changed, error))
        return FALSE;
    for (guint i = 0; i < changed->len; i++)
        if (!set_next_run(state, tx, changed->pdata[i], now, error))
            return FALSE;
    *ret_more = changed->len == BATCH;
    return TRUE;
}

static gboolean
create_due(SchedulerState *state, SlTx *tx, gint64 now, gboolean *ret_more, GError **error)
{
    g_autoptr(SlConnection) due = NULL;
    g_autoptr(SlJob) active = NULL, job = NULL;
    if (!sl_sql_connection_take_due(tx, now, &due, error))
        return FALSE;
    if (due == NULL)
        return TRUE;
    *ret_more = TRUE;
    if (!sl_sql_job_get_active(tx, due->connection_id, &active, error))
        return FALSE;
    if (active != NULL) /* its end computes the next run anew */
        return sl_sql_connection_set_next_run(tx, due->connection_id, NULL, NULL, error);
    const SchedulerRules rules = rules_of(state, due);
    if (scheduler_is_missed(&rules, due->next_run_at, now)) {
        g_message("Connection '%s' has missed a run while no scheduler was there", due->name);
        return set_next_run(state, tx, due, now, error);
    }
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = due->connection_id,
                            .workspace_id = due->workspace_id,
                            .is_scheduled = TRUE,
                            .scheduled_for = &due->next_run_at};
    sl_connection_set_last_run_at(due, now);
    state->n_created++;
    return sl_queue_job_create(tx, &request, now, &job, error) &&
           set_next_run(state, tx, due, now, error);
}

static gboolean
start_retries(SchedulerState *state, SlTx *tx, gint64 now, gboolean *ret_more, GError **error)
{
    g_autoptr(SlJob) job = NULL;
    if (!sl_queue_retry_start(tx, now, &job, error))
        return FALSE;
    *ret_more = job != NULL;
    state->n_retried += job != NULL;
    return TRUE;
}

static const Duty duties[] = {recompute_changed, create_due, start_retries};

static gboolean
run_duty(SchedulerState *state, Duty duty, gint64 now, GCancellable *cancellable, GError **error)
{
    gboolean more = TRUE;
    while (more && !g_cancellable_is_cancelled(cancellable)) {
        g_autoptr(SlTx) tx = begin_as_leader(state, error);
        more = FALSE;
        if (tx == NULL || !duty(state, tx, now, &more, error) || !sl_tx_commit(tx, error))
            return FALSE;
    }
    return TRUE;
}

/* What is due when, after the duties are done: their own work may have planned something. */
static gboolean
look_ahead(SchedulerState *state, char **ret_due, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(state->db, TRUE, error);
    g_clear_pointer(ret_due, g_free);
    return tx != NULL && sl_sql_connection_look_ahead(tx, ret_due, error);
}

static gboolean
parse_due(const char *text, gint64 *ret, GError **error)
{
    *ret = G_MAXINT64;
    return text == NULL || sl_time_parse(text, ret, error);
}

/* Whoever delivers is started by the file (sluice-cron-notifications.path). What is due has been
 * told by it, so that only later rows wake us again. */
static gboolean
look_at_outbox(SchedulerState *state, gint64 now, gint64 *ret_next, GError **error)
{
    g_autoptr(SlTx) tx = sl_db_begin(state->db, TRUE, error);
    g_autoptr(SlOutboxRow) row = NULL;
    if (tx == NULL || !sl_sql_notification_look_ahead(tx, now, &row, error))
        return FALSE;
    if (row != NULL && sl_record_has(&sl_outbox_row_record, row, SL_OUTBOX_ROW_NEXT))
        *ret_next = MIN(*ret_next, row->next);
    if (row == NULL || !row->waiting || state->wake_file == NULL)
        return TRUE;
    /* Its timer comes to the same result a little later. */
    g_autoptr(GError) reason = NULL;
    if (!g_file_set_contents_full(state->wake_file, "", 0, G_FILE_SET_CONTENTS_NONE, 0644, &reason))
        g_debug("%s, ignoring", reason->message);
    return TRUE;
}

gboolean
scheduler_turn(SchedulerState *state, gint64 now, GCancellable *cancellable, gint64 *ret_next,
               GError **error)
{
    gint64 renewal = now + state->config->scheduler_lease_usec / 3, due = 0;
    g_autofree char *text = NULL;
    *ret_next = renewal;
    if (!renew_or_elect(state, &text, error) || !parse_due(text, &due, error))
        return FALSE;
    if (state->term == 0)
        return TRUE;
    if (due <= now) {
        for (gsize i = 0; i < G_N_ELEMENTS(duties); i++)
            if (!run_duty(state, duties[i], now, cancellable, error))
                return FALSE;
        if (!look_ahead(state, &text, error) || !parse_due(text, &due, error))
            return FALSE;
    }
    *ret_next = MIN(renewal, due);
    return look_at_outbox(state, now, ret_next, error);
}
