/* SPDX-License-Identifier: Apache-2.0 */
/* A list asks the database as often for many rows as for a few. Times depend on the machine;
 * numbers of statements do not. */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "server-routes.h"
#include "sl-db.h"

#define PUBLIC "/api/public/v1/"
#define IN_WORKSPACE "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}"
#define OF_CONNECTION "{\"connectionId\":\"" FIXTURE_CONNECTION "\"}"
#define PAGE "{\"workspaceIds\":[],\"pagination\":{\"pageSize\":100}}"
#define OF_ADMIN "{\"userId\":\"" SERVER_DEFAULT_USER "\"}"

/* Rows number `from` to `to` of everything that is listed, in one workspace, each connection with
 * ends and connectors of its own. */
static void
grow(Fixture *fix, int from, int to)
{
    static const char script[] =
        "insert into workspace (workspace_id, organization_id, name, created_at)"
        " select gen_random_uuid(), w.organization_id, 'w' || n, now() from n, workspace w"
        " where w.workspace_id = '" FIXTURE_WORKSPACE "';"
        "insert into actor_definition (definition_id, name, actor_type, runtime, command,"
        " docker_repository, docker_image_tag, spec, custom, created_at, updated_at)"
        " select md5(t || n)::uuid, t || n, t, 'exec', '[\"/bin/true\"]', 'x/' || t || n, '1', "
        "'{}',"
        " true, now(), now() from n, (values ('source'), ('destination')) v (t);"
        "insert into registry_entry (definition_id, actor_type, name, docker_repository,"
        " docker_image_tag, documentation_url, icon, support_level, release_stage, language,"
        " allowed_hosts, resource_requirements, breaking_changes, spec, digest, updated_at)"
        " select md5('r' || n)::uuid, 'source', 'r' || n, 'x/source' || n, '2', '', '', '', '', '',"
        " '[]', '{}', '{}', '{}', '', now() from n;"
        "insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration,"
        " created_at, updated_at)"
        " select md5(t || n)::uuid, '" FIXTURE_WORKSPACE "', md5(t || n)::uuid, t, t || n, '{}',"
        " now(), now() from n, (values ('source'), ('destination')) v (t);"
        "insert into connection (connection_id, workspace_id, name, source_id, destination_id,"
        " catalog, created_at, updated_at)"
        " select md5('c' || n)::uuid, '" FIXTURE_WORKSPACE "', 'c' || n, md5('source' || n)::uuid,"
        " md5('destination' || n)::uuid, '{\"streams\":[]}', now(), now() from n;"
        "insert into tag (tag_id, workspace_id, name, color, created_at)"
        " select md5('t' || n)::uuid, '" FIXTURE_WORKSPACE "', 't' || n, 'AABBCC', now() from n;"
        "insert into connection_tag (connection_id, tag_id)"
        " select md5('c' || n)::uuid, md5('t' || n)::uuid from n;"
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at,"
        " finished_at)"
        " select 'sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', 'failed', now(),"
        " now(), now() from n;"
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at)"
        " select 'sync', md5('c' || n)::uuid, '" FIXTURE_WORKSPACE "', 'running', now(), now()"
        " from n;"
        "insert into attempt (job_id, attempt_number, status, log_path, created_at, updated_at,"
        " ended_at)"
        " select job_id, 0, 'failed', '', now(), now(), now() from job"
        " on conflict do nothing;"
        "insert into attempt_stats (job_id, attempt_number, stream, run_state, updated_at)"
        " select job_id, 0, 's' || n, 'running', now() from n, (select max(job_id) as job_id"
        " from job where scope = '" FIXTURE_CONNECTION "') j;"
        "insert into account (user_id, email, name, status, created_at, updated_at)"
        " select md5('u' || n)::uuid, 'u' || n || '@x', 'u', 'registered', now(), now() from n;"
        "insert into permission (permission_id, user_id, permission_type, workspace_id, created_at)"
        " select gen_random_uuid(), md5('u' || n)::uuid, 'workspace_reader',"
        " '" FIXTURE_WORKSPACE "', now() from n;"
        "insert into permission (permission_id, user_id, permission_type, created_at)"
        " select gen_random_uuid(), md5('u' || n)::uuid, 'instance_admin', now() from n;"
        "insert into permission (permission_id, user_id, permission_type, workspace_id, created_at)"
        " select gen_random_uuid(), '" SERVER_DEFAULT_USER "', 'workspace_reader', workspace_id,"
        " now() from workspace on conflict do nothing;"
        "insert into organization (organization_id, name, created_at)"
        " select gen_random_uuid(), 'o' || n, now() from n;"
        "insert into permission (permission_id, user_id, permission_type, organization_id,"
        " created_at) select gen_random_uuid(), '" SERVER_DEFAULT_USER "', 'organization_member',"
        " organization_id, now() from organization on conflict do nothing;"
        "insert into connection_event (event_id, connection_id, event_type, summary, created_at)"
        " select gen_random_uuid(), '" FIXTURE_CONNECTION "', 'UNKNOWN', '{}', now() from n;"
        "drop table n";
    queue_fixture_script(
        fix->server.db,
        format(fix, "create temporary table n as select n from generate_series(%d, %d) n;%s", from,
               to, script));
}

