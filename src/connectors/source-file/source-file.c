/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "file-columns.h"
#include "file-record.h"
#include "file-scan.h"
#include "kit.h"
#include "sl-error.h"

#include KIT_SPEC_H

#define CHECK_ROWS 100
/* More members than this are data that somebody has put into keys. */
#define MAX_COLUMNS 10000
/* Rows between two looks at SIGTERM. */
#define STEP 256

/* --- check and discover: what columns there are, and their types --------------------------------
 */
typedef struct {
    FileSink sink;
    const FileOptions *options;
    FileColumns *columns;
    FileColumn **by_field;   /* CSV: of the current file */
    gint64 max_rows, n_rows; /* max_rows -1: all */
} Inference;

static FileColumn *
inference_column(Inference *self, const char *name, gsize n, guint guess)
{
    FileColumn *column = file_columns_find(self->columns, name, n, guess);
    if (column != NULL)
        return column;
    column = file_columns_add(self->columns, name, n);
    gpointer type;
    if (g_hash_table_lookup_extended(self->options->some_types, column->name, NULL, &type))
        column->type = (FileType)GPOINTER_TO_INT(type);
    else
        column->type = self->options->all_types;
    column->fixed = column->type != FILE_TYPE_NULL;
    return column;
}

static gboolean
inference_names(FileSink *sink, const char *const *names, guint n, GError **error)
{
    Inference *self = (Inference *)sink;
    self->by_field = g_renew(FileColumn *, self->by_field, n + 1);
    for (guint i = 0; i < n; i++)
        self->by_field[i] = inference_column(self, names[i], strlen(names[i]), i);
    return TRUE;
}

static void
inference_count(Inference *self)
{
    self->n_rows++;
    self->sink.stop = self->n_rows == self->max_rows;
}

static gboolean
inference_row(FileSink *sink, const FileCsv *csv, GError **error)
{
    Inference *self = (Inference *)sink;
    for (guint i = 0; i < csv->n_fields; i++) {
        FileColumn *column = self->by_field[i];
        if (column->fixed || column->type == FILE_TYPE_STRING ||
            file_field_is_null(self->options, &csv->fields[i]))
            continue;
        SlSpan text = file_field_trimmed(&csv->fields[i]);
        column->type = file_type_widen(column->type, file_type_of_text(text.p, text.n));
    }
    inference_count(self);
    return TRUE;
}

static gboolean
inference_object(FileSink *sink, const SlJsonDoc *doc, const FileInput *input, GError **error)
{
    Inference *self = (Inference *)sink;
    guint guess = 0;
    SL_JSON_FOREACH (doc, sl_json_root(doc), key) {
        g_autofree char *copy = key->escaped ? sl_json_dup_string(key) : NULL;
        if (key->escaped && copy == NULL)
            return file_input_refuse(input, input->line - 1, error, "a NUL in a member's name");
        const char *name = copy != NULL ? copy : key->p + 1;
        FileColumn *column =
            inference_column(self, name, copy != NULL ? strlen(copy) : key->n - 2, guess++);
        column->type = file_type_widen(column->type, file_type_of_node(key + 1));
    }
    if (self->columns->list->len > MAX_COLUMNS)
        return file_input_refuse(input, input->line - 1, error,
                                 "more than %d different members up to here", MAX_COLUMNS);
    inference_count(self);
    return TRUE;
}

static FileColumns *
infer(const FileOptions *options, gint64 max_rows, GError **error)
{
    g_autoptr(FileColumns) columns = file_columns_new();
    Inference self = {
        .sink = {inference_names, inference_row, inference_object},
        .options = options,
        .columns = columns,
        .max_rows = max_rows,
    };
    gboolean ok = file_scan(options, &self.sink, error);
    g_free(self.by_field);
    if (!ok)
        return NULL;
    if (columns->list->len == 0) {
        sl_error_set(error, SL_ERROR_INVALID, "%s: no columns; the file is empty",
                     options->paths[0]);
        return NULL;
    }
    return g_steal_pointer(&columns);
}

static gboolean
file_check(const KitConfig *config, GError **error)
{
    g_autoptr(FileOptions) options = file_options_new(config, error);
    if (options == NULL)
        return FALSE;
    g_autoptr(FileColumns) columns = infer(options, CHECK_ROWS, error);
    return columns != NULL;
}

static gboolean
file_discover(const KitConfig *config, KitOutput *out, SlJsonWriter *w, GError **error)
{
    g_autoptr(FileOptions) options = file_options_new(config, error);
    if (options == NULL)
        return FALSE;
    g_autoptr(FileColumns) columns = infer(options, -1, error);
    if (columns == NULL)
        return FALSE;
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", options->dataset_name);
    sl_json_key(w, "json_schema");
    file_columns_describe(columns, w);
    sl_json_member_raw(w, "supported_sync_modes", "[\"full_refresh\"]");
    sl_json_member_bool(w, "is_resumable", FALSE);
    sl_json_end_object(w);
    return TRUE;
}

/* --- read ---------------------------------------------------------------------------------------
 */
