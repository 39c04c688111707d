/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

/* The fixture's organization has the id of its workspace. */
#define ORGANIZATION FIXTURE_WORKSPACE
#define IT "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"

static const char *
create(Fixture *fix, const char *name, const char *rest)
{
    return config_call(
        fix, "workspaces/create",
        format(fix, "{\"name\":\"%s\",\"organizationId\":\"" ORGANIZATION "\"%s}", name, rest),
        200);
}

static void
test_create(Fixture *fix, gconstpointer data)
{
    const char *made = create(fix, "My  Team!", ",\"email\":\"a@b\",\"news\":true");
    g_assert_cmpstr(member(fix, made, "slug"), ==, "my-team");
    g_assert_cmpstr(member(fix, made, "email"), ==, "a@b");
    g_assert_cmpstr(member(fix, made, "news"), ==, "true");
    g_assert_cmpstr(member(fix, made, "securityUpdates"), ==, "false");
    g_assert_cmpstr(member(fix, made, "initialSetupComplete"), ==, "true");
    g_assert_cmpstr(member(fix, made, "firstCompletedSync"), ==, "false");
    g_assert_cmpstr(member(fix, made, "tombstone"), ==, "false");
    g_assert_cmpstr(member(fix, made, "organizationId"), ==, ORGANIZATION);
    const char *id = member(fix, made, "workspaceId");
    const char *body = format(fix, "{\"workspaceId\":\"%s\"}", id);
    g_assert_cmpstr(config_call(fix, "workspaces/get", body, 200), ==, made);
    g_assert_cmpstr(config_call(fix, "workspaces/get_by_slug", "{\"slug\":\"my-team\"}", 200), ==,
                    made);
    /* slugs are unique, names are not */
    const char *second = create(fix, "my team", "");
    g_assert_cmpstr(member(fix, second, "slug"), ==,
                    format(fix, "my-team-%.8s", member(fix, second, "workspaceId")));
    g_assert_cmpstr(member(fix, create(fix, "東京", ""), "slug"), ==, "workspace");
    config_refused(fix, "workspaces/create", "{\"organizationId\":\"" ORGANIZATION "\"}", 400,
                   "name");
    config_refused(fix, "workspaces/create", "{\"name\":\"x\"}", 400, "organizationId");
    config_refused(fix, "workspaces/create", "{\"name\":\"x\",\"organizationId\":\"" NO_ID "\"}",
                   404, NO_ID);
    config_refused(fix, "workspaces/create",
                   "{\"name\":\"x\",\"organizationId\":\"" ORGANIZATION
                   "\",\"webhookConfigs\":[{\"name\":\"dbt\"}]}",
                   501, "webhookConfigs");
    config_refused(fix, "workspaces/get_by_slug", "{\"slug\":\"nobody\"}", 404, "nobody");
    config_refused(fix, "workspaces/get_by_slug", "{}", 400, "slug");
}

static void
test_create_with_id(Fixture *fix, gconstpointer data)
{
    static const char body[] =
        "{\"id\":\"" NO_ID "\",\"name\":\"n\",\"organizationId\":\"" ORGANIZATION
        "\",\"displaySetupWizard\":true}";
    const char *made = config_call(fix, "workspaces/create_if_not_exist", body, 200);
    g_assert_cmpstr(member(fix, made, "workspaceId"), ==, NO_ID);
    g_assert_cmpstr(member(fix, made, "displaySetupWizard"), ==, "true");
    g_assert_cmpstr(config_call(fix, "workspaces/create_if_not_exist", body, 200), ==, made);
    config_refused(fix, "workspaces/create_if_not_exist",
                   "{\"id\":\"" NO_ID "\",\"name\":\"n\",\"organizationId\":\"" NO_ID "\"}", 409,
                   "another organization");
    config_refused(fix, "workspaces/create_if_not_exist", "{}", 400, "id");
    config_call(fix, "workspaces/delete", "{\"workspaceId\":\"" NO_ID "\"}", 204);
    config_refused(fix, "workspaces/create_if_not_exist", body, 410, "was deleted");
}

