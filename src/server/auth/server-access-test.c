/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-scope.h"

#include <string.h>

#include "server-auth.h"
#include "server-events.h"
#include "server-fixture.h"
#include "server-routes.h"
#include "sl-error.h"
#include "sl-fd.h"

/* Every operation of the table, asked by every kind of caller. What must come out stands below,
 * written down again instead of taken from the server. */

#define ORGANIZATION "00000000-0000-4000-8000-000000000001"
#define OTHER_ORGANIZATION "00000000-0000-4000-8000-0000000000a1"
#define OTHER_WORKSPACE "00000000-0000-4000-8000-0000000000a1"
#define OTHER_SOURCE "00000000-0000-4000-8000-0000000000a2"
#define OTHER_DESTINATION "00000000-0000-4000-8000-0000000000a3"
#define OTHER_CONNECTION "00000000-0000-4000-8000-0000000000a4"
#define STRANGER "00000000-0000-4000-8000-0000000000ff"
#define TAG "00000000-0000-4000-8000-0000000000fd"
#define ADD_TAG                                                                                    \
    "insert into tag values ('" TAG "', '" FIXTURE_WORKSPACE "', 't', '00ff00', now())"            \
    " on conflict do nothing;"
#define PERMISSION "00000000-0000-4000-8000-0000000000fe"

/* Callers in the order of the columns below; "other" ones have their role somewhere else. */
static const struct {
    const char *type;
    gboolean other;
} callers[] = {
    {"organization_admin", FALSE},
    {"organization_editor", FALSE},
    {"organization_runner", FALSE},
    {"organization_reader", FALSE},
    {"organization_member", FALSE},
    {"workspace_owner", FALSE},
    {"workspace_admin", FALSE},
    {"workspace_editor", FALSE},
    {"workspace_source_editor", FALSE},
    {"workspace_destination_editor", FALSE},
    {"workspace_runner", FALSE},
    {"workspace_reader", FALSE},
    {NULL, FALSE},
    {"workspace_admin", TRUE},
    {"organization_admin", TRUE},
    {"instance_admin", FALSE},
};
#define N_ORGANIZATION 5
#define N_HERE 12
#define INSTANCE_ADMIN (G_N_ELEMENTS(callers) - 1)

/* Organization: admin editor runner reader member; workspace: owner admin editor source-editor
 * destination-editor runner reader. */
static const char *const expected[SERVER_N_INTENTS] = {
    [SERVER_INTENT_VIEW_CONNECTION] = "xxxx. xxxxxxx",
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTION] = "xx... xxxxx..",
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR] = "xx... xxxxx..",
    [SERVER_INTENT_CREATE_OR_EDIT_SOURCE] = "xx... xxxx...",
    [SERVER_INTENT_CREATE_OR_EDIT_DESTINATION] = "xx... xxx.x..",
    [SERVER_INTENT_UPLOAD_CUSTOM_CONNECTOR] = "xx... xxxx...",
    [SERVER_INTENT_CREATE_OR_EDIT_CONNECTOR_BUILDER] = "xx... xxxx...",
    [SERVER_INTENT_UPDATE_OR_DELETE_CUSTOM_CONNECTOR] = "x.... .......",
    [SERVER_INTENT_RUN_AND_CANCEL_CONNECTION_SYNC_AND_REFRESH] = "xxx.. xxxxxx.",
    [SERVER_INTENT_RUN_O_AUTH_FLOW] = "xx... xxxx...",
    [SERVER_INTENT_UPDATE_WORKSPACE] = "xx... xx.....",
    [SERVER_INTENT_DELETE_WORKSPACE] = "x.... xx.....",
    [SERVER_INTENT_UPDATE_WORKSPACE_PERMISSIONS] = "x.... xx.....",
    [SERVER_INTENT_MANAGE_CONNECTION_ON_DEMAND_CAPACITY] = "x.... xx.....",
    [SERVER_INTENT_UPDATE_ORGANIZATION_PERMISSIONS] = "x.... .......",
    [SERVER_INTENT_VIEW_ORGANIZATION_SETTINGS] = "xxxx. .......",
    [SERVER_INTENT_VIEW_ORGANIZATION_TRIAL_STATUS] = "xxxx. .......",
    [SERVER_INTENT_VIEW_ORGANIZATION_DETAILS] = "xxxxx .......",
    [SERVER_INTENT_VIEW_ORGANIZATION_USAGE] = "x.... .......",
    [SERVER_INTENT_MANAGE_ORGANIZATION_BILLING] = "x.... .......",
    [SERVER_INTENT_MANAGE_DOMAIN_VERIFICATION] = "x.... .......",
    [SERVER_INTENT_MANAGE_DATAPLANES] = "x.... .......",
    [SERVER_INTENT_MANAGE_DATAPLANE_GROUPS] = "x.... .......",
    [SERVER_INTENT_MANAGE_ORGANIZATION_PAYMENT_CONFIGS] = "..... .......",
    [SERVER_INTENT_MANAGE_SECRET_STORAGES] = "..... .......",
    [SERVER_INTENT_VIEW_WORKSPACE_SETTINGS] = "xxxx. xxxxxxx",
    [SERVER_INTENT_INSTANCE_ADMIN] = "..... .......",
    [SERVER_INTENT_SELF] = "..... .......", /* about somebody else */
};

