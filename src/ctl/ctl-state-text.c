/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-state-text.h"

#include <glib/gi18n.h>
#include <string.h>

#include "sl-error.h"
#include "sl-json-write.h"

static void
stream_free(gpointer data)
{
    CtlStreamState *stream = data;
    g_free(stream->name);
    g_free(stream->ns);
    g_free(stream->state);
    g_free(stream);
}

CtlState *
ctl_state_new(const char *type)
{
    CtlState *state = g_new0(CtlState, 1);
    state->type = g_intern_string(type);
    state->streams = g_ptr_array_new_with_free_func(stream_free);
    return state;
}

void
ctl_state_free(CtlState *state)
{
    if (state == NULL)
        return;
    g_free(state->shared);
    g_ptr_array_unref(state->streams);
    g_free(state);
}

CtlStreamState *
ctl_state_find(const CtlState *state, const char *name, const char *ns)
{
    for (guint i = 0; i < state->streams->len; i++) {
        CtlStreamState *stream = state->streams->pdata[i];
        if (strcmp(stream->name, name) == 0 && strcmp(stream->ns, ns != NULL ? ns : "") == 0)
            return stream;
    }
    return NULL;
}

/* The last one of a stream wins, as with the messages of a source. */
CtlStreamState *
ctl_state_add(CtlState *state, const char *name, const char *ns, const char *json)
{
    CtlStreamState *stream = ctl_state_find(state, name, ns);
    if (stream == NULL) {
        stream = g_new0(CtlStreamState, 1);
        stream->name = g_strdup(name);
        stream->ns = g_strdup(ns != NULL ? ns : "");
        g_ptr_array_add(state->streams, stream);
    }
    g_free(stream->state);
    stream->state = g_strdup(json);
    return stream;
}

/* --- in ------------------------------------------------------------------------------------------
 */

typedef struct {
    const SlJsonDoc *doc;
    const char *what;
    guint line; /* of the message; 0: not by lines */
} Source;

static gboolean
refuse(const Source *in, GError **error, const char *reason)
{
    if (in->line > 0)
        return sl_error_set(error, SL_ERROR_INVALID, _("%s, line %u: %s"), in->what, in->line,
                            reason);
    return sl_error_set(error, SL_ERROR_INVALID, "%s: %s", in->what, reason);
}

/* Messages have snake_case, the API has camelCase. */
static const SlJsonNode *
either(const SlJsonDoc *doc, const SlJsonNode *node, const char *one, const char *other)
{
    const SlJsonNode *found = sl_json_get(doc, node, one);
    return found != NULL ? found : sl_json_get(doc, node, other);
}

static gboolean
is_state(const SlJsonNode *node)
{
    return node == NULL || node->type == SL_JSON_OBJECT || node->type == SL_JSON_NULL;
}

static char *
value_of(const SlJsonNode *node)
{
    return node != NULL && node->type != SL_JSON_NULL ? sl_json_dup_span(node) : NULL;
}

static gboolean
read_stream(const Source *in, CtlState *state, const SlJsonNode *node, GError **error)
{
    const SlJsonNode *descriptor = either(in->doc, node, "stream_descriptor", "streamDescriptor");
    const SlJsonNode *name = sl_json_get(in->doc, descriptor, "name");
    const SlJsonNode *ns = sl_json_get(in->doc, descriptor, "namespace");
    const SlJsonNode *value = either(in->doc, node, "stream_state", "streamState");
    g_autofree char *name_text = name != NULL ? sl_json_dup_string(name) : NULL;
    g_autofree char *ns_text = ns != NULL ? sl_json_dup_string(ns) : NULL;
    g_autofree char *json = value_of(value);
    if (name_text == NULL || *name_text == '\0')
        return refuse(in, error, _("a stream state has no stream_descriptor.name"));
    if (!is_state(value)) {
        g_autofree char *reason =
            g_strdup_printf(_("the state of stream '%s' is no object"), name_text);
        return refuse(in, error, reason);
    }
    ctl_state_add(state, name_text, ns_text, json);
    return TRUE;
}

