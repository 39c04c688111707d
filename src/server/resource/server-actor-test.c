/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "server-fixture.h"

#define NEW_SOURCE                                                                                 \
    "{\"name\":\"db\",\"workspaceId\":\"" FIXTURE_WORKSPACE                                        \
    "\",\"definitionId\":\"" FIXTURE_SOURCE                                                        \
    "\",\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\",\"port\":5432,\"password\":"        \
    "\"pw-1\",\"options\":{\"a\":\"1\"}}}"

static void
test_sources(Fixture *fix, gconstpointer data)
{
    const char *made = call(fix, "POST", "/api/public/v1/sources", NEW_SOURCE, 200);
    const char *path = format(fix, "/api/public/v1/sources/%s", member(fix, made, "sourceId"));
    g_assert_cmpstr(member(fix, made, "sourceType"), ==, "s");
    g_assert_cmpstr(member(fix, made, "configuration"), ==,
                    "{\"host\":\"h\",\"port\":5432,\"password\":\"**********\","
                    "\"options\":{\"a\":\"1\"}}");
    /* the secret is nowhere in the clear */
    g_assert_cmpint(queue_fixture_count(fix->server.db,
                                        "select count(*) from actor where configuration like "
                                        "'%pw-1%'"),
                    ==, 0);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 1);
    g_assert_cmpstr(call(fix, "GET", path, NULL, 200), ==, made);

    /* by the short name */
    call(fix, "POST", "/api/public/v1/sources",
         "{\"name\":\"db2\",\"workspaceId\":\"" FIXTURE_WORKSPACE
         "\",\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\",\"password\":\"x\"}}",
         200);
    assert_has(call(fix, "POST", "/api/public/v1/sources",
                    "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                    "\",\"configuration\":{\"sourceType\":\"nobody\"}}",
                    400),
               "nobody");

    /* PATCH merges and keeps the secret; PUT replaces, and the mask keeps it */
    const char *changed =
        call(fix, "PATCH", path, "{\"configuration\":{\"port\":1,\"options\":{\"b\":\"2\"}}}", 200);
    assert_has(changed,
               "\"port\":1,\"password\":\"**********\",\"options\":{\"a\":\"1\",\"b\":\"2\"}");
    changed = call(
        fix, "PUT", path,
        "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"password\":\"**********\"}}", 200);
    assert_has(changed, "{\"host\":\"i\",\"password\":\"**********\"}");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 2);
    call(fix, "PUT", path,
         "{\"name\":\"n\",\"configuration\":{\"host\":\"i\",\"password\":\"new\"}}", 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 2);

    const char *list = call(fix, "GET", "/api/public/v1/sources", NULL, 200);
    assert_has(list, "\"name\":\"db2\"");
    assert_lacks(list, "\"destinationId\"");
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "PATCH", path, "{\"name\":\"z\"}", 404);
    assert_lacks(call(fix, "GET", "/api/public/v1/sources", NULL, 200), "\"name\":\"n\"");
    assert_has(call(fix, "GET", "/api/public/v1/sources?includeDeleted=true", NULL, 200),
               "\"name\":\"n\"");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 1);
}

/* Wrong configurations, each with the property's name. */
static void
test_bad_configurations(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *configuration;
        guint status;
        const char *part;
    } cases[] = {
        {"{\"password\":\"p\"}", 422, "configuration: 'host' is required"},
        {"{\"host\":1,\"password\":\"p\"}", 422, "configuration.host: expected string"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":1.5}", 422,
         "configuration.port: expected integer"},
        {"{\"host\":\"h\",\"password\":\"p\",\"port\":0}", 422,
         "configuration.port: must be at least"},
        {"{\"host\":\"h\",\"password\":\"p\",\"options\":{\"a\":[]}}", 422,
         "configuration.options.a"},
        {"{\"host\":\"h\",\"password\":\"**********\"}", 400, "password"},
        {"{\"host\":\"h\",\"password\":{\"_secret\":\"" FIXTURE_SOURCE "\"}}", 400, "_secret"},
        {"[]", 400, "configuration"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *body =
            format(fix,
                   "{\"name\":\"x\",\"workspaceId\":\"" FIXTURE_WORKSPACE
                   "\",\"definitionId\":\"" FIXTURE_DESTINATION "\",\"configuration\":%s}",
                   cases[i].configuration);
        assert_has(call(fix, "POST", "/api/public/v1/destinations", body, cases[i].status),
                   cases[i].part);
    }
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from actor"), ==, 2);
}

static void
test_check(Fixture *fix, gconstpointer data)
{
    const char *path = "/api/v1/sluice/sources/" FIXTURE_SOURCE "/check";
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    assert_has(call(fix, "POST", path, NULL, 200), "\"status\":\"succeeded\"");
    fix->job_output = "{\"check\":{\"status\":\"FAILED\",\"message\":\"no route\"}}";
    assert_has(call(fix, "POST", path, NULL, 200),
               "\"status\":\"failed\",\"message\":\"no route\"");
    fix->job_output = NULL;
    assert_has(call(fix, "POST", path, NULL, 200),
               "\"status\":\"failed\",\"message\":\"it broke\"");
    call(fix, "POST", "/api/v1/sluice/destinations/" FIXTURE_SOURCE "/check", NULL, 404);
}

typedef struct {
    Fixture *fix;
    const char *path;
} Asker;

static gpointer
ask(gpointer data)
{
    const Asker *asker = data;
    g_autoptr(SlHttpUnix) client = sl_http_unix_new(asker->fix->path);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    sl_http_unix_request(client, "POST", asker->path, NULL, NULL,
                         g_get_monotonic_time() + 20 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(reply->status, ==, 200);
    return NULL;
}

/* Many who ask the same share one job. */
static void
test_shared_job(Fixture *fix, gconstpointer data)
{
    Asker asker = {fix, "/api/v1/sluice/sources/" FIXTURE_SOURCE "/check"};
    GThread *threads[8];
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    g_atomic_int_set(&fix->pause_worker, 1);
    /* the first one's job is there before the others come */
    threads[0] = g_thread_new("ask", ask, &asker);
    while (queue_fixture_count(fix->server.db, "select count(*) from job") == 0)
        g_poll(NULL, 0, 10);
    for (guint i = 1; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask, &asker);
    g_poll(NULL, 0, 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job"), ==, 1);
    g_atomic_int_set(&fix->pause_worker, 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL); /* failing jobs warn */
#define CASE(name, func) g_test_add("/server/" name, Fixture, NULL, setup, func, teardown)
    CASE("sources", test_sources);
    CASE("bad-configurations", test_bad_configurations);
    CASE("check", test_check);
    CASE("shared-job", test_shared_job);
    return g_test_run();
}