static gboolean
may(ServerIntent intent, guint caller, gboolean in_organization)
{
    if (intent == SERVER_INTENT_ANONYMOUS || intent == SERVER_INTENT_AUTHENTICATED ||
        caller == INSTANCE_ADMIN)
        return TRUE;
    if (caller >= N_HERE || (in_organization && caller >= N_ORGANIZATION))
        return FALSE;
    return expected[intent][caller < N_ORGANIZATION ? caller : caller + 1] == 'x';
}

/* --- callers
 * -------------------------------------------------------------------------------------- */

static char *
user_id(guint caller)
{
    return g_strdup_printf("00000000-0000-4000-8000-0000000001%02x", caller);
}

static void
add_user(Fixture *fix, guint caller)
{
    g_autofree char *id = user_id(caller);
    g_autoptr(GString) sql = g_string_new(NULL);
    const char *type = callers[caller].type;
    gboolean other = callers[caller].other;
    g_string_append_printf(sql,
                           "insert into account (user_id, name, status, created_at, updated_at) "
                           "values ('%s', 'u', 'registered', now(), now());",
                           id);
    if (type != NULL)
        g_string_append_printf(
            sql,
            "insert into permission (permission_id, user_id, permission_type, workspace_id, "
            "organization_id, created_at) values (gen_random_uuid(), '%s', '%s', %s, %s, now());",
            id, type,
            !g_str_has_prefix(type, "workspace") ? "null"
            : other                              ? "'" OTHER_WORKSPACE "'"
                                                 : "'" FIXTURE_WORKSPACE "'",
            !g_str_has_prefix(type, "organization") ? "null"
            : other                                 ? "'" OTHER_ORGANIZATION "'"
                                                    : "'" ORGANIZATION "'");
    queue_fixture_script(fix->server.db, sql->str);
}

/* A second organization with everything that the fixture's has. */
static void
add_world(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "insert into organization values ('" OTHER_ORGANIZATION "', 'other', '', now());"
        "insert into workspace (workspace_id, organization_id, name, created_at) values "
        "('" OTHER_WORKSPACE "', '" OTHER_ORGANIZATION "', 'other', now());"
        "insert into actor (actor_id, workspace_id, definition_id, actor_type, name, "
        "configuration, created_at, updated_at) values "
        "('" OTHER_SOURCE "', '" OTHER_WORKSPACE "', '" FIXTURE_SOURCE "', 'source', 'other', "
        "'{}', now(), now()), ('" OTHER_DESTINATION "', '" OTHER_WORKSPACE "', "
        "'" FIXTURE_DESTINATION "', 'destination', 'other', '{}', now(), now());"
        "insert into connection (connection_id, workspace_id, name, source_id, destination_id, "
        "catalog, created_at, updated_at) values ('" OTHER_CONNECTION "', '" OTHER_WORKSPACE "', "
        "'other', '" OTHER_SOURCE "', '" OTHER_DESTINATION "', '{\"streams\":[]}', now(), now());"
        "insert into account (user_id, name, status, created_at, updated_at) values "
        "('" STRANGER "', 'stranger', 'registered', now(), now());"
        "insert into permission (permission_id, user_id, permission_type, workspace_id, created_at)"
        " values ('" PERMISSION "', '" STRANGER "', 'workspace_reader', '" FIXTURE_WORKSPACE "', "
        "now());"
        "insert into job (config_type, scope, workspace_id, status, created_at, updated_at, "
        "finished_at) values ('sync', '" FIXTURE_CONNECTION "', '" FIXTURE_WORKSPACE "', "
        "'succeeded', now(), now(), now()), ('sync', '" OTHER_CONNECTION "', '" OTHER_WORKSPACE "',"
        " 'succeeded', now(), now(), now());"
        "insert into command (command_id, type, workspace_id, job_id, created_at) values "
        "('Command 1', 'check', '" FIXTURE_WORKSPACE "', 1, now());" ADD_TAG);
    for (guint i = 0; i < G_N_ELEMENTS(callers); i++)
        add_user(fix, i);
}

