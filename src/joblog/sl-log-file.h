/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A file that is read by offset, plain or compressed. The compressed one is in Zstandard's seekable
 * format (contrib/seekable_format of zstd): frames of SL_LOG_FILE_FRAME bytes, each with a
 * checksum, and behind them a skippable frame with their sizes. zstdcat(1) reads it; a range costs
 * one frame. */
typedef struct SlLogFile SlLogFile;

#define SL_LOG_FILE_SUFFIX ".zst"
#define SL_LOG_FILE_FRAME (1024 * 1024)

/* `path`, or when there is none `path`.zst; never by a symbolic link. Offsets are the same in both.
 * Errors: SL_ERROR_NOT_FOUND (neither is there), SL_ERROR_INVALID (a .zst that is broken, or has no
 * table of its frames), else of errno(3). */
SlLogFile *sl_log_file_open(const char *path, GError **error);

/* Of a plain file that is open already; takes the descriptor. */
SlLogFile *sl_log_file_new(int fd);

void sl_log_file_free(SlLogFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlLogFile, sl_log_file_free)

/* Bytes of the plain text. A plain file may have grown since: asked anew each time. -1: error. */
gint64 sl_log_file_size(SlLogFile *file, GError **error);

/* Has the file been deleted since? One that was replaced by its compressed form has, too; it is
 * still read whole. */
gboolean sl_log_file_is_gone(SlLogFile *file);

/* Like pread(2): fewer bytes at the end, 0 behind it, -1 with error. For one thread at a time. */
gssize sl_log_file_read(SlLogFile *file, gpointer buffer, gsize len, gint64 offset, GError **error);

/* Replaces `path` by `path`.zst, which has the same times. Only of a file that nobody writes to any
 * more. Whatever happens, one of the two is there and whole: the new one is made as `path`.zst.tmp,
 * synced and renamed before the old one goes. *ret_saved: bytes less; may be NULL. */
gboolean sl_log_file_compress(const char *path, gint64 *ret_saved, GError **error);
