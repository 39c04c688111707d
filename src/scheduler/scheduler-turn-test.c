/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#define G_LOG_DOMAIN "sluice"
#include "scheduler-turn.h"

#include <glib/gstdio.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-queue.h"
#include "sl-sql.h"

#define SEC ((gint64)G_USEC_PER_SEC)

typedef struct {
    SlDb *db;
    SlConfig *config;
    SchedulerState one, two;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = queue_fixture_new();
    f->config = sl_config_new();
    scheduler_state_init(&f->one, f->db, f->config);
    scheduler_state_init(&f->two, f->db, f->config);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    scheduler_state_clear(&f->one);
    scheduler_state_clear(&f->two);
    sl_config_free(f->config);
    sl_db_unref(f->db);
}

static gint64
turn(SchedulerState *state, gint64 now)
{
    g_autoptr(GError) error = NULL;
    gint64 next = 0;
    scheduler_turn(state, now, NULL, &next, &error);
    g_assert_no_error(error);
    return next;
}

static gint64
jobs(Fixture *f)
{
    return queue_fixture_count(f->db, "select count(*) from job");
}

#define END_JOBS                                                                                   \
    "update job set status = 'succeeded', finished_at = now();"                                    \
    "update connection set schedule_changed = true"

/* Never ran: at once. Then an interval after each run; while one runs, nothing. */
static void
test_basic(Fixture *f, gconstpointer data)
{
    queue_fixture_script(f->db,
                         "update connection set schedule_type = 'basic', basic_interval_sec = 60");
    turn(&f->one, FIXTURE_NOW);
    g_assert_cmpint(jobs(f), ==, 1);
    turn(&f->one, FIXTURE_NOW + 61 * SEC); /* the first is still there */
    g_assert_cmpint(jobs(f), ==, 1);
    queue_fixture_script(f->db, END_JOBS);
    turn(&f->one, FIXTURE_NOW + 62 * SEC);
    g_assert_cmpint(jobs(f), ==, 2);
    queue_fixture_script(f->db, END_JOBS);
    turn(&f->one, FIXTURE_NOW + 63 * SEC);
    g_assert_cmpint(jobs(f), ==, 2);
    /* three intervals of downtime: one run */
    turn(&f->one, FIXTURE_NOW + 300 * SEC);
    g_assert_cmpint(jobs(f), ==, 3);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from job where is_scheduled"), ==,
                    3);
}

static void
test_cron(Fixture *f, gconstpointer data)
{
    f->config->scheduler_lease_usec = 600 * SEC;
    queue_fixture_script(f->db, "update connection set schedule_type = 'cron', "
                                "cron_expression = '30 * * * * ?', cron_timezone = 'UTC'");
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW), ==, FIXTURE_NOW + 30 * SEC);
    g_assert_cmpint(jobs(f), ==, 0);
    turn(&f->one, FIXTURE_NOW + 30 * SEC);
    g_assert_cmpint(jobs(f), ==, 1);
    /* a bad one is told and stops nobody */
    queue_fixture_script(f->db, "update connection set cron_expression = 'daily', "
                                "schedule_changed = true");
    turn(&f->one, FIXTURE_NOW + 31 * SEC);
}

/* Hours without a scheduler: CatchUp=no waits for the next time, and starts nothing now. */
static void
test_no_catch_up(Fixture *f, gconstpointer data)
{
    f->config->scheduler_catch_up = 0;
    f->config->scheduler_lease_usec = 86400 * SEC;
    queue_fixture_script(f->db, "update connection set schedule_type = 'cron', "
                                "cron_expression = '0 0 * * * ?', cron_timezone = 'UTC'");
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW), ==, FIXTURE_NOW + 3600 * SEC);
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW + 5 * 3600 * SEC + 1800 * SEC), ==,
                    FIXTURE_NOW + 6 * 3600 * SEC);
    g_assert_cmpint(jobs(f), ==, 0);
    turn(&f->one, FIXTURE_NOW + 6 * 3600 * SEC);
    g_assert_cmpint(jobs(f), ==, 1);
}