static char *
make_header(Fixture *fix, guint caller)
{
    g_autofree char *id = user_id(caller);
    g_autofree char *token = server_token_make(&fix->server, id, NULL, NULL, g_get_real_time(),
                                               3600 * (gint64)G_USEC_PER_SEC);
    return g_strconcat("Bearer ", token, NULL);
}

/* --- requests
 * -------------------------------------------------------------------------------------
 */

/* Ids of things here; members that are not named get something of their kind. */
static const struct {
    const char *name, *value;
    gboolean in_workspace, in_organization;
} ids[] = {
    {"workspaceId", FIXTURE_WORKSPACE, TRUE, FALSE},
    {"sourceId", FIXTURE_SOURCE, TRUE, FALSE},
    {"destinationId", FIXTURE_DESTINATION, TRUE, FALSE},
    {"connectionId", FIXTURE_CONNECTION, TRUE, FALSE},
    {"jobId", "1", TRUE, FALSE},
    {"permissionId", PERMISSION, TRUE, FALSE},
    {"tagId", TAG, TRUE, FALSE},
    {"commandId", "Command 1", TRUE, FALSE},
    {"workspace_id", FIXTURE_WORKSPACE, TRUE, FALSE},
    {"actor_id", FIXTURE_SOURCE, TRUE, FALSE},
    {"organizationId", ORGANIZATION, FALSE, TRUE},
    {"userId", STRANGER, FALSE, FALSE},
};

typedef struct {
    const ServerOperation *operation;
    gboolean in_workspace, in_organization; /* what the ids in it say */
} Request;

static const char *
find_id(Request *request, const char *name)
{
    if (strcmp(name, "actorId") == 0)
        name = request->operation->kind == SERVER_KIND_DESTINATION ? "destinationId" : "sourceId";
    if (strcmp(name, "id") == 0 && request->operation->id_means != NULL)
        name = request->operation->id_means;
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        if (strcmp(ids[i].name, name) == 0) {
            request->in_workspace |= ids[i].in_workspace;
            request->in_organization |= ids[i].in_organization;
            return ids[i].value;
        }
    return NULL;
}

static void write_record(Request *request, const SlRecord *record, gboolean top, SlJsonWriter *w);

