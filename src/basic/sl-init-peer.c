/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-init-peer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-wire.h"

#define PIPE_SIZE (1024 * 1024)
#define READ_SIZE 4096
/* What one turn of the main loop writes at most: a large file must not hold up the records. */
#define WRITE_TURN (1024 * 1024)
/* What a NOTE adds to the deadline, from its coming on. */
#define NOTE_USEC (10 * 60 * G_USEC_PER_SEC)

typedef enum {
    PHASE_SETUP,    /* start() not called */
    PHASE_LISTEN,   /* waits for a connection */
    PHASE_HELLO,    /* connected, HELLO expected */
    PHASE_STARTING, /* everything is being sent */
    PHASE_RUNNING,  /* STARTED has come */
    PHASE_ENDED,    /* last event delivered, or freed */
} Phase;

struct _SlInitPeer {
    Phase phase;
    char *path;
    int listener, socket;
    int fds[SL_INIT_MAX_FDS]; /* the connector's ends, -1 once sent */
    GQueue out;               /* of GBytes: what is to be sent after FDS */
    gsize out_offset;         /* of the first of them, how much is sent */
    GByteArray *in;           /* a frame as far as it has come */
    gsize string_bytes;       /* of ARG and ENV, against SL_INIT_MAX_STRINGS */
    guint n_args, n_env;
    pid_t pid;
    gboolean noted; /* it is not sluice-init itself that speaks, so far */
    char *refusal;  /* why the last connection was sent away */
    GMainContext *context;
    GSource *listen_source, *read_source, *write_source, *deadline_source;
    SlInitPeerCheck check;
    gpointer check_data;
    SlInitPeerFunc func;
    gpointer func_data;
};

static void
clear_source(GSource **source)
{
    if (*source == NULL)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

static void
stop_listening(SlInitPeer *peer)
{
    clear_source(&peer->listen_source);
    if (peer->listener < 0)
        return;
    sl_fd_clear(&peer->listener);
    unlink(peer->path);
}

/* Everything that could still happen stops here; only memory is left. */
static void
shut(SlInitPeer *peer)
{
    peer->phase = PHASE_ENDED;
    stop_listening(peer);
    clear_source(&peer->read_source);
    clear_source(&peer->write_source);
    clear_source(&peer->deadline_source);
    sl_fd_clear(&peer->socket);
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        sl_fd_clear(&peer->fds[i]);
    g_queue_clear_full(&peer->out, (GDestroyNotify)g_bytes_unref);
}

static void
clear_peer(gpointer data)
{
    SlInitPeer *peer = data;
    g_byte_array_unref(peer->in);
    g_clear_pointer(&peer->context, g_main_context_unref);
    g_free(peer->refusal);
    g_free(peer->path);
}

/* Sources hold a reference while they run: the callback may free the peer. */
static void
peer_unref(SlInitPeer *peer)
{
    g_rc_box_release_full(peer, clear_peer);
}
typedef SlInitPeer PeerHold;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PeerHold, peer_unref)

void
sl_init_peer_free(SlInitPeer *peer)
{
    if (peer == NULL)
        return;
    peer->func = NULL;
    shut(peer);
    peer_unref(peer);
}

/* --- listening ------------------------------------------------------------- */

static gboolean
make_folder(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *parent = g_path_get_dirname(folder);
    if (g_mkdir_with_parents(parent, 0700) < 0)
        return sl_error_set_errno(error, errno, "making folder %s", parent);
    if (mkdir(folder, 0755) == 0) {
        if (chmod(folder, 0755) < 0) /* whatever the umask is */
            return sl_error_set_errno(error, errno, "setting the mode of %s", folder);
    } else if (errno != EEXIST) {
        return sl_error_set_errno(error, errno, "making folder %s", folder);
    }
    return TRUE;
}

static gboolean
listen_at(SlInitPeer *peer, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (g_strlcpy(address.sun_path, peer->path, sizeof address.sun_path) >= sizeof address.sun_path)
        return sl_error_set(error, SL_ERROR_INVALID, "socket path %s is longer than %zu bytes",
                            peer->path, sizeof address.sun_path - 1);
    if (lstat(peer->path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return sl_error_set(error, SL_ERROR_EXISTS, "%s exists and is not a socket",
                                peer->path);
        unlink(peer->path);
    }
    sl_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sl_error_set_errno(error, errno, "making a socket");
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return sl_error_set_errno(error, errno, "binding %s", peer->path);
    if (chmod(peer->path, 0666) < 0 || listen(fd, 4) < 0) {
        int saved = errno;
        unlink(peer->path);
        return sl_error_set_errno(error, saved, "listening at %s", peer->path);
    }
    peer->listener = sl_fd_steal(&fd);
    return TRUE;
}

SlInitPeer *
sl_init_peer_new(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);
    g_autoptr(SlInitPeer) peer = g_rc_box_new0(SlInitPeer);
    peer->path = g_strdup(path);
    peer->listener = peer->socket = -1;
    peer->in = g_byte_array_new();
    g_queue_init(&peer->out);
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        peer->fds[i] = -1;
    if (!make_folder(path, error) || !listen_at(peer, error))
        return NULL;
    return g_steal_pointer(&peer);
}

