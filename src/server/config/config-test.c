/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

#include <string.h>

#include "server-routes.h"
#include "sl-error.h"

/* --- talking -----------------------------------------------------------------------------------
 */

static const ServerOperation *
find_operation(const char *path)
{
    for (guint i = 0; i < server_n_operations; i++)
        if (strcmp(server_operations[i].path, path) == 0 &&
            strcmp(server_operations[i].method, "POST") == 0)
            return &server_operations[i];
    return NULL;
}

/* Reading it as the record checks kinds and required members, of everything below too. */
static void
check_shape(const ServerOperation *operation, const char *answer)
{
    g_autoptr(GError) error = NULL;
    if (operation->out == SERVER_OUT_NONE)
        return; /* a 204, or an empty body */
    g_autoptr(SlJsonDoc) doc = sl_json_read(answer, strlen(answer), NULL, &error);
    g_assert_no_error(error);
    if (operation->out == SERVER_OUT_STRING) {
        g_assert_cmpint(sl_json_root(doc)->type, ==, SL_JSON_STRING);
    } else if (operation->out == SERVER_OUT_ARRAY) {
        SL_JSON_FOREACH (doc, sl_json_root(doc), item) {
            sl_record_free(operation->out_record,
                           sl_record_parse(operation->out_record, doc, item, &error));
            g_assert_no_error(error);
        }
    } else if (operation->out == SERVER_OUT_RECORD) {
        sl_record_free(operation->out_record,
                       sl_record_parse(operation->out_record, doc, sl_json_root(doc), &error));
        g_assert_no_error(error);
    }
}

const char *
config_call(Fixture *fix, const char *verb, const char *body, guint status)
{
    const char *path = format(fix, "/api/v1/%s", verb);
    const char *answer = call(fix, "POST", path, body, status);
    const ServerOperation *operation = find_operation(path);
    g_assert_true(status >= 300 || operation != NULL);
    if (status < 300) {
        g_assert_cmpuint(operation->status, ==, status);
        check_shape(operation, answer);
    }
    return answer;
}

void
config_refused(Fixture *fix, const char *verb, const char *body, guint status, const char *message)
{
    const char *answer = config_call(fix, verb, body, status);
    assert_has(member(fix, answer, "message"), message);
    g_assert_cmpuint(strlen(member(fix, answer, "errorId")), ==, 36);
}

const char *
config_at(Fixture *fix, const char *json, ...)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, NULL);
    g_assert_nonnull(doc);
    const SlJsonNode *node = sl_json_root(doc);
    va_list args;
    va_start(args, json);
    for (const char *step; node != NULL && (step = va_arg(args, const char *)) != NULL;) {
        const SlJsonNode *next =
            node->type == SL_JSON_ARRAY
                ? sl_json_at(doc, node, (guint)g_ascii_strtoull(step, NULL, 10))
                : sl_json_get(doc, node, step);
        if (next == NULL)
            g_test_message("no '%s' in %s", step, json);
        node = next;
    }
    va_end(args);
    g_assert_nonnull(node);
    char *text = node->type == SL_JSON_STRING ? sl_json_dup_string(node) : sl_json_dup_span(node);
    g_ptr_array_add(fix->answers, text);
    return text;
}

/* --- the dialect -------------------------------------------------------------------------------
 */

static void
test_errors(Fixture *fix, gconstpointer data)
{
    static const char verb[] = "workspaces/get_organization_info";
    config_refused(fix, verb, "{\"workspaceId\":\"" NO_ID "\"}", 404, NO_ID);
    config_refused(fix, verb, "{\"workspaceId\":", 422, "body: ");
    config_refused(fix, verb, "[]", 400, "body: expected object");
    config_refused(fix, verb, NULL, 400, "workspaceId");
    config_refused(fix, verb, "", 400, "workspaceId");
    config_refused(fix, verb, "{\"workspaceId\":3}", 400, "workspaceId: ");
    const char *answer = config_call(fix, verb, "{\"workspaceId\":\"x\"}", 400);
    g_assert_cmpstr(config_at(fix, answer, "validationErrors", "0", "propertyPath", NULL), ==,
                    "workspaceId");
    /* clients of problems find theirs too */
    g_assert_cmpstr(member(fix, answer, "status"), ==, "400");
    assert_has(answer, "#bad-request");
    config_refused(fix, "workspaces/nothing", "{}", 404, "not found");
    g_assert_cmpstr(member(fix,
                           call(fix, "GET", "/api/v1/workspaces/get_organization_info", NULL, 405),
                           "message"),
                    ==, "this address does not know the method");
    /* the public API keeps its own */
    assert_lacks(call(fix, "GET", "/api/public/v1/sources/x", NULL, 400), "errorId");
    assert_lacks(call(fix, "POST", "/api/public/v1/sources", "{", 400), "errorId");
}

static void
test_addresses(Fixture *fix, gconstpointer data)
{
    static const char body[] = "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}";
    const char *form[] = {"Content-Type", "application/x-www-form-urlencoded", NULL};
    const char *answer = config_call(fix, "workspaces/get_organization_info", body, 200);
    g_assert_cmpstr(call(fix, "POST", "/api/v1/workspaces/get_organization_info/", body, 200), ==,
                    answer);
    /* curl -d says that it is a form */
    g_assert_cmpstr(
        call_with(fix, form, "POST", "/api/v1/workspaces/get_organization_info", body, 200), ==,
        answer);
    call(fix, "POST", "/api/v1/workspaces/get_organization_info//", body, 404);
    g_assert_cmpstr(call(fix, "GET", "/api/public/v1/workspaces/" FIXTURE_WORKSPACE "/", NULL, 200),
                    ==, call(fix, "GET", WS, NULL, 200));
}

static gboolean
is_built(const SlHttpRoute *route)
{
    for (guint i = 0; i < server_n_operations; i++)
        if (strcmp(server_operations[i].path, route->path) == 0 &&
            strcmp(server_operations[i].method, route->method) == 0)
            return TRUE;
    return FALSE;
}

/* What a client may ask for and we do not have says so, by name. */
static void
test_unbuilt(Fixture *fix, gconstpointer data)
{
    g_assert_null(server_unbuilt[server_n_unbuilt].path);
    g_assert_cmpuint(server_n_unbuilt, >, 70); /* those that are never built */
    for (guint i = 0; i < server_n_unbuilt; i++) {
        const SlHttpRoute *route = &server_unbuilt[i];
        g_assert_false(is_built(route));
        assert_has(call(fix, route->method, route->path, NULL, 501), "#not-implemented");
    }
    config_refused(fix, "connections/auto_disable", "{}", 501, "does not have");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK); /* jobs fail on purpose */
    CONFIG_CASE("dialect/errors", test_errors);
    CONFIG_CASE("dialect/addresses", test_addresses);
    CONFIG_CASE("dialect/unbuilt", test_unbuilt);
    config_add_action_cases();
    config_add_actor_cases();
    config_add_builder_cases();
    config_add_check_cases();
    config_add_connection_cases();
    config_add_command_cases();
    config_add_definition_cases();
    config_add_history_cases();
    config_add_instance_cases();
    config_add_list_cases();
    config_add_next_run_cases();
    config_add_overview_cases();
    config_add_policy_cases();
    config_add_run_cases();
    config_add_schema_cases();
    config_add_state_cases();
    config_add_webhook_cases();
    config_add_stream_cases();
    config_add_timeline_cases();
    config_add_workspace_cases();
    return g_test_run();
}
