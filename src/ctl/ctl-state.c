/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-state-text.h"
#include "sl-error.h"

/* 'sluicectl state': what a connection's streams have committed. It changes only while no job runs:
 * the server refuses the rest. */

#define STATE "/api/v1/state"

/* A connection, its stored state, and the stream of --stream. */
typedef struct {
    GPtrArray *all;
    const CtlObject *connection;
    CtlState *stored;
    char *name, *ns; /* NULL without --stream */
} Subject;

static void
subject_clear(Subject *subject)
{
    g_clear_pointer(&subject->all, g_ptr_array_unref);
    g_clear_pointer(&subject->stored, ctl_state_free);
    g_free(subject->name);
    g_free(subject->ns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Subject, subject_clear)

/* "orders", or "public.orders" with its namespace. */
static gboolean
is_meant(const char *word, const char *name, const char *ns)
{
    g_autofree char *full = g_strconcat(ns, ".", name, NULL);
    return strcmp(word, name) == 0 || (*ns != '\0' && strcmp(word, full) == 0);
}

/* FALSE: a second one of that name. */
static gboolean
mean(Subject *subject, const char *word, const char *name, const char *ns)
{
    if (!is_meant(word, name, ns))
        return TRUE;
    if (subject->name != NULL)
        return strcmp(subject->name, name) == 0 && strcmp(subject->ns, ns) == 0;
    subject->name = g_strdup(name);
    subject->ns = g_strdup(ns);
    return TRUE;
}

/* Among the connection's streams, and those that have a state and are no longer selected. */
static gboolean
pick_stream(Subject *subject, const char *word, GError **error)
{
    const SlJsonDoc *doc = subject->connection->doc;
    const SlJsonNode *streams =
        sl_json_get_path(doc, sl_json_root(doc), "configurations", "streams", NULL);
    gboolean clear = TRUE;
    if (streams != NULL)
        SL_JSON_FOREACH (doc, streams, stream) {
            g_autofree char *name = ctl_json_string(doc, stream, "name");
            g_autofree char *ns = ctl_json_string(doc, stream, "namespace");
            clear = clear && mean(subject, word, name, ns);
        }
    for (guint i = 0; i < subject->stored->streams->len; i++) {
        const CtlStreamState *stream = subject->stored->streams->pdata[i];
        clear = clear && mean(subject, word, stream->name, stream->ns);
    }
    if (!clear)
        return sl_error_set(error, SL_ERROR_INVALID,
                            _("several streams of connection '%s' are called '%s': say "
                              "--stream=NAMESPACE.NAME"),
                            subject->connection->name, word);
    if (subject->name == NULL)
        return sl_error_set(error, SL_ERROR_NOT_FOUND, _("connection '%s' has no stream '%s'"),
                            subject->connection->name, word);
    return TRUE;
}

static gboolean
load(Ctl *ctl, Subject *ret, GError **error)
{
    const guint kind = CTL_KIND_BIT(CTL_CONNECTION);
    const char *word = ctl_option(ctl, CTL_OPT_STREAM);
    ret->all = ctl_object_list(ctl, kind, error);
    ret->connection =
        ret->all != NULL ? ctl_object_pick(ret->all, kind, ctl->args->args[0], error) : NULL;
    if (ret->connection == NULL)
        return FALSE;
    g_autofree char *body = g_strdup_printf("{\"connectionId\":\"%s\"}", ret->connection->id);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", STATE "/get", body, CTL_DEADLINE, error);
    if (doc == NULL)
        return FALSE;
    const SlJsonNode *root = sl_json_root(doc);
    ret->stored = ctl_state_parse(root->p, root->n, _("the server's answer"), error);
    return ret->stored != NULL && (word == NULL || pick_stream(ret, word, error));
}

/* --- out -----------------------------------------------------------------------------------------
 */

/* Only the stream of --stream, which must have a state. */
static CtlState *
selected(const Subject *subject, GError **error)
{
    CtlState *only = ctl_state_new(subject->stored->type);
    const CtlStreamState *stream =
        subject->name != NULL ? ctl_state_find(subject->stored, subject->name, subject->ns) : NULL;
    if (subject->name != NULL && stream == NULL) {
        sl_error_set(error, SL_ERROR_NOT_FOUND, _("stream '%s' of connection '%s' has no state"),
                     subject->name, subject->connection->name);
        ctl_state_free(only);
        return NULL;
    }
    only->shared = g_strdup(subject->name == NULL ? subject->stored->shared : NULL);
    for (guint i = 0; i < subject->stored->streams->len; i++) {
        const CtlStreamState *one = subject->stored->streams->pdata[i];
        if (stream == NULL || one == stream)
            ctl_state_add(only, one->name, one->ns, one->state);
    }
    return only;
}

static void
print_pretty(Ctl *ctl, const char *json)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(json, strlen(json), NULL, NULL);
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_json_append_pretty(out, doc, sl_json_root(doc));
    g_string_append_c(out, '\n');
    ctl_print(ctl, out->str);
}