/* --- what the connector gets ----------------------------------------------- */

/* One pipe whose end `ours` (0 reads, 1 writes) goes to the caller, the other to the connector. */
static gboolean
make_pipe(int ours, gsize size, int *ret_ours, int *ret_theirs, GError **error)
{
    int ends[2];
    if (!sl_fd_pipe(&ends[0], &ends[1], size, error))
        return FALSE;
    *ret_ours = ends[ours];
    *ret_theirs = ends[!ours];
    if (fchmod(*ret_theirs, 0666) < 0)
        return sl_error_set_errno(error, errno, "setting the mode of a pipe");
    return TRUE;
}

gboolean
sl_init_peer_make_pipes(SlInitPeer *peer, int *ret_stdin, int *ret_stdout, int *ret_stderr,
                        GError **error)
{
    g_return_val_if_fail(peer->phase == PHASE_SETUP && peer->fds[0] < 0, FALSE);
    sl_autofd int in = -1, out = -1, err = -1, their_in = -1, their_out = -1, their_err = -1;
    if (!make_pipe(1, ret_stdin != NULL ? PIPE_SIZE : 0, &in, &their_in, error) ||
        !make_pipe(0, PIPE_SIZE, &out, &their_out, error) ||
        !make_pipe(0, 0, &err, &their_err, error))
        return FALSE;
    sl_init_peer_take_fds(peer, sl_fd_steal(&their_in), sl_fd_steal(&their_out),
                          sl_fd_steal(&their_err));
    if (ret_stdin != NULL)
        *ret_stdin = sl_fd_steal(&in);
    *ret_stdout = sl_fd_steal(&out);
    *ret_stderr = sl_fd_steal(&err);
    return TRUE;
}

void
sl_init_peer_take_fds(SlInitPeer *peer, int stdin_fd, int stdout_fd, int stderr_fd)
{
    g_return_if_fail(peer->phase == PHASE_SETUP && peer->fds[0] < 0);
    peer->fds[0] = stdin_fd;
    peer->fds[1] = stdout_fd;
    peer->fds[2] = stderr_fd;
}

/* Queues a frame of `head` and, without copying it, `body`. */
static void
queue_frame(SlInitPeer *peer, SlInitFrame type, const void *head, gsize head_len, GBytes *body)
{
    gsize body_len = body != NULL ? g_bytes_get_size(body) : 0;
    guint8 *data = g_malloc(SL_INIT_HEADER_SIZE + head_len);
    sl_init_put_header(data, (guint8)type, (guint32)(head_len + body_len));
    if (head_len > 0)
        memcpy(data + SL_INIT_HEADER_SIZE, head, head_len);
    g_queue_push_tail(&peer->out, g_bytes_new_take(data, SL_INIT_HEADER_SIZE + head_len));
    if (body_len > 0)
        g_queue_push_tail(&peer->out, g_bytes_ref(body));
}

gboolean
sl_init_peer_add_file(SlInitPeer *peer, const char *name, GBytes *content, GError **error)
{
    g_return_val_if_fail(peer->phase == PHASE_SETUP, FALSE);
    if (!sl_init_name_ok(name))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' cannot be the name of a file", name);
    if (g_bytes_get_size(content) > SL_INIT_MAX_FILE)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "file '%s' is larger than %u bytes", name,
                            SL_INIT_MAX_FILE);
    queue_frame(peer, SL_INIT_FILE, name, strlen(name) + 1, content);
    return TRUE;
}

