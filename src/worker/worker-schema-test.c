/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-schema.h"

#include <string.h>

#include "sl-error.h"
#include "sl-queue-fixture.h"
#include "sl-queue-schema.h"
#include "sl-queue-workload.h"
#include "sl-queue.h"
#include "sl-sql.h"
#include "worker-step.h"

#define SEC ((gint64)G_USEC_PER_SEC)
#define HOUR (3600 * SEC)
#define OLD (FIXTURE_NOW - 48 * HOUR)

#define FIELDS(more)                                                                               \
    "\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{},\"at\":{}" more "}}"
#define A(more) "{\"name\":\"a\"," FIELDS(more) "}"
#define ENTRY(more)                                                                                \
    "{\"stream\":" A(                                                                              \
        "") ",\"sync_mode\":\"incremental\",\"destination_sync_mode\":"                            \
            "\"append_dedup\",\"cursor_field\":[\"at\"],\"primary_key\":[[\"id\"]]" more "}"
#define PLAIN(name)                                                                                \
    "{\"stream\":{\"name\":\"" name "\",\"json_schema\":{}},\"sync_mode\":\"full_refresh\","       \
    "\"destination_sync_mode\":\"overwrite\"}"
#define STREAMS(list) "{\"streams\":[" list "]}"
#define B "{\"name\":\"b\",\"json_schema\":{}}"
#define C "{\"name\":\"c\",\"json_schema\":{}}"

typedef struct {
    SlDb *db;
    SlConfig *config;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->db = queue_fixture_new();
    f->config = sl_config_new();
    queue_fixture_script(f->db,
                         "update actor set updated_at = '2026-01-01'; update actor_definition set "
                         "spec = '{\"supported_destination_sync_modes\":"
                         "[\"overwrite\",\"append\",\"append_dedup\"]}'");
}

static void
teardown(Fixture *f, gconstpointer data)
{
    sl_config_free(f->config);
    sl_db_unref(f->db);
}

/* As a discover job would, with the fixture's configuration. */
static char *
keep(Fixture *f, const char *catalog, gint64 now)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
    g_autoptr(SlActor) actor = NULL;
    g_autoptr(SlDefinition) definition = NULL;
    char *id = NULL;
    g_assert_true(sl_sql_actor_get(tx, FIXTURE_SOURCE, &actor, NULL));
    g_assert_true(sl_sql_definition_get(tx, actor->definition_id, &definition, NULL));
    g_autofree char *key = sl_queue_catalog_key(definition, actor);
    sl_queue_catalog_keep(tx, FIXTURE_SOURCE, key, catalog, now, &id, &error);
    g_assert_no_error(error);
    g_assert_true(sl_tx_commit(tx, NULL));
    return id;
}

/* A connection made from `known`, with the preferences. */
static void
configure(Fixture *f, const char *catalog, const char *known_id, const char *preference,
          const char *backfill)
{
    g_autofree char *script = g_strdup_printf(
        "delete from connection_event; delete from stream_request; delete from stream_generation; "
        "delete from state;"
        "update job set status = 'cancelled', finished_at = now(), retry_at = null where "
        "finished_at "
        "is null; delete from task;"
        "update connection set status = 'active', breaking_change = false, catalog = '%s', "
        "source_catalog_id = %s%s%s, non_breaking_changes = '%s', backfill = '%s'",
        catalog, known_id != NULL ? "'" : "", known_id != NULL ? known_id : "null",
        known_id != NULL ? "'" : "", preference, backfill);
    queue_fixture_script(f->db, script);
}

static gboolean
work(Fixture *f, gint64 now)
{
    g_autoptr(GError) error = NULL;
    gboolean worked = FALSE;
    worker_step_run(f->db, f->config, now, &worked, &error);
    g_assert_no_error(error);
    return worked;
}

static SlConnection *
load(Fixture *f)
{
    g_autoptr(SlTx) tx = sl_db_begin(f->db, TRUE, NULL);
    SlConnection *connection = NULL;
    g_assert_true(sl_sql_connection_get(tx, FIXTURE_CONNECTION, &connection, NULL));
    return connection;
}

