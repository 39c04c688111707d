/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-overview.h"
#include "config-test.h"

#include <string.h>

#define NONE (-1)
#define ID(n) "00000000-0000-0000-0000-00000000000" n
#define TAG "00000000-0000-0000-0000-0000000000aa"
#define LIST "web_backend/connections/list"
#define IN_WORKSPACE "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"%s}"

/* --- how it stands -------------------------------------------------------------------------------
 */

static void
test_standing(Fixture *fix, gconstpointer data)
{
    static const struct {
        ConfigStanding standing;
        const char *status;
        ConfigGroup group;
    } cases[] = {
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_RUNNING, FALSE},
         "running",
         CONFIG_GROUP_RUNNING},
        {{TRUE, SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_RUNNING, FALSE},
         "running",
         CONFIG_GROUP_RUNNING},
        /* between two attempts; why the first failed decides nothing yet */
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_INCOMPLETE, TRUE},
         "running",
         CONFIG_GROUP_RUNNING},
        {{FALSE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_RUNNING, FALSE},
         "running",
         CONFIG_GROUP_RUNNING},
        {{TRUE, SL_CONFIG_TYPE_REFRESH, SL_JOB_STATUS_PENDING, FALSE},
         "queued",
         CONFIG_GROUP_QUEUED},
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, TRUE}, "failed", CONFIG_GROUP_FAILED},
        {{FALSE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, TRUE}, "failed", CONFIG_GROUP_FAILED},
        {{TRUE, SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_FAILED, TRUE}, "failed", CONFIG_GROUP_FAILED},
        {{FALSE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, FALSE}, "paused", CONFIG_GROUP_PAUSED},
        {{FALSE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED, FALSE},
         "paused",
         CONFIG_GROUP_PAUSED},
        {{FALSE, NONE, SL_JOB_STATUS_PENDING, FALSE}, "paused", CONFIG_GROUP_PAUSED},
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_CANCELLED, FALSE},
         "incomplete",
         CONFIG_GROUP_FAILED},
        {{TRUE, SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_CANCELLED, FALSE},
         "incomplete",
         CONFIG_GROUP_FAILED},
        {{TRUE, NONE, SL_JOB_STATUS_PENDING, FALSE}, "pending", CONFIG_GROUP_NOT_SYNCED},
        {{TRUE, SL_CONFIG_TYPE_CLEAR, SL_JOB_STATUS_SUCCEEDED, FALSE},
         "pending",
         CONFIG_GROUP_NOT_SYNCED},
        {{TRUE, SL_CONFIG_TYPE_RESET_CONNECTION, SL_JOB_STATUS_FAILED, FALSE},
         "pending",
         CONFIG_GROUP_NOT_SYNCED},
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_FAILED, FALSE},
         "incomplete",
         CONFIG_GROUP_FAILED},
        {{TRUE, SL_CONFIG_TYPE_SYNC, SL_JOB_STATUS_SUCCEEDED, FALSE},
         "synced",
         CONFIG_GROUP_HEALTHY},
        {{TRUE, SL_CONFIG_TYPE_REFRESH, SL_JOB_STATUS_SUCCEEDED, TRUE},
         "synced",
         CONFIG_GROUP_HEALTHY},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        SlConfigConnectionSyncStatus status = config_standing_status(&cases[i].standing);
        g_assert_cmpstr(sl_enum_name(&sl_config_connection_sync_status_enum, (int)status), ==,
                        cases[i].status);
        g_assert_cmpint(config_standing_group(status), ==, cases[i].group);
    }
}

/* --- many connections ----------------------------------------------------------------------------
 */

/* The fixture's own goes. 1 has synced, 2 is syncing after that, 3 cannot, 4 is new, 5 is paused, 6
 * is deleted. */