/* Counts one more string against the limits; `what` names it. */
static gboolean
add_string(SlInitPeer *peer, SlInitFrame type, const char *string, const char *what, GError **error)
{
    gsize len = strlen(string);
    if (len > SL_INIT_MAX_STRING)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "%s is longer than %u bytes", what,
                            SL_INIT_MAX_STRING);
    if (peer->string_bytes + len + 1 > SL_INIT_MAX_STRINGS)
        return sl_error_set(error, SL_ERROR_TOO_LARGE,
                            "%s makes arguments and environment larger than %u bytes", what,
                            SL_INIT_MAX_STRINGS);
    peer->string_bytes += len + 1;
    queue_frame(peer, type, string, len, NULL);
    return TRUE;
}

gboolean
sl_init_peer_add_arg(SlInitPeer *peer, const char *arg, GError **error)
{
    g_return_val_if_fail(peer->phase == PHASE_SETUP, FALSE);
    if (peer->n_args == SL_INIT_MAX_ARGS)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "more than %u arguments", SL_INIT_MAX_ARGS);
    g_autofree char *what = g_strdup_printf("argument %u", peer->n_args + 1);
    if (!add_string(peer, SL_INIT_ARG, arg, what, error))
        return FALSE;
    peer->n_args++;
    return TRUE;
}

gboolean
sl_init_peer_add_env(SlInitPeer *peer, const char *name, const char *value, GError **error)
{
    g_return_val_if_fail(peer->phase == PHASE_SETUP, FALSE);
    if (name[0] == '\0' || strchr(name, '=') != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' cannot be the name of a variable", name);
    if (peer->n_env == SL_INIT_MAX_ENV)
        return sl_error_set(error, SL_ERROR_TOO_LARGE, "more than %u environment variables",
                            SL_INIT_MAX_ENV);
    g_autofree char *entry = g_strconcat(name, "=", value, NULL);
    g_autofree char *what = g_strdup_printf("environment variable %s", name);
    if (!add_string(peer, SL_INIT_ENV, entry, what, error))
        return FALSE;
    peer->n_env++;
    return TRUE;
}

void
sl_init_peer_set_check(SlInitPeer *peer, SlInitPeerCheck check, gpointer data)
{
    peer->check = check;
    peer->check_data = data;
}

pid_t
sl_init_peer_get_pid(const SlInitPeer *peer)
{
    return peer->pid;
}

/* --- events ---------------------------------------------------------------- */

static void
finish(SlInitPeer *peer, SlInitPeerEvent event)
{
    shut(peer);
    if (peer->func != NULL)
        peer->func(peer, &event, peer->func_data);
}

static void G_GNUC_PRINTF(4, 5) finish_error(SlInitPeer *peer, SlInitPeerEventType type,
                                             SlErrorCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autoptr(GError) error = g_error_new_valist(SL_ERROR, (int)code, format, args);
    va_end(args);
    finish(peer, (SlInitPeerEvent){.type = type, .error = error});
}

static void
hung_up(SlInitPeer *peer)
{
    if (peer->phase == PHASE_RUNNING)
        finish_error(peer, SL_INIT_PEER_LOST, SL_ERROR_CONNECTOR,
                     "the connector ended without its exit status being known");
    else
        finish_error(peer, SL_INIT_PEER_LOST, SL_ERROR_CONNECTOR,
                     "sluice-init ended before it had started the connector");
}

/* --- sending --------------------------------------------------------------- */

/* Sends what the socket takes. FALSE: there is no more to send now or ever. A peer that is gone is
 * not reported here: what it said before is still to be read. */
static gboolean
write_some(SlInitPeer *peer)
{
    gsize turn = 0;
    while (!g_queue_is_empty(&peer->out)) {
        gsize len;
        const char *data = g_bytes_get_data(g_queue_peek_head(&peer->out), &len);
        if (turn >= WRITE_TURN)
            return TRUE;
        ssize_t n = send(peer->socket, data + peer->out_offset, len - peer->out_offset,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        turn += (gsize)n;
        peer->out_offset += (gsize)n;
        if (peer->out_offset < len)
            continue;
        g_bytes_unref(g_queue_pop_head(&peer->out));
        peer->out_offset = 0;
    }
    return FALSE;
}

static gboolean
on_writable(gint fd, GIOCondition condition, gpointer data)
{
    SlInitPeer *peer = data;
    if (write_some(peer))
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&peer->write_source, g_source_unref);
    return G_SOURCE_REMOVE;
}

static GSource *
watch(SlInitPeer *peer, int fd, GIOCondition condition, GUnixFDSourceFunc func)
{
    GSource *source = g_unix_fd_source_new(fd, condition);
    g_source_set_callback(source, G_SOURCE_FUNC(func), peer, NULL);
    g_source_attach(source, peer->context);
    return source;
}

static void
send_queued(SlInitPeer *peer)
{
    if (peer->write_source == NULL && write_some(peer))
        peer->write_source = watch(peer, peer->socket, G_IO_OUT, on_writable);
}

gboolean
sl_init_peer_signal(SlInitPeer *peer, int signum, GError **error)
{
    if (signum < 1 || signum >= NSIG)
        return sl_error_set(error, SL_ERROR_INVALID, "%d is not a signal", signum);
    if (peer->phase == PHASE_SETUP || peer->phase == PHASE_ENDED)
        return sl_error_set(error, SL_ERROR_CONFLICT, "the connector does not run");
    guint8 byte = (guint8)signum;
    queue_frame(peer, SL_INIT_SIGNAL, &byte, 1, NULL);
    if (peer->phase >= PHASE_STARTING)
        send_queued(peer);
    return TRUE;
}

/* --- receiving ------------------------------------------------------------- */

static void
on_hello(SlInitPeer *peer, const guint8 *payload, guint32 length)
{
    guint8 frame[SL_INIT_HEADER_SIZE];
    g_autoptr(GError) error = NULL;
    guint32 version = sl_init_get_u32(payload);
    if (version != SL_INIT_VERSION) {
        finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_PROTOCOL,
                     "sluice-init speaks version %u, we speak %d", version, SL_INIT_VERSION);
        return;
    }
    peer->phase = PHASE_STARTING;
    sl_init_put_header(frame, SL_INIT_FDS, 0);
    /* the first bytes on this socket: they always fit */
    if (!sl_fd_send(peer->socket, peer->fds, SL_INIT_MAX_FDS, frame, sizeof frame, &error) &&
        !g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE)) {
        finish(peer, (SlInitPeerEvent){.type = SL_INIT_PEER_FAILED, .error = error});
        return;
    }
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        sl_fd_clear(&peer->fds[i]);
    send_queued(peer);
}