static void
write_field(Request *request, const SlField *field, gboolean top, SlJsonWriter *w)
{
    const char *id = top ? find_id(request, field->json) : NULL;
    const char *listed = !top                                        ? NULL
                         : strcmp(field->json, "workspaceIds") == 0  ? FIXTURE_WORKSPACE
                         : strcmp(field->json, "connectionIds") == 0 ? FIXTURE_CONNECTION
                                                                     : NULL;
    const char *list[] = {listed, NULL};
    switch ((SlKind)field->kind) {
    case SL_KIND_INT:
        if (id != NULL)
            sl_json_raw(w, id, strlen(id));
        else
            sl_json_int(w, MAX(field->min, 1));
        break;
    case SL_KIND_DBL:
        sl_json_int(w, 1);
        break;
    case SL_KIND_BOOL:
        sl_json_bool(w, FALSE);
        break;
    case SL_KIND_TIME:
        sl_json_string(w, "2026-08-01T12:00:00Z");
        break;
    case SL_KIND_ENUM:
        sl_json_string(w, field->names->names[0]);
        break;
    case SL_KIND_OBJ:
        write_record(request, field->record, FALSE, w);
        break;
    case SL_KIND_OBJV:
        sl_json_begin_array(w);
        sl_json_end_array(w);
        break;
    case SL_KIND_STRV:
        request->in_workspace |= listed != NULL;
        sl_json_strings(w, list);
        break;
    case SL_KIND_NODE:
        sl_json_raw(w, "{}", 2);
        break;
    case SL_KIND_STR:
    case SL_KIND_UUID:
        sl_json_string(w, id != NULL                    ? id
                          : field->kind == SL_KIND_UUID ? SERVER_DEFAULT_USER
                                                        : "xxxxxxxxxxxx");
    }
}

/* Members that the scope is found by, and those that must be there. */
static void
write_record(Request *request, const SlRecord *record, gboolean top, SlJsonWriter *w)
{
    sl_json_begin_object(w);
    for (guint i = 0; i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        g_autofree char *hole = g_strconcat("{", field->json, "}", NULL);
        if (top && strstr(request->operation->path, hole) != NULL)
            continue;
        if ((field->flags & SL_FIELD_REQUIRED) != 0 ||
            (top && (g_str_has_suffix(field->json, "Id") || g_str_has_suffix(field->json, "_id") ||
                     strcmp(field->json, "workspaceIds") == 0))) {
            sl_json_key(w, field->json);
            write_field(request, field, top, w);
        }
    }
    sl_json_end_object(w);
}

static char *
fill_path(Request *request)
{
    GString *path = g_string_new(NULL);
    const char *rest = request->operation->path;
    for (const char *hole; (hole = strchr(rest, '{')) != NULL; rest = strchr(hole, '}') + 1) {
        g_autofree char *name = g_strndup(hole + 1, strcspn(hole + 1, "}"));
        const char *id = find_id(request, name);
        g_string_append_len(path, rest, hole - rest);
        g_string_append(path, id != NULL                         ? id
                              : g_str_has_suffix(name, "Id")     ? SERVER_DEFAULT_USER
                              : g_str_has_suffix(name, "Number") ? "0"
                                                                 : "source");
    }
    g_string_append(path, rest);
    return g_string_free(path, FALSE);
}

/* Everything goes into the body, also of a GET: the server reads it there too. FALSE: the role does
 * not allow it; other refusals have other words. */
static gboolean
ask(Fixture *fix, const char *const *headers, const char *method, const char *path,
    const char *body)
{
    g_autoptr(SlHttpUnixReply) reply = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = body != NULL ? g_bytes_new(body, strlen(body)) : NULL;
    sl_http_unix_request(fix->client, method, path, headers, bytes,
                         g_get_monotonic_time() + 120 * G_USEC_PER_SEC, NULL, &reply, &error);
    g_assert_no_error(error);
    if (reply->status == 500) {
        g_test_message("%s %s %s: %.*s", method, path, body, (int)g_bytes_get_size(reply->body),
                       (const char *)g_bytes_get_data(reply->body, NULL));
        g_test_fail();
    }
    g_autofree char *text =
        g_strndup(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body));
    return reply->status != 403 || strstr(text, "your role does not allow this") == NULL;
}

/* Some streams never end; their head says enough. */
static gboolean
ask_stream(Fixture *fix, const char *header, const char *path)
{
    g_autofree char *line = g_strdup_printf("Authorization: %s\r\n", header);
    sl_autofd int fd = stream_open(fix, path, line);
    const char *head = stream_hear(fix, fd, "\r\n\r\n");
    return g_ascii_strtoull(head + strlen("HTTP/1.1 "), NULL, 10) != 403;
}

/* --- cases --------------------------------------------------------------------------------------
 */

