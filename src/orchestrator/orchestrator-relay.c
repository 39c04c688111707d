/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-relay-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"

#define SOCKET_BUFFER (1024 * 1024) /* asked for; the host's limit may be lower */
/* A socket of the source is looked for again and again: it is made when the source has got so far.
 */
#define FIRST_PAUSE_MS 5
#define LONGEST_PAUSE_MS 500
#define PATIENCE_USEC (15 * 60 * G_USEC_PER_SEC)
#define KEEP_OUTPUT (4 * 1024 * 1024)

void
orchestrator_relay_fail(OrchestratorRelay *relay, OrchestratorRelayFault fault, const char *format,
                        ...)
{
    va_list args;
    if (relay->fault != ORCHESTRATOR_RELAY_FINE)
        return; /* the first one is why */
    va_start(args, format);
    relay->fault = fault;
    relay->fault_text = g_strdup_vprintf(format, args);
    va_end(args);
}

static guint
number_of(const OrchestratorRelay *relay, const RelaySocket *each)
{
    return (guint)(each - relay->sockets) + 1;
}

/* --- state --------------------------------------------------------------------------------- */

static gboolean
has_output(const RelaySocket *each)
{
    return each->written < each->output.len;
}

gboolean
orchestrator_relay_is_reading(const OrchestratorRelay *relay)
{
    if (relay->stopped || relay->closed)
        return FALSE;
    if (relay->fault == ORCHESTRATOR_RELAY_BROKEN || relay->fault == ORCHESTRATOR_RELAY_UNMAPPABLE)
        return FALSE;
    for (guint i = 0; i < relay->n; i++)
        if (!relay->sockets[i].ended)
            return TRUE;
    return FALSE;
}

gboolean
orchestrator_relay_is_flushed(const OrchestratorRelay *relay)
{
    if (relay->closed)
        return TRUE;
    for (guint i = 0; i < relay->n; i++)
        if (has_output(&relay->sockets[i]) || relay->sockets[i].out < 0)
            return FALSE;
    return TRUE;
}

gboolean
orchestrator_relay_has_output(const OrchestratorRelay *relay)
{
    for (guint i = 0; i < relay->n; i++)
        if (has_output(&relay->sockets[i]))
            return TRUE;
    return FALSE;
}

gboolean
orchestrator_relay_is_closed(const OrchestratorRelay *relay)
{
    return relay->closed;
}

OrchestratorRelayFault
orchestrator_relay_get_fault(const OrchestratorRelay *relay, const char **ret_text)
{
    *ret_text = relay->fault_text;
    return relay->fault;
}

void
orchestrator_relay_get_times(const OrchestratorRelay *relay, gint64 *ret_waiting_since,
                             gint64 *ret_blocked_since)
{
    gint64 blocked = 0;
    for (guint i = 0; i < relay->n; i++) {
        gint64 since = relay->sockets[i].blocked_since;
        if (since != 0 && (blocked == 0 || since < blocked))
            blocked = since;
    }
    *ret_blocked_since = blocked;
    *ret_waiting_since = blocked == 0 && orchestrator_relay_is_reading(relay) ? relay->heard_at : 0;
}

/* --- turns --------------------------------------------------------------------------------- */

static void
set_tag(OrchestratorRelay *relay, gpointer *tag, int fd, GIOCondition wanted)
{
    if (fd < 0 || wanted == 0) {
        if (*tag != NULL)
            g_source_remove_unix_fd(relay->source, *tag);
        *tag = NULL;
    } else if (*tag == NULL) {
        *tag = g_source_add_unix_fd(relay->source, fd, wanted);
    } else {
        g_source_modify_unix_fd(relay->source, *tag, wanted);
    }
}

/* What to wait for now. A source's socket is not polled while it is not its turn: its hang-up would
 * be told over and over. A destination's always is, so that its end is seen. */
