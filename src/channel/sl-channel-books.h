/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-scan.h"

/* The books of a data channel of several sockets, on which records and states overtake each other:
 * which state may go on. Each record and each state names a partition; a state says how many
 * records it covers (sourceStats.recordCount) and has an ordinal (`id`: 1, 2, 3, … per stream, or
 * of all for GLOBAL). A state is due when that many records of its partitions have come, and all
 * states before it were due.
 *
 * With one socket a state without these members is due when it comes. With more it is an error:
 * nobody could say what it covers. One thread only. */
typedef struct SlChannelBooks SlChannelBooks;

typedef struct {
    guint64 records, bytes;
    guint64 filtered, filtered_bytes; /* of them: those that do not go on */
} SlChannelCount;

/* The stream that a stream_descriptor names; -1: none of ours. */
typedef gint (*SlChannelFind)(const SlJsonDoc *doc, const SlJsonNode *descriptor, gpointer data);

SlChannelBooks *sl_channel_books_new(guint n_streams, guint n_sockets, SlChannelFind find,
                                     gpointer data);
void sl_channel_books_free(SlChannelBooks *books);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlChannelBooks, sl_channel_books_free)

/* The count of a partition (n = 0: none was named), to be added to. Valid until the next state is
 * taken. */
SlChannelCount *sl_channel_books_count(SlChannelBooks *books, guint stream, SlSpan partition);

/* A STATE: its payload, and what to keep until it is due (copied: `line`, without a newline).
 * Repeated ones are dropped: a state may be told twice. SL_ERROR_PROTOCOL: it cannot be placed,
 * another type than before, too much waits. A state of a stream that is not ours is due at once. */
gboolean sl_channel_books_add(SlChannelBooks *books, SlSpan payload, SlSpan line, GError **error);

typedef struct {
    char *line; /* SL_JSON_PADDING bytes follow */
    gsize len;
    gint stream;            /* -1: GLOBAL, LEGACY, or of a stream that is not ours */
    SlChannelCount *counts; /* what it covers, per stream of ours */
} SlChannelState;
void sl_channel_state_free(SlChannelState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlChannelState, sl_channel_state_free)

/* The next state that is due; NULL without an error: none. SL_ERROR_PROTOCOL: more records of a
 * partition have come than its state says. */
SlChannelState *sl_channel_books_take(SlChannelBooks *books, GError **error);

/* How many states wait; and, for the end of the input, what for: "state 3 of stream 2 …", NULL when
 * none does. */
guint sl_channel_books_waiting(const SlChannelBooks *books);
char *sl_channel_books_describe(SlChannelBooks *books);

/* partition_id of a RECORD's line; n = 0: it has none. Raw: escapes untouched. */
SlSpan sl_channel_find_partition(const SlMessage *message, const char *line, gsize len);