static void
make_all(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "delete from connection;"
        "insert into connection (connection_id, workspace_id, name, source_id, destination_id,"
        " status, catalog, schedule_type, cron_expression, basic_interval_sec, created_at,"
        " updated_at)"
        " select ('00000000-0000-0000-0000-00000000000' || n)::uuid, s.workspace_id, v.name,"
        " s.actor_id, d.actor_id, v.status, '{}', kind, cron, seconds, now(), now()"
        " from (values (1, 'beta', 'active', 'basic', null, 7200),"
        " (2, 'Alpha', 'active', 'cron', '0 0 6 * * ?', null),"
        " (3, 'gamma', 'active', 'manual', null, null),"
        " (4, 'alpha', 'active', 'manual', null, null),"
        " (5, 'Delta', 'inactive', 'manual', null, null),"
        " (6, 'epsilon', 'deprecated', 'manual', null, null))"
        " v (n, name, status, kind, cron, seconds)"
        " join actor s on s.actor_id = '" FIXTURE_SOURCE
        "' join actor d on d.actor_id = '" FIXTURE_DESTINATION "';"
        "insert into job (config_type, scope, workspace_id, status, created_at, started_at,"
        " updated_at, finished_at)"
        " select 'sync', ('00000000-0000-0000-0000-00000000000' || n)::uuid, '" FIXTURE_WORKSPACE
        "',"
        " v.status, t::timestamptz, t::timestamptz + interval '1 second', t::timestamptz,"
        " case when v.status <> 'running' then '2026-08-01T12:00:00Z'::timestamptz end"
        " from (values (1, 'succeeded', '2026-08-01T10:00:00Z'),"
        " (2, 'succeeded', '2026-08-01T08:00:00Z'), (2, 'running', '2026-08-01T09:00:00Z'),"
        " (3, 'failed', '2026-08-01T11:00:00Z')) v (n, status, t);"
        "insert into attempt (job_id, attempt_number, status, log_path, failure_summary,"
        " created_at, updated_at, ended_at) values"
        " (3, 0, 'failed', '3/0', null, now(), now(), now()),"
        " (3, 1, 'running', '3/1', null, now(), now(), null),"
        " (4, 0, 'failed', '4/0', '{\"failures\":[{\"failureType\":\"config_error\","
        "\"externalMessage\":\"no password\",\"timestamp\":1785578400000}]}', now(), now(), now());"
        "insert into attempt_stats (job_id, attempt_number, namespace, stream, records_emitted,"
        " bytes_emitted, records_committed, bytes_committed, updated_at) values"
        " (3, 0, '', '', 10, 100, 7, 70, now()), (3, 1, '', '', 5, 50, 1, 10, now()),"
        " (3, 0, 'n', 'users', 10, 100, 7, 70, now()), (3, 1, 'n', 'users', 5, 50, 1, 10, now());"
        "insert into tag (tag_id, workspace_id, name, color, created_at)"
        " values ('" TAG "', '" FIXTURE_WORKSPACE "', 'night', '000000', now());"
        "insert into connection_tag (connection_id, tag_id)"
        " values ('00000000-0000-0000-0000-000000000003', '" TAG "')");
}

static void
test_status(Fixture *fix, gconstpointer data)
{
    make_all(fix);
    const char *answer = config_call(fix, "connections/status",
                                     "{\"connectionIds\":[\"" ID("1") "\",\"" ID("2") "\",\"" ID(
                                         "3") "\",\"" ID("4") "\",\"" ID("5") "\"]}",
                                     200);
    static const char *const statuses[] = {"synced", "running", "failed", "pending", "paused"};
    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++)
        g_assert_cmpstr(config_at(fix, answer, format(fix, "%u", i), "connectionSyncStatus", NULL),
                        ==, statuses[i]);
    g_assert_cmpstr(config_at(fix, answer, "0", "lastSyncJobId", NULL), ==, "1");
    g_assert_cmpstr(config_at(fix, answer, "0", "lastSyncJobCreatedAt", NULL), ==, "1785578400");
    g_assert_cmpstr(config_at(fix, answer, "0", "lastSuccessfulSync", NULL), ==, "1785585600");
    g_assert_cmpstr(config_at(fix, answer, "0", "scheduleData", "basicSchedule", "units", NULL), ==,
                    "2");
    /* a success before the job at work stays known */
    g_assert_cmpstr(config_at(fix, answer, "1", "lastSuccessfulSync", NULL), ==, "1785585600");
    g_assert_cmpstr(config_at(fix, answer, "1", "lastSyncAttemptNumber", NULL), ==, "1");
    g_assert_cmpstr(config_at(fix, answer, "1", "activeJob", "id", NULL), ==, "3");
    g_assert_cmpstr(
        config_at(fix, answer, "1", "activeJob", "aggregatedStats", "recordsCommitted", NULL), ==,
        "8");
    g_assert_cmpstr(config_at(fix, answer, "1", "scheduleData", "cron", "cronTimeZone", NULL), ==,
                    "UTC");
    g_assert_cmpstr(config_at(fix, answer, "2", "failureReason", "externalMessage", NULL), ==,
                    "no password");
    assert_lacks(config_at(fix, answer, "2", NULL), "activeJob");
    assert_lacks(config_at(fix, answer, "3", NULL), "lastSync");
    g_assert_cmpstr(config_call(fix, "connections/status", "{\"connectionIds\":[]}", 200), ==,
                    "[]");
    config_refused(fix, "connections/status", "{\"connectionIds\":[\"" NO_ID "\"]}", 404, NO_ID);
    config_refused(fix, "connections/status", "{\"connectionIds\":[\"x\"]}", 400, "'x' is no UUID");
    config_refused(fix, "connections/status", "{}", 400, "connectionIds");
}