static void
test_update(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "workspaces/update",
                                     "{\"workspaceId\":\"" FIXTURE_WORKSPACE
                                     "\",\"email\":\"x@y\",\"initialSetupComplete\":"
                                     "false}",
                                     200);
    g_assert_cmpstr(member(fix, answer, "email"), ==, "x@y");
    g_assert_cmpstr(member(fix, answer, "initialSetupComplete"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "name"), ==, "w");
    answer = config_call(fix, "workspaces/update",
                         "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"name\":\"New One\"}", 200);
    g_assert_cmpstr(member(fix, answer, "slug"), ==, "new-one");
    g_assert_cmpstr(member(fix, answer, "email"), ==, "x@y"); /* absent is unchanged */
    answer = config_call(fix, "workspaces/update_name",
                         "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"name\":\"Third\"}", 200);
    g_assert_cmpstr(member(fix, answer, "slug"), ==, "third");
    config_call(fix, "workspaces/tag_feedback_status_as_done", IT, 204);
    g_assert_cmpstr(member(fix, config_call(fix, "workspaces/get", IT, 200), "feedbackDone"), ==,
                    "true");
    static const char *const verbs[] = {"get", "update", "tag_feedback_status_as_done", "delete"};
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        const char *verb = format(fix, "workspaces/%s", verbs[i]);
        config_refused(fix, verb, "{\"workspaceId\":\"" NO_ID "\"}", 404, NO_ID);
        config_refused(fix, verb, "{}", 400, "workspaceId");
    }
    config_refused(fix, "workspaces/update_name", "{\"workspaceId\":\"" NO_ID "\",\"name\":\"x\"}",
                   404, NO_ID);
    config_refused(fix, "workspaces/update_name", IT, 400, "name");
    config_refused(fix, "workspaces/update",
                   "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"news\":\"yes\"}", 400, "news: ");
}

/* notificationSettings replace, notificationsConfig (the public shape) merges; both are one thing.
 */
static void
test_notifications(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "workspaces/get", IT, 200);
    g_assert_cmpstr(
        config_at(fix, answer, "notificationSettings", "sendOnFailure", "notificationType", NULL),
        ==, "[\"customerio\"]");
    answer = config_call(
        fix, "workspaces/update",
        "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"notificationSettings\":{\"sendOnSuccess\":{"
        "\"notificationType\":[\"slack\"],\"slackConfiguration\":{\"webhook\":\"http://x/y\"}}}}",
        200);
    g_assert_cmpstr(config_at(fix, answer, "notificationSettings", "sendOnSuccess",
                              "slackConfiguration", "webhook", NULL),
                    ==, "http://x/y");
    g_assert_cmpstr(
        config_at(fix, answer, "notificationSettings", "sendOnFailure", "notificationType", NULL),
        ==, "[]");
    assert_has(call(fix, "GET", WS, NULL, 200),
               "\"success\":{\"email\":{\"enabled\":false},\"webhook\":{\"enabled\":true,\"url\":"
               "\"http://x/y\"}}");
    answer = config_call(fix, "workspaces/update",
                         "{\"workspaceId\":\"" FIXTURE_WORKSPACE
                         "\",\"notificationsConfig\":{\"failure\":{\"email\":{\"enabled\":true}}}}",
                         200);
    g_assert_cmpstr(
        config_at(fix, answer, "notificationSettings", "sendOnFailure", "notificationType", NULL),
        ==, "[\"customerio\"]");
    g_assert_cmpstr(
        config_at(fix, answer, "notificationSettings", "sendOnSuccess", "notificationType", NULL),
        ==, "[\"slack\"]");
    config_refused(fix, "workspaces/update",
                   "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"notificationSettings\":{"
                   "\"sendOnFailure\":{\"notificationType\":[\"pigeon\"]}}}",
                   400, "sendOnFailure");
    config_call(fix, "workspaces/update",
                "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"notificationSettings\":{"
                "\"sendOnFailure\":{\"notificationType\":[\"slack\"]}}}",
                400);
}

