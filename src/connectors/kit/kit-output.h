/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-catalog.h"

/* The one writer of standard output: 256 KiB buffered, flushed when full, behind every STATE and
 * by kit_output_flush(). Once the reader is gone (EPIPE) everything is dropped and
 * kit_output_gone() says so. Not thread-safe. */
typedef struct KitOutput KitOutput;

typedef enum {
    KIT_LOG_FATAL,
    KIT_LOG_ERROR,
    KIT_LOG_WARN,
    KIT_LOG_INFO,
    KIT_LOG_DEBUG,
} KitLogLevel;

typedef enum {
    KIT_STATUS_NONE, /* nothing was said */
    KIT_STATUS_STARTED,
    KIT_STATUS_RUNNING,
    KIT_STATUS_COMPLETE,
    KIT_STATUS_INCOMPLETE,
} KitStatus;

KitOutput *kit_output_new(int fd);
void kit_output_free(KitOutput *out); /* flushes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitOutput, kit_output_free)
void kit_output_flush(KitOutput *out);
gboolean kit_output_gone(const KitOutput *out);

/* Prepares the fixed head of every stream's records. Call once, before the first record. */
void kit_output_set_streams(KitOutput *out, const KitCatalog *catalog);

/* The fast way to send a record: room for `max` bytes of data is returned (valid until the next
 * call on `out`); write the data object there, braces included, and give the end of it back.
 *   char *p = kit_output_begin_record(out, stream->index, 512);
 *   p = …;  kit_output_end_record(out, p);  */
char *kit_output_begin_record(KitOutput *out, guint stream, gsize max);
void kit_output_end_record(KitOutput *out, char *end);
/* The same for data that is there already. */
void kit_output_record(KitOutput *out, guint stream, const char *data, gsize len);

/* A STATE of type STREAM. sourceStats.recordCount (records of the stream since its last state) is
 * counted here. `state` is valid JSON. */
void kit_output_state(KitOutput *out, guint stream, const char *state, gsize len);
/* A STATE of type GLOBAL; `global` is its whole "global" object. */
void kit_output_global_state(KitOutput *out, const char *global, gsize len);

void kit_output_log(KitOutput *out, KitLogLevel level, const char *format, ...) G_GNUC_PRINTF(3, 4);
void kit_output_status(KitOutput *out, const KitStream *stream, KitStatus status);
/* bytes < 0: unknown */
void kit_output_estimate(KitOutput *out, const KitStream *stream, gint64 rows, gint64 bytes);
/* A TRACE ERROR. failure_type follows from the code (kit_failure_type). What stands behind the
 * first line of the error's text goes into internal_message only. stream may be NULL. */
void kit_output_error(KitOutput *out, const GError *error, const KitStream *stream);
void kit_output_connection_status(KitOutput *out, const char *failure); /* NULL: SUCCEEDED */

/* One line (without newline), as it is. For echoed states. */
void kit_output_line(KitOutput *out, const char *line, gsize len);

/* "config_error", "transient_error" or "system_error" for an error of SL_ERROR or GIO. */
const char *kit_failure_type(const GError *error);
