/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define IOV 64
#define KEEP_OURS (4 * 1024 * 1024)
/* Every piece from pipe to pipe costs a call or three, and a slot of the destination's pipe, which
 * would hold a page. */
#define PLAIN_PIECES 16

typedef struct {
    gsize offset, len;
    gboolean ours;
} Piece;

void
orchestrator_output_init(OrchestratorOutput *output)
{
    *output = (OrchestratorOutput){.ours = g_string_new(NULL),
                                   .pieces = g_array_new(FALSE, FALSE, sizeof(Piece))};
}

void
orchestrator_output_clear(OrchestratorOutput *output)
{
    g_string_free(output->ours, TRUE);
    g_array_unref(output->pieces);
    *output = (OrchestratorOutput){0};
}

void
orchestrator_output_add(OrchestratorOutput *output, gboolean ours, gsize offset, gsize len)
{
    if (ours)
        output->ours_left += len;
    if (output->pieces->len > 0) {
        Piece *last = &g_array_index(output->pieces, Piece, output->pieces->len - 1);
        if (last->ours == ours && last->offset + last->len == offset) {
            last->len += len;
            return;
        }
    }
    Piece piece = {offset, len, ours};
    g_array_append_val(output->pieces, piece);
}

void
orchestrator_output_drop(OrchestratorOutput *output)
{
    g_array_set_size(output->pieces, 0);
    g_string_truncate(output->ours, 0);
    output->piece = 0;
    output->done = output->ours_left = 0;
    if (output->ours->allocated_len > KEEP_OURS) { /* a very long line has gone through */
        g_string_free(output->ours, TRUE);
        output->ours = g_string_new(NULL);
    }
}

gboolean
orchestrator_output_is_plain(const OrchestratorOutput *output, gsize input_bytes)
{
    return output->pieces->len <= PLAIN_PIECES && output->ours_left <= input_bytes / 4;
}

static void
mark_written(OrchestratorOutput *output, gsize n)
{
    while (n > 0) {
        gsize left = g_array_index(output->pieces, Piece, output->piece).len - output->done;
        if (n < left) {
            output->done += n;
            return;
        }
        n -= left;
        output->piece++;
        output->done = 0;
    }
}

/* The first piece begins with bytes that are in the pipe still. */
static gssize
splice_piece(OrchestratorOutput *output, OrchestratorLines *input, gsize from, int fd)
{
    const Piece *piece = &g_array_index(output->pieces, Piece, output->piece);
    int held = 0;
    if (!orchestrator_lines_take(input, from - orchestrator_lines_head(input))) /* not forwarded */
        return -1;
    gssize n = splice(input->fd, NULL, fd, NULL, piece->len - output->done, SPLICE_F_NONBLOCK);
    if (n > 0) {
        input->unread -= (gsize)n;
        return n;
    }
    /* "Try again" may be said of either side: it must not be waited for that the destination
     * takes something when the source has nothing. */
    if (n == 0 || (errno == EAGAIN && ioctl(input->fd, FIONREAD, &held) == 0 && held == 0)) {
        errno = EIO;
        return -1;
    }
    if (errno != EINVAL)
        return -1;
    /* not from pipe to pipe, then */
    errno = orchestrator_lines_take(input, input->unread) ? EINTR : EIO;
    return -1;
}

static gssize
write_pieces(OrchestratorOutput *output, OrchestratorLines *input, int fd)
{
    struct iovec iov[IOV];
    int n = 0;
    gsize head = orchestrator_lines_head(input);
    gboolean cut = FALSE;
    for (guint i = output->piece; i < output->pieces->len && n < IOV && !cut; i++) {
        const Piece *piece = &g_array_index(output->pieces, Piece, i);
        gsize done = i == output->piece ? output->done : 0;
        gsize from = piece->offset + done, to = piece->offset + piece->len;
        if (!piece->ours && input->unread > 0 && to > head) {
            if (from >= head && n == 0)
                return splice_piece(output, input, from, fd);
            if (from >= head)
                break;
            to = head;
            cut = TRUE;
        }
        char *base = piece->ours ? output->ours->str : input->data;
        iov[n++] = (struct iovec){base + from, to - from};
    }
    return writev(fd, iov, n);
}

OrchestratorOutputResult
orchestrator_output_write(OrchestratorOutput *output, OrchestratorLines *input, int fd,
                          gsize *ret_bytes)
{
    for (;;) {
        gssize n = write_pieces(output, input, fd);
        if (n >= 0) {
            mark_written(output, (gsize)n);
            *ret_bytes = (gsize)n;
            return ORCHESTRATOR_OUTPUT_SOME;
        }
        if (errno == EAGAIN)
            return ORCHESTRATOR_OUTPUT_FULL;
        if (errno == EIO)
            return ORCHESTRATOR_OUTPUT_GONE;
        if (errno != EINTR) /* EPIPE: the only other error of a pipe that we hold open */
            return ORCHESTRATOR_OUTPUT_CLOSED;
    }
}