/* What a list is asked with. `fixed`: why its rows cannot be made here, or that it has few. */
static const struct {
    const char *name, *body, *fixed;
} lists[] = {
    {"application_list", NULL, "secrets are sealed"},
    {"attempt_list", "jobs/1/attempts", "a job has 20 at most"},
    {"attempt_log_search", NULL, "of a file"},
    {"config_application_list", NULL, "secrets are sealed"},
    {"config_connection_list", IN_WORKSPACE, NULL},
    {"config_connection_list_all", IN_WORKSPACE, NULL},
    {"config_connection_list_paginated", PAGE, NULL},
    {"config_connection_search", "{}", NULL},
    {"config_destination_definition_list", "{}", NULL},
    {"config_destination_definition_list_for_workspace", IN_WORKSPACE, NULL},
    {"config_destination_definition_list_latest", "{}", NULL},
    {"config_destination_list", "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"pageSize\":100}",
     NULL},
    {"config_destination_list_paginated", PAGE, NULL},
    {"config_destination_search", "{}", NULL},
    {"config_event_list",
     "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"pagination\":{\"pageSize\":100}}", NULL},
    {"config_event_list_for_job", NULL, "a job has two"},
    {"config_event_list_minimal",
     "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"eventTypes\":[],\"createdAtStart\":"
     "\"2020-01-01T00:00:00Z\",\"createdAtEnd\":\"2100-01-01T00:00:00Z\"}",
     NULL},
    {"config_job_list",
     "{\"configTypes\":[\"sync\"],\"configId\":\"" FIXTURE_CONNECTION
     "\",\"pagination\":{\"pageSize\":100}}",
     NULL},
    {"config_job_list_for_workspaces",
     "{\"configTypes\":[\"sync\"],\"workspaceIds\":[\"" FIXTURE_WORKSPACE
     "\"],\"pagination\":{\"pageSize\":100}}",
     NULL},
    {"config_manifest_list", NULL, "versions of one definition"},
    {"config_organization_list_by_user_id", OF_ADMIN, NULL},
    {"config_organization_list_summaries", OF_ADMIN, NULL},
    {"config_overview_list", "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"pageSize\":100}", NULL},
    {"config_permission_list_by_user", OF_ADMIN, NULL},
    {"config_source_definition_list", "{}", NULL},
    {"config_source_definition_list_for_workspace", IN_WORKSPACE, NULL},
    {"config_source_definition_list_latest", "{}", NULL},
    {"config_source_list", "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"pageSize\":100}", NULL},
    {"config_source_list_paginated", PAGE, NULL},
    {"config_source_search", "{}", NULL},
    {"config_stream_status_list",
     "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\",\"connectionId\":\"" FIXTURE_CONNECTION
     "\",\"pagination\":{\"pageSize\":100}}",
     NULL},
    {"config_stream_status_list_latest", OF_CONNECTION, NULL},
    {"config_tag_list", IN_WORKSPACE, NULL},
    {"config_user_list_access", IN_WORKSPACE, NULL},
    {"config_user_list_by_organization_id", NULL, "one organization"},
    {"config_user_list_instance_admin", "{}", NULL},
    {"config_workspace_list", "{}", NULL},
    {"config_workspace_list_by_organization", NULL, "one organization"},
    {"config_workspace_list_by_user", OF_ADMIN, NULL},
    {"config_workspace_list_paginated", PAGE, NULL},
    {"connection_list", PUBLIC "connections?limit=100", NULL},
    {"connector_definition_list", PUBLIC "connector_definitions?type=source", NULL},
    {"connector_list", "/api/v1/sluice/definitions", NULL},
    {"destination_definition_list", WS "/definitions/destinations", NULL},
    {"destination_list", PUBLIC "destinations?limit=100", NULL},
    {"job_list", PUBLIC "jobs?workspaceIds=" FIXTURE_WORKSPACE "&limit=100", NULL},
    {"manifest_list", NULL, "manifests are judged"},
    {"organization_list", PUBLIC "organizations", NULL},
    {"permission_list", PUBLIC "permissions", NULL},
    {"registry_list", "/api/v1/sluice/registry", NULL},
    {"source_definition_list", WS "/definitions/sources", NULL},
    {"source_list", PUBLIC "sources?limit=100", NULL},
    {"stream_list", NULL, "of a catalog"},
    {"tag_list", PUBLIC "tags", NULL},
    {"user_list", NULL, "of one organization"},
    {"workspace_list", PUBLIC "workspaces?limit=100", NULL},
};

