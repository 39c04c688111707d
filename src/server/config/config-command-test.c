/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#define GOOD "{\"host\":\"h\",\"password\":\"hunter2\"}"
#define SAVED "\"actor_id\":\"" FIXTURE_SOURCE "\""
#define DRAFT                                                                                      \
    "\"actor_definition_id\":\"" FIXTURE_SOURCE "\",\"workspace_id\":\"" FIXTURE_WORKSPACE         \
    "\",\"config\":" GOOD
#define OF_SPEC                                                                                    \
    "\"actor_definition_id\":\"" FIXTURE_SOURCE "\",\"workspace_id\":\"" FIXTURE_WORKSPACE         \
    "\",\"docker_image_tag\":\"1\""

static const char *
run(Fixture *fix, const char *type, const char *id, const char *rest, guint status)
{
    return config_call(fix, format(fix, "commands/run/%s", type),
                       format(fix, "{\"id\":\"%s\",%s}", id, rest), status);
}

static const char *
ask(Fixture *fix, const char *verb, const char *id, guint status)
{
    return config_call(fix, format(fix, "commands/%s", verb), format(fix, "{\"id\":\"%s\"}", id),
                       status);
}

static const char *
status_of(Fixture *fix, const char *id)
{
    return member(fix, ask(fix, "status", id, 200), "status");
}

static void
wait_for(Fixture *fix, const char *id, const char *status)
{
    while (strcmp(status_of(fix, id), status) != 0)
        g_poll(NULL, 0, 10);
}

static gint64
count_jobs(Fixture *fix)
{
    return queue_fixture_count(fix->server.db, "select count(*) from job");
}

/* It begins at once, is looked at while it runs, and the same id starts nothing again. */
static void
test_check(Fixture *fix, gconstpointer data)
{
    g_atomic_int_set(&fix->pause_worker, 1);
    fix->job_output = "{\"check\":{\"status\":\"FAILED\",\"message\":\"no route\"}}";
    g_assert_cmpstr(member(fix, run(fix, "check", "Mine", SAVED, 200), "id"), ==, "Mine");
    g_assert_cmpstr(status_of(fix, "Mine"), ==, "pending");
    assert_has(member(fix, ask(fix, "output/check", "Mine", 409), "message"), "has not ended");
    run(fix, "check", "Mine", SAVED, 200);
    g_assert_cmpint(count_jobs(fix), ==, 1);
    queue_fixture_script(fix->server.db, "update job set status = 'running'");
    g_assert_cmpstr(status_of(fix, "Mine"), ==, "running");
    g_atomic_int_set(&fix->pause_worker, 0);
    wait_for(fix, "Mine", "completed");
    const char *output = ask(fix, "output/check", "Mine", 200);
    g_assert_cmpstr(member(fix, output, "status"), ==, "failed");
    g_assert_cmpstr(member(fix, output, "message"), ==, "no route");
    run(fix, "check", "Mine", SAVED, 200);
    g_assert_cmpint(count_jobs(fix), ==, 1);

    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    run(fix, "check", "2", "\"workspace_id\":\"" FIXTURE_WORKSPACE "\"," SAVED, 200);
    wait_for(fix, "2", "completed");
    g_assert_cmpstr(member(fix, ask(fix, "output/check", "2", 200), "status"), ==, "succeeded");
    fix->job_output = NULL;
    run(fix, "check", "3", SAVED, 200);
    wait_for(fix, "3", "completed");
    output = ask(fix, "output/check", "3", 200);
    g_assert_cmpstr(member(fix, output, "status"), ==, "failed");
    g_assert_cmpstr(config_at(fix, output, "failureReason", "externalMessage", NULL), ==,
                    "it broke");
}

static void
test_draft(Fixture *fix, gconstpointer data)
{
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    run(fix, "check", "d", DRAFT, 200);
    wait_for(fix, "d", "completed");
    g_assert_cmpstr(member(fix, ask(fix, "output/check", "d", 200), "status"), ==, "succeeded");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 0);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from job where input::text"
                                                        " like '%hunter2%'"),
                    ==, 0);
    /* cancelled before it began: its secrets are gone too */
    g_atomic_int_set(&fix->pause_worker, 1);
    run(fix, "check", "e", DRAFT, 200);
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 1);
    g_assert_cmpstr(member(fix, ask(fix, "cancel", "e", 200), "id"), ==, "e");
    g_assert_cmpstr(status_of(fix, "e"), ==, "cancelled");
    g_assert_cmpstr(member(fix, ask(fix, "output/check", "e", 200), "status"), ==, "failed");
    g_assert_cmpint(queue_fixture_count(fix->server.db, "select count(*) from secret"), ==, 0);
    ask(fix, "cancel", "e", 200); /* twice is fine */
}