/* What an allowed call may have taken away from the next one. */
static void
restore(Fixture *fix)
{
    queue_fixture_script(
        fix->server.db,
        "update account set status = 'registered' where user_id = '" STRANGER "';"
        "insert into permission (permission_id, user_id, permission_type, workspace_id, created_at)"
        " values ('" PERMISSION "', '" STRANGER "', 'workspace_reader', '" FIXTURE_WORKSPACE "', "
        "now()) on conflict do nothing;" ADD_TAG);
}

/* The intent that an operation asks for beyond its own when it is about somebody else. */
static ServerIntent
intent_of(const ServerOperation *operation)
{
    return strcmp(operation->name, "permission_list") == 0
               ? SERVER_INTENT_UPDATE_ORGANIZATION_PERMISSIONS
               : operation->intent;
}

static void
check_operation(Fixture *fix, const ServerOperation *operation, char *const *headers)
{
    if (g_str_has_prefix(operation->name, "oauth_organization_"))
        return; /* 403 to everybody: it is not part of the product */
    Request request = {.operation = operation};
    g_autoptr(GString) body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    g_autofree char *path = fill_path(&request);
    if (operation->in_record != NULL)
        write_record(&request, operation->in_record, TRUE, &w);
    gboolean in_organization =
        request.in_organization || (operation->default_organization && !request.in_workspace);
    for (guint i = 0; i < G_N_ELEMENTS(callers); i++) {
        const char *header[] = {"Authorization", headers[i], NULL};
        restore(fix);
        gboolean allowed =
            operation->out == SERVER_OUT_STREAM
                ? ask_stream(fix, headers[i], path)
                : ask(fix, header, operation->method, path, body->len > 0 ? body->str : NULL);
        if (allowed != may(intent_of(operation), i, in_organization)) {
            g_test_message("%s (%s) by %s%s: %s; %s %s", operation->name,
                           server_intent_name(operation->intent),
                           callers[i].type != NULL ? callers[i].type : "nobody",
                           callers[i].other ? " of another place" : "",
                           allowed ? "allowed" : "refused", path, body->str);
            g_test_fail();
        }
    }
}

static void
test_every_operation(Fixture *fix, gconstpointer data)
{
    g_auto(GStrv) headers = g_new0(char *, G_N_ELEMENTS(callers) + 1);
    add_world(fix);
    fix->job_output = "{\"check\":{\"status\":\"succeeded\"},\"catalog\":{\"streams\":[]}}";
    for (guint i = 0; i < G_N_ELEMENTS(callers); i++)
        headers[i] = make_header(fix, i);
    for (guint i = 0; i < server_n_operations; i++)
        check_operation(fix, &server_operations[i], headers);
}

static void
test_intents(void)
{
    for (ServerIntent intent = 0; intent < SERVER_N_INTENTS; intent++) {
        g_assert_nonnull(server_intent_name(intent));
        g_assert_true(server_intent_allows(intent, SERVER_ROLES_ALL));
        g_assert_cmpint(server_intent_allows(intent, SERVER_ROLES_NONE), ==,
                        intent == SERVER_INTENT_ANONYMOUS || intent == SERVER_INTENT_AUTHENTICATED);
        for (guint i = 0; i < N_HERE; i++) {
            int type = sl_enum_value(&sl_permission_type_enum, callers[i].type);
            g_assert_cmpint(type, >=, 0);
            g_assert_cmpint(server_intent_allows(intent, server_permission_roles(type)), ==,
                            may(intent, i, FALSE));
        }
    }
}

/* Somebody of another workspace, and a thing that is not there, look the same; to the administrator
 * they do not. */
