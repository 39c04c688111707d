/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-connector.h"
#include "ctl-object.h"
#include "ctl-text.h"
#include "ctl-value.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* What differs between sources and destinations. */
typedef struct {
    CtlKind kind;
    CtlKind connector;
    const char *id_key;
} Role;

static const Role source_role = {CTL_SOURCE, CTL_SOURCE_CONNECTOR, "sourceId"};
static const Role destination_role = {CTL_DESTINATION, CTL_DESTINATION_CONNECTOR, "destinationId"};

/* --- create ------------------------------------------------------------------------------------
 */

/* "@FILE" → the file without its last newline; "@@text" → "@text". */
static char *
read_value(const char *text, GError **error)
{
    if (*text != '@' || text[1] == '@')
        return g_strdup(*text == '@' ? text + 1 : text);
    gsize len;
    char *value = ctl_read_file(text + 1, &len, error);
    if (value != NULL && strlen(value) != len) {
        ctl_set_usage_error(error, _("'%s' holds a NUL byte: it is no text"), text + 1);
        g_clear_pointer(&value, g_free);
    }
    if (value != NULL && len > 0 && value[len - 1] == '\n')
        value[len - 1] = '\0';
    return value;
}

static gboolean
set_pair(CtlValue *config, const SlJsonDoc *spec, const SlJsonNode *schema, const char *pair,
         GError **error)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair)
        return ctl_set_usage_error(error, _("'%s' is no KEY=VALUE"), pair);
    g_autofree char *path = g_strndup(pair, equals - pair);
    /* Everybody on the host can read a command line. */
    if (equals[1] != '@' && equals[1] != '\0' && ctl_value_is_secret(spec, schema, path))
        return ctl_set_usage_error(
            error,
            _("'%s' is a secret, and command lines are no secret: write %s=@FILE, or %s=@- "
              "for standard input"),
            path, path, path);
    g_autofree char *text = read_value(equals + 1, error);
    if (text == NULL) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    g_autofree char *json = ctl_value_from_text(spec, schema, path, text, error);
    return json != NULL && ctl_value_set(config, path, json, error);
}

static CtlValue *
build_config(Ctl *ctl, const CtlObject *connector, GError **error)
{
    const char *from = ctl_option(ctl, CTL_OPT_FROM);
    g_autoptr(CtlValue) config = NULL;
    if (from != NULL) {
        gsize len;
        g_autofree char *text = ctl_read_file(from, &len, error);
        config = text != NULL ? ctl_value_parse(text, len, error) : NULL;
        if (text != NULL && config == NULL)
            g_prefix_error(error, "%s: ", from);
    } else {
        config = ctl_value_new();
    }
    if (config == NULL || ctl->args->args[2] == NULL)
        return g_steal_pointer(&config);
    g_autoptr(SlJsonDoc) spec = ctl_connector_spec(ctl, connector, error);
    if (spec == NULL)
        return NULL;
    const SlJsonNode *schema = ctl_connector_schema(spec);
    for (guint i = 2; ctl->args->args[i] != NULL; i++)
        if (!set_pair(config, spec, schema, ctl->args->args[i], error))
            return NULL;
    return g_steal_pointer(&config);
}

static char *
create_body(Ctl *ctl, const CtlObject *connector, const char *name, GError **error)
{
    const char *workspace = ctl_workspace(ctl, error);
    g_autoptr(CtlValue) config = workspace != NULL ? build_config(ctl, connector, error) : NULL;
    if (config == NULL)
        return NULL;
    g_autofree char *json = ctl_value_to_json(config);
    GString *body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "name", name);
    sl_json_member_string(&w, "workspaceId", workspace);
    sl_json_member_string(&w, "definitionId", connector->id);
    sl_json_member_raw(&w, "configuration", json);
    sl_json_end_object(&w);
    return g_string_free(body, FALSE);
}

/* Names are how people call things here, so two of one name are refused. */
static gboolean
check_name(Ctl *ctl, const Role *role, const char *name, GError **error)
{
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, CTL_KIND_BIT(role->kind), error);
    if (objects == NULL)
        return FALSE;
    for (guint i = 0; i < objects->len; i++) {
        const CtlObject *object = g_ptr_array_index(objects, i);
        if (strcmp(object->name, name) == 0)
            return sl_error_set(error, SL_ERROR_EXISTS, _("there is a %s '%s' already"),
                                ctl_kind_name(role->kind), name);
    }
    return TRUE;
}

static CtlExit
create_actor(Ctl *ctl, const Role *role, GError **error)
{
    const char *type = ctl->args->args[0], *name = ctl->args->args[1];
    guint kinds = CTL_KIND_BIT(role->connector);
    if (*name == '\0' || ctl_text_is_glob(name) || strchr(name, '/') != NULL) {
        ctl_set_usage_error(error, _("'%s' cannot be a name: it is empty or has one of * ? [ /"),
                            name);
        return CTL_EXIT_USAGE;
    }
    g_autoptr(GPtrArray) connectors = ctl_object_list(ctl, kinds, error);
    const CtlObject *connector =
        connectors != NULL ? ctl_object_pick(connectors, kinds, type, error) : NULL;
    if (connector == NULL || !check_name(ctl, role, name, error))
        return CTL_EXIT_FAILED;
    g_autofree char *body = create_body(ctl, connector, name, error);
    if (body == NULL)
        return CTL_EXIT_FAILED;
    if (ctl_option(ctl, CTL_OPT_DRY_RUN) != NULL) {
        puts(body);
        return CTL_EXIT_OK;
    }
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", ctl_kind_path(role->kind), body, CTL_DEADLINE, error);
    if (doc == NULL) {
        g_prefix_error(error, _("%s '%s' was not created: "), ctl_kind_name(role->kind), name);
        return CTL_EXIT_FAILED;
    }
    g_autofree char *id = ctl_json_string(doc, sl_json_root(doc), role->id_key);
    ctl_say(ctl, _("Created %s '%s', %s."), ctl_kind_name(role->kind), name, id);
    return CTL_EXIT_OK;
}

