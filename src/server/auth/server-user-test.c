/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-user.h"

#include <string.h>

#include "server-auth.h"
#include "server-fixture.h"
#include "server-routes.h"

#define ORGANIZATION "00000000-0000-4000-8000-000000000001"
#define NOBODY "00000000-0000-4000-8000-0000000000ff"
#define PERMISSIONS "/api/public/v1/permissions"
#define SECOND ((gint64)G_USEC_PER_SEC)

/* --- people ----------------------------------------------------------------------------------- */

static const char *
invite(Fixture *fix, const char *email)
{
    const char *body = format(fix, "{\"email\":\"%s\",\"name\":\"%s\"}", email, email);
    return member(fix, call(fix, "POST", "/api/v1/sluice/users", body, 201), "userId");
}

static const char *
grant(Fixture *fix, const char *user, const char *type, const char *scope, const char *id)
{
    const char *body = format(fix, "{\"permissionType\":\"%s\",\"userId\":\"%s\",\"%s\":\"%s\"}",
                              type, user, scope, id);
    return member(fix, call(fix, "POST", PERMISSIONS, body, 200), "permissionId");
}

static const char *
bearer(Fixture *fix, const char *user)
{
    g_autofree char *token =
        server_token_make(&fix->server, user, NULL, NULL, g_get_real_time(), 3600 * SECOND);
    return format(fix, "Bearer %s", token);
}

static const char *
as(Fixture *fix, const char *user, const char *method, const char *path, const char *body,
   guint status)
{
    const char *headers[] = {"Authorization", bearer(fix, user), NULL};
    return call_with(fix, headers, method, path, body, status);
}

static const char *
body_of(Fixture *fix, const char *name, const char *value)
{
    return format(fix, "{\"%s\":\"%s\"}", name, value);
}

/* --- permissions ------------------------------------------------------------------------------ */

