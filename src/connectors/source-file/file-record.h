/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file-columns.h"
#include "file-csv.h"

/* Fields of a row to the data of a record. */

/* Bytes that the record may need at most. */
gsize file_record_max(const FileCsv *csv, FileColumn *const *columns);

/* columns[i] is where field i goes; NULL: it is not wanted. ret_misfit: a column whose value does
 * not have its type and was written as text; NULL: all do. Returns the end. */
char *file_record_put(const FileOptions *options, const FileCsv *csv, FileColumn *const *columns,
                      char *p, FileColumn **ret_misfit);