static gint64
count(Fixture *f, const char *from)
{
    g_autofree char *query = g_strdup_printf("select count(*) from %s", from);
    return queue_fixture_count(f->db, query);
}

/* --- the four policies -------------------------------------------------------------------------
 */

typedef enum { KEPT, CHANGED, PAUSED } Effect;

/* Kinds of change against the preferences: what becomes of the connection. */
static void
test_policies(Fixture *f, gconstpointer data)
{
    static const char *const preferences[] = {"ignore", "disable", "propagate_columns",
                                              "propagate_fully"};
    static const struct {
        const char *what, *fresh;
        Effect effects[4];
        gboolean advances[4]; /* is it seen to? */
        const char *has[4];   /* in the catalog afterwards; a leading ! : not */
    } cases[] = {
        {"a field more",
         STREAMS(A(",\"new\":{}") "," B),
         {KEPT, PAUSED, CHANGED, CHANGED},
         {FALSE, FALSE, TRUE, TRUE},
         {"!\"new\"", "!\"new\"", "\"new\"", "\"new\""}},
        {"what does not count",
         STREAMS("{\"name\":\"a\",\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{},"
                 "\"at\":{}}},\"x\":1}," B),
         {KEPT, KEPT, KEPT, KEPT}, /* the streams are the same but for what does not count */
         {TRUE, TRUE, TRUE, TRUE},
         {"\"at\"", "\"at\"", "\"at\"", "\"at\""}},
        {"another type",
         STREAMS("{\"name\":\"a\",\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{},"
                 "\"at\":{\"type\":\"string\"}}}}," B),
         {KEPT, PAUSED, CHANGED, CHANGED},
         {FALSE, FALSE, TRUE, TRUE},
         {"!string", "!string", "string", "string"}},
        {"a stream more",
         STREAMS(A("") "," B "," C),
         {KEPT, KEPT, KEPT, CHANGED}, /* a stream that nobody has is no reason to pause */
         {FALSE, FALSE, TRUE, TRUE},
         {"!\"c\"", "!\"c\"", "!\"c\"", "\"c\""}},
        {"a stream less",
         STREAMS(A("")),
         {KEPT, PAUSED, KEPT, CHANGED},
         {FALSE, FALSE, FALSE, TRUE}, /* gone and still configured: it stays in sight */
         {"\"b\"", "\"b\"", "\"b\"", "!\"b\""}},
        {"the cursor is gone",
         STREAMS("{\"name\":\"a\",\"json_schema\":{\"type\":\"object\",\"properties\":{\"id\":{}}}}"
                 "," B),
         {PAUSED, PAUSED, PAUSED, PAUSED},
         {FALSE, FALSE, FALSE, FALSE},
         {"\"at\"", "\"at\"", "\"at\"", "\"at\""}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint p = 0; p < G_N_ELEMENTS(preferences); p++) {
            g_test_message("%s, %s", cases[i].what, preferences[p]);
            queue_fixture_script(f->db, "update connection set source_catalog_id = null; delete "
                                        "from catalog");
            g_autofree char *known = keep(f, STREAMS(A("") "," B), FIXTURE_NOW - 2);
            g_autofree char *fresh = keep(f, cases[i].fresh, FIXTURE_NOW - 1);
            configure(f, STREAMS(ENTRY("") "," PLAIN("b")), known, preferences[p], "disabled");
            g_autoptr(SlConnection) before = load(f);
            g_assert_true(before->has_news);
            g_autoptr(SlJob) job = queue_fixture_job(f->db);
            g_assert_true(work(f, FIXTURE_NOW));
            g_autoptr(SlConnection) after = load(f);
            gboolean paused = after->status == SL_CONNECTION_STATUS_INACTIVE;
            gboolean changed = strcmp(before->catalog, after->catalog) != 0;
            g_assert_cmpint(paused ? PAUSED : changed ? CHANGED : KEPT, ==, cases[i].effects[p]);
            g_assert_cmpint(strcmp(after->source_catalog_id, fresh) == 0, ==, cases[i].advances[p]);
            g_assert_cmpint(after->has_news, ==, !cases[i].advances[p]);
            g_assert_cmpint(after->breaking_change, ==, i == G_N_ELEMENTS(cases) - 1);
            const char *has = cases[i].has[p];
            g_assert_cmpint(strstr(after->catalog, has[0] == '!' ? has + 1 : has) != NULL, ==,
                            has[0] != '!');
            /* a paused connection's job ends and says why; any other has begun */
            g_autofree char *query = g_strdup_printf(
                "job where job_id = %d and status = '%s' and (failure::text like "
                "'%%refresh_schema%%') is %s",
                (int)job->job_id, paused ? "cancelled" : "running", paused ? "true" : "not true");
            g_assert_cmpint(count(f, query), ==, 1);
            g_assert_cmpint(count(f, "task"), ==, 0);
            /* what has happened is told, in the same transaction */
            g_assert_cmpint(count(f, "connection_event where event_type = 'SCHEMA_UPDATE' and "
                                     "summary ? 'catalogDiff'"),
                            ==, changed);
            g_assert_cmpint(count(f, "connection_event where event_type = 'CONNECTION_DISABLED'"),
                            ==, paused);
            queue_fixture_script(f->db, "update workload set status = 'cancelled', finished_at = "
                                        "now() where finished_at is null");
        }
    }
}