static void
test_permissions(Fixture *fix, gconstpointer data)
{
    const char *user = invite(fix, "a@example.org");
    const char *one = grant(fix, user, "workspace_reader", "workspaceId", FIXTURE_WORKSPACE);
    const char *path = format(fix, PERMISSIONS "/%s", one);
    const char *got = call(fix, "GET", path, NULL, 200);
    g_assert_cmpstr(member(fix, got, "permissionType"), ==, "workspace_reader");
    g_assert_cmpstr(member(fix, got, "workspaceId"), ==, FIXTURE_WORKSPACE);
    assert_lacks(got, "organizationId");
    assert_has(call(fix, "PATCH", path, "{\"permissionType\":\"workspace_editor\"}", 200),
               "workspace_editor");
    grant(fix, user, "organization_member", "organizationId", ORGANIZATION);
    const char *list = call(fix, "GET", format(fix, PERMISSIONS "?userId=%s", user), NULL, 200);
    assert_has(list, "\"scope\":\"workspace\"");
    assert_has(list, "\"scope\":\"organization\"");
    assert_has(list, "\"scopeId\":\"" FIXTURE_WORKSPACE "\"");
    assert_has(call(fix, "GET", PERMISSIONS, NULL, 200),
               "\"scopeId\":\"00000000-0000-0000-0000-000000000000\",\"scope\":\"none\"");

    static const struct {
        const char *body, *named;
        guint status;
    } bad[] = {
        {"{\"permissionType\":\"workspace_reader\"", "workspaceId", 400},
        {"{\"permissionType\":\"workspace_reader\",\"organizationId\":\"" ORGANIZATION "\"",
         "workspaceId", 400},
        {"{\"permissionType\":\"workspace_reader\",\"workspaceId\":\"" FIXTURE_WORKSPACE
         "\",\"organizationId\":\"" ORGANIZATION "\"",
         "workspaceId", 400},
        {"{\"permissionType\":\"organization_admin\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"",
         "organizationId", 400},
        {"{\"permissionType\":\"instance_admin\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"",
         "instance_admin", 400},
        {"{\"permissionType\":\"king\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"", "permissionType",
         400},
        {"{\"permissionType\":\"workspace_reader\",\"workspaceId\":\"" NOBODY "\"", "", 400},
        {"{\"permissionType\":\"workspace_editor\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"", "",
         409},
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_has(call(fix, "POST", PERMISSIONS,
                        format(fix, "%s,\"userId\":\"%s\"}", bad[i].body, user), bad[i].status),
                   bad[i].named);
    assert_has(call(fix, "POST", PERMISSIONS,
                    "{\"permissionType\":\"workspace_reader\",\"userId\":\"" NOBODY
                    "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}",
                    404),
               NOBODY);
    call(fix, "DELETE", path, NULL, 204);
    call(fix, "GET", path, NULL, 404);
    call(fix, "DELETE", path, NULL, 404);
}

/* Who may give roles in a workspace cannot get more out of it. */
static void
test_no_escalation(Fixture *fix, gconstpointer data)
{
    const char *boss = invite(fix, "boss@example.org"), *user = invite(fix, "u@example.org");
    const char *mine = grant(fix, boss, "workspace_admin", "workspaceId", FIXTURE_WORKSPACE);
    const char *path = format(fix, PERMISSIONS "/%s", mine);
    static const char *const types[] = {"organization_admin", "instance_admin"};
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        as(fix, boss, "PATCH", path, body_of(fix, "permissionType", types[i]), 400);
        as(fix, boss, "POST", "/api/v1/permissions/update",
           format(fix, "{\"permissionId\":\"%s\",\"permissionType\":\"%s\"}", mine, types[i]), 400);
        as(fix, boss, "POST", PERMISSIONS,
           format(
               fix,
               "{\"permissionType\":\"%s\",\"userId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE
               "\"}",
               types[i], boss),
           400);
        as(fix, boss, "POST", PERMISSIONS,
           format(fix,
                  "{\"permissionType\":\"%s\",\"userId\":\"%s\",\"organizationId\":\"" ORGANIZATION
                  "\"}",
                  types[i], boss),
           403);
        as(fix, boss, "POST", PERMISSIONS,
           format(fix, "{\"permissionType\":\"%s\",\"userId\":\"%s\"}", types[i], boss), 403);
    }
    /* the other user's role in another workspace is not there for the boss */
    const char *other =
        member(fix, call(fix, "POST", "/api/public/v1/workspaces", "{\"name\":\"other\"}", 200),
               "workspaceId");
    const char *theirs = grant(fix, user, "workspace_reader", "workspaceId", other);
    as(fix, boss, "DELETE", format(fix, PERMISSIONS "/%s", theirs), NULL, 403);
    as(fix, boss, "POST", "/api/v1/permissions/delete_user_from_workspace",
       format(fix, "{\"userId\":\"%s\",\"workspaceId\":\"%s\"}", user, other), 403);
    as(fix, boss, "GET", format(fix, PERMISSIONS "?userId=%s", user), NULL, 400);
    as(fix, boss, "GET", format(fix, PERMISSIONS "?userId=%s&organizationId=" ORGANIZATION, user),
       NULL, 403);
    /* but in his own he decides */
    as(fix, boss, "POST", PERMISSIONS,
       format(fix,
              "{\"permissionType\":\"workspace_reader\",\"userId\":\"%s\",\"workspaceId\":"
              "\"" FIXTURE_WORKSPACE "\"}",
              user),
       200);
    as(fix, user, "GET", WS, NULL, 200);
    as(fix, boss, "POST", "/api/v1/permissions/delete_user_from_workspace",
       format(fix, "{\"userId\":\"%s\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", user), 204);
    as(fix, user, "GET", WS, NULL, 403);
}

static void
test_last_admin(Fixture *fix, gconstpointer data)
{
    const char *list = call(fix, "POST", "/api/v1/users/list_instance_admin", "{}", 200);
    const char *first = strstr(list, "\"permissionId\":\"");
    const char *id = format(fix, "%.36s", first + strlen("\"permissionId\":\""));
    const char *path = format(fix, PERMISSIONS "/%s", id);
    call(fix, "DELETE", path, NULL, 409);
    call(fix, "POST", "/api/v1/users/delete", body_of(fix, "userId", SERVER_DEFAULT_USER), 409);
    call(fix, "POST", "/api/v1/users/update",
         "{\"userId\":\"" SERVER_DEFAULT_USER "\",\"status\":\"disabled\"}", 409);
    const char *next = invite(fix, "next@example.org");
    call(fix, "POST", PERMISSIONS,
         format(fix, "{\"permissionType\":\"instance_admin\",\"userId\":\"%s\"}", next), 200);
    call(fix, "DELETE", path, NULL, 204);
    as(fix, next, "POST", "/api/v1/users/delete", body_of(fix, "userId", next), 409);
}

