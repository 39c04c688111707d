/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit.h"
#include "sl-error.h"

static void
write_member_path(SlJsonWriter *w, const char *key, const char *member, guint depth)
{
    sl_json_key(w, key);
    for (guint i = 0; i < depth; i++)
        sl_json_begin_array(w);
    sl_json_string(w, member);
    for (guint i = 0; i < depth; i++)
        sl_json_end_array(w);
}

void
kit_streams_write(const KitSourceStream *table, SlJsonWriter *w)
{
    for (const KitSourceStream *row = table; row->name != NULL; row++) {
        sl_json_begin_object(w);
        sl_json_member_string(w, "name", row->name);
        sl_json_key(w, "json_schema");
        sl_json_begin_object(w);
        sl_json_member_string(w, "$schema", "http://json-schema.org/draft-07/schema#");
        sl_json_member_string(w, "type", "object");
        sl_json_member_raw(w, "properties", row->properties);
        sl_json_end_object(w);
        sl_json_member_raw(w, "supported_sync_modes",
                           row->cursor != NULL ? "[\"full_refresh\",\"incremental\"]"
                                               : "[\"full_refresh\"]");
        if (row->cursor != NULL) {
            sl_json_member_bool(w, "source_defined_cursor", TRUE);
            write_member_path(w, "default_cursor_field", row->cursor, 1);
        }
        if (row->primary_key != NULL)
            write_member_path(w, "source_defined_primary_key", row->primary_key, 2);
        if (row->resumable)
            sl_json_member_bool(w, "is_resumable", TRUE);
        sl_json_end_object(w);
    }
}

static const KitSourceStream *
find_row(const KitSourceStream *table, const KitStream *stream, GError **error)
{
    for (const KitSourceStream *row = table; row->name != NULL; row++) {
        if (stream->ns != NULL || !g_str_equal(row->name, stream->name))
            continue;
        if (stream->sync_mode == KIT_SYNC_FULL_REFRESH || row->cursor != NULL)
            return row;
        sl_error_set(error, SL_ERROR_INVALID, "catalog: stream '%s' cannot be synced incrementally",
                     stream->name);
        return NULL;
    }
    sl_error_set(error, SL_ERROR_INVALID, "catalog: there is no stream '%s'%s", stream->name,
                 stream->ns == NULL ? "" : " with a namespace");
    return NULL;
}

gboolean
kit_streams_read(const KitSourceStream *table, const KitRead *read, GError **error)
{
    for (guint i = 0; i < read->catalog->n_streams && !kit_stopping(read->out); i++) {
        const KitStream *stream = &read->catalog->streams[i];
        const KitSourceStream *row = find_row(table, stream, error);
        if (row == NULL)
            return FALSE;
        kit_output_status(read->out, stream, KIT_STATUS_STARTED);
        kit_output_status(read->out, stream, KIT_STATUS_RUNNING);
        KitStream view = *stream;
        if (view.sync_mode == KIT_SYNC_FULL_REFRESH && !row->resumable)
            view.state = NULL; /* it would leave out what the last run sent */
        if (!row->read(read, &view, error)) {
            g_prefix_error(error, "stream '%s': ", stream->name);
            return FALSE;
        }
        if (!kit_stopping(read->out)) /* else the kit says INCOMPLETE */
            kit_output_status(read->out, stream, KIT_STATUS_COMPLETE);
    }
    return TRUE;
}