static void
set_wishes(OrchestratorRelay *relay)
{
    gboolean reading = orchestrator_relay_is_reading(relay);
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        gboolean output = has_output(each);
        set_tag(relay, &each->in_tag, each->in, reading && !output && !each->ended ? G_IO_IN : 0);
        set_tag(relay, &each->listener_tag, each->listener, relay->closed ? 0 : G_IO_IN);
        set_tag(relay, &each->out_tag, each->out,
                relay->closed ? 0
                : output      ? G_IO_OUT | G_IO_HUP
                              : G_IO_HUP);
        gboolean owed = output || (relay->stopped && each->out < 0 && !relay->closed);
        if (!owed)
            each->blocked_since = 0;
        else if (each->blocked_since == 0)
            each->blocked_since = g_get_monotonic_time();
    }
}

static void
drop_output(RelaySocket *each)
{
    each->output.len = each->written = 0;
    if (each->output.size > KEEP_OUTPUT) /* a very long message has gone through */
        sl_bytes_clear(&each->output);
}

/* Writes what the socket takes. */
static void
write_some(OrchestratorRelay *relay, RelaySocket *each)
{
    while (has_output(each) && each->out >= 0 && !relay->closed) {
        gssize n = send(each->out, each->output.p + each->written, each->output.len - each->written,
                        MSG_NOSIGNAL);
        if (n >= 0) {
            each->written += (gsize)n;
            each->blocked_since = 0;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            relay->closed = TRUE;
        }
    }
    if (!has_output(each))
        drop_output(each);
}

/* The rest of a message that will never be whole. */
static void
check_cut(OrchestratorRelay *relay, RelaySocket *each)
{
    if (orchestrator_lines_rest(&each->input) > 0 && relay->fault == ORCHESTRATOR_RELAY_FINE)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_CUT,
                                "the source's socket %u ended in the middle of message "
                                "%" G_GUINT64_FORMAT,
                                number_of(relay, each), each->n_messages + 1);
}

/* The last word of the last socket: states may be there whose records never came. */
static void
end_input(OrchestratorRelay *relay, RelaySocket *each)
{
    each->ended = TRUE;
    check_cut(relay, each);
    orchestrator_lines_clear(&each->input);
    for (guint i = 0; i < relay->n; i++)
        if (!relay->sockets[i].ended)
            return;
    g_autofree char *text = sl_channel_books_describe(relay->channel);
    if (text != NULL)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_CUT,
                                "the source has ended its sockets, but %s", text);
}

static void
read_some(OrchestratorRelay *relay, RelaySocket *each)
{
    gsize n;
    OrchestratorLinesResult result = orchestrator_lines_fill(&each->input, &n);
    if (n > 0)
        relay->heard_at = g_get_monotonic_time();
    if (result == ORCHESTRATOR_LINES_ERROR && errno == ECONNRESET) {
        each->input.eof = TRUE; /* it died; what it had written has come */
        result = ORCHESTRATOR_LINES_EOF;
    }
    if (result == ORCHESTRATOR_LINES_TOO_LONG)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                                "the source sent a message of more than %" G_GSIZE_FORMAT
                                " bytes over socket %u; see MaxLine= in sluice.conf",
                                each->input.max_line, number_of(relay, each));
    else if (result == ORCHESTRATOR_LINES_ERROR)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                                "reading from the source's socket %u: %s", number_of(relay, each),
                                g_strerror(errno));
    else
        orchestrator_relay_take_messages(relay, each);
    if (result == ORCHESTRATOR_LINES_EOF)
        end_input(relay, each);
}

