/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* What a destination reads from: standard input, or the sockets of a data channel. Cuts bytes into
 * lines or frames. */

typedef struct {
    int fd; /* -1: it has ended, or never was */
    gboolean frames;
    gboolean ended;
    char *buf; /* [start, end) is unread, [start, scanned) holds no newline */
    gsize size, start, scanned, end;
    guint64 n_messages; /* lines or frames so far */
} KitInput;

void kit_input_init(KitInput *input, int fd, gboolean frames);
void kit_input_clear(KitInput *input); /* the descriptor stays the caller's */

/* Makes room and reads once. Messages of before are gone after that. At the end `ended` is set. */
gboolean kit_input_read(KitInput *input, GError **error);

typedef enum { KIT_INPUT_NONE, KIT_INPUT_MESSAGE, KIT_INPUT_BROKEN } KitInputResult;

/* The next whole message: a line without its end, or a frame's body. At the end of the input also
 * a last line without a newline; half a frame is BROKEN. */
KitInputResult kit_input_next(KitInput *input, SlSpan *ret, GError **error);
