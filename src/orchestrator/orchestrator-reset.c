/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-reset.h"

#include <string.h>

#include "sl-json-write.h"
#include "sl-stream-table.h"

static void
write_descriptor(SlJsonWriter *w, const SlCatalogStream *stream)
{
    sl_json_key(w, "stream_descriptor");
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", stream->name);
    sl_json_member_string(w, "namespace", stream->ns);
    sl_json_end_object(w);
    sl_json_key(w, "stream_state");
    sl_json_null(w);
}

static void
begin_state(SlJsonWriter *w, const char *type, const char *member)
{
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", "STATE");
    sl_json_key(w, "state");
    sl_json_begin_object(w);
    sl_json_member_string(w, "type", type);
    sl_json_key(w, member);
}

static void
end_state(SlJsonWriter *w, GString *out)
{
    sl_json_end_object(w);
    sl_json_end_object(w);
    g_string_append_c(out, '\n');
}

/* The stored GLOBAL state; NULL: there is none. */
static const SlJsonNode *
find_global(const OrchestratorInput *input)
{
    SL_JSON_FOREACH (input->doc, input->state, item) {
        const SlJsonNode *inner = sl_json_get(input->doc, item, "state");
        const SlJsonNode *global = sl_json_get(input->doc, inner != NULL ? inner : item, "global");
        if (global != NULL && global->type == SL_JSON_OBJECT)
            return global;
    }
    return NULL;
}

/* Null for the streams of the catalog; the others keep theirs, and as long as there are any, the
 * state that they share stays. */
static void
write_global(const OrchestratorInput *input, const SlCatalog *catalog, const SlJsonNode *global,
             GString *out)
{
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    g_autoptr(SlStreamTable) table = sl_stream_table_new(catalog, SL_NAMES_OF_SOURCE);
    const SlJsonNode *states = sl_json_get(input->doc, global, "stream_states");
    const SlJsonNode *shared = sl_json_get(input->doc, global, "shared_state");
    guint kept = 0;
    begin_state(&w, "GLOBAL", "global");
    sl_json_begin_object(&w);
    sl_json_key(&w, "stream_states");
    sl_json_begin_array(&w);
    for (guint i = 0; i < catalog->n_streams; i++) {
        sl_json_begin_object(&w);
        write_descriptor(&w, &catalog->streams[i]);
        sl_json_end_object(&w);
    }
    SL_JSON_FOREACH (input->doc, states, item) {
        if (sl_stream_table_find_descriptor(
                table, input->doc, sl_json_get(input->doc, item, "stream_descriptor")) >= 0)
            continue;
        sl_json_node(&w, item);
        kept++;
    }
    sl_json_end_array(&w);
    sl_json_key(&w, "shared_state");
    if (kept > 0 && shared != NULL)
        sl_json_node(&w, shared);
    else
        sl_json_null(&w);
    sl_json_end_object(&w);
    end_state(&w, out);
}

char *
orchestrator_reset_write(const OrchestratorInput *input, const SlCatalog *catalog)
{
    GString *out = g_string_new(NULL);
    const SlJsonNode *global = input->state != NULL ? find_global(input) : NULL;
    if (global != NULL) {
        write_global(input, catalog, global, out);
        return g_string_free(out, FALSE);
    }
    for (guint i = 0; i < catalog->n_streams; i++) {
        SlJsonWriter w = SL_JSON_WRITER_INIT(out);
        begin_state(&w, "STREAM", "stream");
        sl_json_begin_object(&w);
        write_descriptor(&w, &catalog->streams[i]);
        sl_json_end_object(&w);
        end_state(&w, out);
    }
    return g_string_free(out, FALSE);
}
