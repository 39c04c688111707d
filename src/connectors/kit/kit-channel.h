/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The sockets of a data channel, as the environment names them:
 *   DATA_CHANNEL_MEDIUM        SOCKET (STDIO or missing: no channel)
 *   DATA_CHANNEL_FORMAT        JSONL or PROTOBUF
 *   DATA_CHANNEL_SOCKET_PATHS  paths, separated by commas
 * The source listens at all of them and takes one client on each; the destination is the client,
 * and waits for paths that are not there yet. */

typedef enum {
    KIT_FORMAT_JSONL,
    KIT_FORMAT_PROTOBUF,
} KitFormat;

typedef struct {
    KitFormat format;
    char **paths;
    guint n;
} KitChannel;

/* NULL without an error: records go through the pipes. */
KitChannel *kit_channel_from_environment(GError **error);
void kit_channel_free(KitChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitChannel, kit_channel_free)

/* --- source -------------------------------------------------------------------------------- */
typedef struct KitSockets KitSockets;

/* Listens. stop_fd (readable: stop waiting for anybody) stays the caller's. */
KitSockets *kit_sockets_listen(const KitChannel *channel, int stop_fd, GError **error);
void kit_sockets_free(KitSockets *sockets); /* and nobody finds the paths any more */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitSockets, kit_sockets_free)

/* Writes whole messages to one of the sockets, to each in its turn, but rather to one whose reader
 * has room. FALSE: a reader has gone, or none came. */
gboolean kit_sockets_write(KitSockets *sockets, const char *p, gsize n);

/* Everything is written: waits until each socket has had its client, so that none waits for ever.
 */
gboolean kit_sockets_finish(KitSockets *sockets);

/* --- destination --------------------------------------------------------------------------- */

/* Connects to all, in order. ret_fds: room for channel->n; -1 where none is. *ret_stopped: stop_fd
 * became readable first. */
gboolean kit_channel_connect(const KitChannel *channel, int stop_fd, int *ret_fds,
                             gboolean *ret_stopped, GError **error);