static void
test_deleted(Fixture *fix, gconstpointer data)
{
    static const char of_connection[] = "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}";
    const char *it = config_call(fix, "workspaces/get", IT, 200);
    g_assert_cmpstr(config_call(fix, "workspaces/get_by_connection_id", of_connection, 200), ==,
                    it);
    config_refused(fix, "workspaces/get_by_connection_id", "{\"connectionId\":\"" NO_ID "\"}", 404,
                   NO_ID);
    config_refused(fix, "workspaces/get_by_connection_id", "{}", 400, "connectionId");
    config_call(fix, "workspaces/delete", IT, 204);
    config_refused(fix, "workspaces/get", IT, 404, FIXTURE_WORKSPACE);
    config_refused(fix, "workspaces/get_by_connection_id", of_connection, 404, FIXTURE_CONNECTION);
    const char *gone =
        config_call(fix, "workspaces/get",
                    "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"includeTombstone\":true}", 200);
    g_assert_cmpstr(member(fix, gone, "tombstone"), ==, "true");
    g_assert_cmpstr(
        config_call(fix, "workspaces/get_by_connection_id_with_tombstone", of_connection, 200), ==,
        gone);
    assert_lacks(config_call(fix, "workspaces/list", NULL, 200), FIXTURE_WORKSPACE "\",\"cust");
}

static void
test_lists(Fixture *fix, gconstpointer data)
{
    static const char user[] = "00000000-0000-0000-0000-000000000000";
    const char *id = member(fix, create(fix, "Second", ""), "workspaceId");
    const struct {
        const char *verb, *body;
        gboolean first, second;
    } cases[] = {
        {"list", "", TRUE, TRUE},
        {"list_paginated", "{\"workspaceIds\":[],\"pagination\":{}}", TRUE, TRUE},
        {"list_paginated",
         "{\"workspaceIds\":[\"" FIXTURE_WORKSPACE "\"],\"pagination\":{\"pageSize\":5}}", TRUE,
         FALSE},
        {"list_paginated", "{\"workspaceIds\":[],\"pagination\":{\"pageSize\":1,\"rowOffset\":1}}",
         FALSE, TRUE},
        {"list_paginated", "{\"workspaceIds\":[],\"pagination\":{},\"nameContains\":\"SEC\"}",
         FALSE, TRUE},
        {"list_by_organization_id", "{\"organizationId\":\"" ORGANIZATION "\"}", TRUE, TRUE},
        {"list_by_organization_id",
         "{\"organizationId\":\"" ORGANIZATION "\",\"pagination\":{\"pageSize\":1}}", TRUE, FALSE},
        {"list_by_organization_id", "{\"organizationId\":\"" NO_ID "\"}", FALSE, FALSE},
        {"list_by_user_id", format(fix, "{\"userId\":\"%s\"}", user), TRUE, TRUE},
        {"list_by_user_id", format(fix, "{\"userId\":\"%s\",\"nameContains\":\"zz\"}", user), FALSE,
         FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *answer =
            config_call(fix, format(fix, "workspaces/%s", cases[i].verb), cases[i].body, 200);
        g_test_message("%s %s", cases[i].verb, cases[i].body);
        g_assert_cmpint(strstr(answer, "\"name\":\"w\"") != NULL, ==, cases[i].first);
        g_assert_cmpint(strstr(answer, id) != NULL, ==, cases[i].second);
    }
    config_refused(fix, "workspaces/list_paginated", "{}", 400, "workspaceIds");
    config_refused(fix, "workspaces/list_paginated", "{\"workspaceIds\":[\"x\"]}", 400,
                   "workspaceIds");
    config_refused(fix, "workspaces/list_by_organization_id", "{}", 400, "organizationId");
    config_refused(fix, "workspaces/list_by_user_id", "{}", 400, "userId");
}

static void
test_organization(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "workspaces/get_organization_info", IT, 200);
    g_assert_cmpstr(member(fix, answer, "sso"), ==, "false");
    g_assert_cmpstr(member(fix, answer, "organizationName"), ==, "o");
    config_refused(fix, "workspaces/get_organization_info", "{\"workspaceId\":\"" NO_ID "\"}", 404,
                   NO_ID);
}

void
config_add_workspace_cases(void)
{
    CONFIG_CASE("workspace/create", test_create);
    CONFIG_CASE("workspace/create-with-id", test_create_with_id);
    CONFIG_CASE("workspace/update", test_update);
    CONFIG_CASE("workspace/notifications", test_notifications);
    CONFIG_CASE("workspace/deleted", test_deleted);
    CONFIG_CASE("workspace/lists", test_lists);
    CONFIG_CASE("workspace/organization", test_organization);
}
