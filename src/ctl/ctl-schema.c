/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* What has changed at a connection's source: seen, taken over, dismissed. The source is asked
 * first, each time: what was known yesterday is nobody's question. */

static const CtlColumn columns[] = {
    {N_("CHANGE"), 0},
    {N_("STREAM"), CTL_COLUMN_SHRINK},
    {N_("FIELD"), CTL_COLUMN_SHRINK},
    {N_("BREAKING"), CTL_COLUMN_STATE},
};

typedef struct {
    SlJsonDoc *doc; /* the answer of discover_schema */
    char *catalog_id;
    const SlJsonNode *transforms; /* of `doc` */
    gboolean breaking;
} Discovered;

static void
discovered_clear(Discovered *discovered)
{
    g_clear_pointer(&discovered->doc, sl_json_doc_free);
    g_clear_pointer(&discovered->catalog_id, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Discovered, discovered_clear)

/* Why the source could not be asked. */
static gboolean
set_failure(const SlJsonDoc *doc, const CtlObject *connection, GError **error)
{
    const SlJsonNode *reason =
        sl_json_get_path(doc, sl_json_root(doc), "jobInfo", "failureReason", NULL);
    g_autofree char *external = ctl_json_string(doc, reason, "externalMessage");
    g_autofree char *internal = ctl_json_string(doc, reason, "internalMessage");
    const char *text = *external != '\0'   ? external
                       : *internal != '\0' ? internal
                                           : _("it says nothing of why");
    return sl_error_set(error, SL_ERROR_CONNECTOR,
                        _("the source of '%s' could not be asked for its streams: %s"),
                        connection->name, text);
}

static gboolean
discover(Ctl *ctl, const CtlObject *connection, Discovered *ret, GError **error)
{
    g_autofree char *source =
        ctl_json_string(connection->doc, sl_json_root(connection->doc), "sourceId");
    g_autofree char *body =
        g_strdup_printf("{\"sourceId\":\"%s\",\"connectionId\":\"%s\",\"disable_cache\":true}",
                        source, connection->id);
    ret->doc = ctl_api_call(ctl->api, "POST", "/api/v1/sources/discover_schema", body,
                            CTL_DEADLINE_CONNECTOR, error);
    if (ret->doc == NULL)
        return FALSE;
    const SlJsonNode *root = sl_json_root(ret->doc);
    ret->catalog_id = ctl_json_string(ret->doc, root, "catalogId");
    if (*ret->catalog_id == '\0')
        return set_failure(ret->doc, connection, error);
    ret->transforms = sl_json_get_path(ret->doc, root, "catalogDiff", "transforms", NULL);
    ret->breaking = ctl_json_bool(ret->doc, root, "breakingChange");
    return TRUE;
}

static guint
count_of(const SlJsonNode *list)
{
    return list != NULL && list->type == SL_JSON_ARRAY ? list->count : 0;
}

/* --- schema diff -------------------------------------------------------------------------------
 */

/* "remove_field" → "remove field" */
static char *
read_change(const SlJsonDoc *doc, const SlJsonNode *transform)
{
    return g_strdelimit(ctl_json_string(doc, transform, "transformType"), "_", ' ');
}

/* "public.users"; the stream's own name without a namespace. */
static char *
read_stream(const SlJsonDoc *doc, const SlJsonNode *transform)
{
    const SlJsonNode *descriptor = sl_json_get(doc, transform, "streamDescriptor");
    g_autofree char *name = ctl_json_string(doc, descriptor, "name");
    g_autofree char *ns = ctl_json_string(doc, descriptor, "namespace");
    return *ns != '\0' ? g_strdup_printf("%s.%s", ns, name) : g_steal_pointer(&name);
}

static char *
read_field(const SlJsonDoc *doc, const SlJsonNode *change)
{
    const SlJsonNode *path = sl_json_get(doc, change, "fieldName");
    GString *out = g_string_new(NULL);
    if (path != NULL)
        SL_JSON_FOREACH (doc, path, part) {
            if (out->len > 0)
                g_string_append_c(out, '.');
            sl_json_append_string(part, out);
        }
    return g_string_free(out, out->len == 0);
}

static void
add_inner(CtlTable *table, const SlJsonDoc *doc, const char *stream, const SlJsonNode *changes)
{
    if (changes == NULL)
        return;
    SL_JSON_FOREACH (doc, changes, change) {
        ctl_table_add(table, change->p, change->n, stream, read_change(doc, change),
                      g_strdup(stream), read_field(doc, change),
                      g_strdup(ctl_json_bool(doc, change, "breaking") ? _("yes") : _("no")));
    }
}

/* Of a stream that has changed its parts are told; the rest is a line itself. */
static void
add_transform(CtlTable *table, const SlJsonDoc *doc, const SlJsonNode *transform)
{
    g_autofree char *stream = read_stream(doc, transform);
    const SlJsonNode *inside = sl_json_get(doc, transform, "updateStream");
    if (inside == NULL) {
        ctl_table_add(table, transform->p, transform->n, stream, read_change(doc, transform),
                      g_strdup(stream), NULL, g_strdup(_("no")));
        return;
    }
    add_inner(table, doc, stream, sl_json_get(doc, inside, "fieldTransforms"));
    add_inner(table, doc, stream, sl_json_get(doc, inside, "streamAttributeTransforms"));
}

static char *
summarize(const Discovered *discovered, guint n)
{
    if (n == 0)
        return g_strdup(_("Nothing has changed."));
    g_autofree char *changes = g_strdup_printf(ngettext("%u change.", "%u changes.", n), n);
    return discovered->breaking
               ? g_strdup_printf(_("%s The connection cannot run with them: choose its streams "
                                   "anew."),
                                 changes)
               : g_steal_pointer(&changes);
}

CtlExit
ctl_run_schema_diff(Ctl *ctl, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    g_auto(Discovered) discovered = {0};
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kind, error);
    const CtlObject *connection =
        all != NULL ? ctl_object_pick(all, kind, ctl->args->args[0], error) : NULL;
    if (connection == NULL || !discover(ctl, connection, &discovered, error))
        return CTL_EXIT_FAILED;
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    if (discovered.transforms != NULL)
        SL_JSON_FOREACH (discovered.doc, discovered.transforms, transform) {
            add_transform(table, discovered.doc, transform);
        }
    guint n = ctl_table_get_n_rows(table);
    g_autofree char *summary = summarize(&discovered, n);
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, summary, out);
    ctl_print(ctl, out->str);
    return n > 0 ? CTL_EXIT_STATE : CTL_EXIT_OK;
}

