/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-queue-fixture.h"

#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "sl-test-db.h"

void
queue_fixture_script(SlDb *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    g_assert_no_error(error);
    sl_tx_run_script(tx, sql, &error);
    g_assert_no_error(error);
    sl_tx_commit(tx, &error);
    g_assert_no_error(error);
}

SlDb *
queue_fixture_new(void)
{
    g_autofree char *rows = NULL;
    SlDb *db = sl_test_db_new(NULL);
    g_assert_true(g_file_get_contents(SL_FIXTURE, &rows, NULL, NULL));
    queue_fixture_script(db, rows);
    return db;
}

SlJob *
queue_fixture_job(SlDb *db)
{
    SlJobRequest request = {.config_type = SL_CONFIG_TYPE_SYNC,
                            .scope = FIXTURE_CONNECTION,
                            .workspace_id = FIXTURE_WORKSPACE};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    SlJob *job = NULL;
    sl_queue_job_create(tx, &request, FIXTURE_NOW, &job, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, &error));
    return job;
}

char *
queue_fixture_claimed(SlDb *db, const SlJob *job, char **ret_token)
{
    SlWorkloadRequest request = {.type = SL_WORKLOAD_TYPE_SYNC,
                                 .data_plane_group = "auto",
                                 .job_id = job->job_id,
                                 .connection_id = FIXTURE_CONNECTION,
                                 .workspace_id = FIXTURE_WORKSPACE,
                                 .input = "{}",
                                 .launch = "{}",
                                 .log_path = "x"};
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(db, FALSE, &error);
    char *id = NULL;
    sl_queue_workload_create(tx, &request, FIXTURE_NOW, &id, &error);
    g_assert_no_error(error);
    if (ret_token != NULL) {
        sl_queue_workload_claim(tx, id, "plane", G_USEC_PER_SEC, FIXTURE_NOW, ret_token, &error);
        g_assert_no_error(error);
        g_assert_nonnull(*ret_token);
    }
    g_assert_true(sl_tx_commit(tx, &error));
    return id;
}

gint64
queue_fixture_count(SlDb *db, const char *sql)
{
    g_autofree char *wrapped = g_strdup_printf("select (%s)::text", sql);
    SlStatement statement = {"fixture_count", wrapped, 0, {0}};
    SlBind bind = {0};
    gint64 value = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(SlDb) fresh = sl_db_ref(db);
    /* A prepared statement is known by its address, and this one's text changes: use a new
     * connection. */
    sl_db_trim(fresh);
    g_autoptr(SlTx) tx = sl_db_begin(fresh, TRUE, &error);
    sl_tx_run_int(tx, &statement, &bind, &value, &error);
    g_assert_no_error(error);
    sl_tx_free(g_steal_pointer(&tx));
    sl_db_trim(fresh);
    return value;
}