static const ServerOperation *
find_operation(const char *name)
{
    for (guint i = 0; i < server_n_operations; i++)
        if (strcmp(server_operations[i].name, name) == 0)
            return &server_operations[i];
    g_error("there is no operation '%s'", name);
}

static gboolean
is_listed(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        if (strcmp(lists[i].name, name) == 0)
            return TRUE;
    return FALSE;
}

/* The statements of one request, and how long its answer is. */
static guint
ask(Fixture *fix, guint i, gsize *ret_length)
{
    const ServerOperation *operation = find_operation(lists[i].name);
    gboolean get = strcmp(operation->method, "GET") == 0;
    guint before = sl_db_count_statements(fix->server.db);
    const char *answer = call(fix, operation->method, get ? lists[i].body : operation->path,
                              get ? NULL : lists[i].body, 200);
    *ret_length = strlen(answer);
    return sl_db_count_statements(fix->server.db) - before;
}

static void
test_statements(Fixture *fix, gconstpointer data)
{
    guint few[G_N_ELEMENTS(lists)], most = 0;
    gsize shorter[G_N_ELEMENTS(lists)], longer;
    g_atomic_int_set(&fix->stop_worker, 1); /* it asks too */
    g_thread_join(g_steal_pointer(&fix->worker));
    grow(fix, 1, 2);
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
        if (lists[i].fixed == NULL)
            few[i] = ask(fix, i, &shorter[i]);
    grow(fix, 3, 40);
    for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (lists[i].fixed != NULL)
            continue;
        guint many = ask(fix, i, &longer);
        g_test_message("%s: %u statements, %u of many rows", lists[i].name, few[i], many);
        g_assert_cmpuint(longer, >, shorter[i]);
        g_assert_cmpuint(many, ==, few[i]);
        most = MAX(most, many);
    }
    g_assert_cmpuint(most, <=, 6);
}

/* A list that is added has a row above. */
static void
test_complete(Fixture *fix, gconstpointer data)
{
    for (guint i = 0; i < server_n_operations; i++) {
        const ServerOperation *operation = &server_operations[i];
        if (strstr(operation->name, "_list") != NULL ||
            strstr(operation->name, "_search") != NULL) {
            g_test_message("%s", operation->name);
            g_assert_true(is_listed(operation->name));
        }
    }
}

void
config_add_list_cases(void)
{
    CONFIG_CASE("list/statements", test_statements);
    CONFIG_CASE("list/complete", test_complete);
}