/* New fields with field selection: only those that nobody could choose before are chosen. */
static void
test_selection(Fixture *f, gconstpointer data)
{
    g_autofree char *known = keep(f, STREAMS(A("")), FIXTURE_NOW - 2);
    g_autofree char *fresh = keep(f, STREAMS(A(",\"new\":{}")), FIXTURE_NOW - 1);
    configure(f, STREAMS(ENTRY(",\"selectedFields\":[{\"fieldPath\":[\"id\"]}]")), known,
              "propagate_columns", "disabled");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW));
    g_autoptr(SlConnection) after = load(f);
    g_assert_nonnull(strstr(after->catalog, "\"selectedFields\":[{\"fieldPath\":[\"id\"]},"
                                            "{\"fieldPath\":[\"new\"]}]"));
    g_assert_cmpstr(after->source_catalog_id, ==, fresh);
}

/* What a sync would refuse is not propagated: two streams would meet under one name. */
static void
test_unusable(Fixture *f, gconstpointer data)
{
    g_autofree char *known = keep(f, STREAMS(A("")), FIXTURE_NOW - 2);
    g_autofree char *fresh =
        keep(f, STREAMS(A("") ",{\"name\":\"a\",\"namespace\":\"m\",\"json_schema\":{}}"),
             FIXTURE_NOW - 1);
    configure(f, STREAMS(ENTRY("")), known, "propagate_fully", "disabled");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW));
    g_autoptr(SlConnection) after = load(f);
    g_assert_true(after->has_news);
    g_assert_cmpstr(after->told_catalog_id, ==, fresh); /* somebody has to look */
    g_assert_null(strstr(after->catalog, "\"m\""));
    g_assert_cmpint(count(f, "workload"), ==, 1);
}

/* --- backfill ----------------------------------------------------------------------------------
 */

