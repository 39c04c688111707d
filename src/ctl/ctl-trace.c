/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-trace.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"

#define MAX_FAULTS 20
#define SHOWN_COLUMNS 160
#define GLOBAL_KEY "\001global"
#define LEGACY_KEY "\001legacy"

static void
stream_free(gpointer data)
{
    CtlTraceStream *stream = data;
    g_free(stream->status);
    g_free(stream->first);
    g_free(stream);
}

CtlTrace *
ctl_trace_new(guint max_records, gboolean full)
{
    CtlTrace *trace = g_new0(CtlTrace, 1);
    trace->max_records = max_records;
    trace->full = full;
    trace->streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, stream_free);
    trace->order = g_ptr_array_new_with_free_func(g_free);
    trace->last_states = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    trace->faults = g_ptr_array_new_with_free_func(g_free);
    return trace;
}

void
ctl_trace_free(CtlTrace *trace)
{
    if (trace == NULL)
        return;
    g_hash_table_unref(trace->streams);
    g_hash_table_unref(trace->last_states);
    g_ptr_array_unref(trace->order);
    g_ptr_array_unref(trace->faults);
    g_free(trace->spec);
    g_free(trace->catalog);
    g_free(trace->status);
    g_free(trace->status_message);
    g_free(trace->error);
    g_free(trace->error_type);
    g_free(trace);
}

/* --- one line ----------------------------------------------------------------------------------
 */

/* Where a line is on its way through the functions of the table below. */
typedef struct {
    CtlTrace *trace;
    const SlJsonDoc *doc;
    const SlJsonNode *body; /* the member that belongs to the type */
    GString *out;
} Line;

G_GNUC_PRINTF(2, 3)
static void
fault(CtlTrace *trace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (trace->faults->len < MAX_FAULTS)
        g_ptr_array_add(trace->faults,
                        g_strdup_printf(_("line %" G_GUINT64_FORMAT ": %s"), trace->lines, text));
}

static void
show(const Line *line, const char *word, const char *text)
{
    g_autofree char *clean = ctl_text_clean(text, -1);
    g_autofree char *cut =
        line->trace->full ? g_strdup(clean) : ctl_text_ellipsize(clean, SHOWN_COLUMNS, TRUE);
    g_string_append_printf(line->out, "%-8s %s\n", word, cut);
}

static char *
text_of(const Line *line, const SlJsonNode *object, const char *key)
{
    const SlJsonNode *node = sl_json_get(line->doc, object, key);
    char *text = node != NULL ? sl_json_dup_string(node) : NULL;
    return text != NULL ? text : g_strdup("");
}

static CtlTraceStream *
stream_of(CtlTrace *trace, const char *name_space, const char *name)
{
    g_autofree char *key =
        *name_space != '\0' ? g_strconcat(name_space, ".", name, NULL) : g_strdup(name);
    CtlTraceStream *stream = g_hash_table_lookup(trace->streams, key);
    if (stream == NULL) {
        stream = g_new0(CtlTraceStream, 1);
        g_hash_table_insert(trace->streams, g_steal_pointer(&key), stream);
    }
    return stream;
}

static void
take_record(Line *line)
{
    CtlTrace *trace = line->trace;
    g_autofree char *name = text_of(line, line->body, "stream");
    g_autofree char *name_space = text_of(line, line->body, "namespace");
    const SlJsonNode *data = sl_json_get(line->doc, line->body, "data");
    if (*name == '\0')
        fault(trace, _("a RECORD without the name of its stream"));
    if (data == NULL || data->type != SL_JSON_OBJECT) {
        fault(trace, _("a RECORD whose data is no object"));
        return;
    }
    CtlTraceStream *stream = stream_of(trace, name_space, name);
    trace->records++;
    stream->records++;
    if (stream->first == NULL)
        stream->first = sl_json_dup_span(data);
    if (stream->shown >= trace->max_records)
        return;
    stream->shown++;
    g_autofree char *span = sl_json_dup_span(data);
    g_autofree char *text = g_strdup_printf("%s %s", name, span);
    show(line, "RECORD", text);
}

static void
keep_state(CtlTrace *trace, const char *key, char *state)
{
    gpointer known;
    if (!g_hash_table_lookup_extended(trace->last_states, key, &known, NULL)) {
        known = g_strdup(key);
        g_ptr_array_add(trace->order, known);
    }
    g_hash_table_replace(trace->last_states, known, state);
}