static void
test_counts(Fixture *fix, gconstpointer data)
{
    make_all(fix);
    g_assert_cmpstr(config_call(fix, "web_backend/connections/status_counts",
                                format(fix, IN_WORKSPACE, ""), 200),
                    ==,
                    "{\"running\":1,\"queued\":0,\"healthy\":1,\"failed\":1,\"paused\":1,"
                    "\"notSynced\":1}");
}

static void
test_progress(Fixture *fix, gconstpointer data)
{
    make_all(fix);
    static const char verb[] = "connections/sync_progress";
    const char *answer = config_call(fix, verb, "{\"connectionId\":\"" ID("2") "\"}", 200);
    g_assert_cmpstr(config_at(fix, answer, "jobId", NULL), ==, "3");
    g_assert_cmpstr(config_at(fix, answer, "configType", NULL), ==, "sync");
    g_assert_cmpstr(config_at(fix, answer, "syncStartedAt", NULL), ==, "1785574801");
    g_assert_cmpstr(config_at(fix, answer, "recordsEmitted", NULL), ==, "15");
    g_assert_cmpstr(config_at(fix, answer, "bytesCommitted", NULL), ==, "80");
    g_assert_cmpstr(config_at(fix, answer, "streams", "0", "streamName", NULL), ==, "users");
    g_assert_cmpstr(config_at(fix, answer, "streams", "0", "streamNamespace", NULL), ==, "n");
    g_assert_cmpstr(config_at(fix, answer, "streams", "0", "recordsCommitted", NULL), ==, "8");
    /* nothing is at work */
    answer = config_call(fix, verb, "{\"connectionId\":\"" ID("1") "\"}", 200);
    g_assert_cmpstr(config_at(fix, answer, "streams", NULL), ==, "[]");
    assert_lacks(answer, "jobId");
    config_refused(fix, verb, "{\"connectionId\":\"" NO_ID "\"}", 404, NO_ID);
}

/* The last digits of the ids, in the order of the answer. */
static const char *
digits(Fixture *fix, const char *answer)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *count = config_at(fix, answer, "connections", NULL);
    for (guint i = 0; strstr(count, "\"connectionId\":") != NULL; i++) {
        const char *id =
            config_at(fix, answer, "connections", format(fix, "%u", i), "connectionId", NULL);
        g_string_append_c(text, id[35]);
        count = strstr(count, "\"connectionId\":") + 1;
    }
    return format(fix, "%s", text->str);
}