static void
test_backfill(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *backfill, *state_type, *preference;
        gboolean again; /* the stream starts over */
    } cases[] = {
        {"enabled", "STREAM", "propagate_columns", TRUE},
        {"enabled", "STREAM", "propagate_fully", TRUE},
        {"disabled", "STREAM", "propagate_columns", FALSE},
        {"enabled", "GLOBAL", "propagate_columns", FALSE},
        {"enabled", "STREAM", "ignore", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        queue_fixture_script(f->db, "update connection set source_catalog_id = null; delete "
                                    "from catalog");
        g_autofree char *known = keep(f, STREAMS(A("")), FIXTURE_NOW - 2);
        g_autofree char *fresh = keep(f, STREAMS(A(",\"new\":{}")), FIXTURE_NOW - 1);
        configure(f, STREAMS(ENTRY("")), known, cases[i].preference, cases[i].backfill);
        g_autofree char *state = g_strdup_printf(
            "insert into state (connection_id, stream, type, state, updated_at) values "
            "('" FIXTURE_CONNECTION "', 'a', '%s', '1', now())",
            cases[i].state_type);
        queue_fixture_script(f->db, state);
        g_autoptr(SlJob) job = queue_fixture_job(f->db);
        g_assert_true(work(f, FIXTURE_NOW));
        /* one transaction: catalog, request, generation, state and workload agree */
        g_assert_cmpint(count(f, "state"), ==, cases[i].again ? 0 : 1);
        g_assert_cmpint(count(f, "stream_generation where stream = 'a' and generation_id = 1"), ==,
                        cases[i].again);
        g_autofree char *taken =
            g_strdup_printf("stream_request where job_id = %d and kind = 'merge' and stream = 'a'",
                            (int)job->job_id);
        g_assert_cmpint(count(f, taken), ==, cases[i].again);
        g_assert_cmpint(count(f, "stream_request where job_id is null"), ==, 0);
        g_assert_cmpint(count(f, "workload w join job j using (job_id) where j.finished_at is null "
                                 "and w.input like '%\"minimum_generation_id\":0%'"),
                        ==, 1);
        queue_fixture_script(f->db, "update workload set status = 'cancelled', finished_at = "
                                    "now() where finished_at is null");
        /* and once: the next sync goes on */
        configure(f, STREAMS(ENTRY("")), fresh, cases[i].preference, cases[i].backfill);
        g_autoptr(SlJob) next = queue_fixture_job(f->db);
        g_assert_true(work(f, FIXTURE_NOW));
        g_assert_cmpint(count(f, "stream_request"), ==, 0);
        queue_fixture_script(f->db, "update workload set status = 'cancelled', finished_at = "
                                    "now() where finished_at is null");
    }
}

/* --- discovering before ------------------------------------------------------------------------
 */

static void
discover_ends(Fixture *f, gboolean well, const char *catalog, gint64 now)
{
    g_autoptr(GError) error = NULL;
    {
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_autofree char *token = NULL, *id = NULL;
        gint64 job_id = queue_fixture_count(
            f->db, "select max(job_id) from job where config_type = 'discover_schema'");
        id = g_strdup_printf("%d_0_discover", (int)job_id);
        g_autofree char *output = g_strdup_printf("{\"catalog\":%s}", catalog);
        SlWorkloadReport report = {.workload_id = id,
                                   .status = well ? SL_WORKLOAD_STATUS_SUCCESS
                                                  : SL_WORKLOAD_STATUS_FAILURE,
                                   .output = well ? output : NULL};
        sl_queue_workload_claim(tx, id, "plane", SEC, now, &token, &error);
        g_assert_no_error(error);
        report.token = token;
        sl_queue_workload_finish(tx, &report, now, &error);
        g_assert_no_error(error);
        g_assert_true(sl_tx_commit(tx, NULL));
    }
}

/* The sync waits for the discover job and goes on with what that found. */
static void
test_old(Fixture *f, gconstpointer data)
{
    g_autofree char *known = keep(f, STREAMS(A("")), OLD);
    configure(f, STREAMS(ENTRY("")), known, "propagate_columns", "disabled");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW)); /* the sync: asks */
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, 1);
    g_assert_cmpint(count(f, "workload"), ==, 0);
    g_assert_true(work(f, FIXTURE_NOW)); /* the discover job */
    g_assert_false(work(f, FIXTURE_NOW));
    /* looked at again while it runs: nothing new */
    g_assert_true(work(f, FIXTURE_NOW + 20 * SEC));
    g_assert_false(work(f, FIXTURE_NOW + 20 * SEC));
    g_assert_cmpint(count(f, "workload where type = 'sync'"), ==, 0);
    discover_ends(f, TRUE, STREAMS(A(",\"new\":{}")), FIXTURE_NOW + 21 * SEC);
    g_assert_true(work(f, FIXTURE_NOW + 21 * SEC)); /* its end wakes the sync */
    g_assert_true(work(f, FIXTURE_NOW + 21 * SEC));
    g_assert_cmpint(count(f, "workload where type = 'sync' and input like '%\"new\"%'"), ==, 1);
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, 1);
    g_assert_cmpint(count(f, "catalog"), ==, 2);
    g_autoptr(SlConnection) after = load(f);
    g_assert_false(after->has_news);
}

