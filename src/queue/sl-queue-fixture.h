/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"
#include "sl-records.h"

/* A migrated database with one workspace, a source, a destination and a connection between them. */
#define FIXTURE_WORKSPACE "00000000-0000-4000-8000-000000000001"
#define FIXTURE_SOURCE "00000000-0000-4000-8000-000000000002"
#define FIXTURE_DESTINATION "00000000-0000-4000-8000-000000000003"
#define FIXTURE_CONNECTION "00000000-0000-4000-8000-000000000004"
#define FIXTURE_NOW (1785585600 * (gint64)G_USEC_PER_SEC) /* 2026-08-01T12:00:00Z */

SlDb *queue_fixture_new(void);

/* Runs a script; the test ends when it fails. */
void queue_fixture_script(SlDb *db, const char *sql);

/* Creates a sync job and commits; the test ends when it fails. */
SlJob *queue_fixture_job(SlDb *db);

/* Creates the workload of the job's first attempt, claims it and commits. *ret_token may be NULL.
 */
char *queue_fixture_claimed(SlDb *db, const SlJob *job, char **ret_token);

/* First column of a query's only row, as integer. */
gint64 queue_fixture_count(SlDb *db, const char *sql);
