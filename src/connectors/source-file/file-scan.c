/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-scan.h"

#include <string.h>

#include "sl-error.h"

#define MAX_NULL_WORD 63

gboolean
file_field_is_null(const FileOptions *options, const FileField *field)
{
    char text[MAX_NULL_WORD + 1];
    if (field->n == 0 && !field->quoted)
        return TRUE;
    if (options->null_words == NULL || field->n > MAX_NULL_WORD)
        return FALSE;
    memcpy(text, field->p, field->n);
    text[field->n] = '\0';
    return g_hash_table_contains(options->null_words, text);
}

SlSpan
file_field_trimmed(const FileField *field)
{
    const char *p = field->p, *end = field->p + field->n;
    while (p < end && *p == ' ')
        p++;
    while (end > p && end[-1] == ' ')
        end--;
    return (SlSpan){p, (gsize)(end - p)};
}

/* Names as pandas makes them: "Unnamed: 3" for an empty one, "a.1" for the second "a". */
static GStrv
names_of_header(const FileCsv *csv)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GStrv names = g_new0(char *, csv->n_fields + 1);
    for (guint i = 0; i < csv->n_fields; i++) {
        const FileField *field = &csv->fields[i];
        g_autofree char *name =
            field->n == 0 ? g_strdup_printf("Unnamed: %u", i) : g_strndup(field->p, field->n);
        names[i] = g_strdup(name);
        for (guint k = 1; g_hash_table_contains(seen, names[i]); k++) {
            g_free(names[i]);
            names[i] = g_strdup_printf("%s.%u", name, k);
        }
        g_hash_table_add(seen, names[i]);
    }
    return names;
}

/* Without a header: those of the options, or the columns' numbers. */
static GStrv
names_without_header(const FileOptions *options, guint n_fields)
{
    if (options->names != NULL)
        return g_strdupv(options->names);
    GStrv names = g_new0(char *, n_fields + 1);
    for (guint i = 0; i < n_fields; i++)
        names[i] = g_strdup_printf("%u", i);
    return names;
}

static gboolean
scan_row(FileCsv *csv, FileSink *sink, guint n_names, GError **error)
{
    if (csv->n_fields != n_names)
        return file_input_refuse(csv->input, csv->line, error, "%u fields, expected %u",
                                 csv->n_fields, n_names);
    return sink->row(sink, csv, error);
}

static gboolean
scan_csv(FileInput *input, const FileOptions *options, FileSink *sink, gint64 *left, GError **error)
{
    g_auto(FileCsv) csv = {0};
    g_auto(GStrv) names = NULL;
    gboolean end;
    file_csv_init(&csv, input, options);
    for (gint64 row = -1; row < options->header; row++) {
        if (!file_csv_next(&csv, &end, error) || end)
            return end;
    }
    if (options->header != FILE_NO_HEADER)
        names = options->names != NULL ? g_strdupv(options->names) : names_of_header(&csv);
    guint n_names = names == NULL ? 0 : g_strv_length(names);
    if (names != NULL && !sink->names(sink, (const char *const *)names, n_names, error))
        return FALSE;
    while (*left != 0 && !sink->stop) {
        if (!file_csv_next(&csv, &end, error) || end)
            return end;
        if (names == NULL) {
            names = names_without_header(options, csv.n_fields);
            n_names = g_strv_length(names);
            if (!sink->names(sink, (const char *const *)names, n_names, error))
                return FALSE;
        }
        if (!scan_row(&csv, sink, n_names, error))
            return FALSE;
        *left -= *left > 0;
    }
    return TRUE;
}

static gboolean
is_blank(SlSpan line)
{
    for (gsize i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t')
            return FALSE;
    return TRUE;
}

static gboolean
scan_jsonl(FileInput *input, const FileOptions *options, FileSink *sink, gint64 *left,
           GError **error)
{
    g_autoptr(SlJsonDoc) doc = sl_json_read_copy("null", 4, NULL, NULL);
    while (*left != 0 && !sink->stop) {
        SlSpan line;
        gboolean end;
        if (!file_input_next_line(input, &line, &end, error) || end)
            return end;
        if (is_blank(line))
            continue;
        g_autoptr(GError) local = NULL;
        if (!sl_json_read_into(doc, line.p, line.n, NULL, &local))
            return file_input_refuse(input, input->line - 1, error, "%s", local->message);
        if (sl_json_root(doc)->type != SL_JSON_OBJECT)
            return file_input_refuse(input, input->line - 1, error, "expected an object");
        if (!sink->object(sink, doc, input, error))
            return FALSE;
        *left -= *left > 0;
    }
    return TRUE;
}

gboolean
file_scan(const FileOptions *options, FileSink *sink, GError **error)
{
    gint64 left = options->max_rows;
    for (guint i = 0; options->paths[i] != NULL && !sink->stop; i++) {
        g_autoptr(FileInput) input = file_input_open(options->paths[i], options, error);
        if (input == NULL || !file_input_skip_lines(input, options->skip_rows, error))
            return FALSE;
        gboolean ok = options->format == FILE_FORMAT_CSV
                          ? scan_csv(input, options, sink, &left, error)
                          : scan_jsonl(input, options, sink, &left, error);
        if (!ok)
            return FALSE;
    }
    return TRUE;
}