/* Nothing that goes wrong with it fails the sync. */
static void
test_failing(Fixture *f, gconstpointer data)
{
    g_autofree char *known = keep(f, STREAMS(A("")), OLD);
    configure(f, STREAMS(ENTRY("")), known, "propagate_fully", "disabled");
    g_autoptr(SlJob) job = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW));
    g_assert_true(work(f, FIXTURE_NOW));
    discover_ends(f, FALSE, NULL, FIXTURE_NOW);
    g_assert_true(work(f, FIXTURE_NOW));
    g_assert_true(work(f, FIXTURE_NOW));
    g_assert_cmpint(count(f, "workload where type = 'sync'"), ==, 1);
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema' and status = 'failed'"), ==,
                    1);
    queue_fixture_script(f->db,
                         "update workload set status = 'cancelled', finished_at = now() where "
                         "finished_at is null");
    /* not before the next one, but some time later */
    configure(f, STREAMS(ENTRY("")), known, "propagate_fully", "disabled");
    g_autoptr(SlJob) second = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW));
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, 1);
    queue_fixture_script(f->db,
                         "update workload set status = 'cancelled', finished_at = now() where "
                         "finished_at is null");
    configure(f, STREAMS(ENTRY("")), known, "propagate_fully", "disabled");
    g_autoptr(SlJob) third = queue_fixture_job(f->db);
    g_assert_true(work(f, FIXTURE_NOW + HOUR));
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, 2);
    /* that one never ends: the sync goes on without it */
    g_assert_true(work(f, FIXTURE_NOW + HOUR));
    g_assert_true(work(f, FIXTURE_NOW + HOUR + f->config->connector_job_time_usec + 61 * SEC));
    g_assert_cmpint(count(f, "workload where type = 'sync' and finished_at is null"), ==, 1);
}

static void
test_when(Fixture *f, gconstpointer data)
{
    static const struct {
        const char *what, *script;
        gint64 age; /* setting */
        gint64 discovered;
        gboolean asks;
    } cases[] = {
        {"fresh", "select 1", 24 * HOUR, FIXTURE_NOW - 23 * HOUR, FALSE},
        {"old", "select 1", 24 * HOUR, FIXTURE_NOW - 25 * HOUR, TRUE},
        {"never", "select 1", 0, FIXTURE_NOW - 9000 * HOUR, FALSE},
        /* made with something else: old however fresh */
        {"configuration",
         "update actor set configuration = '{\"x\":1}' where actor_type = 'source'", 24 * HOUR,
         FIXTURE_NOW - HOUR, TRUE},
        {"version", "update actor_definition set docker_image_tag = '2'", 24 * HOUR,
         FIXTURE_NOW - HOUR, TRUE},
        {"nothing is known at all",
         "update connection set source_catalog_id = null; delete from catalog", 24 * HOUR, OLD,
         FALSE},
        {"a clear asks nobody",
         "insert into stream_request (connection_id, stream, kind, at_once, created_at) values "
         "('" FIXTURE_CONNECTION "', 'a', 'clear', false, now())",
         24 * HOUR, OLD, FALSE},
        {"a refresh does",
         "insert into stream_request (connection_id, stream, kind, at_once, created_at) values "
         "('" FIXTURE_CONNECTION "', 'a', 'truncate', false, now())",
         24 * HOUR, OLD, TRUE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].what);
        queue_fixture_script(
            f->db,
            "update connection set source_catalog_id = null; delete from catalog;"
            "update actor set configuration = '{}'; update actor_definition set "
            "docker_image_tag = '1'; update workload set status = 'cancelled', finished_at = "
            "now() where finished_at is null");
        g_autofree char *known = keep(f, STREAMS(A("")), cases[i].discovered);
        configure(f, STREAMS(ENTRY("")), known, "ignore", "disabled");
        queue_fixture_script(f->db, "delete from job");
        queue_fixture_script(f->db, cases[i].script);
        f->config->schema_age_usec = cases[i].age;
        g_autoptr(SlJob) job = queue_fixture_job(f->db);
        g_assert_true(work(f, FIXTURE_NOW));
        g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, cases[i].asks);
        g_assert_cmpint(count(f, "workload where type = 'sync' and finished_at is null"), ==,
                        !cases[i].asks);
    }
}