static void
test_list(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *members, *digits;
    } cases[] = {
        {"", "24153"},
        {",\"sortKey\":\"connectionName_desc\"", "35124"},
        {",\"sortKey\":\"sourceName_desc\"", "12345"},
        {",\"sortKey\":\"lastSync_asc\"", "45213"},
        {",\"sortKey\":\"lastSync_desc\"", "31245"},
        {",\"pageSize\":2", "24"},
        {",\"pageSize\":2,\"cursor\":\"" ID("4") "\"", "15"},
        {",\"pageSize\":2,\"cursor\":\"" ID("5") "\"", "3"},
        {",\"cursor\":\"" ID("3") "\"", ""},
        {",\"sourceId\":[\"" FIXTURE_SOURCE "\"],\"destinationId\":[]", "24153"},
        {",\"filters\":{\"statuses\":[\"healthy\",\"paused\"]}", "15"},
        {",\"filters\":{\"statuses\":[\"running\"]}", "2"},
        {",\"filters\":{\"statuses\":[\"failed\"]}", "3"},
        {",\"filters\":{\"states\":[\"inactive\"]}", "5"},
        {",\"filters\":{\"states\":[\"active\"],\"searchTerm\":\"ALPH\"}", "24"},
        {",\"filters\":{\"searchTerm\":\"nowhere\"}", ""},
        {",\"filters\":{\"searchTerm\":\"\"}", "24153"},
        {",\"filters\":{\"tagIds\":[\"" TAG "\"]}", "3"},
        {",\"filters\":{\"sourceDefinitionIds\":[\"" NO_ID "\"]}", ""},
        {",\"filters\":{\"destinationDefinitionIds\":[\"" NO_ID "\"]}", ""},
        {",\"filters\":{\"onDemandEnabled\":true}", ""},
    };
    static const struct {
        const char *members, *message;
    } bad[] = {
        {",\"sortKey\":\"age_asc\"", "sortKey"},
        {",\"pageSize\":0", "pageSize"},
        {",\"cursor\":\"" NO_ID "\"", "cursor: '" NO_ID "'"},
        {",\"filters\":{\"statuses\":[\"ill\"]}", "filters.statuses: 'ill'"},
        {",\"filters\":{\"states\":[\"locked\"]}", "filters.states: 'locked'"},
    };
    make_all(fix);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].members);
        g_assert_cmpstr(
            digits(fix, config_call(fix, LIST, format(fix, IN_WORKSPACE, cases[i].members), 200)),
            ==, cases[i].digits);
    }
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        config_refused(fix, LIST, format(fix, IN_WORKSPACE, bad[i].members), 400, bad[i].message);
}

static void
test_item(Fixture *fix, gconstpointer data)
{
    make_all(fix);
    const char *answer = config_call(
        fix, LIST, format(fix, IN_WORKSPACE, ",\"pageSize\":1,\"sortKey\":\"lastSync_desc\""), 200);
    g_assert_cmpstr(config_at(fix, answer, "page_size", NULL), ==, "1");
    g_assert_cmpstr(config_at(fix, answer, "num_connections", NULL), ==, "5");
    const char *item = config_at(fix, answer, "connections", "0", NULL);
    g_assert_cmpstr(config_at(fix, item, "name", NULL), ==, "gamma");
    g_assert_cmpstr(config_at(fix, item, "source", "sourceId", NULL), ==, FIXTURE_SOURCE);
    g_assert_cmpstr(config_at(fix, item, "source", "name", NULL), ==, "s");
    g_assert_cmpstr(config_at(fix, item, "destination", "destinationName", NULL), ==, "d");
    g_assert_cmpstr(config_at(fix, item, "latestSyncJobStatus", NULL), ==, "failed");
    g_assert_cmpstr(config_at(fix, item, "latestSyncJobCreatedAt", NULL), ==, "1785582000");
    g_assert_cmpstr(config_at(fix, item, "isSyncing", NULL), ==, "false");
    g_assert_cmpstr(config_at(fix, item, "tags", "0", "tagId", NULL), ==, TAG);
    assert_has(config_at(fix, item, "sourceActorDefinitionVersion", NULL), "dockerRepository");
    assert_lacks(item, "scheduleData");
}

void
config_add_overview_cases(void)
{
    CONFIG_CASE("overview/standing", test_standing);
    CONFIG_CASE("overview/status", test_status);
    CONFIG_CASE("overview/counts", test_counts);
    CONFIG_CASE("overview/progress", test_progress);
    CONFIG_CASE("overview/list", test_list);
    CONFIG_CASE("overview/item", test_item);
}
