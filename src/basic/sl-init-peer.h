/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The other end of a sluice-init: listens on a control socket, hands the connector its pipes,
 * files, arguments and environment, and hears how it ended. One object is one run of one connector.
 *
 *     peer = sl_init_peer_new(path, &error);          from here on sluice-init may connect
 *     sl_init_peer_make_pipes(peer, &in, &out, &err, &error);
 *     sl_init_peer_add_file(peer, "config.json", bytes, &error); …
 *     sl_init_peer_start(peer, NULL, deadline, on_event, data);   then have sluice-init started
 *     … STARTED, then one of EXITED, FAILED, LOST
 *     sl_init_peer_free(peer);
 *
 * Everything happens in one thread: that of the GMainContext. No call blocks. */
typedef struct _SlInitPeer SlInitPeer;

typedef enum {
    SL_INIT_PEER_NOTED,   /* who prepares the connector's place says how far that is: any number of
                           * times before STARTED, and each gives ten minutes more */
    SL_INIT_PEER_STARTED, /* the connector runs; at most once */
    /* exactly one of these is the last event: */
    SL_INIT_PEER_EXITED, /* it ended, and this is how. Its output may still hold unread bytes */
    SL_INIT_PEER_FAILED, /* it was not started: sluice-init said why (SL_ERROR_CONNECTOR), nobody
                          * came or went on in time (SL_ERROR_TIMED_OUT), the protocol was broken
                          * (SL_ERROR_PROTOCOL; also possible after STARTED) */
    SL_INIT_PEER_LOST,   /* sluice-init hung up without a word: how the connector ended is unknown,
                          * so it is never a success (SL_ERROR_CONNECTOR) */
} SlInitPeerEventType;

typedef struct {
    SlInitPeerEventType type;
    gint32 pid;          /* STARTED: of the connector, in the namespace of sluice-init */
    gint32 exit_code;    /* EXITED: -1 when killed by a signal */
    gint32 signum;       /* EXITED: 0 when it exited by itself */
    const char *text;    /* NOTED; valid during the call */
    const GError *error; /* FAILED, LOST; belongs to the peer, valid during the call */
} SlInitPeerEvent;

/* May free the peer. */
typedef void (*SlInitPeerFunc)(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data);

/* Whether the process that connected (SO_PEERCRED) is the sluice-init we wait for. FALSE with an
 * error: it is sent away, and the next one may try until the deadline. */
typedef gboolean (*SlInitPeerCheck)(pid_t pid, uid_t uid, gpointer data, GError **error);

/* Listens at `path`. Makes the folder it is in (0755) and that one's parents (0700) where they are
 * missing, and gives the socket mode 0666: sluice-init runs under a uid nobody knows beforehand.
 * A socket left behind there is replaced. */
SlInitPeer *sl_init_peer_new(const char *path, GError **error);

/* Hangs up (sluice-init then ends the connector), removes the socket, closes descriptors that were
 * not sent. No event follows. The folder stays. NULL is fine. */
void sl_init_peer_free(SlInitPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlInitPeer, sl_init_peer_free)

/* Makes the connector's three pipes and returns our ends, owned by the caller, close-on-exec and
 * blocking. stdin and stdout hold 1 MiB when the user's quota allows it. ret_stdin NULL: the
 * connector reads end of file at once. All pipes are 0666, so that the connector's uid may open
 * /dev/stdout. */
gboolean sl_init_peer_make_pipes(SlInitPeer *peer, int *ret_stdin, int *ret_stdout, int *ret_stderr,
                                 GError **error);

/* Instead of pipes: takes over these descriptors as the connector's standard ones. */
void sl_init_peer_take_fds(SlInitPeer *peer, int stdin_fd, int stdout_fd, int stderr_fd);

/* Before start: what the connector gets. A file appears as NAME, 0600, in the folder of files;
 * `content` is referenced, not copied. Arguments follow those of sluice-init's command line.
 * SL_ERROR_INVALID or SL_ERROR_TOO_LARGE names the file or variable (limits: sl-init-wire.h). */
gboolean sl_init_peer_add_file(SlInitPeer *peer, const char *name, GBytes *content, GError **error);
gboolean sl_init_peer_add_arg(SlInitPeer *peer, const char *arg, GError **error);
gboolean sl_init_peer_add_env(SlInitPeer *peer, const char *name, const char *value,
                              GError **error);

void sl_init_peer_set_check(SlInitPeer *peer, SlInitPeerCheck check, gpointer data);

/* Begins to answer, in `context` (NULL: the default one). STARTED must come before `deadline`
 * (g_get_monotonic_time()), else FAILED with SL_ERROR_TIMED_OUT. Descriptors must be set. */
void sl_init_peer_start(SlInitPeer *peer, GMainContext *context, gint64 deadline,
                        SlInitPeerFunc func, gpointer data);

/* Sends a signal to the connector's process group; before STARTED it is delivered right after.
 * SL_ERROR_CONFLICT before start and after the last event, SL_ERROR_INVALID for no signal. */
gboolean sl_init_peer_signal(SlInitPeer *peer, int signum, GError **error);

/* Of sluice-init, in our namespace; 0 before it is connected. It may have ended since. */
pid_t sl_init_peer_get_pid(const SlInitPeer *peer);