static gboolean
read_streams(const Source *in, CtlState *state, const SlJsonNode *list, GError **error)
{
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return refuse(in, error, _("the list of stream states is missing"));
    SL_JSON_FOREACH (in->doc, list, node) {
        if (!read_stream(in, state, node, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_shared(const Source *in, CtlState *state, const SlJsonNode *value, GError **error)
{
    if (!is_state(value))
        return refuse(in, error, _("the shared state is no object"));
    g_free(state->shared);
    state->shared = value_of(value);
    state->forget = value != NULL && value->type == SL_JSON_NULL;
    return TRUE;
}

static gboolean
read_global(const Source *in, CtlState *state, const SlJsonNode *global, GError **error)
{
    return read_shared(in, state, either(in->doc, global, "shared_state", "sharedState"), error) &&
           read_streams(in, state, either(in->doc, global, "stream_states", "streamStates"), error);
}

static gboolean
be_type(const Source *in, CtlState *state, const char *type, GError **error)
{
    gboolean first = strcmp(state->type, "not_set") == 0;
    if (!first && strcmp(state->type, type) != 0) {
        g_autofree char *reason =
            g_strdup_printf(_("states of types '%s' and '%s' cannot be mixed"), state->type, type);
        return refuse(in, error, reason);
    }
    state->type = g_intern_string(type);
    return TRUE;
}

static gboolean
read_message(const Source *in, CtlState *state, const SlJsonNode *message, GError **error)
{
    const SlJsonNode *type = sl_json_get(in->doc, message, "type");
    const SlJsonNode *inner = message;
    if (type != NULL && sl_json_string_is(type, "STATE")) {
        inner = sl_json_get(in->doc, message, "state");
        type = sl_json_get(in->doc, inner, "type");
    }
    if (type != NULL && sl_json_string_is(type, "STREAM"))
        return be_type(in, state, "stream", error) &&
               read_stream(in, state, sl_json_get(in->doc, inner, "stream"), error);
    if (type != NULL && sl_json_string_is(type, "GLOBAL"))
        return be_type(in, state, "global", error) &&
               read_global(in, state, sl_json_get(in->doc, inner, "global"), error);
    const SlJsonNode *data = sl_json_get(in->doc, inner, "data");
    if (data != NULL && (type == NULL || sl_json_string_is(type, "LEGACY")))
        return be_type(in, state, "legacy", error) && read_shared(in, state, data, error);
    return refuse(in, error, _("a STATE message has the type STREAM, GLOBAL or LEGACY"));
}

/* The API's own object. */
static gboolean
read_object(const Source *in, CtlState *state, const SlJsonNode *root, GError **error)
{
    const SlJsonNode *type = sl_json_get(in->doc, root, "stateType");
    if (sl_json_string_is(type, "not_set"))
        return TRUE;
    if (sl_json_string_is(type, "stream"))
        return be_type(in, state, "stream", error) &&
               read_streams(in, state, sl_json_get(in->doc, root, "streamState"), error);
    if (sl_json_string_is(type, "global"))
        return be_type(in, state, "global", error) &&
               read_global(in, state, sl_json_get(in->doc, root, "globalState"), error);
    if (sl_json_string_is(type, "legacy"))
        return be_type(in, state, "legacy", error) &&
               read_shared(in, state, sl_json_get(in->doc, root, "state"), error);
    return refuse(in, error, _("stateType is not stream, global, legacy or not_set"));
}

static gboolean
read_document(const Source *in, CtlState *state, GError **error)
{
    const SlJsonNode *root = sl_json_root(in->doc);
    if (root->type == SL_JSON_OBJECT && sl_json_get(in->doc, root, "stateType") != NULL)
        return read_object(in, state, root, error);
    if (root->type != SL_JSON_ARRAY)
        return read_message(in, state, root, error);
    SL_JSON_FOREACH (in->doc, root, message) {
        if (!read_message(in, state, message, error))
            return FALSE;
    }
    return TRUE;
}

/* What a connector has written, records and logs among it. */
static gboolean
read_line(Source *in, CtlState *state, const char *line, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (*line == '\0')
        return TRUE;
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, strlen(line), NULL, &reason);
    if (doc == NULL)
        return refuse(in, error, reason->message);
    const SlJsonNode *type = sl_json_get(doc, sl_json_root(doc), "type");
    static const char *const others[] = {
        "RECORD", "LOG", "TRACE", "CONTROL", "SPEC", "CATALOG", "CONNECTION_STATUS"};
    for (guint i = 0; type != NULL && i < G_N_ELEMENTS(others); i++)
        if (sl_json_string_is(type, others[i]))
            return TRUE;
    in->doc = doc;
    return read_message(in, state, sl_json_root(doc), error);
}

static gboolean
read_lines(Source *in, CtlState *state, const char *text, gsize len, GError **error)
{
    g_autofree char *copy = g_strndup(text, len);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        in->line = i + 1;
        if (!read_line(in, state, g_strstrip(lines[i]), error))
            return FALSE;
    }
    return TRUE;
}

CtlState *
ctl_state_parse(const char *text, gsize len, const char *what, GError **error)
{
    g_autoptr(CtlState) state = ctl_state_new("not_set");
    g_autoptr(GError) reason = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, &reason);
    Source in = {.doc = doc, .what = what};
    const char *end = memchr(text, '\n', len);
    /* Not one document, but the first line is one: a line each. */
    g_autoptr(SlJsonDoc) first =
        doc == NULL && end != NULL ? sl_json_read(text, (gsize)(end - text), NULL, NULL) : NULL;
    gboolean ok = doc != NULL     ? read_document(&in, state, error)
                  : first != NULL ? read_lines(&in, state, text, len, error)
                                  : refuse(&in, error, reason->message);
    return ok ? g_steal_pointer(&state) : NULL;
}

/* --- out -----------------------------------------------------------------------------------------
 */

static void
print_raw(SlJsonWriter *w, const char *key, const char *json)
{
    sl_json_key(w, key);
    if (json != NULL)
        sl_json_raw(w, json, strlen(json));
    else
        sl_json_null(w);
}

/* Keys of a stream state in the API, and in messages. */
static const char *const api_keys[] = {"streamDescriptor", "streamState"};
static const char *const message_keys[] = {"stream_descriptor", "stream_state"};

static void
print_stream(SlJsonWriter *w, const CtlStreamState *stream, const char *const *keys)
{
    sl_json_begin_object(w);
    sl_json_key(w, keys[0]);
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", stream->name);
    sl_json_member_string(w, "namespace", *stream->ns != '\0' ? stream->ns : NULL);
    sl_json_end_object(w);
    print_raw(w, keys[1], stream->state);
    sl_json_end_object(w);
}

static void
print_streams(SlJsonWriter *w, const CtlState *state, const char *key, const char *const *keys)
{
    sl_json_key(w, key);
    sl_json_begin_array(w);
    for (guint i = 0; i < state->streams->len; i++)
        print_stream(w, state->streams->pdata[i], keys);
    sl_json_end_array(w);
}

static void
print_shared(SlJsonWriter *w, const CtlState *state, const char *key)
{
    if (state->shared != NULL || state->forget)
        print_raw(w, key, state->shared);
}

char *
ctl_state_print_request(const CtlState *state, const char *connection_id)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "connectionId", connection_id);
    sl_json_key(&w, "connectionState");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "connectionId", connection_id);
    sl_json_member_string(&w, "stateType", state->type);
    if (strcmp(state->type, "stream") == 0) {
        print_streams(&w, state, "streamState", api_keys);
    } else if (strcmp(state->type, "global") == 0) {
        sl_json_key(&w, "globalState");
        sl_json_begin_object(&w);
        print_shared(&w, state, "shared_state");
        print_streams(&w, state, "streamStates", api_keys);
        sl_json_end_object(&w);
    } else {
        print_shared(&w, state, "state");
    }
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static void
begin_message(SlJsonWriter *w, const char *type, const char *key)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", type);
    if (key != NULL)
        sl_json_key(w, key);
}

