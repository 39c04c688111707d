/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-csv.h"

/* One pass over all files: what discover, check and read have in common. */
typedef struct FileSink FileSink;
struct FileSink {
    /* CSV: a file's columns are known. */
    gboolean (*names)(FileSink *sink, const char *const *names, guint n_names, GError **error);
    /* CSV: a row, which has as many fields as there are names. */
    gboolean (*row)(FileSink *sink, const FileCsv *csv, GError **error);
    /* JSON Lines: an object. */
    gboolean (*object)(FileSink *sink, const SlJsonDoc *doc, const FileInput *input,
                       GError **error);
    gboolean stop; /* set by a callback: enough */
};

gboolean file_scan(const FileOptions *options, FileSink *sink, GError **error);

/* Is the field null: empty and not quoted, or one of na_values? */
gboolean file_field_is_null(const FileOptions *options, const FileField *field);

/* Without the blanks around it, which numbers and times may have. */
SlSpan file_field_trimmed(const FileField *field);
