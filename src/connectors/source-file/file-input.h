/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-options.h"

/* The text of one file, decompressed and in UTF-8 (which is checked by rows, not here), through a
 * window that grows only as far as one row needs. */
typedef struct FileDecoder FileDecoder;

typedef struct {
    char *p, *end;   /* unread text, the reader's to change; FILE_PADDING readable bytes follow */
    gboolean at_end; /* nothing comes behind `end` */
    guint64 line;    /* number of the line that `p` is in, from 1; kept by the reader */
    const char *path;
    FileDecoder *decoder;
    gboolean latin1;
    char *buf;
    gsize size;
} FileInput;

#define FILE_PADDING 64

FileInput *file_input_open(const char *path, const FileOptions *options, GError **error);
void file_input_close(FileInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileInput, file_input_close)

/* Brings more text behind `end`, or sets at_end. The unread text moves. */
gboolean file_input_fill(FileInput *input, GError **error);

/* Sets an error with path and line and returns FALSE. */
gboolean file_input_refuse(const FileInput *input, guint64 line, GError **error, const char *format,
                           ...) G_GNUC_PRINTF(4, 5);