static void
on_note(SlInitPeer *peer, const guint8 *payload, guint32 length)
{
    g_autofree char *text = g_utf8_make_valid((const char *)payload, length);
    SlInitPeerEvent event = {.type = SL_INIT_PEER_NOTED, .text = text};
    gint64 deadline = g_source_get_ready_time(peer->deadline_source);
    peer->noted = TRUE;
    g_source_set_ready_time(peer->deadline_source,
                            MAX(deadline, g_get_monotonic_time() + NOTE_USEC));
    peer->func(peer, &event, peer->func_data);
}

static void
on_started(SlInitPeer *peer, const guint8 *payload, guint32 length)
{
    peer->phase = PHASE_RUNNING;
    clear_source(&peer->deadline_source);
    SlInitPeerEvent event = {.type = SL_INIT_PEER_STARTED, .pid = (gint32)sl_init_get_u32(payload)};
    peer->func(peer, &event, peer->func_data);
}

static void
on_exit_frame(SlInitPeer *peer, const guint8 *payload, guint32 length)
{
    finish(peer, (SlInitPeerEvent){.type = SL_INIT_PEER_EXITED,
                                   .exit_code = (gint32)sl_init_get_u32(payload),
                                   .signum = (gint32)sl_init_get_u32(payload + 4)});
}

static void
on_error_frame(SlInitPeer *peer, const guint8 *payload, guint32 length)
{
    g_autofree char *text = g_utf8_make_valid((const char *)payload, length);
    finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_CONNECTOR, "%s%s",
                 peer->noted && peer->phase == PHASE_HELLO ? "" : "sluice-init: ", text);
}

/* Which frame may come when, and what is done about it. */
static const struct {
    SlInitFrame type;
    Phase first, last;
    void (*handle)(SlInitPeer *peer, const guint8 *payload, guint32 length);
} incoming[] = {
    {SL_INIT_HELLO, PHASE_HELLO, PHASE_HELLO, on_hello},
    {SL_INIT_NOTE, PHASE_HELLO, PHASE_HELLO, on_note},
    {SL_INIT_STARTED, PHASE_STARTING, PHASE_STARTING, on_started},
    {SL_INIT_EXIT, PHASE_RUNNING, PHASE_RUNNING, on_exit_frame},
    {SL_INIT_ERROR, PHASE_HELLO, PHASE_RUNNING, on_error_frame},
};

static void
handle_frame(SlInitPeer *peer, guint8 type, const guint8 *payload, guint32 length)
{
    for (guint i = 0; i < G_N_ELEMENTS(incoming); i++)
        if (incoming[i].type == type && peer->phase >= incoming[i].first &&
            peer->phase <= incoming[i].last) {
            incoming[i].handle(peer, payload, length);
            return;
        }
    finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_PROTOCOL,
                 "sluice-init sent a frame of type 0x%02x out of turn", type);
}

