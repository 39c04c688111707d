/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>

#include "ctl-object.h"
#include "ctl-text.h"
#include "sl-error.h"

#define DEFAULT_LINES 20

static const CtlColumn columns[] = {
    {N_("TIME"), 0},
    {N_("EVENT"), 0},
    {N_("BY"), CTL_COLUMN_SHRINK},
    {N_("JOB"), CTL_COLUMN_RIGHT},
    {N_("WHAT"), CTL_COLUMN_SHRINK},
};

/* A string member; NULL when it is missing or empty. */
static char *
get(const SlJsonDoc *doc, const SlJsonNode *object, const char *key)
{
    char *text = ctl_json_string(doc, object, key);
    if (text != NULL && *text == '\0')
        g_clear_pointer(&text, g_free);
    return text;
}

/* Names of a settings update's members: "prefix, name". */
static char *
list_patches(const SlJsonDoc *doc, const SlJsonNode *patches)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SL_JSON_FOREACH (doc, patches, key) {
        g_string_append(out, out->len > 0 ? ", " : "");
        sl_json_append_string(key, out);
    }
    return out->len > 0 ? g_strdup(out->str) : NULL;
}

/* What people want to read of an event, in a line; NULL: its type says all. */
static char *
describe(const SlJsonDoc *doc, const SlJsonNode *summary)
{
    static const char *const reasons[] = {"disabledReason", "updateReason"};
    const SlJsonNode *failure = sl_json_get(doc, summary, "failureReason");
    const SlJsonNode *patches = sl_json_get(doc, summary, "patches");
    if (failure != NULL && failure->type == SL_JSON_OBJECT) {
        char *text = get(doc, failure, "externalMessage");
        return text != NULL ? text : get(doc, failure, "internalMessage");
    }
    if (patches != NULL && patches->type == SL_JSON_OBJECT)
        return list_patches(doc, patches);
    for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++) {
        char *reason = get(doc, summary, reasons[i]);
        if (reason != NULL)
            return reason;
    }
    g_autofree char *action = get(doc, summary, "action");
    g_autofree char *result = get(doc, summary, "result");
    g_autofree char *message = get(doc, summary, "message");
    if (action != NULL)
        return g_strdup_printf("%s %s%s%s", action, result, message != NULL ? ": " : "",
                               message != NULL ? message : "");
    g_autofree char *from = get(doc, summary, "fromVersion");
    g_autofree char *to = get(doc, summary, "toVersion");
    g_autofree char *connector = get(doc, summary, "connectorName");
    return to != NULL ? g_strdup_printf("%s %s → %s", connector, from, to) : NULL;
}

static void
add_event(CtlTable *table, const Ctl *ctl, const SlJsonDoc *doc, const SlJsonNode *event)
{
    const SlJsonNode *summary = sl_json_get(doc, event, "summary");
    const SlJsonNode *user = sl_json_get(doc, event, "user");
    g_autofree char *id = get(doc, event, "id");
    gint64 job = summary != NULL ? ctl_json_int(doc, summary, "jobId") : -1;
    gint64 created = ctl_json_int(doc, event, "createdAt") * G_USEC_PER_SEC;
    char *type = get(doc, event, "eventType");
    /* Of a kind that the API has no name for: it says itself which. */
    char *kind = summary != NULL ? get(doc, summary, "kind") : NULL;
    if (kind != NULL) {
        g_free(type);
        type = kind;
    }
    ctl_table_add(table, event->p, event->n, id, ctl_text_time(created, ctl->utc), type,
                  user != NULL && user->type == SL_JSON_OBJECT ? get(doc, user, "email") : NULL,
                  job > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, job) : NULL,
                  summary != NULL ? describe(doc, summary) : NULL);
}

CtlExit
ctl_run_timeline(Ctl *ctl, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    gint64 lines;
    if (!ctl_option_lines(ctl, DEFAULT_LINES, &lines, error))
        return CTL_EXIT_USAGE;
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection =
        all != NULL ? ctl_object_pick(all, kind, ctl->args->args[0], error) : NULL;
    if (connection == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *body =
        g_strdup_printf("{\"connectionId\":\"%s\",\"pagination\":{\"pageSize\":%" G_GINT64_FORMAT
                        ",\"rowOffset\":0}}",
                        connection->id, lines);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", "/api/v1/connections/events/list",
                                            body, CTL_DEADLINE, error);
    const SlJsonNode *events = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "events") : NULL;
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    SL_JSON_FOREACH (doc, events, event)
        add_event(table, ctl, doc, event);
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = g_strdup_printf(ngettext("%u event.", "%u events.", n), n);
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}