static void
take_state(Line *line)
{
    CtlTrace *trace = line->trace;
    g_autofree char *type = text_of(line, line->body, "type");
    trace->states++;
    if (strcmp(type, "STREAM") == 0) {
        const SlJsonNode *descriptor =
            sl_json_get_path(line->doc, line->body, "stream", "stream_descriptor", NULL);
        g_autofree char *name = text_of(line, descriptor, "name");
        g_autofree char *name_space = text_of(line, descriptor, "namespace");
        if (*name == '\0') {
            fault(trace, _("a STATE of type STREAM without stream.stream_descriptor.name"));
            return;
        }
        g_autofree char *key = g_strconcat(name_space, "\002", name, NULL);
        stream_of(trace, name_space, name)->states++;
        keep_state(trace, key, sl_json_dup_span(line->body));
    } else if (strcmp(type, "GLOBAL") == 0) {
        if (sl_json_get(line->doc, line->body, "global") == NULL)
            fault(trace, _("a STATE of type GLOBAL without global"));
        keep_state(trace, GLOBAL_KEY, sl_json_dup_span(line->body));
    } else if (*type == '\0' || strcmp(type, "LEGACY") == 0) {
        const SlJsonNode *data = sl_json_get(line->doc, line->body, "data");
        if (data == NULL)
            fault(trace, _("a STATE without type and without data"));
        else
            keep_state(trace, LEGACY_KEY, sl_json_dup_span(data));
    } else {
        fault(trace, _("a STATE of unknown type '%s'"), type);
    }
    g_autofree char *span = sl_json_dup_span(line->body);
    show(line, "STATE", span);
}

static void
take_log(Line *line)
{
    g_autofree char *level = text_of(line, line->body, "level");
    g_autofree char *message = text_of(line, line->body, "message");
    g_autofree char *text = g_strdup_printf("%s %s", level, message);
    show(line, "LOG", text);
}

static void
replace(char **at, char *text)
{
    g_free(*at);
    *at = text;
}

static void
take_spec(Line *line)
{
    replace(&line->trace->spec, sl_json_dup_span(line->body));
    line->trace->n_specs++;
    show(line, "SPEC", line->trace->spec);
}

static void
take_catalog(Line *line)
{
    const SlJsonNode *streams = sl_json_get(line->doc, line->body, "streams");
    replace(&line->trace->catalog, sl_json_dup_span(line->body));
    line->trace->n_catalogs++;
    if (streams == NULL || streams->type != SL_JSON_ARRAY) {
        fault(line->trace, _("a CATALOG without streams"));
        return;
    }
    SL_JSON_FOREACH (line->doc, streams, stream) {
        g_autofree char *name = text_of(line, stream, "name");
        g_autofree char *name_space = text_of(line, stream, "namespace");
        g_autofree char *title =
            g_strdup_printf("%s%s%s", name_space, *name_space != '\0' ? "." : "", name);
        show(line, "STREAM", title);
    }
}

static void
take_status(Line *line)
{
    CtlTrace *trace = line->trace;
    replace(&trace->status, text_of(line, line->body, "status"));
    replace(&trace->status_message, text_of(line, line->body, "message"));
    if (strcmp(trace->status, "SUCCEEDED") != 0 && strcmp(trace->status, "FAILED") != 0)
        fault(trace, _("a CONNECTION_STATUS that is neither SUCCEEDED nor FAILED"));
    g_autofree char *text = g_strdup_printf("%s %s", trace->status, trace->status_message);
    show(line, "STATUS", text);
}

static void
take_trace_error(Line *line)
{
    CtlTrace *trace = line->trace;
    const SlJsonNode *error = sl_json_get(line->doc, line->body, "error");
    g_autofree char *message = text_of(line, error, "message");
    g_autofree char *type = text_of(line, error, "failure_type");
    if (*message == '\0')
        fault(trace, _("a TRACE of type ERROR without error.message"));
    if (trace->error == NULL) {
        trace->error = g_strdup(message);
        trace->error_type = g_strdup(*type != '\0' ? type : "system_error");
    }
    g_autofree char *text = g_strdup_printf("%s %s", type, message);
    show(line, "ERROR", text);
}

static void
take_trace(Line *line)
{
    g_autofree char *type = text_of(line, line->body, "type");
    if (strcmp(type, "ERROR") == 0) {
        take_trace_error(line);
    } else if (strcmp(type, "STREAM_STATUS") == 0) {
        const SlJsonNode *status = sl_json_get(line->doc, line->body, "stream_status");
        const SlJsonNode *descriptor = sl_json_get(line->doc, status, "stream_descriptor");
        g_autofree char *name = text_of(line, descriptor, "name");
        g_autofree char *name_space = text_of(line, descriptor, "namespace");
        CtlTraceStream *stream = stream_of(line->trace, name_space, name);
        replace(&stream->status, text_of(line, status, "status"));
        g_autofree char *text = g_strdup_printf("%s %s", name, stream->status);
        show(line, "TRACE", text);
    } else {
        g_autofree char *span = sl_json_dup_span(line->body);
        show(line, "TRACE", span);
    }
}

static void
take_control(Line *line)
{
    g_autofree char *type = text_of(line, line->body, "type");
    show(line, "CONTROL", type); /* a configuration holds secrets */
}