/* --- test, delete ------------------------------------------------------------------------------
 */

static GPtrArray *
select_actors(Ctl *ctl, const Role *role, GPtrArray **ret_all, GError **error)
{
    *ret_all = ctl_object_list(ctl, CTL_KIND_BIT(role->kind), error);
    return *ret_all != NULL ? ctl_object_select(*ret_all, CTL_KIND_BIT(role->kind),
                                                (const char *const *)ctl->args->args, error)
                            : NULL;
}

/* Says how it went; FALSE with an error only when it could not be tried. */
static gboolean
test_actor(Ctl *ctl, const CtlObject *object, gboolean *ret_ok, GError **error)
{
    g_autofree char *path =
        g_strdup_printf(CTL_SLUICE "/%ss/%s/check",
                        object->kind == CTL_SOURCE ? "source" : "destination", object->id);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", path, "{}", CTL_DEADLINE_CONNECTOR, error);
    if (doc == NULL) {
        g_prefix_error(error, _("%s '%s' could not be tested: "), ctl_kind_name(object->kind),
                       object->name);
        return FALSE;
    }
    g_autofree char *status = ctl_json_string(doc, sl_json_root(doc), "status");
    g_autofree char *message = ctl_json_string(doc, sl_json_root(doc), "message");
    g_autofree char *clean = ctl_text_clean(message, -1);
    *ret_ok = g_ascii_strcasecmp(status, "succeeded") == 0;
    if (*ret_ok)
        ctl_say(ctl, _("%s '%s' works."), ctl_kind_name(object->kind), object->name);
    else
        printf(_("%s '%s' does not work: %s\n"), ctl_kind_name(object->kind), object->name,
               *clean != '\0' ? clean : _("the connector gave no reason"));
    return TRUE;
}

static CtlExit
test_actors(Ctl *ctl, const Role *role, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = select_actors(ctl, role, &all, error);
    CtlExit status = CTL_EXIT_OK;
    for (guint i = 0; selected != NULL && i < selected->len; i++) {
        gboolean ok;
        if (!test_actor(ctl, g_ptr_array_index(selected, i), &ok, error))
            return CTL_EXIT_FAILED;
        if (!ok)
            status = CTL_EXIT_FAILED;
    }
    return status;
}

static char *
names_of(const GPtrArray *objects)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < objects->len; i++) {
        const CtlObject *object = g_ptr_array_index(objects, i);
        g_string_append_printf(names, "%s'%s'", i > 0 ? ", " : "", object->name);
    }
    return ctl_text_clean(names->str, -1);
}

/* The connections that end with these actors. */
static GPtrArray *
used_by(const GPtrArray *connections, const GPtrArray *actors, const char *id_key)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < connections->len; i++) {
        CtlObject *connection = g_ptr_array_index(connections, i);
        g_autofree char *id =
            ctl_json_string(connection->doc, sl_json_root(connection->doc), id_key);
        if (ctl_object_by_id(actors, id) != NULL)
            g_ptr_array_add(found, connection);
    }
    return found;
}

static gboolean
confirm_delete(Ctl *ctl, const GPtrArray *actors, const Role *role, GError **error)
{
    g_autoptr(GPtrArray) connections = ctl_object_list(ctl, CTL_KIND_BIT(CTL_CONNECTION), error);
    if (connections == NULL)
        return FALSE;
    g_autoptr(GPtrArray) users = used_by(connections, actors, role->id_key);
    g_autofree char *names = names_of(actors);
    g_autofree char *lost = names_of(users);
    g_autofree char *question =
        users->len > 0
            ? g_strdup_printf(_("Delete %s and the connections that use it, %s?"), names, lost)
            : g_strdup_printf(_("Delete %s?"), names);
    return ctl_confirm(ctl, question, error);
}

static CtlExit
delete_actors(Ctl *ctl, const Role *role, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = select_actors(ctl, role, &all, error);
    if (selected == NULL || (selected->len > 0 && !confirm_delete(ctl, selected, role, error)))
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        const CtlObject *object = g_ptr_array_index(selected, i);
        g_autofree char *path = g_strdup_printf("%s/%s", ctl_kind_path(role->kind), object->id);
        g_autoptr(SlJsonDoc) doc =
            ctl_api_call(ctl->api, "DELETE", path, NULL, CTL_DEADLINE, error);
        if (doc == NULL) {
            g_prefix_error(error, _("%s '%s' was not deleted: "), ctl_kind_name(role->kind),
                           object->name);
            return CTL_EXIT_FAILED;
        }
        ctl_say(ctl, _("Deleted %s '%s'."), ctl_kind_name(role->kind), object->name);
    }
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_source_create(Ctl *ctl, GError **error)
{
    return create_actor(ctl, &source_role, error);
}

CtlExit
ctl_run_destination_create(Ctl *ctl, GError **error)
{
    return create_actor(ctl, &destination_role, error);
}

CtlExit
ctl_run_source_test(Ctl *ctl, GError **error)
{
    return test_actors(ctl, &source_role, error);
}

CtlExit
ctl_run_destination_test(Ctl *ctl, GError **error)
{
    return test_actors(ctl, &destination_role, error);
}

CtlExit
ctl_run_source_delete(Ctl *ctl, GError **error)
{
    return delete_actors(ctl, &source_role, error);
}

CtlExit
ctl_run_destination_delete(Ctl *ctl, GError **error)
{
    return delete_actors(ctl, &destination_role, error);
}