/* --- schema apply ------------------------------------------------------------------------------
 */

/* What is taken over: what the connection takes over by itself; one that takes over nothing, or is
 * paused, gets the fields of its streams. */
static const char *
what_to_apply(const Ctl *ctl, const CtlObject *connection)
{
    if (ctl_option(ctl, CTL_OPT_ALL) != NULL)
        return "all";
    g_autofree char *behavior = ctl_json_string(connection->doc, sl_json_root(connection->doc),
                                                "nonBreakingSchemaUpdatesBehavior");
    return g_str_has_prefix(behavior, "propagate") ? NULL : "fields";
}

static char *
apply_body(const CtlObject *connection, const char *catalog_id, const char *what)
{
    g_autofree char *workspace =
        ctl_json_string(connection->doc, sl_json_root(connection->doc), "workspaceId");
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "connectionId", connection->id);
    sl_json_member_string(&w, "workspaceId", workspace);
    sl_json_member_string(&w, "catalogId", catalog_id);
    sl_json_member_raw(&w, "catalog", "{}");
    if (what != NULL)
        sl_json_member_string(&w, "sluiceApply", what);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static CtlExit
apply(Ctl *ctl, const CtlObject *connection, GError **error)
{
    g_auto(Discovered) discovered = {0};
    if (!discover(ctl, connection, &discovered, error))
        return CTL_EXIT_FAILED;
    if (count_of(discovered.transforms) == 0) {
        ctl_say(ctl, _("Nothing to apply to '%s': nothing has changed."), connection->name);
        return CTL_EXIT_OK;
    }
    if (discovered.breaking) {
        sl_error_set(error, SL_ERROR_CONFLICT,
                     _("'%s' cannot run with what has changed: choose its streams anew, or keep "
                       "them by 'sluicectl schema dismiss'; 'sluicectl schema diff' shows it"),
                     connection->name);
        return CTL_EXIT_FAILED;
    }
    g_autofree char *body =
        apply_body(connection, discovered.catalog_id, what_to_apply(ctl, connection));
    g_autoptr(SlJsonDoc) doc = ctl_api_call(
        ctl->api, "POST", "/api/v1/connections/apply_schema_changes", body, CTL_DEADLINE, error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    guint n =
        count_of(sl_json_get_path(doc, sl_json_root(doc), "propagatedDiff", "transforms", NULL));
    if (n == 0) {
        ctl_say(ctl,
                _("Nothing of it is for '%s': streams that it does not copy stay out of it unless "
                  "--all is given."),
                connection->name);
        return CTL_EXIT_STATE;
    }
    ctl_say(ctl,
            ngettext("Applied to '%s': changes of %u stream.",
                     "Applied to '%s': changes of %u streams.", n),
            connection->name, n);
    return CTL_EXIT_OK;
}

/* --- schema dismiss ----------------------------------------------------------------------------
 */

static CtlExit
dismiss(Ctl *ctl, const CtlObject *connection, GError **error)
{
    g_auto(Discovered) discovered = {0};
    if (!discover(ctl, connection, &discovered, error))
        return CTL_EXIT_FAILED;
    if (count_of(discovered.transforms) == 0) {
        ctl_say(ctl, _("Nothing to dismiss: '%s' is up to date."), connection->name);
        return CTL_EXIT_OK;
    }
    g_autofree char *body = g_strdup_printf("{\"connectionId\":\"%s\",\"sourceCatalogId\":\"%s\"}",
                                            connection->id, discovered.catalog_id);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", "/api/v1/connections/update", body, CTL_DEADLINE, error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *status = ctl_json_string(doc, sl_json_root(doc), "status");
    ctl_say(ctl,
            strcmp(status, "inactive") == 0
                ? _("Dismissed: '%s' keeps its streams as they are. It is disabled; 'sluicectl "
                    "enable' lets it run.")
                : _("Dismissed: '%s' keeps its streams as they are."),
            connection->name);
    return CTL_EXIT_OK;
}

/* Each of them, up to the first that fails. */
static CtlExit
each(Ctl *ctl, CtlExit (*act)(Ctl *, const CtlObject *, GError **), GError **error)
{
    CtlExit status = CTL_EXIT_OK;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) selected = ctl_object_select_connections(ctl, &all, error);
    if (selected == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < selected->len; i++) {
        CtlExit one = act(ctl, selected->pdata[i], error);
        if (one == CTL_EXIT_FAILED)
            return one;
        status = MAX(status, one);
    }
    return status;
}

CtlExit
ctl_run_schema_apply(Ctl *ctl, GError **error)
{
    return each(ctl, apply, error);
}

CtlExit
ctl_run_schema_dismiss(Ctl *ctl, GError **error)
{
    return each(ctl, dismiss, error);
}