CtlExit
ctl_run_state_get(Ctl *ctl, GError **error)
{
    g_auto(Subject) subject = {0};
    g_autoptr(CtlState) state = load(ctl, &subject, error) ? selected(&subject, error) : NULL;
    if (state == NULL)
        return CTL_EXIT_FAILED;
    if (subject.name != NULL) {
        const CtlStreamState *stream = state->streams->pdata[0];
        print_pretty(ctl, stream->state != NULL ? stream->state : "null");
        return CTL_EXIT_OK;
    }
    g_autofree char *request = ctl_state_print_request(state, subject.connection->id);
    g_autoptr(SlJsonDoc) doc = sl_json_read(request, strlen(request), NULL, error);
    g_autofree char *json =
        sl_json_dup_span(sl_json_get(doc, sl_json_root(doc), "connectionState"));
    print_pretty(ctl, json);
    return CTL_EXIT_OK;
}

/* A file appears whole or not at all; states may hold what is nobody else's business. */
static gboolean
write_file(const char *path, const char *text, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (path == NULL || strcmp(path, "-") == 0) {
        fputs(text, stdout);
        return TRUE;
    }
    return g_file_set_contents_full(path, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, &reason) ||
           sl_error_set(error, SL_ERROR_FAILED, "%s", reason->message);
}