static void
test_what_is_not_there(Fixture *fix, gconstpointer data)
{
    static const char *const paths[] = {
        "/api/public/v1/sources/%s",          "/api/public/v1/destinations/%s",
        "/api/public/v1/connections/%s",      "/api/public/v1/workspaces/%s",
        "/api/public/v1/streams?sourceId=%s",
    };
    add_world(fix);
    g_autofree char *reader = make_header(fix, N_HERE - 1);
    g_autofree char *admin = make_header(fix, INSTANCE_ADMIN);
    const char *by_reader[] = {"Authorization", reader, NULL};
    const char *by_admin[] = {"Authorization", admin, NULL};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(GStrv) halves = g_strsplit(paths[i], "%s", 2);
        g_autofree char *unknown = g_strconcat(halves[0], STRANGER, halves[1], NULL);
        g_autofree char *other = g_strconcat(halves[0],
                                             i == 1   ? OTHER_DESTINATION
                                             : i == 2 ? OTHER_CONNECTION
                                             : i == 3 ? OTHER_WORKSPACE
                                                      : OTHER_SOURCE,
                                             halves[1], NULL);
        const char *first = call_with(fix, by_reader, "GET", unknown, NULL, 403);
        g_assert_cmpstr(call_with(fix, by_reader, "GET", other, NULL, 403), ==, first);
        assert_has(first, "#forbidden");
        call_with(fix, by_admin, "GET", unknown, NULL, 404);
    }
    call_with(fix, by_reader, "GET", "/api/public/v1/jobs/1", NULL, 200);
    call_with(fix, by_reader, "GET", "/api/public/v1/jobs/2", NULL, 403);
    call_with(fix, by_reader, "GET", "/api/public/v1/jobs/99", NULL, 403);
    call_with(fix, by_admin, "GET", "/api/public/v1/jobs/99", NULL, 404);
}

/* Events of a workspace reach those who may see it, whatever they ask for. */
static void
test_events(Fixture *fix, gconstpointer data)
{
    static const struct {
        guint caller;
        const char *heard;
    } cases[] = {
        {N_HERE - 1, "ac"}, {N_HERE, "c"}, {N_HERE + 1, "bc"}, {0, "ac"}, {INSTANCE_ADMIN, "abc"},
    };
    static const struct {
        const char *workspace, *data;
    } events[] = {
        {FIXTURE_WORKSPACE, "{\"name\":\"a\"}"},
        {OTHER_WORKSPACE, "{\"name\":\"b\"}"},
        {NULL, "{\"name\":\"c\"}"},
    };
    const char *const topics[] = {"jobs", NULL};
    int fds[G_N_ELEMENTS(cases)];
    add_world(fix);
    server_events_set_http(fix->server.events, fix->http);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *header = make_header(fix, cases[i].caller);
        g_autofree char *line = g_strdup_printf("Authorization: %s\r\n", header);
        fds[i] = stream_open(fix, "/api/v1/sluice/events?topics=jobs,connections", line);
        stream_hear(fix, fds[i], "event: hello");
    }
    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        server_events_add(fix->server.events, "x", events[i].workspace, topics, events[i].data);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = stream_hear(fix, fds[i], events[2].data);
        for (const char *name = "abc"; *name != '\0'; name++) {
            const char *part = format(fix, "{\"name\":\"%c\"}", *name);
            if (strchr(cases[i].heard, *name) != NULL)
                assert_has(text, part);
            else
                assert_lacks(text, part);
        }
        sl_fd_clear(&fds[i]);
    }
}

/* What stands deeper in a body opens no door, and closes none. */
static void
test_nested_ids(Fixture *fix, gconstpointer data)
{
    add_world(fix);
    g_autofree char *editor = make_header(fix, 7);
    const char *by_editor[] = {"Authorization", editor, NULL};
    g_autofree char *mine = g_strdup_printf("{\"name\":\"n\",\"workspaceId\":\"%s\","
                                            "\"configuration\":{\"workspaceId\":\"%s\","
                                            "\"host\":\"h\",\"password\":\"p\","
                                            "\"sourceType\":\"s\"}}",
                                            FIXTURE_WORKSPACE, OTHER_WORKSPACE);
    g_autofree char *theirs = g_strdup_printf("{\"name\":\"n\",\"workspaceId\":\"%s\","
                                              "\"configuration\":{\"workspaceId\":\"%s\","
                                              "\"host\":\"h\",\"password\":\"p\","
                                              "\"sourceType\":\"s\"}}",
                                              OTHER_WORKSPACE, FIXTURE_WORKSPACE);
    call_with(fix, by_editor, "POST", "/api/public/v1/sources", mine, 200);
    call_with(fix, by_editor, "POST", "/api/public/v1/sources", theirs, 403);
    /* two scopes: what is held in both */
    call_with(fix, by_editor, "POST", "/api/public/v1/connections",
              "{\"sourceId\":\"" FIXTURE_SOURCE "\",\"destinationId\":\"" OTHER_DESTINATION "\"}",
              403);
}

