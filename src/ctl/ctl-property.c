/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* What a connection has of its own: what it does when its source changes and when it runs; how it
 * is retried, warned about and made up for, in the words of sluice.conf; and what it starts after a
 * run. Three places of the API keep them. */

static const CtlColumn columns[] = {
    {N_("PROPERTY"), 0},
    {N_("VALUE"), CTL_COLUMN_SHRINK},
    {N_("HOST"), 0},
};

typedef enum { SETTING, POLICY, ACTION, N_PLACES } Place;

/* What is not named here is a property of the host. */
static const struct {
    const char *name, *member;
    Place place;
} own[] = {
    {"SchemaChanges", "nonBreakingChangesPreference", SETTING},
    {"Backfill", "backfillPreference", SETTING},
    {"OnSyncSuccess", "onSyncSuccess", ACTION},
    {"OnSyncFailure", "onSyncFailure", ACTION},
};

static SlJsonDoc *
ask(Ctl *ctl, const CtlObject *connection, Place place, const char *body, GError **error)
{
    static const char *const ours[] = {[POLICY] = "policy", [ACTION] = "actions"};
    if (place == SETTING) {
        g_autofree char *get = g_strdup_printf("{\"connectionId\":\"%s\"}", connection->id);
        return ctl_api_call(ctl->api, "POST",
                            body != NULL ? "/api/v1/connections/update" : "/api/v1/connections/get",
                            body != NULL ? body : get, CTL_DEADLINE, error);
    }
    g_autofree char *path =
        g_strdup_printf(CTL_SLUICE "/connections/%s/%s", connection->id, ours[place]);
    return ctl_api_call(ctl->api, body != NULL ? "PATCH" : "GET", path, body, CTL_DEADLINE, error);
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

static void
add_own(CtlTable *table, const SlJsonDoc *doc, Place place)
{
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        if (own[i].place != place)
            continue;
        g_autofree char *value = text_of(doc, sl_json_root(doc), own[i].member);
        add(table, own[i].name, value, NULL);
    }
}

static void
add_policy(CtlTable *table, const SlJsonDoc *doc)
{
    const SlJsonNode *properties = sl_json_get(doc, sl_json_root(doc), "properties");
    const SlJsonNode *host = sl_json_get(doc, sl_json_root(doc), "host");
    if (host == NULL)
        return;
    SL_JSON_FOREACH (doc, host, key) {
        g_autofree char *name = sl_json_dup_string(key);
        g_autofree char *value = text_of(doc, properties, name);
        g_autofree char *other = text_of(doc, host, name);
        add(table, name, value, other);
    }
}

CtlExit
ctl_run_properties(Ctl *ctl, GError **error)
{
    g_autoptr(GPtrArray) all = NULL;
    const CtlObject *connection = pick(ctl, &all, error);
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    if (connection == NULL)
        return CTL_EXIT_FAILED;
    for (int place = 0; place < N_PLACES; place++) {
        g_autoptr(SlJsonDoc) doc = ask(ctl, connection, (Place)place, NULL, error);
        if (doc == NULL)
            return CTL_EXIT_FAILED;
        if (place == POLICY)
            add_policy(table, doc);
        else
            add_own(table, doc, (Place)place);
    }
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, NULL, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

/* --- set-property ------------------------------------------------------------------------------
 */

/* The body of a request to each place. */
typedef struct {
    GString *text;
    SlJsonWriter w;
    guint n;
} Body;

static void
begin(Body *body, Place place, const CtlObject *connection)
{
    body->text = g_string_new(NULL);
    body->w = (SlJsonWriter)SL_JSON_WRITER_INIT(body->text);
    sl_json_begin_object(&body->w);
    if (place == SETTING)
        sl_json_member_string(&body->w, "connectionId", connection->id);
    if (place != POLICY)
        return;
    sl_json_key(&body->w, "properties");
    sl_json_begin_object(&body->w);
}

static void
end(Body *body, Place place)
{
    if (place == POLICY)
        sl_json_end_object(&body->w);
    sl_json_end_object(&body->w);
}

/* "NAME=" gives a property of the host back to the host, and an action up. */
static gboolean
add_change(Body *bodies, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return ctl_set_usage_error(error, _("'%s' is no PROPERTY=VALUE"), word);
    g_autofree char *name = g_strndup(word, equals - word);
    for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
        if (strcmp(name, own[i].name) != 0)
            continue;
        Body *body = &bodies[own[i].place];
        body->n++;
        sl_json_member_string(&body->w, own[i].member, equals + 1);
        return TRUE;
    }
    Body *body = &bodies[POLICY];
    body->n++;
    if (equals[1] != '\0') {
        sl_json_member_string(&body->w, name, equals + 1);
        return TRUE;
    }
    sl_json_key(&body->w, name);
    sl_json_null(&body->w);
    return TRUE;
}

static CtlExit
send_all(Ctl *ctl, const CtlObject *connection, Body *bodies, GError **error)
{
    for (guint i = 1; ctl->args->args[i] != NULL; i++)
        if (!add_change(bodies, ctl->args->args[i], error))
            return CTL_EXIT_USAGE;
    for (int place = 0; place < N_PLACES; place++) {
        end(&bodies[place], (Place)place);
        if (bodies[place].n == 0)
            continue;
        g_autoptr(SlJsonDoc) doc =
            ask(ctl, connection, (Place)place, bodies[place].text->str, error);
        if (doc == NULL)
            return CTL_EXIT_FAILED;
    }
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_set_property(Ctl *ctl, GError **error)
{
    Body bodies[N_PLACES] = {0};
    g_autoptr(GPtrArray) all = NULL;
    const CtlObject *connection = pick(ctl, &all, error);
    if (connection == NULL)
        return CTL_EXIT_FAILED;
    for (int place = 0; place < N_PLACES; place++)
        begin(&bodies[place], (Place)place, connection);
    CtlExit status = send_all(ctl, connection, bodies, error);
    for (int place = 0; place < N_PLACES; place++)
        g_string_free(bodies[place].text, TRUE);
    return status;
}