static void
take_destination(RelaySocket *each)
{
    int size = SOCKET_BUFFER;
    int fd = accept4(each->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return; /* it has gone again */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    each->out = fd;
}

static void
turn(OrchestratorRelay *relay, RelaySocket *each)
{
    GIOCondition in = 0, out = 0, listener = 0;
    if (each->in_tag != NULL)
        in = g_source_query_unix_fd(relay->source, each->in_tag);
    if (each->out_tag != NULL)
        out = g_source_query_unix_fd(relay->source, each->out_tag);
    if (each->listener_tag != NULL)
        listener = g_source_query_unix_fd(relay->source, each->listener_tag);
    if (listener != 0) {
        take_destination(each);
        if (each->out >= 0) { /* one client each */
            set_tag(relay, &each->listener_tag, -1, 0);
            sl_fd_clear(&each->listener);
        }
    }
    if ((out & (G_IO_ERR | G_IO_HUP | G_IO_NVAL)) != 0)
        relay->closed = TRUE;
    write_some(relay, each);
    if (in != 0 && !has_output(each) && !each->ended && orchestrator_relay_is_reading(relay)) {
        read_some(relay, each);
        write_some(relay, each);
    }
}

static gboolean
relay_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    OrchestratorRelay *relay = *(OrchestratorRelay **)(source + 1);
    g_source_set_ready_time(source, -1);
    for (guint i = 0; i < relay->n; i++)
        turn(relay, &relay->sockets[i]);
    set_wishes(relay);
    relay->funcs.changed(relay->data);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs relay_source_funcs = {.dispatch = relay_dispatch};

/* --- the source's sockets ------------------------------------------------------------------ */

static int
open_socket(const char *path, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (g_strlcpy(ret_address->sun_path, path, sizeof ret_address->sun_path) >=
        sizeof ret_address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* TRUE: it is there now. */
static gboolean
search(OrchestratorRelay *relay, RelaySocket *each)
{
    const char *path = relay->options.source_paths[each - relay->sockets];
    struct sockaddr_un address;
    sl_autofd int fd = open_socket(path, &address);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        each->in = each->input.fd = sl_fd_steal(&fd);
        each->connected = TRUE;
        relay->heard_at = g_get_monotonic_time();
        return TRUE;
    }
    /* ECONNREFUSED: bound, and not listening yet; EAGAIN: somebody else is in its queue. */
    if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN && errno != EINTR)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                                "connecting to the source's socket %u: %s", number_of(relay, each),
                                g_strerror(errno));
    return FALSE;
}

static gboolean
search_all(OrchestratorRelay *relay)
{
    gboolean all = TRUE;
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        if (!each->connected && !each->ended && !search(relay, each))
            all = FALSE;
    }
    return all;
}

static gboolean
on_search(gpointer data)
{
    OrchestratorRelay *relay = data;
    relay->search_source = 0;
    gboolean all = !orchestrator_relay_is_reading(relay) || search_all(relay);
    if (!all && g_get_monotonic_time() - relay->search_since > PATIENCE_USEC)
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_BROKEN,
                                "the source has not opened all of its %u sockets within %d minutes",
                                relay->n, (int)(PATIENCE_USEC / G_USEC_PER_SEC / 60));
    if (!all && orchestrator_relay_is_reading(relay)) {
        relay->search_pause = MIN(relay->search_pause * 2, LONGEST_PAUSE_MS);
        relay->search_source = g_timeout_add(relay->search_pause, on_search, relay);
    }
    set_wishes(relay);
    relay->funcs.changed(relay->data);
    return G_SOURCE_REMOVE;
}

void
orchestrator_relay_start(OrchestratorRelay *relay)
{
    relay->heard_at = relay->search_since = g_get_monotonic_time();
    relay->search_pause = FIRST_PAUSE_MS;
    relay->search_source = g_timeout_add(FIRST_PAUSE_MS, on_search, relay);
}

void
orchestrator_relay_source_ended(OrchestratorRelay *relay)
{
    g_clear_handle_id(&relay->search_source, g_source_remove);
    if (!orchestrator_relay_is_reading(relay))
        return;
    search_all(relay);
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        if (each->connected || each->ended)
            continue;
        orchestrator_relay_fail(relay, ORCHESTRATOR_RELAY_CUT,
                                "the source has ended without opening its socket %u", i + 1);
        end_input(relay, each);
    }
    set_wishes(relay);
    g_source_set_ready_time(relay->source, 0);
}

/* --- life ---------------------------------------------------------------------------------- */

static gboolean
listen_at(RelaySocket *each, const char *path, GError **error)
{
    struct sockaddr_un address;
    sl_autofd int fd = open_socket(path, &address);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(path, 0666) < 0 || listen(fd, 1) < 0)
        return sl_error_set_errno(error, errno, "listening at %s", path);
    each->listener = sl_fd_steal(&fd);
    return TRUE;
}