/* Handles the complete frames in the buffer; stops when one of them was the last. */
static void
handle_input(SlInitPeer *peer)
{
    while (peer->phase != PHASE_ENDED && peer->in->len >= SL_INIT_HEADER_SIZE) {
        guint8 type = peer->in->data[0];
        guint32 length = sl_init_get_u32(peer->in->data + 1);
        /* FILE and its like are valid frames, but not from this side: they must not be awaited */
        if (!sl_init_length_ok(type, length) || length > SL_INIT_MAX_TEXT) {
            finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_PROTOCOL,
                         "sluice-init sent a frame of type 0x%02x with %u bytes", type, length);
            return;
        }
        if (peer->in->len < SL_INIT_HEADER_SIZE + length)
            return;
        handle_frame(peer, type, peer->in->data + SL_INIT_HEADER_SIZE, length);
        g_byte_array_remove_range(peer->in, 0, SL_INIT_HEADER_SIZE + length);
    }
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer data)
{
    g_autoptr(PeerHold) peer = g_rc_box_acquire((SlInitPeer *)data);
    guint8 chunk[READ_SIZE];
    ssize_t n = recv(peer->socket, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        hung_up(peer); /* half a frame before it makes no difference */
        return G_SOURCE_REMOVE;
    }
    g_byte_array_append(peer->in, chunk, (guint)n);
    handle_input(peer);
    return peer->phase == PHASE_ENDED ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* --- connecting ------------------------------------------------------------ */

static gboolean
check_connection(SlInitPeer *peer, int fd, pid_t *ret_pid, GError **error)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return sl_error_set_errno(error, errno, "asking who connected");
    *ret_pid = who.pid;
    return peer->check == NULL || peer->check(who.pid, who.uid, peer->check_data, error);
}

static gboolean
on_connection(gint listener, GIOCondition condition, gpointer data)
{
    g_autoptr(PeerHold) peer = g_rc_box_acquire((SlInitPeer *)data);
    g_autoptr(GError) error = NULL;
    pid_t pid = 0;
    sl_autofd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return G_SOURCE_CONTINUE; /* it has gone again; or too many files: the deadline judges */
    if (!check_connection(peer, fd, &pid, &error)) {
        g_free(peer->refusal);
        peer->refusal = g_strdup(error != NULL ? error->message : "no reason given");
        return G_SOURCE_CONTINUE;
    }
    peer->pid = pid;
    peer->socket = sl_fd_steal(&fd);
    peer->phase = PHASE_HELLO;
    peer->read_source = watch(peer, peer->socket, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
    stop_listening(peer);
    return G_SOURCE_REMOVE;
}

static gboolean
on_deadline(gpointer data)
{
    g_autoptr(PeerHold) peer = g_rc_box_acquire((SlInitPeer *)data);
    if (peer->phase != PHASE_LISTEN)
        finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_TIMED_OUT,
                     "sluice-init connected, but did not start the connector in time");
    else if (peer->refusal != NULL)
        finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_TIMED_OUT,
                     "no sluice-init connected in time, and another was refused: %s",
                     peer->refusal);
    else
        finish_error(peer, SL_INIT_PEER_FAILED, SL_ERROR_TIMED_OUT,
                     "no sluice-init connected in time");
    return G_SOURCE_REMOVE;
}

void
sl_init_peer_start(SlInitPeer *peer, GMainContext *context, gint64 deadline, SlInitPeerFunc func,
                   gpointer data)
{
    g_return_if_fail(peer->phase == PHASE_SETUP && func != NULL);
    g_return_if_fail(peer->fds[0] >= 0 && peer->fds[1] >= 0 && peer->fds[2] >= 0);
    peer->phase = PHASE_LISTEN;
    peer->func = func;
    peer->func_data = data;
    peer->context = g_main_context_ref(context != NULL ? context : g_main_context_default());
    queue_frame(peer, SL_INIT_START, NULL, 0, NULL);
    peer->listen_source = watch(peer, peer->listener, G_IO_IN, on_connection);
    peer->deadline_source = g_timeout_source_new(0);
    g_source_set_ready_time(peer->deadline_source, deadline);
    g_source_set_callback(peer->deadline_source, on_deadline, peer, NULL);
    g_source_attach(peer->deadline_source, peer->context);
}