char *
ctl_state_print_messages(const CtlState *state)
{
    GString *out = g_string_new("[");
    gboolean streams = strcmp(state->type, "stream") == 0;
    for (guint i = 0; streams && i < state->streams->len; i++) {
        SlJsonWriter w = SL_JSON_WRITER_INIT(out);
        g_string_append(out, i > 0 ? ",\n" : "\n");
        begin_message(&w, "STREAM", "stream");
        print_stream(&w, state->streams->pdata[i], message_keys);
        sl_json_end_object(&w);
    }
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    if (strcmp(state->type, "global") == 0) {
        g_string_append_c(out, '\n');
        begin_message(&w, "GLOBAL", "global");
        sl_json_begin_object(&w);
        print_shared(&w, state, "shared_state");
        print_streams(&w, state, "stream_states", message_keys);
        sl_json_end_object(&w);
        sl_json_end_object(&w);
    } else if (strcmp(state->type, "legacy") == 0) {
        g_string_append_c(out, '\n');
        begin_message(&w, "LEGACY", NULL);
        print_shared(&w, state, "data");
        sl_json_end_object(&w);
    }
    g_string_append(out, "\n]\n");
    return g_string_free(out, FALSE);
}

/* --- what is not there any more ------------------------------------------------------------------
 */

void
ctl_state_forget_others(CtlState *wanted, const CtlState *old)
{
    wanted->forget = wanted->shared == NULL && old->shared != NULL;
    for (guint i = 0; i < old->streams->len; i++) {
        const CtlStreamState *stream = old->streams->pdata[i];
        if (ctl_state_find(wanted, stream->name, stream->ns) == NULL)
            ctl_state_add(wanted, stream->name, stream->ns, NULL);
    }
}

CtlState *
ctl_state_forget_all(const CtlState *old)
{
    CtlState *nothing = ctl_state_new(old->type);
    ctl_state_forget_others(nothing, old);
    return nothing;
}
