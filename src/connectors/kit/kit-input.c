/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "kit-input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-frame.h"
#include "sl-json-scan.h"

#define READ_SIZE (1024 * 1024)
/* The orchestrator has its own, lower limit; this one keeps a run-away line from eating the host.
 */
#define MAX_MESSAGE ((gsize)1024 * 1024 * 1024)

void
kit_input_init(KitInput *input, int fd, gboolean frames)
{
    *input = (KitInput){.fd = fd, .frames = frames};
}

void
kit_input_clear(KitInput *input)
{
    g_clear_pointer(&input->buf, g_free);
}

static const char *
what(const KitInput *input)
{
    return input->frames ? "frame" : "line";
}

static gboolean
make_room(KitInput *input, GError **error)
{
    gsize used = input->end - input->start;
    if (input->start > 0 && used > 0)
        memmove(input->buf, input->buf + input->start, used);
    input->scanned -= input->start;
    input->start = 0;
    input->end = used;
    if (input->size - used >= READ_SIZE / 2)
        return TRUE;
    if (used > MAX_MESSAGE)
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "%s %" G_GUINT64_FORMAT " is longer than 1 GiB", what(input),
                            input->n_messages + 1);
    input->size = MAX(input->size * 2, (gsize)2 * READ_SIZE);
    input->buf = g_realloc(input->buf, input->size + SL_JSON_PADDING);
    return TRUE;
}

gboolean
kit_input_read(KitInput *input, GError **error)
{
    if (!make_room(input, error))
        return FALSE;
    gssize n = read(input->fd, input->buf + input->end, input->size - input->end);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return TRUE;
    /* The writer of a socket has died: what it had written has come. */
    if (n < 0 && errno == ECONNRESET)
        n = 0;
    if (n < 0)
        return sl_error_set_errno(error, errno, "reading the input");
    input->end += (gsize)n;
    input->ended = n == 0;
    return TRUE;
}

static KitInputResult
next_frame(KitInput *input, SlSpan *ret, GError **error)
{
    gsize n = input->end - input->start;
    switch (n == 0 ? SL_SPLIT_MORE : sl_frame_split(input->buf + input->start, n, ret)) {
    case SL_SPLIT_WHOLE:
        input->start = (gsize)(ret->p + ret->n - input->buf);
        input->scanned = input->start;
        input->n_messages++;
        return KIT_INPUT_MESSAGE;
    case SL_SPLIT_MORE:
        if (n > 0 && input->ended) {
            sl_error_set(error, SL_ERROR_PROTOCOL,
                         "the input ended in the middle of frame %" G_GUINT64_FORMAT,
                         input->n_messages + 1);
            return KIT_INPUT_BROKEN;
        }
        return KIT_INPUT_NONE;
    default:
        sl_error_set(error, SL_ERROR_PROTOCOL, "frame %" G_GUINT64_FORMAT " has no valid length",
                     input->n_messages + 1);
        return KIT_INPUT_BROKEN;
    }
}

KitInputResult
kit_input_next(KitInput *input, SlSpan *ret, GError **error)
{
    if (input->frames)
        return next_frame(input, ret, error);
    if (input->end == input->start)
        return KIT_INPUT_NONE;
    const char *line = input->buf + input->start, *end = input->buf + input->end;
    const char *newline = sl_json_find_newline(input->buf + input->scanned, end);
    gsize len = (gsize)(newline - line);
    if (newline == end && !input->ended) {
        input->scanned = input->end;
        return KIT_INPUT_NONE;
    }
    input->start = input->scanned = MIN(input->start + len + 1, input->end);
    if (len > 0 && line[len - 1] == '\r')
        len--;
    input->n_messages++;
    *ret = (SlSpan){line, len};
    return KIT_INPUT_MESSAGE;
}