typedef struct {
    FileSink sink;
    const FileOptions *options;
    FileColumns *columns; /* of the catalog; none: all members are sent, as text if CSV */
    FileColumns *extra;   /* CSV: the columns when the catalog has none */
    FileColumn **by_field;
    KitOutput *out;
    guint stream;
    guint64 n_rows;
} Reading;

static gboolean
reading_names(FileSink *sink, const char *const *names, guint n, GError **error)
{
    Reading *self = (Reading *)sink;
    gboolean all = self->columns->list->len == 0;
    self->by_field = g_renew(FileColumn *, self->by_field, n + 1);
    for (guint i = 0; i < n; i++) {
        FileColumns *columns = all ? self->extra : self->columns;
        FileColumn *column = file_columns_find(columns, names[i], strlen(names[i]), i);
        if (column == NULL && all)
            column = file_columns_add(columns, names[i], strlen(names[i]));
        self->by_field[i] = column;
    }
    return TRUE;
}

static void
reading_count(Reading *self)
{
    if (++self->n_rows % STEP == 0 && kit_stopping(self->out))
        self->sink.stop = TRUE;
}

static gboolean
reading_row(FileSink *sink, const FileCsv *csv, GError **error)
{
    Reading *self = (Reading *)sink;
    FileColumn *misfit;
    char *p =
        kit_output_begin_record(self->out, self->stream, file_record_max(csv, self->by_field));
    p = file_record_put(self->options, csv, self->by_field, p, &misfit);
    kit_output_end_record(self->out, p);
    if (misfit != NULL && !misfit->warned) {
        misfit->warned = TRUE;
        kit_output_log(self->out, KIT_LOG_WARN,
                       "%s, line %" G_GUINT64_FORMAT ": column '%s' is not %s as in the schema; "
                       "such values are sent as text",
                       csv->input->path, csv->line, misfit->name, file_type_name(misfit->type));
    }
    reading_count(self);
    return TRUE;
}

static gboolean
is_wanted(const Reading *self, const SlJsonNode *key, guint guess)
{
    if (!key->escaped)
        return file_columns_find(self->columns, key->p + 1, key->n - 2, guess) != NULL;
    g_autofree char *name = sl_json_dup_string(key);
    return name != NULL && file_columns_find(self->columns, name, strlen(name), guess) != NULL;
}

/* An object whose members are all wanted goes out as it is. */
static gboolean
reading_object(FileSink *sink, const SlJsonDoc *doc, const FileInput *input, GError **error)
{
    Reading *self = (Reading *)sink;
    const SlJsonNode *root = sl_json_root(doc);
    char *start = kit_output_begin_record(self->out, self->stream, root->n + 1), *p = start;
    guint n = 0;
    *p++ = '{';
    SL_JSON_FOREACH (doc, root, key) {
        if (self->columns->list->len > 0 && !is_wanted(self, key, n))
            continue;
        if (n++ > 0)
            *p++ = ',';
        memcpy(p, key->p, key->n);
        p += key->n;
        *p++ = ':';
        memcpy(p, key[1].p, key[1].n);
        p += key[1].n;
    }
    *p++ = '}';
    if (n == root->count)
        p = (char *)memcpy(start, root->p, root->n) + root->n;
    kit_output_end_record(self->out, p);
    reading_count(self);
    return TRUE;
}

static gboolean
read_stream(const KitRead *read, const KitStream *stream, const FileOptions *options,
            GError **error)
{
    if (stream->ns != NULL || !g_str_equal(stream->name, options->dataset_name))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "catalog: there is no stream '%s'; the only one is '%s'", stream->name,
                            options->dataset_name);
    g_autoptr(FileColumns) columns = file_columns_from_schema(read->catalog->doc, stream->schema);
    g_autoptr(FileColumns) extra = file_columns_new();
    Reading self = {
        .sink = {reading_names, reading_row, reading_object},
        .options = options,
        .columns = columns,
        .extra = extra,
        .out = read->out,
        .stream = stream->index,
    };
    kit_output_status(read->out, stream, KIT_STATUS_STARTED);
    kit_output_status(read->out, stream, KIT_STATUS_RUNNING);
    gboolean ok = file_scan(options, &self.sink, error);
    g_free(self.by_field);
    if (!ok || self.sink.stop)
        return ok;
    /* Nothing to go on from: it says that all was sent, and lets the destination acknowledge. */
    static const char state[] = "{\"complete\":true}";
    kit_output_state(read->out, stream->index, state, strlen(state));
    kit_output_status(read->out, stream, KIT_STATUS_COMPLETE);
    return TRUE;
}

static gboolean
file_read(const KitRead *read, GError **error)
{
    g_autoptr(FileOptions) options = file_options_new(read->config, error);
    if (options == NULL)
        return FALSE;
    for (guint i = 0; i < read->catalog->n_streams && !kit_stopping(read->out); i++)
        if (!read_stream(read, &read->catalog->streams[i], options, error))
            return FALSE;
    return TRUE;
}

static const KitConnector connector = {
    .name = "source-file",
    .spec = kit_spec,
    .check = file_check,
    .discover = file_discover,
    .read = file_read,
};

int
main(int argc, char **argv)
{
    return kit_main(&connector, argc, argv);
}
