/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-type.h"
#include "kit-config.h"

typedef enum {
    FILE_FORMAT_CSV,
    FILE_FORMAT_JSONL,
} FileFormat;

typedef enum {
    FILE_COMPRESSION_INFER, /* by the first bytes */
    FILE_COMPRESSION_NONE,
    FILE_COMPRESSION_GZIP,
    FILE_COMPRESSION_ZSTD,
} FileCompression;

#define FILE_NO_HEADER (-1)

/* The configuration, with reader_options read. */
typedef struct {
    char *dataset_name;
    FileFormat format;
    GStrv paths; /* what the url matches, sorted */
    char separator, quote;
    gint64 header;              /* the row that holds the names, from 0; FILE_NO_HEADER */
    GStrv names;                /* NULL: from the header */
    gint64 skip_rows, max_rows; /* max_rows -1: all */
    gboolean latin1;
    FileCompression compression;
    FileType all_types;     /* FILE_TYPE_NULL: inferred */
    GHashTable *some_types; /* column → GINT_TO_POINTER(FileType); overrides all_types */
    GHashTable *null_words; /* set of texts that mean null, beside the empty one; NULL: none */
} FileOptions;

/* Errors are SL_ERROR_INVALID and name the option ("configuration.reader_options.sep: …"), or
 * SL_ERROR_NOT_FOUND when no file matches. */
FileOptions *file_options_new(const KitConfig *config, GError **error);
void file_options_free(FileOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileOptions, file_options_free)
