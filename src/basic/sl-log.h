/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Logging is GLib's structured log: to the journal when stderr is the journal, else to stderr in
 * readable lines. Ids are never formatted into messages by hand: a scope adds them as fields
 * (SLUICE_JOB_ID=, …) to every message of this thread while it is open. */

#define SL_LOG_JOB_ID "SLUICE_JOB_ID"
#define SL_LOG_ATTEMPT "SLUICE_ATTEMPT"
#define SL_LOG_CONNECTION_ID "SLUICE_CONNECTION_ID"
#define SL_LOG_WORKLOAD_ID "SLUICE_WORKLOAD_ID"
#define SL_LOG_STREAM "SLUICE_STREAM"

/* Sets the writer and G_LOG_DOMAIN's identifier. Call once, first thing in main(). */
void sl_log_init(const char *identifier);

/* A scope holds one field; NULL value: no field. Scopes nest and are closed in reverse order:
 *   g_auto(SlLogScope) scope = sl_log_scope(SL_LOG_JOB_ID, job_id);  */
typedef struct SlLogField *SlLogScope;
SlLogScope sl_log_scope(const char *field, const char *value);
void sl_log_scope_end(SlLogScope scope);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(SlLogScope, sl_log_scope_end, NULL)

/* A milestone with a MESSAGE_ID= of the journal catalog (data/sluice.catalog): id is 32 hex digits.
 */
void sl_log_event(GLogLevelFlags level, const char *message_id, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Milestones. Each has an entry in data/sluice.catalog; a test compares the two. */
#define SL_EVENT_WORKLOAD_CLAIMED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e01"
#define SL_EVENT_WORKLOAD_STARTED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e02"
#define SL_EVENT_WORKLOAD_ENDED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e03"
#define SL_EVENT_WORKLOAD_LOST "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e04"
#define SL_EVENT_CONNECTOR_STARTED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e05"
#define SL_EVENT_CONNECTOR_ENDED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e06"
#define SL_EVENT_JOB_CREATED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e07"
#define SL_EVENT_JOB_SUCCEEDED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e08"
#define SL_EVENT_JOB_FAILED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e09"
#define SL_EVENT_JOB_CANCELLED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0a"
#define SL_EVENT_ATTEMPT_FAILED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0b"
#define SL_EVENT_LEADER_ELECTED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0c"
#define SL_EVENT_LEADER_LOST "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0d"
#define SL_EVENT_MIGRATED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0e"
#define SL_EVENT_DATABASE_LOST "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e0f"
#define SL_EVENT_DATABASE_BACK "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e10"
#define SL_EVENT_DUTY_DONE "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e11"
#define SL_EVENT_CONNECTION_DISABLED "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e12"
#define SL_EVENT_CONNECTION_FAILING "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e13"
#define SL_EVENT_SETUP_LINK "7c6b0e6c3f5e4f0b9a5d0b8f3a6c1e14"
