/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-options.h"
#include "sl-json-write.h"

/* The columns of the stream, in order: found in the files, or taken from the catalog. */
typedef struct {
    char *name;
    FileType type;
    gboolean fixed;  /* set by the user (dtype): not widened */
    gboolean warned; /* a value did not fit, and was said so */
    char *key;       /* "name": for a record */
    gsize key_len;
} FileColumn;

typedef struct {
    GPtrArray *list; /* FileColumn */
    GHashTable *by_name;
} FileColumns;

FileColumns *file_columns_new(void);
/* From the properties of a configured stream. Without properties it has no columns. */
FileColumns *file_columns_from_schema(const SlJsonDoc *doc, const SlJsonNode *schema);
void file_columns_free(FileColumns *columns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileColumns, file_columns_free)

/* NULL: none of that name. `guess` is the index where it is looked for first. */
FileColumn *file_columns_find(const FileColumns *columns, const char *name, gsize n, guint guess);
FileColumn *file_columns_add(FileColumns *columns, const char *name, gsize n);

/* Writes the json_schema. */
void file_columns_describe(const FileColumns *columns, SlJsonWriter *w);