static void
test_discover(Fixture *fix, gconstpointer data)
{
    fix->job_output = "{\"catalog\":{\"streams\":[{\"name\":\"users\",\"json_schema\":{}}]}}";
    run(fix, "discover", "a", SAVED, 200);
    wait_for(fix, "a", "completed");
    const char *job = member(fix, ask(fix, "status", "a", 200), "jobId"); /* whose log tells more */
    g_assert_cmpint(
        queue_fixture_count(fix->server.db, format(fix,
                                                   "select count(*) from job where job_id = %s and "
                                                   "config_type = 'discover_schema'",
                                                   job)),
        ==, 1);
    const char *output = ask(fix, "output/discover", "a", 200);
    g_assert_cmpstr(member(fix, output, "status"), ==, "succeeded");
    g_assert_cmpstr(config_at(fix, output, "catalog", "streams", "0", "config", "aliasName", NULL),
                    ==, "users");
    fix->job_output = NULL;
    run(fix, "discover", "b", SAVED, 200);
    wait_for(fix, "b", "completed");
    output = ask(fix, "output/discover", "b", 200);
    g_assert_cmpstr(member(fix, output, "status"), ==, "failed");
    assert_lacks(output, "\"catalog\"");
    assert_has(output, "it broke");
}

static void
test_spec(Fixture *fix, gconstpointer data)
{
    fix->job_output = "{\"spec\":{\"connectionSpecification\":{}}}";
    run(fix, "spec", "s", OF_SPEC, 200);
    wait_for(fix, "s", "completed");
    const char *output = ask(fix, "output/spec", "s", 200);
    g_assert_cmpstr(member(fix, output, "status"), ==, "succeeded");
    g_assert_cmpstr(member(fix, output, "spec"), ==, "{\"connectionSpecification\":{}}");
    fix->job_output = NULL;
    run(fix, "spec", "t", OF_SPEC, 200);
    wait_for(fix, "t", "completed");
    g_assert_cmpstr(member(fix, ask(fix, "output/spec", "t", 200), "status"), ==, "failed");
}

static void
test_bad(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *verb, *body;
        guint status;
        const char *message;
    } cases[] = {
        {"run/check", "{\"id\":\"x\"}", 400, "workspace_id: is required without actor_id"},
        {"run/check", "{" SAVED "}", 400, "id"},
        {"run/check", "{\"id\":\"\"," SAVED "}", 400, "id"},
        {"run/check", "{\"id\":\"x\",\"workspace_id\":\"" FIXTURE_WORKSPACE "\"}", 400,
         "actor_definition_id: is required"},
        {"run/check",
         "{\"id\":\"x\",\"workspace_id\":\"" FIXTURE_WORKSPACE
         "\",\"actor_definition_id\":\"" FIXTURE_SOURCE "\"}",
         400, "config: is required"},
        {"run/check", "{\"id\":\"x\",\"actor_id\":\"" NO_ID "\"}", 404, NO_ID},
        {"run/check", "{\"id\":\"x\",\"workspace_id\":\"" NO_ID "\"," SAVED "}", 400,
         "of another workspace"},
        {"run/check", "{\"id\":\"x\",\"config\":{\"host\":1}," SAVED "}", 422, "configuration"},
        {"run/discover", "{\"id\":\"x\"}", 400, "actor_id"},
        {"run/discover", "{\"id\":\"x\",\"actor_id\":\"" FIXTURE_DESTINATION "\"}", 404,
         FIXTURE_DESTINATION},
        {"run/spec", "{\"id\":\"x\"}", 400, "workspace_id"},
        {"run/spec",
         "{\"id\":\"x\",\"workspace_id\":\"" FIXTURE_WORKSPACE
         "\",\"docker_image_tag\":\"1\",\"docker_image\":\"a/b\"}",
         501, "container images ('a/b')"},
        {"run/spec",
         "{\"id\":\"x\",\"workspace_id\":\"" FIXTURE_WORKSPACE
         "\",\"docker_image_tag\":\"9\",\"actor_definition_id\":\"" FIXTURE_SOURCE "\"}",
         400, "version '9' of 's' is not installed"},
        {"status", "{}", 400, "id"},
        {"cancel", "{}", 400, "id"},
        {"output/check", "{}", 400, "id"},
        {"status", "{\"id\":\"x\"}", 404, "x"},
        {"cancel", "{\"id\":\"x\"}", 404, "x"},
        {"output/check", "{\"id\":\"x\"}", 404, "x"},
        {"output/discover", "{\"id\":\"x\"}", 404, "x"},
        {"output/spec", "{\"id\":\"x\"}", 404, "x"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        config_refused(fix, format(fix, "commands/%s", cases[i].verb), cases[i].body,
                       cases[i].status, cases[i].message);
    g_assert_cmpint(count_jobs(fix), ==, 0);
    /* an id that is taken by something else */
    fix->job_output = "{\"check\":{\"status\":\"SUCCEEDED\"}}";
    run(fix, "check", "taken", SAVED, 200);
    wait_for(fix, "taken", "completed");
    assert_has(run(fix, "discover", "taken", SAVED, 409), "is another command");
    assert_has(ask(fix, "output/spec", "taken", 400), "is a check");
}

void
config_add_command_cases(void)
{
    CONFIG_CASE("command/check", test_check);
    CONFIG_CASE("command/draft", test_draft);
    CONFIG_CASE("command/discover", test_discover);
    CONFIG_CASE("command/spec", test_spec);
    CONFIG_CASE("command/bad", test_bad);
}