static void
test_checks(Fixture *fix, gconstpointer data)
{
    static const struct {
        const char *held, *scope, *id;  /* what the user has */
        const char *asked, *at, *at_id; /* what is asked for */
        gboolean succeeds;
    } cases[] = {
        {"workspace_editor", "workspaceId", FIXTURE_WORKSPACE, "workspace_reader", "workspaceId",
         FIXTURE_WORKSPACE, TRUE},
        {"workspace_editor", "workspaceId", FIXTURE_WORKSPACE, "workspace_source_editor",
         "workspaceId", FIXTURE_WORKSPACE, TRUE},
        {"workspace_editor", "workspaceId", FIXTURE_WORKSPACE, "workspace_admin", "workspaceId",
         FIXTURE_WORKSPACE, FALSE},
        {"workspace_source_editor", "workspaceId", FIXTURE_WORKSPACE,
         "workspace_destination_editor", "workspaceId", FIXTURE_WORKSPACE, FALSE},
        {"workspace_source_editor", "workspaceId", FIXTURE_WORKSPACE, "workspace_runner",
         "workspaceId", FIXTURE_WORKSPACE, TRUE},
        {"workspace_admin", "workspaceId", FIXTURE_WORKSPACE, "organization_member",
         "organizationId", ORGANIZATION, FALSE},
        {"organization_editor", "organizationId", ORGANIZATION, "workspace_editor", "workspaceId",
         FIXTURE_WORKSPACE, TRUE},
        {"organization_reader", "organizationId", ORGANIZATION, "workspace_runner", "workspaceId",
         FIXTURE_WORKSPACE, FALSE},
        {"organization_admin", "organizationId", ORGANIZATION, "organization_reader",
         "organizationId", ORGANIZATION, TRUE},
        {"organization_admin", "organizationId", ORGANIZATION, "instance_admin", "organizationId",
         ORGANIZATION, FALSE},
        {"organization_admin", "organizationId", ORGANIZATION, "workspace_reader", "workspaceId",
         NOBODY, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *user = invite(fix, format(fix, "u%u@example.org", i));
        grant(fix, user, cases[i].held, cases[i].scope, cases[i].id);
        const char *body =
            format(fix, "{\"permissionType\":\"%s\",\"userId\":\"%s\",\"%s\":\"%s\"}",
                   cases[i].asked, user, cases[i].at, cases[i].at_id);
        g_test_message("%s: %s at %s", cases[i].held, cases[i].asked, cases[i].at_id);
        g_assert_cmpstr(
            member(fix, as(fix, user, "POST", "/api/v1/permissions/check", body, 200), "status"),
            ==, cases[i].succeeds ? "succeeded" : "failed");
    }
    const char *user = invite(fix, "many@example.org");
    grant(fix, user, "workspace_reader", "workspaceId", FIXTURE_WORKSPACE);
    const char *path = "/api/v1/permissions/check_multiple_workspaces";
    const char *start = format(fix,
                               "{\"permissionType\":\"workspace_reader\",\"userId\":\"%s\","
                               "\"workspaceIds\":",
                               user);
    g_assert_cmpstr(
        member(fix,
               call(fix, "POST", path, format(fix, "%s[\"" FIXTURE_WORKSPACE "\"]}", start), 200),
               "status"),
        ==, "succeeded");
    g_assert_cmpstr(
        member(fix,
               call(fix, "POST", path,
                    format(fix, "%s[\"" FIXTURE_WORKSPACE "\",\"" NOBODY "\"]}", start), 200),
               "status"),
        ==, "failed");
    g_assert_cmpstr(
        member(fix, call(fix, "POST", path, format(fix, "%s[]}", start), 200), "status"), ==,
        "failed");
    call(fix, "POST", path, format(fix, "%s[\"x\"]}", start), 400);
    g_assert_cmpstr(
        member(fix,
               call(fix, "POST", "/api/v1/permissions/check",
                    "{\"permissionType\":\"workspace_reader\",\"userId\":\"" SERVER_DEFAULT_USER
                    "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}",
                    200),
               "status"),
        ==, "succeeded");
}

/* --- people and organizations ----------------------------------------------------------------- */

static void
test_users(Fixture *fix, gconstpointer data)
{
    const char *user = invite(fix, "a@example.org"), *other = invite(fix, "b@example.org");
    const char *self = body_of(fix, "userId", user);
    call(fix, "POST", "/api/v1/sluice/users", "{\"email\":\"A@Example.org\"}", 409);
    call(fix, "POST", "/api/v1/sluice/users", "{\"email\":\"no address\"}", 400);
    const char *read = as(fix, user, "POST", "/api/v1/users/get", self, 200);
    g_assert_cmpstr(member(fix, read, "email"), ==, "a@example.org");
    g_assert_cmpstr(member(fix, read, "status"), ==, "invited");
    g_assert_cmpstr(member(fix, read, "metadata"), ==, "{}");
    assert_lacks(read, "assword");
    as(fix, other, "POST", "/api/v1/users/get", self, 403);
    const char *made = as(fix, user, "POST", "/api/v1/users/get_or_create_by_auth_id",
                          body_of(fix, "authUserId", user), 200);
    g_assert_cmpstr(member(fix, made, "newUserCreated"), ==, "false");
    g_assert_cmpstr(member(fix, made, "authProvider"), ==, "airbyte");
    as(fix, other, "POST", "/api/v1/users/get_or_create_by_auth_id",
       body_of(fix, "authUserId", user), 403);
    as(fix, user, "POST", "/api/v1/users/get_by_auth_id", body_of(fix, "authUserId", user), 200);
    assert_has(as(fix, user, "POST", "/api/v1/users/update",
                  format(fix,
                         "{\"userId\":\"%s\",\"name\":\"Ada\",\"news\":true,\"metadata\":{\"k\":"
                         "[1]},\"defaultWorkspaceId\":\"" FIXTURE_WORKSPACE "\"}",
                         user),
                  200),
               "\"name\":\"Ada\"");
    read = as(fix, user, "POST", "/api/v1/users/update",
              format(fix, "{\"userId\":\"%s\",\"companyName\":\"C\"}", user), 200);
    assert_has(read, "\"name\":\"Ada\"");
    assert_has(read, "\"news\":true");
    assert_has(read, "\"defaultWorkspaceId\":\"" FIXTURE_WORKSPACE "\"");
    as(fix, user, "POST", "/api/v1/users/update",
       format(fix, "{\"userId\":\"%s\",\"status\":\"registered\"}", user), 403);
    g_assert_cmpstr(member(fix,
                           call(fix, "POST", "/api/v1/users/get_by_email",
                                "{\"email\":\"A@EXAMPLE.org\"}", 200),
                           "userId"),
                    ==, user);
    call(fix, "POST", "/api/v1/users/get_by_email", "{\"email\":\"c@example.org\"}", 404);
    call(fix, "POST", "/api/v1/users/get_by_email", "{\"email\":\"\"}", 400);
    call(fix, "POST", "/api/v1/users/delete", self, 204);
    call(fix, "POST", "/api/v1/users/delete", self, 404);
    as(fix, user, "POST", "/api/v1/users/get", self, 401);
}

static void
test_lists(Fixture *fix, gconstpointer data)
{
    const char *reader = invite(fix, "r@example.org"), *member_of = invite(fix, "m@example.org");
    const char *in_organization = format(fix, "/api/public/v1/users?organizationId=" ORGANIZATION);
    grant(fix, reader, "workspace_reader", "workspaceId", FIXTURE_WORKSPACE);
    grant(fix, member_of, "organization_reader", "organizationId", ORGANIZATION);
    const char *all = as(fix, member_of, "GET", in_organization, NULL, 200);
    assert_has(all, reader);
    assert_has(all, member_of);
    assert_lacks(all, SERVER_DEFAULT_USER); /* of the instance, not of the organization */
    as(fix, reader, "GET", in_organization, NULL, 403);
    call(fix, "GET", "/api/public/v1/users", NULL, 400);
    assert_lacks(call(fix, "GET", format(fix, "%s&ids=%s", in_organization, reader), NULL, 200),
                 member_of);
    assert_lacks(
        call(fix, "GET", format(fix, "%s&emails=M@example.org", in_organization), NULL, 200),
        reader);
    call(fix, "GET", format(fix, "%s&emails=m@example.org&ids=%s", in_organization, reader), NULL,
         400);
    call(fix, "GET", format(fix, "%s&ids=x", in_organization), NULL, 400);

    const char *users = as(fix, member_of, "POST", "/api/v1/users/list_by_organization_id",
                           body_of(fix, "organizationId", ORGANIZATION), 200);
    assert_has(users, "organization_reader");
    assert_lacks(users, reader);
    const char *access = as(fix, reader, "POST", "/api/v1/users/list_access_info_by_workspace_id",
                            body_of(fix, "workspaceId", FIXTURE_WORKSPACE), 200);
    assert_has(access, "\"workspacePermission\":{");
    assert_has(access, "\"organizationPermission\":{");
    assert_has(access, "\"userEmail\":\"r@example.org\"");
}

static void
test_organizations(Fixture *fix, gconstpointer data)
{
    const char *user = invite(fix, "a@example.org");
    const char *made =
        call(fix, "POST", "/api/v1/organizations/create",
             format(fix, "{\"organizationName\":\"Second\",\"userId\":\"%s\"}", user), 201);
    const char *id = member(fix, made, "organizationId");
    const char *body = body_of(fix, "organizationId", id);
    g_assert_cmpstr(member(fix, made, "email"), ==, "a@example.org");
    const char *mine = as(fix, user, "GET", "/api/public/v1/organizations", NULL, 200);
    assert_has(mine, id);
    assert_lacks(mine, ORGANIZATION);
    assert_has(call(fix, "GET", "/api/public/v1/organizations", NULL, 200), ORGANIZATION);
    g_assert_cmpstr(as(fix, user, "POST", "/api/v1/organizations/get", body, 200), ==, made);
    assert_has(as(fix, user, "POST", "/api/v1/organizations/get_organization_info", body, 200),
               "\"sso\":false");
    as(fix, user, "POST", "/api/v1/organizations/get", body_of(fix, "organizationId", ORGANIZATION),
       403);
    assert_has(as(fix, user, "POST", "/api/v1/organizations/update",
                  format(fix, "{\"organizationId\":\"%s\",\"organizationName\":\"2nd\"}", id), 200),
               "\"organizationName\":\"2nd\",\"email\":\"a@example.org\"");
    const char *list = format(fix,
                              "{\"userId\":\"%s\",\"nameContains\":\"ND\",\"pagination\":"
                              "{\"pageSize\":5,\"rowOffset\":0}}",
                              user);
    assert_has(as(fix, user, "POST", "/api/v1/organizations/list_by_user_id", list, 200), id);
    assert_lacks(as(fix, user, "POST", "/api/v1/organizations/list_by_user_id",
                    format(fix, "{\"userId\":\"%s\",\"nameContains\":\"%%\"}", user), 200),
                 id);
    /* its administrator makes workspaces in it, and in no other */
    const char *workspace =
        member(fix,
               as(fix, user, "POST", "/api/public/v1/workspaces",
                  format(fix, "{\"name\":\"w2\",\"organizationId\":\"%s\"}", id), 200),
               "workspaceId");
    as(fix, user, "POST", "/api/public/v1/workspaces", "{\"name\":\"w3\"}", 403);
    as(fix, user, "POST", "/api/public/v1/workspaces",
       "{\"name\":\"w3\",\"organizationId\":\"" ORGANIZATION "\"}", 403);
    const char *summaries =
        as(fix, user, "POST", "/api/v1/organizations/list_summaries", list, 200);
    assert_has(summaries, "\"memberCount\":1");
    assert_has(summaries, workspace);
    assert_lacks(summaries, FIXTURE_WORKSPACE);
    call(fix, "POST", "/api/v1/organizations/delete", body, 409);
    made = call(fix, "POST", "/api/v1/organizations/create",
                format(fix, "{\"organizationName\":\"Third\",\"userId\":\"%s\"}", user), 201);
    body = body_of(fix, "organizationId", member(fix, made, "organizationId"));
    call(fix, "POST", "/api/v1/organizations/delete", body, 204);
    call(fix, "POST", "/api/v1/organizations/delete", body, 404);
    call(fix, "POST", "/api/v1/organizations/create",
         "{\"organizationName\":\"x\",\"userId\":\"" NOBODY "\"}", 404);
}

/* --- two workspaces --------------------------------------------------------------------------- */

/* Two people, each with everything in a workspace of his own: neither gets at the other's things in
 * any way. */
static void
test_two_workspaces(Fixture *fix, gconstpointer data)
{
    const char *ada = invite(fix, "ada@example.org"), *bob = invite(fix, "bob@example.org");
    const char *home =
        member(fix, call(fix, "POST", "/api/public/v1/workspaces", "{\"name\":\"bob's\"}", 200),
               "workspaceId");
    const char *config =
        "\"configuration\":{\"sourceType\":\"s\",\"host\":\"h\",\"password\":\"p\"}";
    grant(fix, ada, "workspace_admin", "workspaceId", FIXTURE_WORKSPACE);
    grant(fix, bob, "workspace_admin", "workspaceId", home);
    const char *source =
        member(fix,
               as(fix, bob, "POST", "/api/public/v1/sources",
                  format(fix, "{\"name\":\"bob's\",\"workspaceId\":\"%s\",%s}", home, config), 200),
               "sourceId");
    const char *tag = member(fix,
                             as(fix, bob, "POST", "/api/public/v1/tags",
                                format(fix,
                                       "{\"name\":\"t\",\"color\":\"FFFFFF\","
                                       "\"workspaceId\":\"%s\"}",
                                       home),
                                200),
                             "tagId");
    const struct {
        const char *method, *path, *body;
    } calls[] = {
        {"GET", format(fix, "/api/public/v1/workspaces/%s", home), NULL},
        {"PATCH", format(fix, "/api/public/v1/workspaces/%s", home), "{\"name\":\"x\"}"},
        {"DELETE", format(fix, "/api/public/v1/workspaces/%s", home), NULL},
        {"GET", format(fix, "/api/public/v1/sources?workspaceIds=%s", home), NULL},
        {"GET", format(fix, "/api/public/v1/sources?workspaceIds=%s,%s", FIXTURE_WORKSPACE, home),
         NULL},
        {"GET", format(fix, "/api/public/v1/sources/%s", source), NULL},
        {"PATCH", format(fix, "/api/public/v1/sources/%s", source), "{\"name\":\"x\"}"},
        {"PUT", format(fix, "/api/public/v1/sources/%s", source),
         format(fix, "{\"name\":\"x\",%s}", config)},
        {"DELETE", format(fix, "/api/public/v1/sources/%s", source), NULL},
        {"POST", format(fix, "/api/v1/sluice/sources/%s/check", source), NULL},
        {"GET", format(fix, "/api/public/v1/streams?sourceId=%s", source), NULL},
        {"POST", "/api/v1/sources/get", body_of(fix, "sourceId", source)},
        {"POST", "/api/v1/sources/list", body_of(fix, "workspaceId", home)},
        {"POST", "/api/v1/sources/delete", body_of(fix, "sourceId", source)},
        {"POST", "/api/v1/sources/discover_schema", body_of(fix, "sourceId", source)},
        {"POST", "/api/public/v1/connections",
         format(fix, "{\"sourceId\":\"%s\",\"destinationId\":\"" FIXTURE_DESTINATION "\"}",
                source)},
        {"POST", "/api/public/v1/sources",
         format(fix, "{\"name\":\"x\",\"workspaceId\":\"%s\",%s}", home, config)},
        {"GET", format(fix, "/api/public/v1/tags/%s", tag), NULL},
        {"DELETE", format(fix, "/api/public/v1/tags/%s", tag), NULL},
        {"GET", format(fix, "/api/public/v1/workspaces/%s/definitions/sources", home), NULL},
        {"POST", "/api/v1/users/list_access_info_by_workspace_id",
         body_of(fix, "workspaceId", home)},
    };
    /* a connector of his own workspace: hers does not know it, nor can she run it */
    queue_fixture_script(
        fix->server.db,
        format(fix,
               "insert into actor_definition (definition_id, name, actor_type, runtime, command, "
               "docker_repository, docker_image_tag, spec, workspace_id, custom, created_at, "
               "updated_at) values ('" NOBODY "', 'secret', 'source', 'native', '[\"s\"]', 'mine', "
               "'1', '{}', '%s', true, now(), now());",
               home));
    const struct {
        const char *method, *path, *body;
    } unknown[] = {
        {"GET", "/api/v1/sluice/definitions/" NOBODY, NULL},
        {"GET", WS "/definitions/sources/" NOBODY, NULL},
        {"POST", "/api/v1/source_definitions/get", body_of(fix, "sourceDefinitionId", NOBODY)},
        {"POST", "/api/v1/actor_definition_versions/get_default",
         body_of(fix, "actorDefinitionId", NOBODY)},
        {"POST", "/api/v1/source_definition_specifications/get",
         "{\"sourceDefinitionId\":\"" NOBODY "\",\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"},
        {"POST", "/api/public/v1/sources",
         "{\"name\":\"x\",\"definitionId\":\"" NOBODY "\",\"workspaceId\":\"" FIXTURE_WORKSPACE
         "\",\"configuration\":{}}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(unknown); i++)
        as(fix, ada, unknown[i].method, unknown[i].path, unknown[i].body, 404);
    as(fix, bob, "GET", unknown[0].path, NULL, 200);
    as(fix, bob, "POST", unknown[2].path, unknown[2].body, 200);
    static const char *const connectors[] = {"/api/v1/sluice/definitions",
                                             WS "/definitions/sources"};
    for (guint i = 0; i < G_N_ELEMENTS(connectors); i++)
        assert_lacks(as(fix, ada, "GET", connectors[i], NULL, 200), NOBODY);
    assert_lacks(as(fix, ada, "POST", "/api/v1/source_definitions/list", "{}", 200), NOBODY);
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        as(fix, ada, calls[i].method, calls[i].path, calls[i].body, 403);
    /* the other way round: connection, job, sync */
    const struct {
        const char *method, *path, *body;
    } back[] = {
        {"GET", "/api/public/v1/connections/" FIXTURE_CONNECTION, NULL},
        {"PATCH", "/api/public/v1/connections/" FIXTURE_CONNECTION, "{\"name\":\"x\"}"},
        {"DELETE", "/api/public/v1/connections/" FIXTURE_CONNECTION, NULL},
        {"POST", "/api/public/v1/jobs",
         "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"sync\"}"},
        {"GET", "/api/public/v1/jobs?connectionId=" FIXTURE_CONNECTION, NULL},
        {"GET", "/api/public/v1/jobs/1", NULL},
        {"DELETE", "/api/public/v1/jobs/1", NULL},
        {"GET", "/api/v1/sluice/jobs/1/attempts", NULL},
        {"GET", "/api/v1/sluice/jobs/1/attempts/0/log", NULL},
    };
    as(fix, ada, "POST", back[3].path, back[3].body, 200);
    for (guint i = 0; i < G_N_ELEMENTS(back); i++)
        as(fix, bob, back[i].method, back[i].path, back[i].body, 403);
    as(fix, ada, "GET", "/api/public/v1/jobs/1", NULL, 200);
    static const char *const lists[] = {"workspaces",  "sources", "destinations",
                                        "connections", "jobs",    "tags"};
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        const char *path = format(fix, "/api/public/v1/%s", lists[i]);
        const char *hers = as(fix, ada, "GET", path, NULL, 200);
        const char *his = as(fix, bob, "GET", path, NULL, 200);
        assert_lacks(hers, home);
        assert_lacks(hers, source);
        assert_lacks(his, FIXTURE_WORKSPACE);
        assert_lacks(his, FIXTURE_CONNECTION);
    }
    assert_has(as(fix, bob, "GET", format(fix, "/api/public/v1/sources/%s", source), NULL, 200),
               "bob's");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, function)                                                                       \
    g_test_add("/server/user/" name, Fixture, NULL, setup, function, teardown)
    CASE("permissions", test_permissions);
    CASE("no-escalation", test_no_escalation);
    CASE("last-admin", test_last_admin);
    CASE("checks", test_checks);
    CASE("users", test_users);
    CASE("lists", test_lists);
    CASE("organizations", test_organizations);
    CASE("two-workspaces", test_two_workspaces);
    return g_test_run();
}
