/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-job.h"
#include "ctl-object.h"
#include "sl-error.h"

/* "a.b" inside the object; a number is an element of an array. */
static const SlJsonNode *
find_property(const SlJsonDoc *doc, const char *path)
{
    const SlJsonNode *node = sl_json_root(doc);
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    for (guint i = 0; keys[i] != NULL && node != NULL; i++) {
        guint64 index;
        if (node->type == SL_JSON_ARRAY &&
            g_ascii_string_to_unsigned(keys[i], 10, 0, G_MAXUINT32, &index, NULL))
            node = sl_json_at(doc, node, (guint)index);
        else
            node = sl_json_get(doc, node, keys[i]);
    }
    return node;
}

static gboolean
append_object(Ctl *ctl, const SlJsonDoc *doc, const char *name, GString *out, GError **error)
{
    const char *property = ctl_option(ctl, CTL_OPT_PROPERTY);
    const SlJsonNode *node = sl_json_root(doc);
    if (property != NULL) {
        node = find_property(doc, property);
        if (node == NULL)
            return sl_error_set(error, SL_ERROR_NOT_FOUND, _("'%s' has no property '%s'"), name,
                                property);
    }
    /* One plain value is for scripts: a string comes without its quotes. */
    if (property == NULL || !sl_json_append_string(node, out))
        ctl_json_append_pretty(out, doc, node);
    g_string_append_c(out, '\n');
    return TRUE;
}

CtlExit
ctl_run_show(Ctl *ctl, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GPtrArray) all = NULL;
    for (guint i = 0; ctl->args->args[i] != NULL; i++) {
        const char *words[] = {ctl->args->args[i], NULL};
        gint64 id;
        if (ctl_job_parse_id(words[0], &id)) {
            g_autoptr(SlJsonDoc) job = ctl_job_load_json(ctl, id, error);
            if (job == NULL || !append_object(ctl, job, words[0], out, error))
                return CTL_EXIT_FAILED;
            continue;
        }
        if (all == NULL)
            all = ctl_object_list(ctl, CTL_KINDS_NAMED, error);
        g_autoptr(GPtrArray) selected =
            all != NULL ? ctl_object_select(all, CTL_KINDS_NAMED, words, error) : NULL;
        if (selected == NULL)
            return CTL_EXIT_FAILED;
        for (guint j = 0; j < selected->len; j++) {
            const CtlObject *object = g_ptr_array_index(selected, j);
            if (!append_object(ctl, object->doc, object->name, out, error))
                return CTL_EXIT_FAILED;
        }
    }
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}