/* Lists without ids give what the caller may see; with ids, all of them must be the caller's. */
static void
test_lists(Fixture *fix, gconstpointer data)
{
    static const char *const lists[] = {
        "/api/public/v1/workspaces",  "/api/public/v1/sources", "/api/public/v1/destinations",
        "/api/public/v1/connections", "/api/public/v1/jobs",
    };
    add_world(fix);
    for (guint i = 0; i < G_N_ELEMENTS(callers); i++) {
        g_autofree char *header = make_header(fix, i);
        const char *headers[] = {"Authorization", header, NULL};
        gboolean here = may(SERVER_INTENT_VIEW_CONNECTION, i, FALSE);
        gboolean there = callers[i].other || i == INSTANCE_ADMIN;
        for (guint k = 0; k < G_N_ELEMENTS(lists); k++) {
            const char *all = call_with(fix, headers, "GET", lists[k], NULL, 200);
            g_autofree char *both =
                g_strconcat(lists[k], "?workspaceIds=" FIXTURE_WORKSPACE "," OTHER_WORKSPACE, NULL);
            /* ids here end in 00000000000N, ids there in 0000000000aN */
            gboolean shows_there =
                strstr(all, "-8000-0000000000a") != NULL || strstr(all, "\"jobId\":2") != NULL;
            gboolean shows_here = strstr(all, "-8000-00000000000") != NULL &&
                                  (strstr(all, "-8000-000000000001\"") != NULL ||
                                   strstr(all, "-8000-000000000004\"") != NULL);
            if (shows_here != here || shows_there != there)
                g_test_message("%s by %s: %s", lists[k], callers[i].type, all);
            g_assert_cmpint(shows_here, ==, here);
            g_assert_cmpint(shows_there, ==, there);
            call_with(fix, headers, "GET", both, NULL, here && there ? 200 : 403);
        }
    }
}

/* A runner may run, and not wipe. */
static void
test_clear(Fixture *fix, gconstpointer data)
{
    static const char *const types[] = {"reset", "clear"};
    add_world(fix);
    for (guint i = 0; i < G_N_ELEMENTS(callers); i++)
        for (guint k = 0; k < G_N_ELEMENTS(types); k++) {
            g_autofree char *header = make_header(fix, i);
            g_autofree char *body = g_strdup_printf(
                "{\"connectionId\":\"" FIXTURE_CONNECTION "\",\"jobType\":\"%s\"}", types[k]);
            const char *headers[] = {"Authorization", header, NULL};
            g_assert_cmpint(ask(fix, headers, "POST", "/api/public/v1/jobs", body), ==,
                            may(SERVER_INTENT_CREATE_OR_EDIT_CONNECTION, i, FALSE));
        }
}

/* An operation whose input names no place would be everybody's or nobody's: the server refuses to
 * start. */
static void
test_unknown_scope(void)
{
    ServerOperation operation = {.name = "x", .intent = SERVER_INTENT_VIEW_CONNECTION};
    g_assert_false(server_scope_is_known(&operation));
    operation.in_record = &sl_health_response_record;
    g_assert_false(server_scope_is_known(&operation));
    operation.in_record = &sl_workspace_id_request_record;
    g_assert_true(server_scope_is_known(&operation));
    operation =
        (ServerOperation){.intent = SERVER_INTENT_UPDATE_WORKSPACE, .default_organization = TRUE};
    g_assert_true(server_scope_is_known(&operation));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/server/access/intents", test_intents);
    g_test_add_func("/server/access/unknown-scope", test_unknown_scope);
#define CASE(name, function)                                                                       \
    g_test_add("/server/access/" name, Fixture, NULL, setup, function, teardown)
    CASE("every-operation", test_every_operation);
    CASE("what-is-not-there", test_what_is_not_there);
    CASE("events", test_events);
    CASE("nested-ids", test_nested_ids);
    CASE("lists", test_lists);
    CASE("clear", test_clear);
    return g_test_run();
}