CtlExit
ctl_run_state_export(Ctl *ctl, GError **error)
{
    g_auto(Subject) subject = {0};
    g_autoptr(CtlState) state = load(ctl, &subject, error) ? selected(&subject, error) : NULL;
    if (state == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *text = ctl_state_print_messages(state);
    return write_file(ctl->args->args[1], text, error) ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* --- in ------------------------------------------------------------------------------------------
 */

/* A JSON text, or the content of @FILE. */
static char *
read_argument(const char *word, const char **ret_what, gsize *ret_len, GError **error)
{
    *ret_what = word[0] == '@' ? word + 1 : _("the state");
    if (word[0] == '@')
        return ctl_read_file(word + 1, ret_len, error);
    *ret_len = strlen(word);
    return g_strdup(word);
}

static gboolean
save(Ctl *ctl, const Subject *subject, const CtlState *state, GError **error)
{
    g_autofree char *body = ctl_state_print_request(state, subject->connection->id);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", STATE "/create_or_update_safe", body, CTL_DEADLINE, error);
    if (doc == NULL)
        g_prefix_error(error, _("the state of connection '%s' was not changed: "),
                       subject->connection->name);
    return doc != NULL;
}

/* One stream's state, in a connection that has states of its streams, or none yet. */
static CtlState *
one_stream(const Subject *subject, const char *text, gsize len, const char *what, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    const char *type = subject->stored->type;
    if (doc == NULL) {
        g_prefix_error(error, "%s: ", what);
        return NULL;
    }
    const SlJsonNode *root = sl_json_root(doc);
    if (root->type != SL_JSON_OBJECT && root->type != SL_JSON_NULL) {
        sl_error_set(error, SL_ERROR_INVALID, _("%s: a state is an object, or null to forget it"),
                     what);
        return NULL;
    }
    if (strcmp(type, "legacy") == 0) {
        sl_error_set(error, SL_ERROR_INVALID,
                     _("connection '%s' has one state for all streams: leave out --stream"),
                     subject->connection->name);
        return NULL;
    }
    CtlState *state = ctl_state_new(strcmp(type, "global") == 0 ? type : "stream");
    g_autofree char *json = root->type == SL_JSON_OBJECT ? sl_json_dup_span(root) : NULL;
    state->shared = g_strdup(subject->stored->shared); /* a global state is set as a whole */
    ctl_state_add(state, subject->name, subject->ns, json);
    return state;
}

CtlExit
ctl_run_state_set(Ctl *ctl, GError **error)
{
    g_auto(Subject) subject = {0};
    const char *what;
    gsize len;
    if (!load(ctl, &subject, error))
        return CTL_EXIT_FAILED;
    g_autofree char *text = read_argument(ctl->args->args[1], &what, &len, error);
    if (text == NULL)
        return CTL_EXIT_FAILED;
    g_autoptr(CtlState) state = subject.name != NULL ? one_stream(&subject, text, len, what, error)
                                                     : ctl_state_parse(text, len, what, error);
    if (state == NULL)
        return CTL_EXIT_FAILED;
    if (strcmp(state->type, "not_set") == 0) {
        sl_error_set(error, SL_ERROR_INVALID, _("%s: there is no state in it"), what);
        return CTL_EXIT_FAILED;
    }
    if (!save(ctl, &subject, state, error))
        return CTL_EXIT_FAILED;
    ctl_say(ctl, _("Set the state of connection '%s'."), subject.connection->name);
    return CTL_EXIT_OK;
}

/* Of another type than what is stored: that one goes first. */
static gboolean
replace(Ctl *ctl, const Subject *subject, CtlState *wanted, GError **error)
{
    const CtlState *stored = subject->stored;
    gboolean empty = strcmp(wanted->type, "not_set") == 0;
    gboolean had_none = strcmp(stored->type, "not_set") == 0;
    if (!had_none && strcmp(wanted->type, stored->type) == 0) {
        ctl_state_forget_others(wanted, stored);
        return save(ctl, subject, wanted, error);
    }
    g_autoptr(CtlState) nothing = had_none ? NULL : ctl_state_forget_all(stored);
    return (nothing == NULL || save(ctl, subject, nothing, error)) &&
           (empty || save(ctl, subject, wanted, error));
}

CtlExit
ctl_run_state_import(Ctl *ctl, GError **error)
{
    g_auto(Subject) subject = {0};
    const char *path = ctl->args->args[1];
    const char *what = strcmp(path, "-") == 0 ? _("standard input") : path;
    gsize len;
    g_autofree char *text = ctl_read_file(path, &len, error);
    g_autoptr(CtlState) wanted = text != NULL ? ctl_state_parse(text, len, what, error) : NULL;
    if (wanted == NULL || !load(ctl, &subject, error))
        return CTL_EXIT_FAILED;
    if (subject.name != NULL) { /* only this one of the file; the others stay as they are */
        const CtlStreamState *stream = ctl_state_find(wanted, subject.name, subject.ns);
        if (stream == NULL) {
            sl_error_set(error, SL_ERROR_NOT_FOUND, _("%s: has no state of stream '%s'"), what,
                         subject.name);
            return CTL_EXIT_FAILED;
        }
        const char *json = stream->state != NULL ? stream->state : "null";
        g_autoptr(CtlState) one = one_stream(&subject, json, strlen(json), what, error);
        return one != NULL && save(ctl, &subject, one, error) ? CTL_EXIT_OK : CTL_EXIT_FAILED;
    }
    g_autofree char *question =
        g_strdup_printf(_("Replace the state of connection '%s'?"), subject.connection->name);
    if (!ctl_confirm(ctl, question, error) || !replace(ctl, &subject, wanted, error))
        return CTL_EXIT_FAILED;
    ctl_say(ctl, _("Replaced the state of connection '%s'."), subject.connection->name);
    return CTL_EXIT_OK;
}