/* Two syncs of one source wait for one discover job, and both go on; a connection that nobody runs
 * is paused by it as well. */
static void
test_shared(Fixture *f, gconstpointer data)
{
    static const char second[] = "00000000-0000-4000-8000-000000000009";
    g_autofree char *known = keep(f, STREAMS(A("")), OLD);
    configure(f, STREAMS(ENTRY("")), known, "ignore", "disabled");
    g_autofree char *script = g_strdup_printf(
        "insert into connection (connection_id, workspace_id, name, source_id, destination_id, "
        "catalog, source_catalog_id, non_breaking_changes, created_at, updated_at) select c, "
        "workspace_id, 'd', source_id, destination_id, catalog, source_catalog_id, n, now(), now() "
        "from connection, (values ('%s'::uuid, 'propagate_columns'), (gen_random_uuid(), "
        "'disable')) v(c, n)",
        second);
    queue_fixture_script(f->db, script);
    g_autoptr(SlJob) job = queue_fixture_job(f->db), other = NULL;
    {
        const SlJobRequest request = {
            .config_type = SL_CONFIG_TYPE_SYNC, .scope = second, .workspace_id = FIXTURE_WORKSPACE};
        g_autoptr(SlTx) tx = sl_db_begin(f->db, FALSE, NULL);
        g_assert_true(sl_queue_job_create(tx, &request, FIXTURE_NOW, &other, NULL));
        g_assert_true(sl_tx_commit(tx, NULL));
    }
    for (int i = 0; i < 3; i++)
        g_assert_true(work(f, FIXTURE_NOW));
    g_assert_false(work(f, FIXTURE_NOW));
    g_assert_cmpint(count(f, "job where config_type = 'discover_schema'"), ==, 1);
    discover_ends(f, TRUE, STREAMS(A(",\"new\":{}")), FIXTURE_NOW);
    for (int i = 0; i < 3; i++)
        g_assert_true(work(f, FIXTURE_NOW));
    g_assert_cmpint(count(f, "workload where type = 'sync' and (input like '%\"new\"%') = "
                             "(connection_id = '00000000-0000-4000-8000-000000000009')"),
                    ==, 2);
    g_assert_cmpint(count(f, "connection where status = 'inactive' and status_reason = "
                             "'" SL_REASON_SCHEMA_ANY "' and not breaking_change"),
                    ==, 1);
}

/* The same catalog again is the same row; another key, or another content, is another. */
static void
test_catalogs(Fixture *f, gconstpointer data)
{
    g_autofree char *one = keep(f, STREAMS(A("")), OLD);
    g_autofree char *same = keep(f, " {\"streams\" : [" A("") "]}", FIXTURE_NOW);
    g_autofree char *other = keep(f, STREAMS(A("") "," B), FIXTURE_NOW + 1);
    g_autofree char *back = keep(f, STREAMS(A("")), FIXTURE_NOW + 2);
    g_assert_cmpstr(one, ==, same);
    g_assert_cmpstr(one, !=, other);
    g_assert_cmpstr(one, !=, back);
    /* what means the same is no news, whichever row it is */
    configure(f, STREAMS(ENTRY("")), one, "ignore", "disabled");
    g_autoptr(SlConnection) connection = load(f);
    g_assert_false(connection->has_news);
    queue_fixture_script(f->db, "update actor_definition set docker_image_tag = '2'");
    g_autofree char *newer = keep(f, STREAMS(A("")), FIXTURE_NOW + 3);
    g_assert_cmpstr(newer, !=, back);
    g_autoptr(SlConnection) again = load(f);
    g_assert_false(again->has_news);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* milestones of what is paused are warnings */
#define ADD(name, func) g_test_add("/worker/schema/" name, Fixture, NULL, setup, func, teardown)
    ADD("policies", test_policies);
    ADD("selection", test_selection);
    ADD("unusable", test_unusable);
    ADD("backfill", test_backfill);
    ADD("old", test_old);
    ADD("failing", test_failing);
    ADD("when", test_when);
    ADD("shared", test_shared);
    ADD("catalogs", test_catalogs);
    return g_test_run();
}
