/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-fixture.h"

#include <string.h>

#define HOST "/api/v1/sluice/host"

static void
test_host(Fixture *fix, gconstpointer data)
{
    static const char *const wanted[] = {
        "\"version\":\"" PACKAGE_VERSION "\"",
        "\"hostName\":\"",
        "\"kernel\":\"Linux ",
        "\"disks\":[{\"path\":\"/",
        "\"units\":[",
        "\"maxConnections\":",
        "\"dataPlanes\":[]",
        "\"queues\":[]",
    };
    const char *text = call(fix, "GET", HOST, NULL, 200);
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
        assert_has(text, wanted[i]);
    const char *database = member(fix, text, "database");
    g_autofree char *size = g_strdup(member(fix, database, "sizeBytes"));
    g_autofree char *migration = g_strdup(member(fix, database, "migration"));
    g_assert_cmpint(g_ascii_strtoll(size, NULL, 10), >, 1000000);
    g_assert_cmpint(
        g_ascii_strtoll(migration, NULL, 10), ==,
        queue_fixture_count(fix->server.db, "select max(version) from schema_migration"));
}

/* A host without a bus still tells all else, and why units are missing. */
static void
test_without_bus(Fixture *fix, gconstpointer data)
{
    g_autofree char *before = g_strdup(g_getenv("DBUS_SYSTEM_BUS_ADDRESS"));
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
    const char *text = call(fix, "GET", HOST, NULL, 200);
    assert_has(text, "\"units\":[]");
    assert_has(text, "\"unitsError\":\"");
    assert_has(text, "\"database\":{");
    if (before != NULL)
        g_setenv("DBUS_SYSTEM_BUS_ADDRESS", before, TRUE);
    else
        g_unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

/* Work in hand, of whom nobody has heard for long; work that nobody has taken; work that ended. */
static void
test_data_planes(Fixture *fix, gconstpointer data)
{
    SlDb *db = fix->server.db;
    g_atomic_int_set(&fix->pause_worker, 1);
    g_autoptr(SlJob) job = queue_fixture_job(db);
    g_autofree char *token = NULL;
    g_autofree char *id = queue_fixture_claimed(db, job, &token);
    const char *text = call(fix, "GET", HOST, NULL, 200);
    assert_has(text, "\"dataPlanes\":[{\"name\":\"plane\",\"group\":\"");
    assert_has(text, "\"running\":1,\"finishedToday\":0,\"failedToday\":0,\"lost\":1,");
    assert_has(text, "\"heardAt\":\"2026-08-01T12:00:00Z\"");
    assert_has(text, "\"queues\":[]");

    queue_fixture_script(db, "update workload set status = 'failure', finished_at = now();"
                             "insert into workload_queue (workload_id, data_plane_group, "
                             "hidden_until, created_at) select workload_id, data_plane_group, "
                             "now(), '2026-08-01T11:00:00Z' from workload");
    text = call(fix, "GET", HOST, NULL, 200);
    assert_has(text, "\"running\":0,\"finishedToday\":1,\"failedToday\":1,\"lost\":0,");
    assert_has(text, "\"waiting\":1,\"oldestAt\":\"2026-08-01T11:00:00Z\"");

    queue_fixture_script(db, "update workload set finished_at = now() - interval '2 days'");
    assert_has(call(fix, "GET", HOST, NULL, 200), "\"dataPlanes\":[]");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#define CASE(name, func) g_test_add("/server/host/" name, Fixture, NULL, setup, func, teardown)
    CASE("all", test_host);
    CASE("without-bus", test_without_bus);
    CASE("data-planes", test_data_planes);
    return g_test_run();
}