/* A connection's own word goes before the host's, either way. */
static void
test_own_catch_up(Fixture *f, gconstpointer data)
{
    static const struct {
        gint64 host;
        const char *policy;
        gint64 jobs;
    } cases[] = {{1, "{}", 1}, {1, "{\"CatchUp\":\"no\"}", 0}, {0, "{\"CatchUp\":\"yes\"}", 1}};
    f->config->scheduler_lease_usec = 86400 * SEC;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script = g_strdup_printf(
            "delete from task; delete from job; update connection set policy = '%s', schedule_type "
            "= 'cron', cron_expression = '0 0 * * * ?', cron_timezone = 'UTC', last_run_at = null, "
            "schedule_changed = true",
            cases[i].policy);
        f->config->scheduler_catch_up = cases[i].host;
        queue_fixture_script(f->db, script);
        turn(&f->one, FIXTURE_NOW);
        turn(&f->one, FIXTURE_NOW + 5 * 3600 * SEC + 1800 * SEC);
        g_test_message("case %d", (int)i);
        g_assert_cmpint(jobs(f), ==, cases[i].jobs);
    }
}

/* The next run is counted from the last one, whatever that was and whoever wanted it; when
 * retention has taken its row away too. */
static void
test_last_run(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *type, *status;
    } cases[] = {{"sync", "succeeded"},
                 {"sync", "failed"},
                 {"sync", "cancelled"},
                 {"clear", "succeeded"},
                 {"refresh", "cancelled"}};
    f->config->scheduler_lease_usec = 86400 * SEC;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 now = FIXTURE_NOW + (gint64)i * 7200 * SEC;
        g_autofree char *end = g_strdup_printf(
            "delete from task; update job set status = '%s', finished_at = now() where finished_at "
            "is null; update connection set schedule_changed = true",
            cases[i].status);
        queue_fixture_script(f->db, "update connection set schedule_type = 'manual', "
                                    "basic_interval_sec = 3600, schedule_changed = true");
        turn(&f->one, now);
        const SlJobRequest request = {
            .config_type = (SlConfigType)sl_enum_value(&sl_config_type_enum, cases[i].type),
            .scope = FIXTURE_CONNECTION,
            .workspace_id = FIXTURE_WORKSPACE};
        {
            g_autoptr(GError) error = NULL;
            g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, &error);
            g_autoptr(SlJob) job = NULL;
            sl_queue_job_create(tx, &request, now, &job, &error);
            g_assert_no_error(error);
            g_assert_true(sl_tx_commit(tx, NULL));
        }
        queue_fixture_script(f->db, end);
        queue_fixture_script(f->db, "update connection set schedule_type = 'basic'");
        g_test_message("%s, %s", cases[i].type, cases[i].status);
        gint64 before = jobs(f);
        g_assert_cmpint(turn(&f->one, now + SEC), ==, now + 3600 * SEC);
        queue_fixture_script(f->db, "delete from job; update connection set schedule_changed = "
                                    "true");
        g_assert_cmpint(turn(&f->one, now + 2 * SEC), ==, now + 3600 * SEC);
        g_assert_cmpint(before, >, 0);
        g_assert_cmpint(jobs(f), ==, 0); /* nothing has begun at once */
    }
}

static void
test_manual_and_edit(Fixture *f, gconstpointer data)
{
    turn(&f->one, FIXTURE_NOW);
    g_assert_cmpint(jobs(f), ==, 0);
    queue_fixture_script(f->db, "update connection set schedule_type = 'basic', "
                                "basic_interval_sec = 60, schedule_changed = true");
    turn(&f->one, FIXTURE_NOW + 1);
    g_assert_cmpint(jobs(f), ==, 1);
}

/* The second waits; when the first's lease has run out it takes over, and the first writes nothing.
 */
