/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-catalog.h"

/* The file of one stream while it is written.
 *
 * A stream that does not truncate appends to its file. One that truncates writes a file of its own,
 * "FILE.gen-N.tmp", which survives a failed attempt and goes on in the next one of the same
 * generation, and takes FILE's place when the stream completes. If FILE is of that generation
 * already (another stream made the sync fail), the rest is appended to it. */
typedef struct LocalFile LocalFile;

/* `dir` stays the caller's and must outlive the file. */
LocalFile *local_file_open(int dir, const KitStream *stream, GError **error);

/* Where lines are put together; a line ends with "\n". Call local_file_drain() behind each. */
GString *local_file_buffer(LocalFile *file);
/* Writes the buffer out when it is large. */
gboolean local_file_drain(LocalFile *file, GError **error);

/* Writes and fsyncs what there is. */
gboolean local_file_sync(LocalFile *file, GError **error);

/* The stream is complete: puts the new generation in place. */
gboolean local_file_finish(LocalFile *file, GError **error);

/* Without success, what was not synced is cut off again. NULL is fine. */
void local_file_close(LocalFile *file, gboolean success);
