/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-input.h"

/* CSV as RFC 4180 has it, with any separator and quote: a quoted field may hold separators, line
 * ends and doubled quotes. LF, CRLF. Empty lines are passed over. */
typedef struct {
    char *p; /* without quotes, doubled ones made single */
    gsize n;
    gboolean quoted; /* an empty field that was quoted is text, not null */
} FileField;

typedef struct {
    FileInput *input;
    char separator, quote;
    FileField *fields; /* of the current row, valid until the next call */
    guint n_fields, size;
    guint64 line; /* where the current row began */
} FileCsv;

void file_csv_init(FileCsv *csv, FileInput *input, const FileOptions *options);
void file_csv_clear(FileCsv *csv);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileCsv, file_csv_clear)

/* The next row. ret_end: there was none. */
gboolean file_csv_next(FileCsv *csv, gboolean *ret_end, GError **error);

/* Passes over so many lines as they stand in the file. */
gboolean file_input_skip_lines(FileInput *input, gint64 n, GError **error);

/* The next line without its end, for JSON Lines; its number is input->line - 1. */
gboolean file_input_next_line(FileInput *input, SlSpan *ret_line, gboolean *ret_end,
                              GError **error);

/* FALSE with an error unless the bytes are UTF-8. */
gboolean file_input_check_utf8(const FileInput *input, guint64 line, const char *p, gsize n,
                               GError **error);