OrchestratorRelay *
orchestrator_relay_new(const OrchestratorRelayOptions *options, const OrchestratorRelayFuncs *funcs,
                       gpointer data, GError **error)
{
    g_autoptr(OrchestratorRelay) relay = g_new0(OrchestratorRelay, 1);
    relay->options = *options;
    relay->funcs = *funcs;
    relay->data = data;
    relay->n = options->channel.n;
    relay->sockets = g_new0(RelaySocket, relay->n);
    relay->books = sl_ledger_books(options->ledger);
    relay->scanner = sl_json_scanner_new();
    relay->line = g_string_new(NULL);
    relay->mapped = g_string_new(NULL);
    relay->options.source_paths = g_strdupv(options->source_paths);
    relay->options.destination_paths = g_strdupv(options->destination_paths);
    for (guint i = 0; i < relay->n; i++) {
        relay->sockets[i].listener = relay->sockets[i].in = relay->sockets[i].out = -1;
        orchestrator_lines_init(&relay->sockets[i].input, -1, options->max_message);
    }
    relay->source =
        g_source_new(&relay_source_funcs, sizeof(GSource) + sizeof(OrchestratorRelay *));
    *(OrchestratorRelay **)(relay->source + 1) = relay;
    if (!orchestrator_relay_make_streams(relay, error))
        return NULL;
    for (guint i = 0; i < relay->n; i++)
        if (!listen_at(&relay->sockets[i], relay->options.destination_paths[i], error))
            return NULL;
    g_source_attach(relay->source, NULL);
    set_wishes(relay);
    return g_steal_pointer(&relay);
}

void
orchestrator_relay_free(OrchestratorRelay *relay)
{
    if (relay == NULL)
        return;
    g_clear_handle_id(&relay->search_source, g_source_remove);
    if (relay->source != NULL) {
        g_source_destroy(relay->source);
        g_source_unref(relay->source);
    }
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        sl_fd_clear(&each->listener);
        sl_fd_clear(&each->in);
        sl_fd_clear(&each->out);
        orchestrator_lines_clear(&each->input);
        sl_bytes_clear(&each->output);
    }
    g_free(relay->sockets);
    orchestrator_relay_free_streams(relay);
    g_strfreev(relay->options.source_paths);
    g_strfreev(relay->options.destination_paths);
    sl_json_scanner_free(relay->scanner);
    sl_bytes_clear(&relay->json);
    sl_bytes_clear(&relay->values);
    g_string_free(relay->line, TRUE);
    g_string_free(relay->mapped, TRUE);
    g_free(relay->fault_text);
    g_free(relay);
}

void
orchestrator_relay_stop(OrchestratorRelay *relay)
{
    relay->stopped = TRUE;
    g_clear_handle_id(&relay->search_source, g_source_remove);
    set_wishes(relay);
}

void
orchestrator_relay_detach(OrchestratorRelay *relay)
{
    orchestrator_relay_stop(relay);
    relay->closed = TRUE;
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        drop_output(each);
    }
    set_wishes(relay);
}

void
orchestrator_relay_close(OrchestratorRelay *relay)
{
    orchestrator_relay_detach(relay);
    for (guint i = 0; i < relay->n; i++) {
        RelaySocket *each = &relay->sockets[i];
        set_tag(relay, &each->out_tag, -1, 0);
        set_tag(relay, &each->listener_tag, -1, 0);
        sl_fd_clear(&each->out);
        sl_fd_clear(&each->listener);
    }
}

void
orchestrator_relay_append(OrchestratorRelay *relay, const char *lines, gsize len)
{
    for (guint i = 0; i < relay->n && !relay->closed; i++) {
        SlBytes *output = &relay->sockets[i].output;
        if (!relay->options.channel.frames) {
            sl_bytes_append(output, lines, len);
            continue;
        }
        for (const char *p = lines, *end = lines + len, *newline; p < end; p = newline + 1) {
            newline = memchr(p, '\n', (gsize)(end - p));
            newline = newline != NULL ? newline : end;
            sl_frame_append_message(output, p, (gsize)(newline - p));
        }
    }
    set_wishes(relay);
    g_source_set_ready_time(relay->source, 0);
}