static const struct {
    const char *type, *member;
    void (*take)(Line *line);
} kinds[] = {
    {"RECORD", "record", take_record},
    {"STATE", "state", take_state},
    {"LOG", "log", take_log},
    {"TRACE", "trace", take_trace},
    {"SPEC", "spec", take_spec},
    {"CONNECTION_STATUS", "connectionStatus", take_status},
    {"CATALOG", "catalog", take_catalog},
    {"CONTROL", "control", take_control},
};

void
ctl_trace_add(CtlTrace *trace, const char *text, gsize len, GString *out)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, NULL);
    Line line = {trace, doc, NULL, out};
    trace->lines++;
    if (len == 0)
        return;
    const SlJsonNode *type = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "type") : NULL;
    for (gsize i = 0; type != NULL && i < G_N_ELEMENTS(kinds); i++) {
        if (!sl_json_string_is(type, kinds[i].type))
            continue;
        line.body = sl_json_get(doc, sl_json_root(doc), kinds[i].member);
        if (line.body != NULL && line.body->type == SL_JSON_OBJECT)
            kinds[i].take(&line);
        else
            fault(trace, _("a message of type %s without '%s'"), kinds[i].type, kinds[i].member);
        return;
    }
    /* Not of the protocol: Sluice logs it and goes on, so it is no fault. */
    trace->others++;
    g_autofree char *copy = g_strndup(text, len);
    show(&line, "?", copy);
}

/* --- what it comes to --------------------------------------------------------------------------
 */

char *
ctl_trace_summary(const CtlTrace *trace)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(
        out,
        g_dngettext(GETTEXT_PACKAGE, "%u stream", "%u streams", g_hash_table_size(trace->streams)),
        g_hash_table_size(trace->streams));
    g_string_append_printf(out, _(", records: %" G_GUINT64_FORMAT ", states: %" G_GUINT64_FORMAT),
                           trace->records, trace->states);
    if (trace->others > 0)
        g_string_append_printf(out, _(", lines that are no messages: %" G_GUINT64_FORMAT),
                               trace->others);
    return g_string_free(out, FALSE);
}

char *
ctl_trace_state_file(const CtlTrace *trace)
{
    if (trace->order->len == 0)
        return NULL;
    if (g_hash_table_contains(trace->last_states, LEGACY_KEY))
        return g_strdup(g_hash_table_lookup(trace->last_states, LEGACY_KEY));
    GString *out = g_string_new("[");
    for (guint i = 0; i < trace->order->len; i++)
        g_string_append_printf(
            out, "%s%s", i > 0 ? "," : "",
            (const char *)g_hash_table_lookup(trace->last_states, trace->order->pdata[i]));
    g_string_append_c(out, ']');
    return g_string_free(out, FALSE);
}

/* --- a configured catalog ----------------------------------------------------------------------
 */

static gboolean
lists(const SlJsonDoc *doc, const SlJsonNode *array, const char *word)
{
    if (array != NULL && array->type == SL_JSON_ARRAY)
        SL_JSON_FOREACH (doc, array, item)
            if (sl_json_string_is(item, word))
                return TRUE;
    return FALSE;
}

static gboolean
has_elements(const SlJsonNode *array)
{
    return array != NULL && array->type == SL_JSON_ARRAY && array->count > 0;
}

static void
write_member(SlJsonWriter *w, const char *key, const SlJsonNode *node)
{
    sl_json_key(w, key);
    sl_json_node(w, node);
}

static void
write_stream(SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream)
{
    const SlJsonNode *cursor = sl_json_get(doc, stream, "default_cursor_field");
    const SlJsonNode *key = sl_json_get(doc, stream, "source_defined_primary_key");
    const SlJsonNode *own = sl_json_get(doc, stream, "source_defined_cursor");
    gboolean incremental =
        lists(doc, sl_json_get(doc, stream, "supported_sync_modes"), "incremental") &&
        (has_elements(cursor) || (own != NULL && own->type == SL_JSON_TRUE));
    sl_json_begin_object(w);
    write_member(w, "stream", stream);
    sl_json_member_string(w, "sync_mode", incremental ? "incremental" : "full_refresh");
    sl_json_member_string(w, "destination_sync_mode", "append");
    if (has_elements(cursor))
        write_member(w, "cursor_field", cursor);
    if (has_elements(key))
        write_member(w, "primary_key", key);
    sl_json_member_int(w, "generation_id", 0);
    sl_json_member_int(w, "minimum_generation_id", 0);
    sl_json_member_int(w, "sync_id", 1);
    sl_json_end_object(w);
}

char *
ctl_trace_configure(const char *catalog, GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read(catalog, strlen(catalog), NULL, error);
    const SlJsonNode *streams = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "streams") : NULL;
    if (doc == NULL)
        return NULL;
    if (streams == NULL || streams->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_INVALID, _("the catalog has no streams"));
        return NULL;
    }
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    sl_json_begin_array(&w);
    SL_JSON_FOREACH (doc, streams, stream)
        write_stream(&w, doc, stream);
    sl_json_end_array(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}
