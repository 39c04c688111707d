/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* What a connection has of its own: how it is retried, warned about and made up for, in the words
 * of sluice.conf, and what it starts after a run. */

static const CtlColumn columns[] = {
    {N_("PROPERTY"), 0},
    {N_("VALUE"), CTL_COLUMN_SHRINK},
    {N_("HOST"), 0},
};

/* These are kept apart: they are no settings of the host. */
static const struct {
    const char *name, *member;
} actions[] = {{"OnSyncSuccess", "onSyncSuccess"}, {"OnSyncFailure", "onSyncFailure"}};

static SlJsonDoc *
ask(Ctl *ctl, const CtlObject *connection, const char *what, const char *method, const char *body,
    GError **error)
{
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/connections/%s/%s", connection->id, what);
    return ctl_api_call(ctl->api, method, path, body, CTL_DEADLINE, error);
}

static const CtlObject *
pick(Ctl *ctl, GPtrArray **ret_all, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    *ret_all = ctl_object_list(ctl, kind, error);
    return *ret_all != NULL ? ctl_object_pick(*ret_all, kind, ctl->args->args[0], error) : NULL;
}

/* --- properties --------------------------------------------------------------------------------
 */

static void
add(CtlTable *table, const char *name, const char *value, const char *host)
{
    g_autoptr(GString) json = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(json);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "property", name);
    sl_json_member_string(&w, "value", value);
    sl_json_member_string(&w, "host", host);
    sl_json_end_object(&w);
    ctl_table_add(table, json->str, json->len, name, g_strdup(name), g_strdup(value),
                  g_strdup(host));
}

static char *
text_of(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    char *text = ctl_json_string(doc, object, key);
    if (*text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

CtlExit
ctl_run_properties(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    const CtlObject *connection = pick(ctl, &all, error);
    g_autoptr(SlJsonDoc) policy =
        connection != NULL ? ask(ctl, connection, "policy", "GET", NULL, error) : NULL;
    g_autoptr(SlJsonDoc) action =
        policy != NULL ? ask(ctl, connection, "actions", "GET", NULL, error) : NULL;
    if (action == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    const SlJsonNode *own = sl_json_get(policy, sl_json_root(policy), "properties");
    const SlJsonNode *host = sl_json_get(policy, sl_json_root(policy), "host");
    if (host != NULL)
        SL_JSON_FOREACH (policy, host, key) {
            g_autofree char *name = sl_json_dup_string(key);
            g_autofree char *value = text_of(policy, own, name);
            g_autofree char *other = text_of(policy, host, name);
            add(table, name, value, other);
        }
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autofree char *value = text_of(action, sl_json_root(action), actions[i].member);
        add(table, actions[i].name, value, NULL);
    }
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, NULL, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

/* --- set-property ------------------------------------------------------------------------------
 */

typedef struct {
    GString *policy, *actions; /* bodies of two requests */
    SlJsonWriter w, v;
    guint n_policy, n_actions;
} Change;

static const char *
find_action(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strcmp(name, actions[i].name) == 0)
            return actions[i].member;
    return NULL;
}

/* "NAME=" gives a property of the host back to the host, and an action up. */
static gboolean
add_change(Change *change, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return ctl_set_usage_error(error, _("'%s' is no PROPERTY=VALUE"), word);
    g_autofree char *name = g_strndup(word, equals - word);
    const char *value = equals + 1, *member = find_action(name);
    if (member != NULL) {
        change->n_actions++;
        sl_json_member_string(&change->v, member, value);
        return TRUE;
    }
    change->n_policy++;
    if (*value != '\0') {
        sl_json_member_string(&change->w, name, value);
        return TRUE;
    }
    sl_json_key(&change->w, name);
    sl_json_null(&change->w);
    return TRUE;
}

CtlExit
ctl_run_set_property(Ctl *ctl, GError **error)
{
    g_autoptr(GString) policy = g_string_new(NULL), action = g_string_new(NULL);
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(SlJsonDoc) one = NULL, two = NULL;
    Change change = {.policy = policy, .actions = action};
    change.w = (SlJsonWriter)SL_JSON_WRITER_INIT(policy);
    change.v = (SlJsonWriter)SL_JSON_WRITER_INIT(action);
    sl_json_begin_object(&change.w);
    sl_json_key(&change.w, "properties");
    sl_json_begin_object(&change.w);
    sl_json_begin_object(&change.v);
    for (guint i = 1; ctl->args->args[i] != NULL; i++)
        if (!add_change(&change, ctl->args->args[i], error))
            return CTL_EXIT_USAGE;
    sl_json_end_object(&change.w);
    sl_json_end_object(&change.w);
    sl_json_end_object(&change.v);
    const CtlObject *connection = pick(ctl, &all, error);
    if (connection == NULL)
        return CTL_EXIT_FAILED;
    if (change.n_policy > 0 &&
        (one = ask(ctl, connection, "policy", "PATCH", policy->str, error)) == NULL)
        return CTL_EXIT_FAILED;
    if (change.n_actions > 0 &&
        (two = ask(ctl, connection, "actions", "PATCH", action->str, error)) == NULL)
        return CTL_EXIT_FAILED;
    return CTL_EXIT_OK;
}