static void
test_split_brain(Fixture *f, gconstpointer data)
{
    turn(&f->one, FIXTURE_NOW);
    turn(&f->two, FIXTURE_NOW);
    g_assert_cmpint(f->one.term, >, 0);
    g_assert_cmpint(f->two.term, ==, 0);
    queue_fixture_script(f->db, "update leader set expires_at = now() - interval '1 second'");
    turn(&f->two, FIXTURE_NOW);
    g_assert_cmpint(f->two.term, >, f->one.term);
    queue_fixture_script(f->db,
                         "update connection set schedule_type = 'basic', basic_interval_sec = 60,"
                         "schedule_changed = true");
    turn(&f->one, FIXTURE_NOW); /* finds out, and stands back */
    g_assert_cmpint(f->one.term, ==, 0);
    g_assert_cmpint(jobs(f), ==, 0);
    turn(&f->two, FIXTURE_NOW);
    g_assert_cmpint(jobs(f), ==, 1);
}

static void
test_resign(Fixture *f, gconstpointer data)
{
    turn(&f->one, FIXTURE_NOW);
    scheduler_state_clear(&f->one);
    turn(&f->two, FIXTURE_NOW);
    g_assert_cmpint(f->two.term, >, 0);
}

static void
test_retry(Fixture *f, gconstpointer data)
{
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    queue_fixture_script(f->db,
                         "update attempt set status = 'failed', ended_at = now();"
                         "delete from task;"
                         "update job set status = 'incomplete', retry_at = '2026-08-01T12:00:10Z'");
    f->config->scheduler_lease_usec = 600 * SEC;
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW), ==, FIXTURE_NOW + 10 * SEC);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from attempt"), ==, 1);
    turn(&f->one, FIXTURE_NOW + 10 * SEC);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from attempt"), ==, 2);
    g_assert_cmpint(queue_fixture_count(f->db, "select count(*) from task"), ==, 1);
}

#define NOTICE                                                                                     \
    "insert into notification (notification_id, workspace_id, trigger, channel, target, facts,"    \
    " due_at, created_at) values (gen_random_uuid(), '" FIXTURE_WORKSPACE                          \
    "', 'success', 'webhook', 'x', '{}', '2026-08-01T12:00:00Z', now())"

/* Something to deliver makes the file that starts whoever delivers, again and again while nobody
 * has it, and only the leader does; what is due later wakes us in time. */
static void
test_outbox(Fixture *f, gconstpointer data)
{
    g_autofree char *folder = g_dir_make_tmp("sl-outbox-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "due", NULL);
    f->one.wake_file = f->two.wake_file = file;
    queue_fixture_script(f->db, "update connection set status = 'inactive'");
    turn(&f->one, FIXTURE_NOW);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    queue_fixture_script(f->db, NOTICE);
    turn(&f->two, FIXTURE_NOW);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW - 1), ==, FIXTURE_NOW);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(turn(&f->one, FIXTURE_NOW), >, FIXTURE_NOW);
        g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
        g_unlink(file);
    }
    /* somebody has it; when he is dead, it is due again */
    queue_fixture_script(f->db, "update notification set claimed_until = '2026-08-01T12:00:01Z'");
    g_assert_cmpint(turn(&f->one, FIXTURE_NOW), ==, FIXTURE_NOW + SEC);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    /* a folder that is not there is no error */
    f->one.wake_file = "/nonexistent/due";
    turn(&f->one, FIXTURE_NOW + SEC);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add("/scheduler/turn/" name, Fixture, NULL, setup, func, teardown)
    ADD("basic", test_basic);
    ADD("outbox", test_outbox);
    ADD("cron", test_cron);
    ADD("no-catch-up", test_no_catch_up);
    ADD("own-catch-up", test_own_catch_up);
    ADD("last-run", test_last_run);
    ADD("manual-and-edit", test_manual_and_edit);
    ADD("split-brain", test_split_brain);
    ADD("resign", test_resign);
    ADD("retry", test_retry);
    return g_test_run();
}
